//! The master keys of a process: the one in use, and while keys are wrapped anew also the one before.

use super::master::{MasterKey, MasterKeyId};
use super::{KeyBytes, WrappedKey};
use crate::error::LogError;

/// The master key that wraps new keys, and maybe an older one that still unwraps.
pub struct MasterKeys {
    current: (MasterKeyId, MasterKey),
    old: Option<(MasterKeyId, MasterKey)>,
}

impl From<MasterKey> for MasterKeys {
    fn from(current: MasterKey) -> Self {
        Self { current: (current.id(), current), old: None }
    }
}

impl MasterKeys {
    /// Also unwraps what the older master key wrapped. For the time from making a new one until
    /// [`rotate_master_key`](crate::rotate_master_key) is through.
    #[must_use]
    pub fn with_old(self, old: MasterKey) -> Self {
        Self { old: Some((old.id(), old)), ..self }
    }

    /// The id of the master key that wraps new keys.
    pub fn current_id(&self) -> MasterKeyId {
        self.current.0
    }

    /// The ids of both, the lower first; twice the same when there is one.
    pub(super) fn ids(&self) -> [MasterKeyId; 2] {
        let old = self.old.as_ref().map_or(self.current.0, |(id, _)| *id);
        [self.current.0.min(old), self.current.0.max(old)]
    }

    /// Wraps a key by the current master key.
    pub(super) fn wrap(&self, name: &str, key: &KeyBytes) -> Result<WrappedKey, LogError> {
        let (id, master) = &self.current;
        Ok(WrappedKey { bytes: master.wrap(name, key)?, master: Some(*id) })
    }

    /// Unwraps a key by the master key that wrapped it.
    ///
    /// # Errors
    /// [`LogError::WrongMasterKey`]: neither of them did.
    pub(super) fn unwrap(&self, name: &str, wrapped: &WrappedKey) -> Result<KeyBytes, LogError> {
        for (id, master) in [Some(&self.current), self.old.as_ref()].into_iter().flatten() {
            match wrapped.master {
                Some(by) if by == *id => return master.unwrap(name, &wrapped.bytes),
                Some(_) => {}
                // From before the ids were stored: the right one is found by trying.
                None => {
                    if let Ok(key) = master.unwrap(name, &wrapped.bytes) {
                        return Ok(key);
                    }
                }
            }
        }
        Err(LogError::WrongMasterKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn keys(current: u8, old: Option<u8>) -> MasterKeys {
        use base64::Engine as _;
        let master = |byte| {
            let text = base64::engine::general_purpose::STANDARD.encode([byte; 32]);
            MasterKey::from_base64(&text).unwrap()
        };
        let keys = MasterKeys::from(master(current));
        match old {
            Some(old) => keys.with_old(master(old)),
            None => keys,
        }
    }

    #[test]
    fn what_the_old_one_wrapped_opens_while_both_are_there_with_or_without_its_id() {
        let wrapped = keys(1, None).wrap("one", &Zeroizing::new([7; 32])).unwrap();
        let nameless = WrappedKey { master: None, ..wrapped.clone() };
        for wrapped in [wrapped, nameless] {
            for fitting in [keys(1, None), keys(2, Some(1)), keys(1, Some(2))] {
                assert_eq!(*fitting.unwrap("one", &wrapped).unwrap(), [7; 32]);
            }
            assert!(matches!(keys(2, None).unwrap("one", &wrapped), Err(LogError::WrongMasterKey)));
        }
    }

    #[test]
    fn the_id_of_a_master_key_never_changes() {
        assert_eq!(keys(0, None).current_id().to_string(), "5b1361effe504bfe");
        assert_ne!(keys(0, None).current_id(), keys(1, None).current_id());
    }
}
