//! One sealed field: its bytes and how they come about.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::{EventId, Sealed, StreamId};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::fresh::random_bytes;
use crate::keys::{KeyBytes, KeyId};

/// First byte of a sealed field; a change of the format changes it.
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 24;
/// Format, two key ids, nonce.
const HEADER_BYTES: usize = 1 + 8 + 8 + NONCE_BYTES;
/// Stands for "no key" in a sealed field; key ids are positive.
const NO_KEY: KeyId = 0;

/// Where a field stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) stream: &'a StreamId,
    pub(super) sequence: i64,
    pub(super) event_id: EventId,
}

/// The keys that seal a field; at least one is there.
#[derive(Clone, Copy, Default)]
pub(super) struct Parents<'a> {
    pub(super) account: Option<(KeyId, &'a KeyBytes)>,
    pub(super) conversation: Option<(KeyId, &'a KeyBytes)>,
}

/// The sealed field does not open: it was altered, moved, or is of no known format.
#[derive(Debug)]
pub(super) struct Altered;

/// The ids of the keys that a sealed field needs: the account's and the conversation's.
pub(super) fn parent_ids(sealed: &Sealed) -> Result<[Option<KeyId>; 2], Altered> {
    let bytes = decode(sealed)?;
    let id = |at: usize| -> Result<Option<KeyId>, Altered> {
        let id = KeyId::from_be_bytes(bytes[at..at + 8].try_into().map_err(|_| Altered)?);
        Ok((id != NO_KEY).then_some(id))
    };
    Ok([id(1)?, id(9)?])
}

/// Seals a text.
pub(super) fn seal_text(text: &str, field: &str, place: Place<'_>, parents: Parents<'_>) -> Option<Sealed> {
    let nonce = random_bytes::<NONCE_BYTES>();
    let payload = Payload { msg: text.as_bytes(), aad: &authenticated(field, place) };
    let sealed = field_cipher(field, place, parents)?.encrypt(&XNonce::from(nonce), payload).ok()?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + sealed.len());
    bytes.push(FORMAT);
    bytes.extend(parents.account.map_or(NO_KEY, |(id, _)| id).to_be_bytes());
    bytes.extend(parents.conversation.map_or(NO_KEY, |(id, _)| id).to_be_bytes());
    bytes.extend(nonce);
    bytes.extend(sealed);
    Some(Sealed(URL_SAFE_NO_PAD.encode(bytes)))
}

/// Opens a sealed text.
pub(super) fn open_text(
    sealed: &Sealed,
    field: &str,
    place: Place<'_>,
    parents: Parents<'_>,
) -> Result<String, Altered> {
    let bytes = decode(sealed)?;
    let nonce = XNonce::try_from(&bytes[HEADER_BYTES - NONCE_BYTES..HEADER_BYTES]).map_err(|_| Altered)?;
    let payload = Payload { msg: &bytes[HEADER_BYTES..], aad: &authenticated(field, place) };
    let text =
        field_cipher(field, place, parents).ok_or(Altered)?.decrypt(&nonce, payload).map_err(|_| Altered)?;
    String::from_utf8(text).map_err(|_| Altered)
}

fn decode(sealed: &Sealed) -> Result<Vec<u8>, Altered> {
    let bytes = URL_SAFE_NO_PAD.decode(&sealed.0).map_err(|_| Altered)?;
    let known = bytes.len() >= HEADER_BYTES && bytes[0] == FORMAT;
    if known { Ok(bytes) } else { Err(Altered) }
}

fn field_cipher(field: &str, place: Place<'_>, parents: Parents<'_>) -> Option<XChaCha20Poly1305> {
    let mut parent_keys = Zeroizing::new(Vec::with_capacity(64));
    for (_, key) in [parents.account, parents.conversation].into_iter().flatten() {
        parent_keys.extend_from_slice(key.as_slice());
    }
    if parent_keys.is_empty() {
        return None;
    }
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, &parent_keys)
        .expand_multi_info(&[place.event_id.0.as_bytes(), field.as_bytes()], key.as_mut_slice())
        .ok()?;
    XChaCha20Poly1305::new_from_slice(key.as_slice()).ok()
}

fn authenticated(field: &str, place: Place<'_>) -> Vec<u8> {
    let sequence = place.sequence.to_be_bytes();
    let parts: [&[u8]; 4] = [
        place.stream.aggregate_type.as_bytes(),
        place.stream.aggregate_id.as_bytes(),
        &sequence,
        field.as_bytes(),
    ];
    let mut bytes = Vec::with_capacity(96);
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
