//! The master key: 256 bits that wrap every other key and never touch the database.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::KeyBytes;
use crate::error::LogError;
use crate::fresh::random_bytes;

const NONCE_BYTES: usize = 24;

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file cannot be read or written.
    #[error("the master key file cannot be used")]
    File(#[from] io::Error),
    /// Not 32 bytes in base64.
    #[error("the master key must be 32 bytes in base64")]
    Malformed,
    /// Others could read the file. Run `chmod 600` on it.
    #[error("the master key file must be readable by its owner only (mode 0600)")]
    TooOpen,
}

/// Tells master keys apart without telling anything about them: 64 bits of a SHA-256 over a label and
/// the key, which is random.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MasterKeyId(pub(super) i64);

impl std::fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Wraps and unwraps the keys of the database (XChaCha20-Poly1305, random nonce).
pub struct MasterKey(KeyBytes);

impl MasterKey {
    /// A new random key.
    pub fn generate() -> Self {
        Self(Zeroizing::new(random_bytes()))
    }

    /// Reads a key from its base64 text, as an environment variable holds it.
    pub fn from_base64(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| MasterKeyError::Malformed)?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| MasterKeyError::Malformed)?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// Reads the key from a file that only its owner can read.
    pub fn read(path: &Path) -> Result<Self, MasterKeyError> {
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            return Err(MasterKeyError::TooOpen);
        }
        Self::from_base64(&Zeroizing::new(fs::read_to_string(path)?))
    }

    /// Makes a key and keeps it in a new file with mode 0600; an existing file is never overwritten.
    /// The file and its folder are on disk before this returns: data sealed by a lost key is lost.
    pub fn create(path: &Path) -> Result<Self, MasterKeyError> {
        let key = Self::generate();
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let text = Zeroizing::new(format!("{}\n", STANDARD.encode(key.0.as_slice())));
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if let Some(folder) = path.parent() {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(key)
    }

    /// What the key is called where its id is enough.
    pub fn id(&self) -> MasterKeyId {
        let hash = Sha256::new_with_prefix(b"annal master key id").chain_update(self.0.as_slice()).finalize();
        MasterKeyId(i64::from_be_bytes(std::array::from_fn(|at| hash[at])))
    }

    /// Wraps a key for storage; `name` is bound to it, so that stored keys cannot change places.
    pub(crate) fn wrap(&self, name: &str, key: &KeyBytes) -> Result<Vec<u8>, LogError> {
        let nonce = random_bytes::<NONCE_BYTES>();
        let payload = Payload { msg: key.as_slice(), aad: name.as_bytes() };
        let sealed =
            self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| LogError::WrongMasterKey)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Unwraps a stored key.
    pub(crate) fn unwrap(&self, name: &str, wrapped: &[u8]) -> Result<KeyBytes, LogError> {
        let (nonce, sealed) = wrapped.split_at_checked(NONCE_BYTES).ok_or(LogError::WrongMasterKey)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| LogError::WrongMasterKey)?;
        let payload = Payload { msg: sealed, aad: name.as_bytes() };
        let key = self.cipher().decrypt(&nonce, payload).map_err(|_| LogError::WrongMasterKey)?;
        let key: [u8; 32] =
            Zeroizing::new(key).as_slice().try_into().map_err(|_| LogError::WrongMasterKey)?;
        Ok(Zeroizing::new(key))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_key_opens_only_under_its_name_and_its_master() {
        let (master, key) = (MasterKey::generate(), Zeroizing::new([7; 32]));
        let wrapped = master.wrap("one", &key).unwrap();
        assert_eq!(*master.unwrap("one", &wrapped).unwrap(), *key);
        assert!(master.unwrap("other", &wrapped).is_err());
        assert!(MasterKey::generate().unwrap("one", &wrapped).is_err());
        assert!(master.unwrap("one", &wrapped[..10]).is_err());
    }

    #[test]
    fn a_key_file_is_private_and_never_overwritten() {
        let folder = std::env::temp_dir().join(format!("annal-master-{}", crate::fresh::new_uuid()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("master.key");
        let key = MasterKey::create(&path).unwrap();
        assert_eq!(*MasterKey::read(&path).unwrap().0, *key.0);
        assert!(MasterKey::create(&path).is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(MasterKey::read(&path), Err(MasterKeyError::TooOpen)));
        fs::remove_dir_all(&folder).unwrap();
    }
}
