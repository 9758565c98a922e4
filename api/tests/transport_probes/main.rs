//! The transport against real sockets: tables of raw probes over a schema of its own.
#![allow(clippy::unused_async, reason = "the macros of the schema want async resolvers")]

#[cfg(test)]
mod documents;
#[cfg(test)]
mod http;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod playground;
#[cfg(test)]
mod server;
#[cfg(test)]
mod sockets;
