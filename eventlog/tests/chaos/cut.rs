//! The connection breaks exactly around a commit: before the database hears of it, or after it is done and
//! before the answer arrives. The writer has to find out by itself which it was.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use eventlog::LogConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::ground::{Ground, crowd};
use crate::history::History;
use crate::load::{Follower, Load, eventually};

/// Commits cut in the normal run.
const CUTS: usize = 20;
/// Commits cut in the long run.
const SOAK_CUTS: usize = 1_000;
/// Callers at a time.
const CALLERS: usize = 8;
/// The socket's name in its folder.
const SOCKET: &str = ".s.PGSQL.5432";
/// A commit as it goes to the database, at the end of a batch that began with a look at the end of the log.
const COMMIT: &[u8] = b"COMMIT\0";
/// What a batch holds that is written and committed in one statement.
const AT_ONCE: &[u8] = b"MessageSent";

/// What happens to the next commit.
const PASSES: u8 = 0;
const IS_LOST: u8 = 1;
const ANSWER_IS_LOST: u8 = 2;

/// Stands between the log and its database.
struct Wire {
    folder: PathBuf,
    next: Arc<AtomicU8>,
    carrying: JoinHandle<()>,
}

impl Wire {
    /// Harms whatever goes to the database and holds these bytes.
    fn to(ground: &Ground, what: &'static [u8]) -> Self {
        let folder =
            std::env::temp_dir().join(format!("annal-wire-{}", eventlog::fresh::new_uuid().simple()));
        std::fs::create_dir_all(&folder).unwrap();
        let listener = UnixListener::bind(folder.join(SOCKET)).unwrap();
        let (next, server) = (Arc::new(AtomicU8::new(PASSES)), ground.socket().join(SOCKET));
        let carrying = tokio::spawn({
            let next = next.clone();
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let server = UnixStream::connect(&server).await.unwrap();
                    tokio::spawn(carry(client, server, what, next.clone()));
                }
            }
        });
        Self { folder, next, carrying }
    }

    /// Does this to the next commit; returns when that has happened.
    async fn harms(&self, how: u8) {
        self.next.store(how, Ordering::SeqCst);
        eventually("somebody commits", async || (self.next.load(Ordering::SeqCst) == PASSES).then_some(()))
            .await;
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.carrying.abort();
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            println!("{} stays: {error}", self.folder.display());
        }
    }
}

/// One connection, until one side ends it or the wire breaks.
async fn carry(mut client: UnixStream, mut server: UnixStream, what: &[u8], next: Arc<AtomicU8>) {
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut answer_is_lost = false;
    loop {
        tokio::select! {
            Ok(read) = client.read(&mut up) => {
                if read == 0 {
                    return;
                }
                if up[..read].windows(what.len()).any(|part| part == what) {
                    match next.swap(PASSES, Ordering::SeqCst) {
                        IS_LOST => return,
                        harm => answer_is_lost |= harm == ANSWER_IS_LOST,
                    }
                }
                server.write_all(&up[..read]).await.unwrap();
            }
            Ok(read) = server.read(&mut down) => {
                if read == 0 || answer_is_lost || client.write_all(&down[..read]).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}

async fn storm(cuts: usize, what: &'static [u8], config: LogConfig) {
    let (_database, ground) = Ground::shared().await;
    let wire = Wire::to(&ground, what);
    let (log, tasks) = ground.through(&wire.folder).open(config).await;
    let (history, crowd) = (History::new(), crowd(&log, 2).await);
    let follower = Follower::start(&log).await;
    let load = Load::start(&log, &crowd, CALLERS, &history, "wire");
    for cut in 0..cuts {
        history.more_acknowledged(CALLERS).await;
        wire.harms(if cut % 2 == 0 { ANSWER_IS_LOST } else { IS_LOST }).await;
    }
    history.more_acknowledged(CALLERS).await;
    load.stop().await;
    println!("{cuts} commits cut, {} acknowledged", history.acknowledgements());
    assert!(history.refusals().is_empty(), "the writer finds out by itself: {:?}", history.refusals());
    history.settles(&log).await;
    follower.heard_all(&log).await;
    tasks.close().await;
    log.pool().close().await;
}

/// A writer that looks at the end of the log before each batch commits it by a word of its own.
fn long_way() -> LogConfig {
    LogConfig { known_streams_max: 0, ..LogConfig::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_are_cut_off_before_and_after_they_are_done() {
    storm(CUTS, COMMIT, long_way()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_of_one_statement_are_cut_off_before_and_after_they_are_done() {
    storm(CUTS, AT_ONCE, LogConfig::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; runs in make soak"]
async fn soak_commits_are_cut_off_before_and_after_they_are_done() {
    storm(SOAK_CUTS, COMMIT, long_way()).await;
    storm(SOAK_CUTS, AT_ONCE, LogConfig::default()).await;
}
