//! Stored events are a file format: what was ever released must be read for ever.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use domain::Event;

/// (aggregate type, event type, version, payload) of every stored fixture. A file's name may end with a
/// word more where an event has several shapes: `aggregate.Event.1.0.word.json`.
fn fixtures() -> Vec<(String, String, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored");
    let mut fixtures = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().strip_suffix(".json").unwrap().to_owned();
        let [aggregate, event, major, minor, ..] = name.split('.').collect::<Vec<_>>()[..] else {
            panic!("{name}: expected aggregate.Event.version.json")
        };
        let payload = fs::read_to_string(&path).unwrap();
        fixtures.push((aggregate.into(), event.into(), format!("{major}.{minor}"), payload));
    }
    fixtures
}

#[test]
fn every_current_version_has_a_fixture() {
    let stored: BTreeSet<_> = fixtures().into_iter().map(|(a, e, v, _)| (a, e, v)).collect();
    for (aggregate, events) in Event::CATALOGUE {
        for (event, version) in *events {
            let wanted = ((*aggregate).into(), (*event).into(), (*version).into());
            assert!(stored.contains(&wanted), "no fixture for {wanted:?}");
        }
    }
}

#[test]
fn every_fixture_of_a_current_version_is_read_and_written_back_unchanged() {
    let current: BTreeSet<_> = Event::CATALOGUE.iter().flat_map(|(_, events)| *events).copied().collect();
    let mut read = BTreeSet::new();
    for (aggregate, event_type, version, payload) in fixtures() {
        if !current.contains(&(event_type.as_str(), version.as_str())) {
            continue;
        }
        let event = Event::decode(&aggregate, &payload).unwrap_or_else(|e| panic!("{event_type}: {e}"));
        assert_eq!(event.event_type(), event_type);
        assert_eq!(event.encode().unwrap(), payload.trim());
        read.insert(event_type);
    }
    assert_eq!(read.len(), current.len());
}
