//! Annal's log: sealing, rules, receipts' room and all.

use std::sync::Arc;

use domain::actions::SendMessage;
use domain::conversation::{Content, Conversation, ConversationEvent, ConversationKind};
use domain::values::MessageText;
use domain::{
    AccountId, Actor, Causation, Client, CommandId, ConversationId, CorrelationId, Event, MessageNumber,
    Pair, Personal, StreamId,
};
use eventlog::fresh::new_uuid;
use eventlog::testing::{PrivateCluster, Template};
use eventlog::{CommandContext, EventLog, LogConfig, LogTasks, MIGRATOR, MasterKey, Outcome, SystemClock};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::{Load, text};

/// Streams of the load with many; every caller walks through all of them from a place of its own.
const STREAMS: usize = 4_096;
/// How far apart the callers begin.
const APART: usize = 64;
/// Callers at most, and so long streams.
const CALLERS_MAX: usize = 64;
/// Events in a long stream.
const LONG: i64 = 10_000;

pub(crate) struct Ours {
    log: EventLog,
    tasks: LogTasks,
    pool: PgPool,
}

/// The two friends of a conversation and its id; `kind` keeps the loads apart.
fn conversation(kind: u128, n: usize) -> (AccountId, Pair) {
    let id = |who: u128| AccountId(Uuid::from_u128(kind << 64 | (n as u128) << 8 | who));
    (id(1), Pair::of(id(1), id(2)).unwrap())
}

fn stream(load: Load, caller: usize, turn: usize) -> (AccountId, Pair) {
    match load {
        Load::ManyStreams => conversation(1, (caller * APART + turn) % STREAMS),
        Load::OneHotStream => conversation(2, 0),
        Load::LongStreams => conversation(3, caller),
    }
}

impl Ours {
    pub(crate) async fn prepare(cluster: &PrivateCluster) -> Self {
        let options = cluster.database("annal", &Template::new(&MIGRATOR)).await.unwrap();
        let pool = PgPoolOptions::new().max_connections(2).connect_with(options.clone()).await.unwrap();
        let mut position = 0;
        for n in 0..STREAMS {
            position = fill(&pool, conversation(1, n).1, 0, position).await;
        }
        position = fill(&pool, conversation(2, 0).1, 0, position).await;
        for n in 0..CALLERS_MAX {
            position = fill(&pool, conversation(3, n).1, LONG - 1, position).await;
        }
        sqlx::raw_sql("ANALYZE").execute(&pool).await.unwrap();
        let opened =
            EventLog::open(options, MasterKey::generate(), Arc::new(SystemClock), LogConfig::default()).await;
        let (log, tasks) = opened.unwrap();
        let ours = Self { log, tasks, pool };
        ours.warm_up().await;
        ours
    }

    /// Sends to every stream once: states and this month's keys are in memory then, as on a running server.
    async fn warm_up(&self) {
        let callers = (0..CALLERS_MAX).map(|caller| async move {
            for turn in 0..APART {
                self.send(Load::ManyStreams, caller, turn).await;
            }
            self.send(Load::LongStreams, caller, 0).await;
        });
        futures_util::future::join_all(callers).await;
    }

    pub(crate) async fn send(&self, load: Load, caller: usize, turn: usize) {
        let (sender, pair) = stream(load, caller, turn);
        let text = MessageText::parse(text()).unwrap();
        let action = SendMessage {
            sender,
            conversation: ConversationId::private(&pair),
            content: Content::Text { text: Personal::Open(text) },
        };
        let command = new_uuid();
        let context = CommandContext {
            actor: Actor::Account(sender),
            session: None,
            causation: Causation::Command(CommandId(command)),
            correlation: CorrelationId(command),
            client: Client::Graphql,
            idempotency: None,
        };
        let outcome = self.log.execute(action, context).await.unwrap();
        assert!(matches!(outcome, Outcome::Done(_)));
    }

    /// Bytes on disk of the log's own tables for one message of 100 bytes.
    pub(crate) async fn bytes_per_message(&self) -> String {
        let size = "SELECT (pg_total_relation_size('events') + pg_total_relation_size('streams')
             + pg_total_relation_size('receipts') + pg_total_relation_size('snapshots'))::bigint";
        let (before, rows): (i64, i64) =
            (self.number(size).await, self.number("SELECT count(*) FROM events").await);
        let senders = (0..64).map(|_| async {
            for turn in 0..300 {
                self.send(Load::OneHotStream, 0, turn).await;
            }
        });
        futures_util::future::join_all(senders).await;
        let (after, more): (i64, i64) =
            (self.number(size).await, self.number("SELECT count(*) FROM events").await);
        let bytes = (after - before) / (more - rows).max(1);
        format!("Bytes on disk per 100-byte message, tables and indexes of the log: {bytes}")
    }

    async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    pub(crate) async fn finish(self) {
        drop(self.log);
        self.tasks.close().await;
    }
}

/// Starts a conversation that holds so many messages already, by SQL; returns the last position.
async fn fill(pool: &PgPool, pair: Pair, messages: i64, after: i64) -> i64 {
    let stream = StreamId::of::<Conversation>(&ConversationId::private(&pair));
    let members = pair.members();
    let started =
        Event::from(ConversationEvent::ConversationStarted { kind: ConversationKind::Private { members } });
    let sent = Event::from(ConversationEvent::MessageSent {
        number: MessageNumber(7),
        sender: members[0],
        content: Content::Text { text: Personal::Erased },
    });
    sqlx::query(
        "INSERT INTO events SELECT $1 + n, $2, $3, n,
            CASE n WHEN 1 THEN 'ConversationStarted' ELSE 'MessageSent' END, '1.0',
            (CASE n WHEN 1 THEN $4 ELSE replace($5, '\"number\":7', '\"number\":' || n - 1) END)::json,
            '{}'::json, now() FROM generate_series(1, $6) AS n",
    )
    .bind(after)
    .bind(stream.aggregate_type)
    .bind(&stream.aggregate_id)
    .bind(started.encode().unwrap())
    .bind(sent.encode().unwrap())
    .bind(messages + 1)
    .execute(pool)
    .await
    .unwrap();
    sqlx::query("INSERT INTO streams VALUES ($1, $2, $3, $4)")
        .bind(stream.aggregate_type)
        .bind(&stream.aggregate_id)
        .bind(messages + 1)
        .bind(after + messages + 1)
        .execute(pool)
        .await
        .unwrap();
    after + messages + 1
}
