//! PostgreSQL itself dies and comes back, under load, with everything flushed that was acknowledged.

use eventlog::LogConfig;
use eventlog::testing::PrivateCluster;
use rustix::process::{Pid, Signal, kill_process};

use crate::ground::{Friends, Ground, TEMPLATE, crowd};
use crate::history::History;
use crate::load::{Follower, Load, eventually};

/// Times that the server dies, in each of the three ways, in the normal run.
const ROUNDS: usize = 1;
/// The same in the long run.
const SOAK_ROUNDS: usize = 30;
/// Messages between two deaths.
const BETWEEN: usize = 60;
/// Callers at a time.
const CALLERS: usize = 12;
/// The database's name.
const DATABASE: &str = "stormy";

/// How a server ends.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// The main process is killed; its sessions notice.
    Main,
    /// The writer's session is killed; the main process drops all others and recovers.
    Session,
    /// An orderly restart: sessions are cut, a checkpoint is written.
    Restart,
}

fn signal(pid: i64, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    match kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(error) => panic!("cannot signal {pid:?}: {error}"),
    }
}

async fn strike(cluster: &mut PrivateCluster, ground: &Ground, death: Death) {
    match death {
        Death::Main => {
            cluster.kill_server().await.unwrap();
            cluster.restart().await.unwrap();
        }
        Death::Session => {
            // The writer connects anew after each blow, so it may take some looks.
            let writer: i32 = eventually("the writer is connected", async || {
                sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE application_name = 'annal-writer'")
                    .fetch_optional(&mut ground.connect().await)
                    .await
                    .unwrap()
            })
            .await;
            signal(writer.into(), Signal::KILL);
        }
        Death::Restart => {
            signal(cluster.cluster().unwrap().server_pid().into(), Signal::INT);
            cluster.restart().await.unwrap();
        }
    }
}

async fn storm(rounds: usize) {
    let mut cluster = PrivateCluster::start().await.unwrap();
    cluster.database(DATABASE, &TEMPLATE).await.unwrap();
    let ground = Ground::at(cluster.cluster().unwrap().url(DATABASE));
    let (log, tasks) = ground.open(LogConfig::default()).await;
    let history = History::new();
    let crowd: Vec<Friends> = crowd(&log, 3).await;
    let follower = Follower::start(&log).await;
    let load = Load::start(&log, &crowd, CALLERS, &history, "storm");
    for _ in 0..rounds {
        for death in [Death::Main, Death::Session, Death::Restart] {
            history.more_acknowledged(BETWEEN).await;
            strike(&mut cluster, &ground, death).await;
        }
    }
    history.more_acknowledged(BETWEEN).await;
    load.stop().await;
    println!("{} deaths, {} acknowledged, {:?}", rounds * 3, history.acknowledgements(), history.refusals());
    history.settles(&log).await;
    follower.heard_all(&log).await;
    tasks.close().await;
    log.pool().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_dies_and_comes_back_under_load() {
    storm(ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; runs in make soak"]
async fn soak_postgresql_dies_and_comes_back_under_load() {
    storm(SOAK_ROUNDS).await;
}
