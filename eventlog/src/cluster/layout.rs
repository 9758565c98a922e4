//! The cluster's folder: what lies where, who may enter, and who owns it at the moment.

use super::account::Account;
use super::error::{ClusterError, io};
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Longest path of a Unix socket in bytes on every system: 104 with its closing zero on macOS, 108 on Linux.
const SOCKET_PATH_BYTES_MAX: usize = 103;
/// What PostgreSQL adds to its socket folder.
const SOCKET_NAME: &str = "/.s.PGSQL.5432";
/// The file that the running owner keeps locked.
const LOCK_NAME: &str = "owner.lock";

/// Where the parts of a cluster lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The cluster's folder, absolute, links resolved.
    pub(crate) folder: PathBuf,
    /// PostgreSQL's own data folder.
    pub(crate) pgdata: PathBuf,
    /// The server's log.
    pub(crate) log: PathBuf,
    /// The folder of the Unix socket.
    pub(crate) socket: PathBuf,
}

impl Layout {
    /// The parts of the cluster in a folder that exists.
    pub(crate) fn of(folder: &Path) -> Result<Self, ClusterError> {
        let folder = folder.canonicalize().map_err(io("find", folder))?;
        Ok(Self {
            pgdata: folder.join("pgdata"),
            log: folder.join("postgres.log"),
            socket: socket_folder(&folder),
            folder,
        })
    }

    /// Makes the folder if need be, private to the server's user, and the socket's folder with it.
    pub(crate) fn prepare(folder: &Path, account: Account) -> Result<Self, ClusterError> {
        make_private(folder, account)?;
        let layout = Self::of(folder)?;
        account.check_reaches(&layout.folder)?;
        make_private(&layout.socket, account)?;
        // In a folder open to all, a link laid by somebody else must not lead us elsewhere.
        let socket = layout.socket.symlink_metadata().map_err(io("look at", &layout.socket))?;
        if !socket.is_dir() {
            return Err(ClusterError::ForeignFolder { folder: layout.socket });
        }
        Ok(layout)
    }

    /// The major version that made the cluster, if there is one already.
    pub(crate) fn made_by(&self) -> Result<Option<u32>, ClusterError> {
        let file = self.pgdata.join("PG_VERSION");
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                text.trim().parse().map(Some).map_err(|_| {
                    io("read the version in", &file)(std::io::Error::from(ErrorKind::InvalidData))
                })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io("read", &file)(error)),
        }
    }
}

/// Holds the cluster for this process; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Ownership {
    _lock: File,
}

impl Ownership {
    /// Takes the cluster, or says who has it.
    pub(crate) fn take(layout: &Layout, account: Account) -> Result<Self, ClusterError> {
        let path = layout.folder.join(LOCK_NAME);
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io("open", &path))?;
        account.give(&path)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut owner = String::new();
                lock.read_to_string(&mut owner).map_err(io("read", &path))?;
                return Err(ClusterError::InUse {
                    folder: layout.folder.clone(),
                    owner: owner.trim().parse().ok(),
                });
            }
            Err(error) => return Err(io("lock", &path)(error.into())),
        }
        lock.set_len(0).and_then(|()| lock.rewind()).map_err(io("write", &path))?;
        writeln!(lock, "{}", std::process::id()).map_err(io("write", &path))?;
        Ok(Self { _lock: lock })
    }
}

/// Makes a folder that only the server's user may enter; an existing one has to be empty or ours.
fn make_private(folder: &Path, account: Account) -> Result<(), ClusterError> {
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).map_err(io("create", parent))?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => check_ours(folder, account)?,
        Err(error) => return Err(io("create", folder)(error)),
    }
    account.give(folder)?;
    std::fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(io("make private", folder))
}

/// Refuses a folder of somebody else, and one with files that are not a cluster's.
fn check_ours(folder: &Path, account: Account) -> Result<(), ClusterError> {
    let owner = folder.metadata().map_err(io("look at", folder))?.uid();
    let user = rustix::process::geteuid().as_raw();
    if owner != account.uid() && owner != user {
        return Err(ClusterError::NotOurFolder { folder: folder.to_owned(), owner, user });
    }
    let known = [LOCK_NAME, "run", SOCKET_NAME.trim_start_matches('/')];
    let ours = known.iter().any(|name| folder.join(name).symlink_metadata().is_ok());
    let empty = std::fs::read_dir(folder).map_err(io("read", folder))?.next().is_none();
    if ours || empty { Ok(()) } else { Err(ClusterError::ForeignFolder { folder: folder.to_owned() }) }
}

/// Where the socket lies: in the cluster's folder, or for a path too long or unusual in one named after it, so
/// that every later process finds it again.
fn socket_folder(folder: &Path) -> PathBuf {
    let within = folder.join("run");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let bytes = within.as_os_str().as_encoded_bytes();
    if bytes.len() + SOCKET_NAME.len() <= SOCKET_PATH_BYTES_MAX && bytes.iter().copied().all(plain) {
        return within;
    }
    PathBuf::from(format!("/tmp/annal-{}", short_hash(&[folder.as_os_str().as_encoded_bytes()])))
}

/// Sixteen hexadecimal digits that stand for these bytes.
pub(crate) fn short_hash(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{number:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_lies_in_the_folder_where_its_path_fits_and_needs_no_quoting() {
        assert_eq!(socket_folder(Path::new("/srv/annal/postgres")), Path::new("/srv/annal/postgres/run"));
        let long = PathBuf::from(format!("/{}", "long/".repeat(30)));
        for unusual in [long.as_path(), Path::new("/srv/with, comma"), Path::new("/srv/Müller")] {
            let socket = socket_folder(unusual);
            assert!(socket.starts_with("/tmp") && socket == socket_folder(unusual), "{}", socket.display());
            assert!(socket.as_os_str().len() + SOCKET_NAME.len() <= SOCKET_PATH_BYTES_MAX);
        }
    }
}
