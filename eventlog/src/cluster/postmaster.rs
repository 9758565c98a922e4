//! The server's main process: one of ours, or the orphan of an owner that was killed.

use super::error::{ClusterError, io};
use super::layout::Layout;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How often a process is looked at while one waits for it.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long a server may take to end once it was told to drop everything.
const IMMEDIATE_STOP_MAX: Duration = Duration::from_secs(10);

/// The main process of a running server.
#[derive(Debug)]
pub(crate) struct Postmaster {
    pid: Pid,
    /// Kept when it is our child, so that its end is collected.
    child: Option<Child>,
}

impl Postmaster {
    /// Starts a server in a process group of its own: Ctrl-C in the terminal reaches Annal alone, which finishes
    /// its work and then stops the server itself.
    pub(crate) fn spawn(mut command: Command, log: std::fs::File) -> Result<Self, ClusterError> {
        let program = command.as_std().get_program().to_owned();
        let errors = log.try_clone().map_err(io("share", Path::new("log")))?;
        command.stdout(Stdio::from(log)).stderr(Stdio::from(errors)).process_group(0);
        let child = command.spawn().map_err(io("run", Path::new(&program)))?;
        let pid = child
            .id()
            .and_then(to_pid)
            .ok_or_else(|| ClusterError::StartFailed { log: "the process ended at once".to_owned() })?;
        Ok(Self { pid, child: Some(child) })
    }

    /// The server that runs on this cluster already, if any. A `postmaster.pid` that outlived its server is
    /// removed when its number went to another process, which PostgreSQL itself would take for the server.
    pub(crate) fn running(layout: &Layout) -> Result<Option<Self>, ClusterError> {
        let Some(pid) = PidFile::read(layout)?.and_then(|file| to_pid(file.pid)) else { return Ok(None) };
        if serves(pid, &layout.pgdata) {
            return Ok(Some(Self { pid, child: None }));
        }
        if is_alive(pid) {
            let file = layout.pgdata.join("postmaster.pid");
            std::fs::remove_file(&file).map_err(io("remove stale", &file))?;
        }
        Ok(None)
    }

    /// The process' number.
    pub(crate) fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Whether the process is gone.
    pub(crate) fn has_ended(&mut self, layout: &Layout) -> bool {
        match &mut self.child {
            Some(child) => !matches!(child.try_wait(), Ok(None)),
            None => !serves(self.pid, &layout.pgdata),
        }
    }

    /// Whether the server says that it takes connections.
    pub(crate) fn says_ready(&self, layout: &Layout) -> Result<bool, ClusterError> {
        Ok(PidFile::read(layout)?.is_some_and(|file| file.pid == self.id() && file.ready))
    }

    /// Whether it was started with exactly these arguments.
    pub(crate) fn was_started_with(layout: &Layout, arguments: &[String]) -> bool {
        let quoted = format!(" \"{}\"", arguments.join("\" \""));
        std::fs::read_to_string(layout.pgdata.join("postmaster.opts"))
            .is_ok_and(|line| line.trim_end().ends_with(&quoted))
    }

    /// Ends the server as a power cut would, as far as a process can.
    #[cfg(feature = "testing")]
    pub(crate) async fn kill(&mut self, layout: &Layout, limit: Duration) -> Result<(), ClusterError> {
        self.send(Signal::KILL)?;
        self.wait(layout, limit).await
    }

    /// Stops the server: sessions are cut, a last checkpoint is written; when that takes longer than the limit,
    /// without one, which the next start repairs from the log.
    pub(crate) async fn stop(&mut self, layout: &Layout, limit: Duration) -> Result<(), ClusterError> {
        for (signal, limit) in [(Signal::INT, limit), (Signal::QUIT, IMMEDIATE_STOP_MAX)] {
            if self.has_ended(layout) {
                return Ok(());
            }
            self.send(signal)?;
            if self.wait(layout, limit).await.is_ok() {
                return Ok(());
            }
            tracing::warn!(pid = self.id(), ?limit, "PostgreSQL is slow to stop");
        }
        Err(ClusterError::StopTimedOut { limit_s: (limit + IMMEDIATE_STOP_MAX).as_secs(), pid: self.id() })
    }

    /// Waits until the process is gone.
    async fn wait(&mut self, layout: &Layout, limit: Duration) -> Result<(), ClusterError> {
        let deadline = Instant::now() + limit;
        while !self.has_ended(layout) {
            if Instant::now() >= deadline {
                return Err(ClusterError::StopTimedOut { limit_s: limit.as_secs(), pid: self.id() });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Sends a signal; a process that is gone already is none to complain about.
    pub(crate) fn send(&self, signal: Signal) -> Result<(), ClusterError> {
        match kill_process(self.pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(io("signal process", Path::new(&self.id().to_string()))(error.into())),
        }
    }
}

/// What PostgreSQL writes about itself: its number in line 1, its state in line 8.
struct PidFile {
    pid: u32,
    ready: bool,
}

impl PidFile {
    fn read(layout: &Layout) -> Result<Option<Self>, ClusterError> {
        let path = layout.pgdata.join("postmaster.pid");
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io("read", &path)(error)),
        }
    }

    /// Nothing for a file cut short: its writer was killed in between, and never got to serve.
    fn parse(text: &str) -> Option<Self> {
        let pid = text.lines().next()?.trim().parse().ok()?;
        let ready = text.lines().nth(7).is_some_and(|state| state.trim() == "ready");
        Some(Self { pid, ready })
    }
}

/// Whether a process with this number exists, for names that carry one.
#[cfg(feature = "testing")]
pub(crate) fn exists(pid: u32) -> bool {
    to_pid(pid).is_some_and(is_alive)
}

fn to_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(pid.try_into().ok()?)
}

/// Whether a process with this number exists, whoever owns it.
fn is_alive(pid: Pid) -> bool {
    !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

/// Whether this process is a server of this data folder: it works in the folder, or was given it as an argument.
fn serves(pid: Pid, pgdata: &Path) -> bool {
    let process = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    if let Ok(folder) = std::fs::read_link(process.join("cwd")) {
        return folder == pgdata;
    }
    // Without the right to see another user's working folder, or where there is no /proc.
    match std::fs::read(process.join("cmdline")) {
        Ok(line) => line.split(|byte| *byte == 0).any(|argument| OsStr::from_bytes(argument) == pgdata),
        Err(_) => process_list_shows(pid, pgdata),
    }
}

/// Asks `ps`, on systems without `/proc`.
fn process_list_shows(pid: Pid, pgdata: &Path) -> bool {
    let pid = pid.as_raw_nonzero().to_string();
    std::process::Command::new("ps")
        .args(["-o", "command=", "-p", &pid])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|shown| String::from_utf8_lossy(&shown.stdout).contains(&*pgdata.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_tells_process_and_state() {
        let whole = "812\n/data\n1700000000\n5432\n/run\n\n  123 456\nready   \n";
        assert!(PidFile::parse(whole).is_some_and(|file| file.pid == 812 && file.ready));
        assert!(PidFile::parse("812\n/data\n").is_some_and(|file| !file.ready));
        assert!(PidFile::parse("").is_none());
    }

    #[test]
    fn another_process_is_not_taken_for_the_server() {
        let own = to_pid(std::process::id()).unwrap();
        assert!(is_alive(own) && !serves(own, Path::new("/nowhere/pgdata")));
    }
}
