//! The disk of the database is full for a while.
//!
//! Needs the right to mount a file system in memory; without it the case says so and is not run.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use eventlog::LogConfig;
use eventlog::cluster::{Cluster, ClusterConfig};
use rustix::process::{Pid, test_kill_process};

use crate::ground::{Ground, crowd};
use crate::history::History;
use crate::load::{Follower, Load};

/// Times that the disk is full in the normal run.
const ROUNDS: usize = 2;
/// The same in the long run.
const SOAK_ROUNDS: usize = 40;
/// Callers at a time.
const CALLERS: usize = 8;
/// Size of the disk: a new cluster takes some 60 MB.
const DISK: &str = "size=160m,mode=0755";
/// Written again and again while the disk is filled.
static CHUNK: &[u8] = &[0; 64 * 1024];
/// The database's name.
const DATABASE: &str = "cramped";

/// A small file system of its own; gone when dropped.
struct Disk(PathBuf);

impl Disk {
    /// None without the right to mount.
    fn mount() -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("annal-disk-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", DISK, "annal-disk"]).arg(&folder);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        if !mounted {
            std::fs::remove_dir(&folder).unwrap();
        }
        mounted.then(|| Self(folder))
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Takes every byte that is left.
    fn fill(&self) {
        let mut file = File::create(self.ballast()).unwrap();
        while file.write_all(CHUNK).is_ok() {}
        while file.write_all(&CHUNK[..512]).is_ok() {}
    }

    fn relieve(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) || std::fs::remove_dir(&self.0).is_err() {
            println!("{} stays", self.0.display());
        }
    }
}

async fn start(folder: &Path) -> Cluster {
    let config = ClusterConfig {
        shared_buffers_mib: 16,
        wal_mib_max: 32,
        max_connections: 40,
        ..ClusterConfig::new(folder.join("postgres"))
    };
    Cluster::start(config).await.unwrap()
}

fn runs(cluster: &Cluster) -> bool {
    let pid = i32::try_from(cluster.server_pid()).ok().and_then(Pid::from_raw).unwrap();
    // A server that gave up is a process without a command line until it is collected.
    let line = std::fs::read(format!("/proc/{}/cmdline", cluster.server_pid())).unwrap_or_default();
    test_kill_process(pid).is_ok() && !line.is_empty()
}

async fn storm(rounds: usize) {
    let Some(disk) = Disk::mount() else {
        println!("not run: there is no right to mount a small file system");
        return;
    };
    let mut cluster = start(&disk.0).await;
    cluster.ensure_database(DATABASE).await.unwrap();
    let ground = Ground::at(cluster.url(DATABASE));
    eventlog::migrate(&ground.options()).await.unwrap();
    let (log, tasks) = ground.open(LogConfig::default()).await;
    let (history, crowd) = (History::new(), crowd(&log, 2).await);
    let follower = Follower::start(&log).await;
    let load = Load::start(&log, &crowd, CALLERS, &history, "full");
    let mut given_up = 0;
    for _ in 0..rounds {
        history.more_acknowledged(CALLERS * 4).await;
        disk.fill();
        history.more_refused(CALLERS).await;
        disk.relieve();
        if !runs(&cluster) {
            // Without room for its write-ahead log PostgreSQL stops itself, and has to be started again.
            given_up += 1;
            drop(cluster);
            cluster = start(&disk.0).await;
        }
        history.more_acknowledged(CALLERS * 4).await;
    }
    load.stop().await;
    println!(
        "{rounds} times full, PostgreSQL gave up {given_up} times, {} acknowledged, {:?}",
        history.acknowledgements(),
        history.refusals()
    );
    history.settles(&log).await;
    follower.heard_all(&log).await;
    tasks.close().await;
    log.pool().close().await;
    cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_appends_and_harms_none() {
    storm(ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; runs in make soak"]
async fn soak_a_full_disk_refuses_appends_and_harms_none() {
    storm(SOAK_ROUNDS).await;
}
