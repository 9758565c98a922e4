//! The one cluster that all test processes share.

use super::database::sweep;
use super::error::TestingError;
use crate::cluster::{Attached, Cluster, ClusterConfig, ClusterError, Durability, short_hash};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// Connections of all tests that run at the same time.
const CONNECTIONS_MAX: u32 = 300;
/// How long to wait for another process that starts the cluster, in seconds.
const START_MAX_S: u64 = 60;
/// How often to look whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The cluster's folder in the target folder, or a link to where it is.
const NAME: &str = "test-postgres";
/// A file system in memory, where the 300 files of a database are made in 5 ms; disks took 80 ms.
const MEMORY: &str = "/dev/shm";
/// Free bytes there that tests will not use up: write-ahead log, and some 10 MB for each database.
const MEMORY_BYTES_MIN: u64 = 3 * 1024 * 1024 * 1024;

static SHARED: OnceCell<Attached> = OnceCell::const_new();

/// The shared cluster, started when need be; databases of killed tests are swept once per process.
pub(crate) async fn cluster() -> Result<&'static Attached, TestingError> {
    SHARED
        .get_or_try_init(|| async {
            let cluster = attach_or_start(&folder()?).await?;
            sweep(&cluster).await?;
            Ok(cluster)
        })
        .await
}

/// Attaches to the running cluster, or is the one process that starts it and leaves it running.
async fn attach_or_start(folder: &Path) -> Result<Attached, TestingError> {
    let deadline = Instant::now() + Duration::from_secs(START_MAX_S);
    if !folder.exists() && has_room(Path::new(MEMORY)) {
        link_to(folder, &named_after(folder, Path::new(MEMORY)))?;
    }
    while Instant::now() < deadline {
        if let Some(running) = Attached::find(folder).await {
            return Ok(running);
        }
        match Cluster::start(config(folder)).await {
            Ok(started) => return Ok(Attached::to(&started)),
            Err(ClusterError::InUse { .. }) => tokio::time::sleep(LOOK_EVERY).await,
            // Root's server runs as somebody else, who cannot enter a target folder below, say, `/root`.
            Err(ClusterError::Unreachable { .. }) => {
                link_to(folder, &named_after(folder, &std::env::temp_dir()))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(TestingError::SharedClusterTimedOut { limit_s: START_MAX_S })
}

fn config(folder: &Path) -> ClusterConfig {
    ClusterConfig {
        durability: Durability::Off,
        max_connections: CONNECTIONS_MAX,
        shared_buffers_mib: 128,
        wal_mib_max: 512,
        start_timeout_s: START_MAX_S,
        ..ClusterConfig::new(folder)
    }
}

/// The folder in the target folder that this test was built in, wherever that was put.
fn folder() -> Result<PathBuf, TestingError> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    Ok(target.map_or_else(|| named_after(&program, &std::env::temp_dir()), |target| target.join(NAME)))
}

/// A folder for what lies at this path, in a place that every user can reach.
fn named_after(path: &Path, place: &Path) -> PathBuf {
    place.join(format!("annal-{NAME}-{}", short_hash(&[path.as_os_str().as_encoded_bytes()])))
}

/// Whether a file system is there and has enough free space for all tests.
fn has_room(place: &Path) -> bool {
    rustix::fs::statvfs(place)
        .is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) >= MEMORY_BYTES_MIN)
}

/// Puts the folder elsewhere and a link in its place. Several processes may do this at once; after a restart of the
/// machine the link may be there, and what it led to gone.
fn link_to(folder: &Path, elsewhere: &Path) -> Result<(), TestingError> {
    tolerate(std::fs::DirBuilder::new().mode(0o700).create(elsewhere), ErrorKind::AlreadyExists)?;
    match std::fs::remove_dir(folder) {
        Err(error) if ![ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => Err(error)?,
        _ => {}
    }
    tolerate(std::os::unix::fs::symlink(elsewhere, folder), ErrorKind::AlreadyExists)?;
    Ok(())
}

/// Takes one kind of failure as success.
fn tolerate(done: std::io::Result<()>, kind: ErrorKind) -> std::io::Result<()> {
    match done {
        Err(error) if error.kind() == kind => Ok(()),
        done => done,
    }
}
