//! A folder for one test that the unprivileged user of PostgreSQL can reach.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// How long a server that a failed test left running may take to stop at once.
const LEFT_OVER_MAX: Duration = Duration::from_secs(10);

/// Removed when dropped, together with a PostgreSQL that a failed test left running in it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes it.
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("annal-end-to-end-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The process number of the PostgreSQL that runs in it; none after a stop in good order.
    pub(crate) fn postgres(&self) -> Option<Pid> {
        let file = fs::read_to_string(self.0.join("data/postgres/pgdata/postmaster.pid")).ok()?;
        Pid::from_raw(file.lines().next()?.trim().parse().ok()?)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(postgres) = self.postgres()
            && kill_process(postgres, Signal::QUIT).is_ok()
        {
            let deadline = Instant::now() + LEFT_OVER_MAX;
            while test_kill_process(postgres).is_ok() && Instant::now() < deadline {
                sleep(Duration::from_millis(20));
            }
        }
        if let Err(error) = fs::remove_dir_all(&self.0) {
            println!("{} stays: {error}", self.0.display());
        }
    }
}
