//! The bytes of an event that the audit tree hashes. Fixed for ever; test vectors in `docs/leaf-bytes.md`.

use crate::stored::StoredEvent;

/// The leaf bytes of an event: nine fields in a fixed order, each as its length (8 bytes, big endian)
/// and its bytes. Numbers are 8 bytes big endian (two's complement), texts are UTF-8 as stored, and
/// `recorded_at` is microseconds since 1970-01-01T00:00:00Z.
pub fn leaf_bytes(event: &StoredEvent) -> Vec<u8> {
    let position = event.position.0.to_be_bytes();
    let sequence = event.sequence.to_be_bytes();
    let recorded_at = event.recorded_at.timestamp_micros().to_be_bytes();
    let fields: [&[u8]; 9] = [
        &position,
        event.stream.aggregate_type.as_bytes(),
        event.stream.aggregate_id.as_bytes(),
        &sequence,
        event.event_type.as_bytes(),
        event.event_version.as_bytes(),
        event.payload.as_bytes(),
        event.metadata.as_bytes(),
        &recorded_at,
    ];
    let mut bytes = Vec::with_capacity(fields.iter().map(|field| 8 + field.len()).sum());
    for field in fields {
        bytes.extend((field.len() as u64).to_be_bytes());
        bytes.extend_from_slice(field);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::{Position, StreamId};
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::keys::hex;

    /// The vectors of `docs/leaf-bytes.md`, made by a few lines of Python that share no code with us.
    #[test]
    fn leaf_bytes_are_those_of_the_published_vectors() {
        let mut event = StoredEvent {
            position: Position(1),
            stream: StreamId { aggregate_type: "handle", aggregate_id: "ab".into() },
            sequence: 1,
            event_type: "HandleClaimed".into(),
            event_version: "1.0".into(),
            payload: r#"{"HandleClaimed":{"account":"00000000000000000000000000000001"}}"#.into(),
            metadata: r#"{"actor":"anonymous"}"#.into(),
            recorded_at: DateTime::from_timestamp_micros(1_790_000_000_123_456).unwrap(),
        };
        assert_eq!(hex(&Sha256::digest(leaf_bytes(&event))), FIRST);
        event.position = Position(258);
        event.payload = r#"{"text":"你好 👋"}"#.into();
        assert_eq!(hex(&Sha256::digest(leaf_bytes(&event))), SECOND);
    }

    const FIRST: &str = "3fb9e312d19382cbee753e65a9988270ca8d9d6f47c733ece4f3e0adf28b1898";
    const SECOND: &str = "7a3e5356eefb7723f7150ba09a4578f372d5094ba19ef882cba6f7ac40d06979";
}
