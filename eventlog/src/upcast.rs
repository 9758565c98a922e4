//! Upcasting: a stored event of an older version is lifted to the current one when it is read.
//!
//! What is stored never changes. A new version of an event comes with an upcaster here and keeps the
//! fixture of the old version in `domain/tests/stored`.

use std::borrow::Cow;
use std::str::FromStr as _;

use cqrs_es::persist::{EventUpcaster, SemanticVersion, SerializedEvent};
use domain::Event;
use domain::event::DecodeError;
use serde::de::Error as _;

use crate::error::LogError;
use crate::stored::StoredEvent;

/// All upcasters, oldest first; each lifts one event type to one version.
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    Vec::new()
}

/// The payload in the current version of its event; borrowed when it is current already.
///
/// # Errors
/// [`LogError::Decode`]: no upcaster leads from the stored version to the current one, as when a newer
/// build wrote the event. Read as it is, a field of the newer version would be lost in silence.
pub(crate) fn to_current(stored: &StoredEvent) -> Result<Cow<'_, str>, LogError> {
    if current_version(stored.stream.aggregate_type, &stored.event_type) == Some(&stored.event_version) {
        return Ok(Cow::Borrowed(&stored.payload));
    }
    lift(stored, &upcasters()).map(Cow::Owned)
}

/// Runs a stored event through the upcasters, which have to lead to its current version.
fn lift(stored: &StoredEvent, upcasters: &[Box<dyn EventUpcaster>]) -> Result<String, LogError> {
    let failed =
        |source| LogError::Decode { position: stored.position, source: DecodeError::Payload(source) };
    let payload = serde_json::from_str(&stored.payload).map_err(failed)?;
    let event = SerializedEvent::new(
        stored.stream.aggregate_id.clone(),
        usize::try_from(stored.sequence).map_err(|_| LogError::Envelope(stored.position))?,
        stored.stream.aggregate_type.to_owned(),
        stored.event_type.clone(),
        stored.event_version.clone(),
        payload,
        serde_json::Value::Null,
    );
    let lifted = through(event, upcasters);
    let current = current_version(&lifted.aggregate_type, &lifted.event_type);
    if !current.is_some_and(|current| is_same(current, &lifted.event_version)) {
        return Err(failed(serde_json::Error::custom("no upcaster leads to the current version")));
    }
    serde_json::to_string(&lifted.payload).map_err(failed)
}

/// Runs an event through the upcasters, one after the other.
pub(crate) fn through(event: SerializedEvent, upcasters: &[Box<dyn EventUpcaster>]) -> SerializedEvent {
    upcasters.iter().fold(event, |event, upcaster| {
        if upcaster.can_upcast(&event.event_type, &event.event_version) {
            upcaster.upcast(event)
        } else {
            event
        }
    })
}

fn current_version(aggregate_type: &str, event_type: &str) -> Option<&'static str> {
    let mut events = Event::CATALOGUE.iter().filter(|(aggregate, _)| *aggregate == aggregate_type);
    let (_, events) = events.next()?;
    events.iter().find(|(name, _)| *name == event_type).map(|(_, version)| *version)
}

/// Whether two versions are the same number: the crate's upcasters write 1.0.0 for 1.0.
fn is_same(one: &str, other: &str) -> bool {
    one == other
        || SemanticVersion::from_str(one).is_ok_and(|one| Ok(one) == SemanticVersion::from_str(other))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use cqrs_es::persist::SemanticVersionEventUpcaster;
    use domain::friendship::FriendshipEvent;
    use domain::{AccountId, Position, StreamId};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn stored(event_type: &str, event_version: &str, payload: &Value) -> StoredEvent {
        StoredEvent {
            position: Position(7),
            stream: StreamId { aggregate_type: "friendship", aggregate_id: "ab".into() },
            sequence: 1,
            event_type: event_type.into(),
            event_version: event_version.into(),
            payload: payload.to_string(),
            metadata: "{}".into(),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    fn person(n: u128) -> String {
        Uuid::from_u128(n).simple().to_string()
    }

    /// A history that never was: 0.1 named the one who asked `by`, 0.2 named it `from`, 1.0 added `to`.
    fn history() -> Vec<Box<dyn EventUpcaster>> {
        let rename = |mut payload: Value| {
            let by = payload["FriendRequested"]["by"].take();
            json!({ "FriendRequested": { "from": by } })
        };
        let add = |mut payload: Value| {
            payload["FriendRequested"]["to"] = json!(person(2));
            payload
        };
        vec![
            Box::new(SemanticVersionEventUpcaster::new("FriendRequested", "0.2", Box::new(rename))),
            Box::new(SemanticVersionEventUpcaster::new("FriendRequested", "1.0", Box::new(add))),
        ]
    }

    #[test]
    fn every_older_version_is_lifted_step_by_step_to_what_this_build_reads() {
        let requested = FriendshipEvent::FriendRequested {
            from: AccountId(Uuid::from_u128(1)),
            to: AccountId(Uuid::from_u128(2)),
        };
        for (version, payload) in [
            ("0.1", json!({ "FriendRequested": { "by": person(1) } })),
            ("0.2", json!({ "FriendRequested": { "from": person(1) } })),
        ] {
            let old = stored("FriendRequested", version, &payload);
            let lifted = lift(&old, &history()).unwrap();
            assert_eq!(Event::decode("friendship", &lifted).unwrap(), Event::Friendship(requested.clone()));
        }
    }

    #[test]
    fn a_current_event_is_read_byte_for_byte() {
        // Spaces and the order of keys would not survive a parse.
        let mut current = stored("FriendRequested", "1.0", &Value::Null);
        current.payload =
            format!(r#"{{ "FriendRequested":{{"to":"{}", "from":"{}"}} }}"#, person(2), person(1));
        assert!(
            matches!(to_current(&current).unwrap(), Cow::Borrowed(payload) if payload == current.payload)
        );
    }

    #[test]
    fn a_version_that_leads_nowhere_is_an_error_and_never_read_as_it_is() {
        let payload = json!({ "FriendRequested": { "from": person(1), "to": person(2), "note": "new" } });
        for (event_type, version) in [("FriendRequested", "2.0"), ("FriendRequested", ""), ("Unheard", "1.0")]
        {
            let event = stored(event_type, version, &payload);
            let refused = to_current(&event);
            assert!(
                matches!(refused, Err(LogError::Decode { position: Position(7), .. })),
                "{event_type} {version}"
            );
        }
    }
}
