//! Walks over the personal fields of an event: whose keys, seal, open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use domain::{Event, EventId, KeyOwners, PersonalField, PersonalVisitor, StreamId};

use super::cipher::{Altered, Parents, Place, open_text, parent_ids, seal_text};
use crate::keys::{KeyBytes, KeyId, KeyOwner, KeySet};

/// The keys at hand for sealing.
pub(crate) type SealingKeys = BTreeMap<KeyOwner, (KeyId, Arc<KeyBytes>)>;

/// A field could not be sealed: its keys are not at hand.
#[derive(Debug)]
pub(crate) struct NotSealed;

/// A sealed field was altered.
#[derive(Debug)]
pub(crate) struct NotOpened;

/// Adds the owners of all keys that sealing the event now will need.
pub(crate) fn owners(
    event: &mut Event,
    stream: &StreamId,
    now: DateTime<Utc>,
    found: &mut BTreeSet<KeyOwner>,
) {
    struct Owners<'a> {
        month: NaiveDate,
        found: &'a mut BTreeSet<KeyOwner>,
    }
    impl PersonalVisitor for Owners<'_> {
        fn field(&mut self, _: &str, owners: KeyOwners, _: &mut dyn PersonalField) {
            self.found.extend(parents_of(owners, self.month).into_iter().flatten());
        }
    }
    event.personal(stream, &mut Owners { month: month_of(now), found });
}

/// Seals every open field of an event that is about to be appended.
pub(crate) fn seal(
    event: &mut Event,
    stream: &StreamId,
    sequence: i64,
    event_id: EventId,
    now: DateTime<Utc>,
    keys: &SealingKeys,
) -> Result<(), NotSealed> {
    struct Seal<'a> {
        place: Place<'a>,
        month: NaiveDate,
        keys: &'a SealingKeys,
        failed: bool,
    }
    impl PersonalVisitor for Seal<'_> {
        fn field(&mut self, name: &str, owners: KeyOwners, value: &mut dyn PersonalField) {
            let Some(text) = value.text() else { return };
            let key = |owner: KeyOwner| self.keys.get(&owner).map(|(id, key)| (*id, key.as_ref()));
            let [account, conversation] = parents_of(owners, self.month);
            let parents =
                Parents { account: account.and_then(key), conversation: conversation.and_then(key) };
            let complete = account.is_some() == parents.account.is_some()
                && conversation.is_some() == parents.conversation.is_some();
            match complete.then(|| seal_text(text, name, self.place, parents)).flatten() {
                Some(sealed) => value.seal(sealed),
                None => self.failed = true,
            }
        }
    }
    let place = Place { stream, sequence, event_id };
    let mut visitor = Seal { place, month: month_of(now), keys, failed: false };
    event.personal(stream, &mut visitor);
    if visitor.failed { Err(NotSealed) } else { Ok(()) }
}

/// Adds the ids of all keys that opening the event needs.
pub(crate) fn key_ids(
    event: &mut Event,
    stream: &StreamId,
    found: &mut BTreeSet<KeyId>,
) -> Result<(), NotOpened> {
    struct Ids<'a> {
        found: &'a mut BTreeSet<KeyId>,
        failed: bool,
    }
    impl PersonalVisitor for Ids<'_> {
        fn field(&mut self, _: &str, _: KeyOwners, value: &mut dyn PersonalField) {
            match value.sealed().map(parent_ids) {
                None => {}
                Some(Ok(ids)) => self.found.extend(ids.into_iter().flatten()),
                Some(Err(Altered)) => self.failed = true,
            }
        }
    }
    let mut visitor = Ids { found, failed: false };
    event.personal(stream, &mut visitor);
    if visitor.failed { Err(NotOpened) } else { Ok(()) }
}

/// Opens every sealed field of a stored event. A field with a destroyed key becomes "erased".
pub(crate) fn unseal(
    event: &mut Event,
    stream: &StreamId,
    sequence: i64,
    event_id: EventId,
    keys: &KeySet,
) -> Result<(), NotOpened> {
    struct Open<'a> {
        place: Place<'a>,
        keys: &'a KeySet,
        failed: bool,
    }
    impl PersonalVisitor for Open<'_> {
        fn field(&mut self, name: &str, _: KeyOwners, value: &mut dyn PersonalField) {
            let Some(sealed) = value.sealed() else { return };
            match open_one(sealed, name, self.place, self.keys) {
                Ok(Some(text)) => value.unseal(text),
                Ok(None) => value.erase(),
                Err(Altered) => self.failed = true,
            }
        }
    }
    let mut visitor = Open { place: Place { stream, sequence, event_id }, keys, failed: false };
    event.personal(stream, &mut visitor);
    if visitor.failed { Err(NotOpened) } else { Ok(()) }
}

fn open_one(
    sealed: &domain::Sealed,
    name: &str,
    place: Place<'_>,
    keys: &KeySet,
) -> Result<Option<String>, Altered> {
    let [account, conversation] = parent_ids(sealed)?;
    let mut parents = Parents::default();
    for (id, parent) in [(account, &mut parents.account), (conversation, &mut parents.conversation)] {
        let Some(id) = id else { continue };
        let Some(key) = keys.get(id) else { return Ok(None) };
        *parent = Some((id, key));
    }
    open_text(sealed, name, place, parents).map(Some)
}

fn parents_of(owners: KeyOwners, month: NaiveDate) -> [Option<KeyOwner>; 2] {
    match owners {
        KeyOwners::Account(account) => [Some(KeyOwner::Account(account)), None],
        KeyOwners::AccountIn(account, conversation) => {
            [Some(KeyOwner::Account(account)), Some(KeyOwner::Conversation(conversation, month))]
        }
        KeyOwners::Conversation(conversation) => [None, Some(KeyOwner::Conversation(conversation, month))],
    }
}

fn month_of(now: DateTime<Utc>) -> NaiveDate {
    now.date_naive().with_day(1).unwrap_or_default()
}
