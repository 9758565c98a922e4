//! The server's log file, kept within its size also while the server runs.

use super::account::Account;
use super::error::{ClusterError, io};
use super::layout::Layout;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often the size is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How much of the log an error tells, in bytes.
const TAIL_BYTES_MAX: usize = 2000;

/// Opens the log for the server to append to, and says where its new part begins.
pub(crate) fn open(layout: &Layout, account: Account, bytes_max: u64) -> Result<(File, u64), ClusterError> {
    rotate_if_large(&layout.log, bytes_max)?;
    let log = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&layout.log)
        .map_err(io("open", &layout.log))?;
    account.give(&layout.log)?;
    let begin = log.metadata().map_err(io("look at", &layout.log))?.len();
    Ok((log, begin))
}

/// The end of the log since that position, for an error's text; the reason why it cannot be read otherwise.
pub(crate) fn tail(log: &Path, begin: u64) -> String {
    let mut text = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        file.seek(SeekFrom::Start(begin))?;
        file.read_to_end(&mut text)
    });
    match read {
        Ok(_) => last_bytes(String::from_utf8_lossy(&text).trim(), TAIL_BYTES_MAX).to_owned(),
        Err(error) => format!("its log {} cannot be read: {error}", log.display()),
    }
}

/// The end of a text, cut between characters.
pub(crate) fn last_bytes(text: &str, bytes_max: usize) -> &str {
    let mut begin = text.len().saturating_sub(bytes_max);
    while !text.is_char_boundary(begin) {
        begin += 1;
    }
    &text[begin..]
}

/// Watches the log for as long as it lives.
#[derive(Debug)]
pub(crate) struct LogKeeper(JoinHandle<()>);

impl LogKeeper {
    /// Begins to watch.
    pub(crate) fn watch(log: PathBuf, bytes_max: u64) -> Self {
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                if let Err(error) = rotate_if_large(&log, bytes_max) {
                    tracing::warn!(%error, "PostgreSQL's log is not rotated");
                }
            }
        }))
    }
}

impl Drop for LogKeeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Moves the content aside when there is too much of it. The server keeps the file open and appends, so the file
/// is emptied and not renamed; what it writes in between is lost.
fn rotate_if_large(log: &Path, bytes_max: u64) -> Result<(), ClusterError> {
    match log.metadata() {
        Ok(found) if found.len() > bytes_max => {}
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io("look at", log)(error)),
    }
    std::fs::copy(log, log.with_extension("log.1")).map_err(io("rotate", log))?;
    OpenOptions::new().write(true).open(log).and_then(|file| file.set_len(0)).map_err(io("empty", log))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(last_bytes("aé", 1), "");
        assert_eq!(last_bytes("aé", 2), "é");
        assert_eq!(last_bytes("aé", 9), "aé");
    }
}
