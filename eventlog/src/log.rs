//! The log as the rest of the house sees it.

use std::sync::Arc;

use domain::{AccountId, Action, Decider, Event, HandleId, Position, Recorded, StreamId, StreamRef};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::attempts::Attempts;
use crate::bus::{Bus, CommandContext, Outcome};
use crate::config::LogConfig;
use crate::credentials::Credentials;
use crate::epoch;
use crate::error::{ExecuteError, LogError};
use crate::fresh::Clock;
use crate::keys::{KeyRing, MasterKeys};
use crate::origins::Origins;
use crate::policies::PolicyCheckpoint;
use crate::read::{self, StreamPart};
use crate::stored::{self, StoredEvent};
use crate::tail::{LiveBatch, Tail};
use crate::wake::Bell;
use crate::writer::Writer;

/// Batches between the writer and the tail. When it is full the tail reads the log instead.
const COMMITTED_BATCHES_MAX: usize = 64;

/// Events that one read returns at most; a larger limit is taken as this one.
const READ_EVENTS_MAX: u32 = 5_000;

/// The event log of one process. Cheap to clone.
#[derive(Clone)]
pub struct EventLog {
    bus: Bus,
    credentials: Credentials,
    attempts: Attempts,
    origins: Origins,
    head: watch::Receiver<Position>,
    live: broadcast::Sender<LiveBatch>,
    epoch: Uuid,
}

/// The log's background tasks. Dropping them closes the log.
pub struct LogTasks {
    closing: oneshot::Sender<()>,
    writer: JoinHandle<()>,
    tail: JoinHandle<()>,
}

impl LogTasks {
    /// Closes the log: commands are refused from now on, and everything queued is committed when this
    /// returns.
    pub async fn close(self) {
        if self.closing.send(()).is_err() {
            tracing::warn!("the writer had ended before the log was closed");
        }
        for task in [self.writer, self.tail] {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the log did not end well");
            }
        }
    }
}

impl EventLog {
    /// Opens the log of a database whose schema is up to date (see [`migrate`](crate::migrate)).
    ///
    /// # Errors
    /// [`LogError::WrongMasterKey`]: the database belongs to another master key.
    /// [`LogError::Database`]: it cannot be reached.
    pub async fn open(
        options: PgConnectOptions,
        master: impl Into<MasterKeys>,
        clock: Arc<dyn Clock>,
        config: LogConfig,
    ) -> Result<(Self, LogTasks), LogError> {
        let pool = PgPoolOptions::new()
            .max_connections(config.read_connections_max)
            .acquire_timeout(config.read_connection_timeout)
            .connect_with(options.clone().options([("jit", "off"), ("application_name", "annal-reader")]))
            .await?;
        let keys = KeyRing::open(pool.clone(), master.into(), clock.clone(), config.cached_keys_max).await?;
        let epoch = epoch::current(&pool, clock.as_ref()).await?;
        let (committed, received) = mpsc::channel(COMMITTED_BATCHES_MAX);
        let (closing, close) = oneshot::channel();
        let bell = Bell::hang(pool.clone(), options.clone(), &config);
        let (writer, writer_task) = Writer::start(options, config.clone(), clock.clone(), committed, close);
        let bus = Bus::new(pool.clone(), Arc::new(keys), clock, writer, Arc::new(config));
        let (head_sender, head) = watch::channel(read::head(&pool).await?);
        let (live, _) = broadcast::channel(bus.config.live_batches_max);
        let tail = Tail {
            pool: pool.clone(),
            keys: bus.keys.clone(),
            mailboxes: bus.mailboxes.clone(),
            config: bus.config.clone(),
            committed: received,
            bell,
            head: head_sender,
            live: live.clone(),
        };
        let tail = tokio::spawn(tail.run());
        let origins = Origins::new(pool.clone(), bus.config.live_aggregates_max);
        let attempts = Attempts::new(pool.clone(), bus.keys.clone(), bus.clock.clone());
        let log = Self { bus, credentials: Credentials::new(pool), attempts, origins, head, live, epoch };
        Ok((log, LogTasks { closing, writer: writer_task, tail }))
    }

    /// Executes a command. Runs in a task of its own: a caller that goes away cannot cut it between
    /// the commit and the answer.
    ///
    /// An answer means that everything it tells is committed and flushed.
    pub async fn execute<A: Action>(
        &self,
        action: A,
        context: CommandContext,
    ) -> Result<Outcome, ExecuteError> {
        let bus = self.bus.clone();
        tokio::spawn(async move { bus.execute(action, context).await })
            .await
            .map_err(|_| LogError::Panicked)?
    }

    /// Appends events that were decided elsewhere, for frameworks that decide themselves; none when the
    /// stream is not at `expected_version`.
    pub(crate) async fn append(
        &self,
        stream: StreamRef,
        expected_version: i64,
        events: Vec<Event>,
        context: CommandContext,
    ) -> Result<Option<Vec<Arc<Recorded>>>, ExecuteError> {
        let bus = self.bus.clone();
        tokio::spawn(async move { bus.append(stream, expected_version, events, context).await })
            .await
            .map_err(|_| LogError::Panicked)?
    }

    /// Looks at an aggregate as decisions see it, events included that are queued but not committed.
    pub async fn inspect<D: Decider, R>(
        &self,
        id: &D::Id,
        look: impl FnOnce(&D) -> R,
    ) -> Result<R, LogError> {
        self.bus.inspect(id, look).await
    }

    /// Events above `after` in commit order, oldest first, their personal fields open.
    ///
    /// At most `limit` (1 to 5,000); an empty list means caught up. One range scan of the primary key.
    ///
    /// # Errors
    /// [`LogError::Hole`]: the log was damaged; stop and raise the alarm.
    /// [`LogError::Decode`]: this build cannot read a stored event; stop, never skip.
    pub async fn read(&self, after: Position, limit: u32) -> Result<Vec<Recorded>, LogError> {
        let events = read::by_position(&self.bus.pool, after, limit.min(READ_EVENTS_MAX)).await?;
        stored::open(&events, &self.bus.keys).await
    }

    /// Events of some streams, merged in commit order: above `after`, up to `until`, at most `limit`.
    /// Streams without news cost one probe each; nothing else of the log is read.
    pub async fn read_streams(
        &self,
        parts: &[StreamPart],
        after: Position,
        until: Position,
        limit: u32,
    ) -> Result<Vec<Recorded>, LogError> {
        let events = read::merged(&self.bus.pool, parts, after, until, limit.min(READ_EVENTS_MAX)).await?;
        stored::open(&events, &self.bus.keys).await
    }

    /// Events above `after` exactly as stored, sealed, byte for byte: for proofs and exports.
    pub async fn read_stored(&self, after: Position, limit: u32) -> Result<Vec<StoredEvent>, LogError> {
        read::by_position(&self.bus.pool, after, limit.min(READ_EVENTS_MAX)).await
    }

    /// The stream whose first event stands at a position: the way from a public identity to its stream.
    /// Kept in memory once found.
    pub async fn stream_begun_at(&self, position: Position) -> Result<Option<StreamId>, LogError> {
        self.origins.stream_begun_at(position).await
    }

    /// The position of a stream's first event: its public identity. Kept in memory once found.
    pub async fn beginning_of(&self, stream: &StreamId) -> Result<Option<Position>, LogError> {
        self.origins.beginning_of(stream).await
    }

    /// The last committed position, asked of the database.
    pub async fn head(&self) -> Result<Position, LogError> {
        read::head(&self.bus.pool).await
    }

    /// The last position that this process has seen, for waiting.
    pub fn watch_head(&self) -> watch::Receiver<Position> {
        self.head.clone()
    }

    /// Commands that wait for the writer now, for operators.
    pub fn commands_waiting(&self) -> usize {
        self.bus.writer.waiting()
    }

    /// New events from now on. A listener that falls behind by more than the configured number of
    /// batches is told so, and reads what it missed from the log.
    pub fn follow(&self) -> broadcast::Receiver<LiveBatch> {
        self.live.subscribe()
    }

    /// The epoch that positions belong to; another one means that they have another meaning.
    pub fn epoch(&self) -> Uuid {
        self.epoch
    }

    /// The stream of a normalised user name.
    pub fn handle_id(&self, normalised: &str) -> HandleId {
        self.bus.keys.handle_id(normalised)
    }

    /// Destroys the key that seals what a person wrote, for every node and for ever. Flushed when this
    /// returns; safe to repeat. Nothing is asked here: the log must hold the erasure already.
    ///
    /// # Errors
    /// [`LogError::Database`]: it may or may not be destroyed; call again.
    pub async fn destroy_account_key(&self, account: AccountId) -> Result<(), LogError> {
        self.bus.keys.destroy(account).await
    }

    /// How far a policy of this name has reacted to the log.
    pub fn policy_checkpoint(&self, policy: &'static str) -> PolicyCheckpoint {
        PolicyCheckpoint::new(self.bus.pool.clone(), policy)
    }

    /// The secrets that people sign in with.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Counts tries that must not be without end.
    pub fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// The process' clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.bus.clock
    }

    /// The pool for reading, on which the views are read too.
    pub fn pool(&self) -> &PgPool {
        &self.bus.pool
    }
}
