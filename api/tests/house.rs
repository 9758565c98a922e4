//! The house has one direction: domain <- eventlog <- projections <- api.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The rooms, lowest first.
const ROOMS: [&str; 4] = ["domain", "eventlog", "projections", "api"];

/// Crates that bring I/O, a clock or randomness; the domain takes them as data.
const NOT_IN_THE_DOMAIN: [&str; 8] =
    ["tokio", "sqlx", "axum", "rand", "getrandom", "reqwest", "tracing", "async-graphql"];

fn dependencies(package: &str) -> BTreeSet<String> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let package = metadata.packages.iter().find(|p| p.name.as_str() == package).unwrap();
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    normal.map(|dependency| dependency.name.clone()).collect()
}

#[test]
fn no_room_depends_on_a_higher_one() {
    for (level, room) in ROOMS.iter().enumerate() {
        let dependencies = dependencies(room);
        for higher in &ROOMS[level..] {
            assert!(!dependencies.contains(*higher), "{room} must not depend on {higher}");
        }
    }
}

#[test]
fn the_domain_is_pure() {
    let dependencies = dependencies("domain");
    for crate_name in NOT_IN_THE_DOMAIN {
        assert!(!dependencies.contains(crate_name), "domain must not depend on {crate_name}");
    }
}

#[test]
fn the_api_holds_no_sql() {
    assert!(!dependencies("api").contains("sqlx"), "SQL stays in eventlog and projections");
}
