//! From decided events to what the writer appends: places, metadata, sealing, JSON.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{Event, EventId, Metadata, Position, Recorded};

use super::mailbox::Held;
use super::outcome::CommandContext;
use crate::error::LogError;
use crate::fresh::new_uuid;
use crate::keys::KeyRing;
use crate::seal;
use crate::writer::NewEvent;

/// Seals and encodes events, each with the index of its stream; the keys that it takes are committed before
/// it returns.
pub(super) async fn encode(
    events: Vec<(usize, Recorded)>,
    keys: &KeyRing,
    now: DateTime<Utc>,
) -> Result<Vec<NewEvent>, LogError> {
    let mut sealing: Vec<Event> = events.iter().map(|(_, recorded)| recorded.event.clone()).collect();
    let mut owners = BTreeSet::new();
    for (event, (_, recorded)) in sealing.iter_mut().zip(&events) {
        seal::owners(event, &recorded.stream, now, &mut owners);
    }
    let keys = keys.ensure(&owners).await?;
    let mut encoded = Vec::with_capacity(events.len());
    for (mut event, (stream, opened)) in sealing.into_iter().zip(events) {
        let Recorded { stream: of, sequence, metadata, .. } = &opened;
        seal::seal(&mut event, of, *sequence, metadata.event_id, now, &keys)
            .map_err(|_| LogError::KeyDestroyed)?;
        encoded.push(NewEvent {
            stream,
            event_type: event.event_type(),
            event_version: event.event_version(),
            payload: event.encode().map_err(LogError::Encode)?,
            metadata: serde_json::to_string(metadata).map_err(LogError::Encode)?,
            opened,
        });
    }
    Ok(encoded)
}

/// Gives decided events their places in their streams and their metadata.
pub(super) fn recorded(
    held: &[Held],
    events: Vec<(usize, Event)>,
    context: &CommandContext,
    now: DateTime<Utc>,
) -> Vec<(usize, Recorded)> {
    let mut versions: Vec<i64> = held.iter().map(|held| held.live().map_or(0, |live| live.version)).collect();
    let place = |(index, event): (usize, Event)| {
        versions[index] += 1;
        let recorded = Recorded {
            position: Position::START,
            stream: held[index].stream.id.clone(),
            sequence: versions[index],
            event,
            metadata: metadata(context),
            recorded_at: now,
        };
        (index, recorded)
    };
    events.into_iter().map(place).collect()
}

fn metadata(context: &CommandContext) -> Metadata {
    Metadata {
        event_id: EventId(new_uuid()),
        actor: context.actor.clone(),
        session: context.session,
        causation: context.causation,
        correlation: context.correlation,
        client: context.client,
    }
}
