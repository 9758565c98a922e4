//! The real binary from outside: clients that nobody here wrote, crashes, and the private PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

#[cfg(test)]
mod annal;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod discretion;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod embedded;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod person;
#[cfg(test)]
mod readiness;
#[cfg(test)]
mod traces;
