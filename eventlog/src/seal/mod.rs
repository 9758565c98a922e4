//! Sealing: personal fields are encrypted before they are hashed, stored or queued.
//!
//! A field's key is HKDF-SHA256 (RFC 5869) of its parents' keys, the event's id and the field's name, so
//! that destroying either parent erases it, and one field can be disclosed alone. The cipher is
//! XChaCha20-Poly1305 with a random nonce; where the field stands (stream, sequence, name) is
//! authenticated with it, so that sealed text cannot be moved.

mod cipher;
mod visitors;

pub(crate) use visitors::{key_ids, owners, seal, unseal};
