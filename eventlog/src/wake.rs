//! Nodes that share a database wake each other: who appended rings, who hears it reads.
//!
//! Rung outside the append and at most once per interval, whatever was appended meanwhile: a `NOTIFY` inside
//! the transaction would take a lock of its own at every commit. A word that gets lost costs a delay and no
//! event, because every node also looks at the log by itself from time to time, and positions tell what is
//! missing. A node that is alone does not ring.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{PgPool, Row as _};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tracing::warn;
use uuid::Uuid;

use crate::config::LogConfig;
use crate::error::LogError;
use crate::fresh::new_uuid;

/// The channel on which nodes ring, one in each database.
const CHANNEL: &str = "annal_log";
/// How the listening connections of all nodes are known.
const LISTENER: &str = "annal-listener";

/// The bell of one node.
pub(crate) struct Bell {
    appended: Arc<Notify>,
    heard: Arc<Notify>,
    /// Ends with the bell.
    _tasks: JoinSet<()>,
}

impl Bell {
    /// Begins to listen. Connects in the background: until it is connected, polling has to do.
    pub(crate) fn hang(pool: PgPool, options: PgConnectOptions, config: &LogConfig) -> Self {
        let (node, interval) = (new_uuid(), config.ring_interval);
        let (appended, heard) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let mut tasks = JoinSet::new();
        tasks.spawn(ring(pool, node, appended.clone(), interval));
        // Not of the readers' pool: it is held for ever.
        let listening = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(config.read_connection_timeout)
            .connect_lazy_with(options.application_name(LISTENER));
        tasks.spawn(listen(listening, node, heard.clone(), config.listen_backoff));
        Self { appended, heard, _tasks: tasks }
    }

    /// Tells the other nodes, soon.
    pub(crate) fn ring(&self) {
        self.appended.notify_one();
    }

    /// Resolves when another node rang since the last time.
    pub(crate) async fn heard(&self) {
        self.heard.notified().await;
    }
}

/// Rings for whatever was appended since the last time.
async fn ring(pool: PgPool, node: Uuid, appended: Arc<Notify>, interval: Duration) {
    let mut company = Company::default();
    loop {
        appended.notified().await;
        match company.is_there(&pool).await {
            Ok(false) => {}
            Ok(true) => {
                let ringing =
                    sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(node.simple().to_string());
                if let Err(error) = ringing.execute(&pool).await {
                    warn!(%error, "the other nodes were not woken; they look for themselves");
                }
            }
            Err(error) => warn!(?error, "whether there are other nodes is not known"),
        }
        sleep(interval).await;
    }
}

/// Whether other nodes listen, as of a moment ago.
#[derive(Default)]
struct Company {
    asked: Option<(Instant, bool)>,
}

impl Company {
    /// How long an answer holds. A node that has just started waits as long as that for the first ring.
    const HOLDS: Duration = Duration::from_secs(1);

    async fn is_there(&mut self, pool: &PgPool) -> Result<bool, LogError> {
        if let Some((when, answer)) = self.asked
            && when.elapsed() < Self::HOLDS
        {
            return Ok(answer);
        }
        let row = sqlx::query(
            "SELECT count(*) > 1 AS company FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = $1",
        )
        .bind(LISTENER)
        .fetch_one(pool)
        .await?;
        let answer = row.try_get("company")?;
        self.asked = Some((Instant::now(), answer));
        Ok(answer)
    }
}

/// Listens for the other nodes; a connection that broke is made again.
async fn listen(pool: PgPool, node: Uuid, heard: Arc<Notify>, backoff: Duration) {
    let own = node.simple().to_string();
    loop {
        if let Err(error) = listen_once(&pool, &own, &heard).await {
            warn!(?error, "not listening for other nodes; polling until that is so again");
        }
        sleep(backoff).await;
    }
}

async fn listen_once(pool: &PgPool, own: &str, heard: &Notify) -> Result<(), LogError> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    // What was said before is not repeated.
    heard.notify_one();
    while let Some(told) = listener.try_recv().await? {
        if told.payload() != own {
            heard.notify_one();
        }
    }
    Ok(())
}
