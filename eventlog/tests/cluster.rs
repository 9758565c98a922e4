//! The private cluster with a real PostgreSQL: it keeps its data, has one owner, and survives its owner.
//!
//! Other processes are this test program again, told by [`FOLDER`] to hold a cluster. Run as root, the suite runs a
//! second time as an ordinary user, as far as the two differ.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use eventlog::cluster::{Cluster, ClusterConfig, ClusterError, Durability};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use sqlx::{Connection, PgConnection};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

/// Tells a copy of this program which cluster to hold.
const FOLDER: &str = "ANNAL_TEST_CLUSTER";
/// Longest wait for another process.
const WAIT_MAX: Duration = Duration::from_mins(1);
/// What an ordinary user tries too, as parts of test names, and how many tests these are.
const DIFFERS: (&[&str], &str) =
    (&["keeps_its_data", "is_private", "second_owner", "taken_over"], "5 passed");
/// A user that every system has.
const NOBODY: u32 = 65534;

/// A folder of one test, emptied of servers and files at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("annal-cluster-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        Self(path.canonicalize().unwrap())
    }

    fn data(&self) -> PathBuf {
        self.0.join("postgres")
    }

    fn config(&self) -> ClusterConfig {
        ClusterConfig {
            durability: Durability::Off,
            shared_buffers_mib: 16,
            max_connections: 20,
            ..ClusterConfig::new(self.data())
        }
    }

    fn pid_file(&self) -> PathBuf {
        self.data().join("pgdata/postmaster.pid")
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.data()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let server =
            || Pid::from_raw(std::fs::read_to_string(self.pid_file()).ok()?.lines().next()?.parse().ok()?);
        if let Some(server) = server() {
            // Not KILL, after which shared memory would stay behind.
            let told = kill_process(server, Signal::QUIT);
            assert!(told.is_ok() || std::thread::panicking(), "{told:?}");
            let deadline = Instant::now() + WAIT_MAX;
            while self.pid_file().exists() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let removed = std::fs::remove_dir_all(&self.0);
        assert!(removed.is_ok() || std::thread::panicking(), "{removed:?}");
    }
}

/// This program again, holding the cluster until it is killed.
struct Owner {
    process: tokio::process::Child,
    pid: Pid,
}

impl Owner {
    fn spawn(folder: &Folder) -> Self {
        let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "another_process_holds_the_cluster", "--nocapture"]);
        command.env(FOLDER, &folder.0).stdin(Stdio::null()).stdout(Stdio::piped());
        let process = command.process_group(0).kill_on_drop(true).spawn().unwrap();
        let pid = Pid::from_raw(process.id().unwrap().try_into().unwrap()).unwrap();
        Self { process, pid }
    }

    /// Waits until its server runs, and returns the server's number.
    async fn ready(&mut self) -> u32 {
        let mut lines = BufReader::new(self.process.stdout.take().unwrap()).lines();
        timeout(WAIT_MAX, async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, server)) = line.split_once("server ") {
                    return server.trim().parse().unwrap();
                }
            }
            panic!("the other process ended");
        })
        .await
        .unwrap()
    }

    async fn end(mut self, send: impl Fn(Pid) -> rustix::io::Result<()>) {
        send(self.pid).unwrap();
        timeout(WAIT_MAX, self.process.wait()).await.unwrap().unwrap();
    }
}

async fn ask(cluster: &Cluster, question: &str) -> String {
    let mut connection = PgConnection::connect_with(&cluster.connect_options("postgres")).await.unwrap();
    sqlx::query_scalar(question).fetch_one(&mut connection).await.unwrap()
}

async fn tell(cluster: &Cluster, statement: &str) {
    let mut connection = PgConnection::connect_with(&cluster.connect_options("postgres")).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
}

async fn expect_refusal(config: ClusterConfig) -> ClusterError {
    Cluster::start(config).await.expect_err("the cluster must not start")
}

/// The part of [`Owner`]; a test that does nothing unless told to.
#[tokio::test]
async fn another_process_holds_the_cluster() {
    let Some(path) = std::env::var_os(FOLDER) else { return };
    let folder = std::mem::ManuallyDrop::new(Folder(path.into()));
    let cluster = Cluster::start(folder.config()).await.unwrap();
    println!("\nserver {}", cluster.server_pid());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_durable_cluster_keeps_its_data_over_a_stop_and_a_start() {
    let folder = Folder::new();
    let config = ClusterConfig { durability: Durability::Full, ..folder.config() };
    let cluster = tokio::spawn(Cluster::start(config.clone())).await.unwrap().unwrap();
    assert_eq!(ask(&cluster, "SHOW fsync").await, "on");
    cluster.ensure_database("kept").await.unwrap();
    cluster.ensure_database("kept").await.unwrap();
    cluster.stop().await.unwrap();
    assert!(!folder.pid_file().exists());

    let cluster = Cluster::start(config).await.unwrap();
    assert_eq!(ask(&cluster, "SELECT datname::text FROM pg_database WHERE datname = 'kept'").await, "kept");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_is_private_sorts_by_code_point_and_checks_its_pages() {
    let folder = Folder::new();
    let cluster = Cluster::start(folder.config()).await.unwrap();
    for (setting, value) in [
        ("listen_addresses", ""),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("fsync", "off"),
        ("jit", "off"),
        ("max_connections", "20"),
    ] {
        assert_eq!(ask(&cluster, &format!("SHOW {setting}")).await, value, "{setting}");
    }
    assert_eq!(ask(&cluster, "SELECT min(x) FROM (VALUES ('a'), ('B'), ('ä')) AS words (x)").await, "B");
    assert_eq!(ask(&cluster, "SELECT lower('Ä')").await, "ä");
    assert_eq!(cluster.data().metadata().unwrap().mode() & 0o777, 0o700);
    assert_ne!(cluster.data().metadata().unwrap().uid(), 0, "PostgreSQL does not run as root");

    let told = std::process::Command::new("psql")
        .args([&cluster.url("postgres"), "-Atc", "SELECT current_user"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), "annal");
    let mut by_address = PgConnection::connect(&cluster.url("postgres")).await.unwrap();
    by_address.ping().await.unwrap();
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn the_servers_log_tells_nothing_of_statements_and_parameters() {
    let folder = Folder::new();
    let cluster = Cluster::start(folder.config()).await.unwrap();
    let mut connection = PgConnection::connect_with(&cluster.connect_options("postgres")).await.unwrap();
    let wrong = sqlx::query("SELECT ($1 || 'sesame')::integer").bind("open");
    assert!(wrong.execute(&mut connection).await.is_err());
    tell(&cluster, "CREATE TABLE once (word text PRIMARY KEY)").await;
    let twice = "INSERT INTO once SELECT 'sesame' FROM generate_series(1, 2)";
    assert!(sqlx::query(twice).execute(&mut connection).await.is_err());
    cluster.stop().await.unwrap();
    let log = std::fs::read_to_string(folder.data().join("postgres.log")).unwrap();
    assert!(log.contains("ready to accept connections") && !log.contains("sesame"), "{log}");
}

#[tokio::test]
async fn a_second_owner_is_refused_while_the_first_lives() {
    let folder = Folder::new();
    let mut owner = Owner::spawn(&folder);
    owner.ready().await;
    let error = expect_refusal(folder.config()).await;
    let pid = owner.pid.as_raw_nonzero();
    assert!(matches!(error, ClusterError::InUse { .. }), "{error}");
    assert!(error.to_string().ends_with(&format!("is in use by another process ({pid})")), "{error}");
    owner.end(|pid| kill_process(pid, Signal::KILL)).await;
}

#[tokio::test]
async fn the_server_of_a_killed_owner_is_taken_over() {
    let folder = Folder::new();
    let mut owner = Owner::spawn(&folder);
    let server = owner.ready().await;
    owner.end(|pid| kill_process(pid, Signal::KILL)).await;

    let cluster = Cluster::start(folder.config()).await.unwrap();
    assert_eq!(cluster.server_pid(), server);
    assert_eq!(ask(&cluster, "SELECT 'here'").await, "here");
    cluster.stop().await.unwrap();
    assert!(!folder.pid_file().exists());
}

#[tokio::test]
async fn ctrl_c_in_the_owners_terminal_does_not_reach_the_server() {
    let folder = Folder::new();
    let mut owner = Owner::spawn(&folder);
    let server = owner.ready().await;
    owner.end(|group| kill_process_group(group, Signal::INT)).await;
    let cluster = Cluster::start(folder.config()).await.unwrap();
    assert_eq!(cluster.server_pid(), server);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_with_other_settings_is_restarted_rather_than_taken_over() {
    let folder = Folder::new();
    let server = {
        let dropped = Cluster::start(folder.config()).await.unwrap();
        dropped.server_pid()
    };
    let cluster = Cluster::start(ClusterConfig { max_connections: 30, ..folder.config() }).await.unwrap();
    assert_ne!(cluster.server_pid(), server);
    assert_eq!(ask(&cluster, "SHOW max_connections").await, "30");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_is_started_afresh_and_its_commits_are_there() {
    let folder = Folder::new();
    let config = ClusterConfig { durability: Durability::Full, ..folder.config() };
    let cluster = Cluster::start(config.clone()).await.unwrap();
    tell(&cluster, "CREATE TABLE kept AS SELECT 'word' AS word").await;
    let server = cluster.server_pid();
    kill_process(Pid::from_raw(server.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
    drop(cluster);

    let cluster = Cluster::start(config).await.unwrap();
    assert_ne!(cluster.server_pid(), server);
    assert_eq!(ask(&cluster, "SELECT word FROM kept").await, "word");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_pid_file_whose_number_went_to_another_process_is_no_obstacle() {
    let folder = Folder::new();
    Cluster::start(folder.config()).await.unwrap().stop().await.unwrap();
    let pgdata = folder.data().join("pgdata");
    let owner = pgdata.metadata().unwrap();
    let mut command = std::process::Command::new("sleep");
    if rustix::process::geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let mut other = command.arg("600").current_dir("/").spawn().unwrap();
    let text = format!("{}\n{}\n1\n5432\n{}\n\n1 1\nready\n", other.id(), pgdata.display(), "/nowhere");
    std::fs::write(folder.pid_file(), text).unwrap();
    std::os::unix::fs::chown(folder.pid_file(), Some(owner.uid()), Some(owner.gid())).unwrap();

    let cluster = Cluster::start(folder.config()).await.unwrap();
    assert_ne!(cluster.server_pid(), other.id());
    cluster.stop().await.unwrap();
    other.kill().unwrap();
    other.wait().unwrap();
}

#[tokio::test]
async fn a_kill_while_the_cluster_is_made_leaves_nothing_half_made() {
    let folder = Folder::new();
    let owner = Owner::spawn(&folder);
    let unfinished = folder.data().join("pgdata.new-0/base");
    timeout(WAIT_MAX, async {
        while !unfinished.exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .unwrap();
    owner.end(|pid| kill_process(pid, Signal::KILL)).await;
    assert!(!folder.data().join("pgdata").exists());

    Cluster::start(folder.config()).await.unwrap().stop().await.unwrap();
    Cluster::start(folder.config()).await.unwrap().stop().await.unwrap();
    assert!(!folder.names().iter().any(|name| name.starts_with("pgdata.new")), "{:?}", folder.names());
}

#[tokio::test]
async fn a_long_path_has_its_socket_elsewhere_where_every_process_finds_it() {
    let folder = Folder::new();
    let data = folder.data().join("long".repeat(20)).join("path, with a comma");
    let config = ClusterConfig { data, ..folder.config() };
    let cluster = Cluster::start(config.clone()).await.unwrap();
    let (server, address) = (cluster.server_pid(), cluster.url("postgres"));
    drop(cluster);
    let cluster = Cluster::start(config).await.unwrap();
    assert_eq!((cluster.server_pid(), cluster.url("postgres")), (server, address.clone()));
    cluster.stop().await.unwrap();
    let socket = address.split("host=").nth(1).unwrap().split('&').next().unwrap();
    assert!(Path::new(socket).starts_with("/tmp"), "{address}");
    std::fs::remove_dir(socket).unwrap();
}

#[tokio::test]
async fn a_folder_with_other_files_is_left_alone() {
    let folder = Folder::new();
    std::fs::create_dir(folder.data()).unwrap();
    std::fs::write(folder.data().join("letter.txt"), "dear").unwrap();
    let error = expect_refusal(folder.config()).await;
    assert!(matches!(error, ClusterError::ForeignFolder { .. }), "{error}");
    assert_eq!(folder.names(), ["letter.txt"]);
}

#[tokio::test]
async fn a_cluster_of_a_version_that_is_not_installed_is_refused() {
    let folder = Folder::new();
    Cluster::start(folder.config()).await.unwrap().stop().await.unwrap();
    std::fs::write(folder.data().join("pgdata/PG_VERSION"), "9\n").unwrap();
    let error = expect_refusal(folder.config()).await;
    assert!(matches!(error, ClusterError::OtherMajorVersion { made_by: 9, .. }), "{error}");
}

#[tokio::test]
async fn as_root_a_folder_that_the_servers_user_cannot_reach_is_named() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = Folder::new();
    std::fs::set_permissions(&folder.0, PermissionsExt::from_mode(0o700)).unwrap();
    let error = expect_refusal(folder.config()).await;
    assert!(matches!(&error, ClusterError::Unreachable { path, .. } if *path == folder.0), "{error}");
}

#[test]
fn as_root_the_suite_passes_for_an_ordinary_user_too() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = Folder::new();
    std::os::unix::fs::chown(&folder.0, Some(NOBODY), None).unwrap();
    // The target folder may be out of an ordinary user's reach.
    let program = folder.0.join("cluster-tests");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let mut suite = std::process::Command::new(&program);
    suite.args(DIFFERS.0).env("TMPDIR", &folder.0).current_dir(&folder.0);
    let done = suite.uid(NOBODY).gid(NOBODY).stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{told}\n{}", String::from_utf8_lossy(&done.stderr));
    assert!(told.contains(DIFFERS.1), "{told}");
}
