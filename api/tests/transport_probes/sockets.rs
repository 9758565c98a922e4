//! Both WebSocket subprotocols, probe by probe.

mod delivery;
mod probe;
mod protocol;
mod sharing;
