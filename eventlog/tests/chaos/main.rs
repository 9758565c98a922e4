//! The log under attack: killed, cut off, frozen, starved, restored. After every storm the log must agree
//! with what its callers were told.
//!
//! Each case takes a few seconds; its long version is called `soak_...` and runs in `make soak`.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[cfg(test)]
mod cut;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod dropped;
#[cfg(test)]
mod frozen;
#[cfg(test)]
mod ground;
#[cfg(test)]
mod history;
#[cfg(test)]
#[path = "../kit/mod.rs"]
mod kit;
#[cfg(test)]
mod load;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod process;
#[cfg(test)]
mod restored;
#[cfg(test)]
mod terminated;
#[cfg(test)]
mod two;
