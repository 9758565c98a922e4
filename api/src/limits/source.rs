//! Where a caller calls from, as limits count it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// An address that limits are counted against: an IPv4 address, or the /64 network of an IPv6 address,
/// because whoever has one address of such a network has all 2^64 of them.
///
/// Personal data: it has no `Debug`, and its text is for keyed hashes only.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source(Network);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Network {
    V4(Ipv4Addr),
    V6(u64),
}

impl Source {
    /// The source of an address; none for an unknown one and for this machine itself.
    ///
    /// Callers from this machine are its operator, or a proxy that does not say for whom it calls: a limit
    /// would not tell its people apart, and one of them could shut out all.
    pub fn of(peer: Option<IpAddr>) -> Option<Self> {
        match peer?.to_canonical() {
            address if address.is_loopback() => None,
            IpAddr::V4(address) => Some(Self(Network::V4(address))),
            IpAddr::V6(address) => Some(Self(Network::V6(network_64(address.to_bits())))),
        }
    }
}

/// The first 64 bits.
fn network_64(bits: u128) -> u64 {
    (bits >> 64) as u64
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Network::V4(address) => write!(f, "{address}"),
            Network::V6(network) => write!(f, "{network:016x}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Option<String> {
        Source::of(Some(address.parse().unwrap())).map(|source| source.to_string())
    }

    #[test]
    fn ipv6_counts_by_its_network_and_disguised_ipv4_by_its_address() {
        assert_eq!(source("192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(source("::ffff:192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
    }

    #[test]
    fn this_machine_and_the_unknown_are_not_counted() {
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(source(address), None, "{address}");
        }
        assert!(Source::of(None).is_none());
    }
}
