//! Upcasting: a stored event of an older version is lifted to the current one when it is read.
//!
//! What is stored never changes. A new version of an event comes with an upcaster here and keeps the
//! fixture of the old version in `domain/tests/stored`.

use std::borrow::Cow;

use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use domain::Event;
use domain::event::DecodeError;

use crate::error::LogError;
use crate::stored::StoredEvent;

/// All upcasters, oldest first; each lifts one event type to one version.
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    Vec::new()
}

/// The payload in the current version of its event; borrowed when it is current already.
pub(crate) fn to_current(stored: &StoredEvent) -> Result<Cow<'_, str>, LogError> {
    if is_current(stored) {
        return Ok(Cow::Borrowed(&stored.payload));
    }
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
    let lifted = upcasters().iter().fold(event, |event, upcaster| {
        if upcaster.can_upcast(&event.event_type, &event.event_version) {
            upcaster.upcast(event)
        } else {
            event
        }
    });
    serde_json::to_string(&lifted.payload).map(Cow::Owned).map_err(failed)
}

fn is_current(stored: &StoredEvent) -> bool {
    Event::CATALOGUE
        .iter()
        .filter(|(aggregate, _)| *aggregate == stored.stream.aggregate_type)
        .flat_map(|(_, events)| *events)
        .any(|(name, version)| *name == stored.event_type && *version == stored.event_version)
}
