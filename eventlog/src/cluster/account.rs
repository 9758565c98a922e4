//! The user that PostgreSQL runs as: it refuses to run as root, so root hands it to somebody unprivileged.

use super::error::{ClusterError, io};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

/// Whom root runs the server as, in this order.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Who runs the server and owns its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// The user of this process.
    Own { uid: u32 },
    /// Another, unprivileged user; this process is root.
    Lent { uid: u32, gid: u32 },
}

impl Account {
    /// Oneself; as root the owner of an existing cluster folder, else `postgres`, else `nobody`.
    pub(crate) fn for_folder(folder: &Path) -> Result<Self, ClusterError> {
        let uid = rustix::process::geteuid();
        if !uid.is_root() {
            return Ok(Self::Own { uid: uid.as_raw() });
        }
        match folder.metadata() {
            Ok(found) if found.uid() != 0 => return Ok(Self::Lent { uid: found.uid(), gid: found.gid() }),
            _ => {}
        }
        UNPRIVILEGED.iter().find_map(|name| Self::named(name)).ok_or(ClusterError::NoUnprivilegedUser)
    }

    /// Looks a user up by name; `id` asks every user database of the system.
    fn named(name: &str) -> Option<Self> {
        let ask = |what: &str| -> Option<u32> {
            let output = Command::new("id")
                .args([what, name])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .output()
                .ok()?;
            String::from_utf8_lossy(&output.stdout).trim().parse().ok()
        };
        Some(Self::Lent { uid: ask("-u")?, gid: ask("-g")? })
    }

    /// The numeric user.
    pub(crate) fn uid(self) -> u32 {
        match self {
            Self::Own { uid } | Self::Lent { uid, .. } => uid,
        }
    }

    /// Gives a file of ours to the server's user.
    pub(crate) fn give(self, path: &Path) -> Result<(), ClusterError> {
        match self {
            Self::Own { .. } => Ok(()),
            Self::Lent { uid, gid } => chown(path, Some(uid), Some(gid)).map_err(io("hand over", path)),
        }
    }

    /// A command that runs as the server's user, in the folder given, untouched by the caller's `PG*` settings.
    pub(crate) fn command(self, program: &Path, folder: &Path) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program);
        if let Self::Lent { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.current_dir(folder).env("LC_ALL", "C").env("TZ", "UTC").stdin(Stdio::null());
        command
    }

    /// Proves that the server's user can enter the folder, else names the topmost one on the way it cannot.
    pub(crate) fn check_reaches(self, folder: &Path) -> Result<(), ClusterError> {
        let Self::Lent { uid, .. } = self else { return Ok(()) };
        if self.can_enter(folder)? {
            return Ok(());
        }
        let mut way: Vec<&Path> = folder.ancestors().collect();
        way.reverse();
        for path in way {
            if !self.can_enter(path)? {
                return Err(ClusterError::Unreachable { path: path.to_owned(), user: uid });
            }
        }
        Ok(())
    }

    /// Asks the system itself, as that user: access lists and mounts count too, not the mode alone.
    fn can_enter(self, folder: &Path) -> Result<bool, ClusterError> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("test");
        command.arg("-x").arg(folder).current_dir("/").stdin(Stdio::null());
        if let Self::Lent { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        Ok(command.status().map_err(io("check the way to", folder))?.success())
    }
}
