//! The statements of the hot paths use their indexes, however long the history: with statistics or without,
//! with plans made for the parameters or for any, and also when the plan was made while the log was empty.

#![allow(clippy::unwrap_used)]

mod explained;
mod grown;
#[path = "../kit/mod.rs"]
mod kit;

use std::sync::Arc;

use domain::actions::ConfirmFriend;
use domain::conversation::Conversation;
use domain::{AccountId, Actor, ConversationId, IdempotencyKey, Position, StreamId};
use eventlog::fresh::new_uuid;
use eventlog::testing::TestDatabase;
use eventlog::{EventLog, LogConfig, LogTasks, MasterKey, StoppedClock, StreamPart};
use explained::{Explained, Plans, by_statement, explaining};
use grown::{HOT, History, analyze, foreign, grow, make_hot};
use kit::{TestLog, context, done, friends, keyed, message, send, start};

/// Some pages for each probe of an index, for each of [`OWN_STREAMS`]; a scan of the smallest history here
/// touches more than ten times as many.
const PAGES_MAX: u64 = 4_000;
/// Rows that any one statement may look at: the callers below ask for at most 50 events.
const ROWS_MAX: u64 = 2 * (OWN_STREAMS + 50);
/// Events that are read at once when a stream is loaded.
const LOAD_PAGE: u64 = 1_000;
/// Streams that somebody who catches up asks for.
const OWN_STREAMS: u64 = 200;
/// Statements on growing tables that the callers below set off; fewer would mean that they were not seen.
const STATEMENTS_MIN: usize = 9;
/// A handful of quiet conversations.
const FEW: History = History { streams: 40, events: 200 };
/// How PostgreSQL may plan a prepared statement: as it likes, for the parameters, for any parameters.
const PLAN_CACHE_MODES: [&str; 3] = ["auto", "force_custom_plan", "force_generic_plan"];

/// A database that no node works on at the moment, with two friends.
struct Place {
    database: TestDatabase,
    master: String,
    clock: Arc<StoppedClock>,
    ann: AccountId,
    bob: AccountId,
    conversation: ConversationId,
}

impl Place {
    async fn new() -> Self {
        let TestLog { log, clock, tasks, master, database } = start().await;
        let (ann, bob, conversation) = friends(&log, "alice01", "robert01").await;
        tasks.close().await;
        Self { database, master, clock, ann, bob, conversation }
    }

    /// A node whose sessions report their plans.
    async fn node(&self, plan_cache_mode: &str) -> (EventLog, LogTasks) {
        let options = explaining(self.database.connect_options(), plan_cache_mode);
        let master = MasterKey::from_base64(&self.master).unwrap();
        // Few connections: each executes a statement often enough to get the plan for any parameters. And
        // no looking for other nodes' events, which would be counted with what callers set off.
        let config =
            LogConfig { read_connections_max: 2, poll_interval: 10 * kit::DEADLINE, ..LogConfig::default() };
        EventLog::open(options, master, self.clock.clone(), config).await.unwrap()
    }

    /// What people do all day, on a node without anything in memory.
    async fn write(&self, log: &EventLog) {
        for n in 0..8 {
            let (key, text) = (IdempotencyKey(new_uuid()), n.to_string());
            let hello = message(self.ann, self.conversation, &text);
            let told = keyed(Actor::Account(self.ann), key, &text);
            let first = done(log, hello.clone(), told.clone()).await;
            let again = done(log, hello, told).await;
            assert_eq!((first.position, again.repeated), (again.position, true));
            send(log, self.bob, self.conversation, &text).await;
            let confirm = ConfirmFriend::new(self.bob, self.ann).unwrap();
            assert!(done(log, confirm, context(Actor::Account(self.bob))).await.events.is_empty());
        }
    }

    /// What readers ask, each time for something that is not in memory.
    async fn read(&self, log: &EventLog, streams: &[StreamId]) {
        let head = log.head().await.unwrap();
        let after = Position(head.0 - 50);
        for n in 0..8 {
            assert_eq!(log.read(after, 50).await.unwrap().len(), 50);
            let parts = parts(streams);
            log.read_streams(&parts, after, head, 50).await.unwrap();
            log.stream_begun_at(Position(head.0 / 2 + n)).await.unwrap();
            let stream = &streams[usize::try_from(n).unwrap()];
            assert!(log.beginning_of(stream).await.unwrap().is_some());
            let id = stream.id::<Conversation>().unwrap();
            log.inspect::<Conversation, _>(&id, |_| ()).await.unwrap();
        }
    }
}

fn parts(streams: &[StreamId]) -> Vec<StreamPart> {
    let part = |stream: &StreamId| StreamPart { stream: stream.clone(), after: Position::START, until: None };
    streams.iter().map(part).collect()
}

#[track_caller]
fn assert_cheap(circumstance: &str, plans: Vec<Explained>, statements_min: usize, rows_max: u64) {
    let plans = by_statement(plans);
    assert!(plans.len() >= statements_min, "{circumstance}: only {:?} were seen", plans.keys());
    for (statement, plan) in plans {
        let told = format!("{circumstance}: {} rows, {} pages: {statement}", plan.rows, plan.pages);
        assert_eq!(plan.scanned, Vec::<String>::new(), "{told}");
        assert!(!plan.compiled, "JIT: {told}");
        assert!(plan.rows <= rows_max && plan.pages <= PAGES_MAX, "{told}");
    }
}

async fn every_statement_uses_its_index(history: History) {
    let (plans, place) = (Plans::collect(), Place::new().await);
    let pool = place.database.pool();
    grow(&pool, history).await;
    let streams: Vec<_> = (0..i64::try_from(OWN_STREAMS).unwrap()).map(foreign).collect();
    for statistics in ["without statistics", "with statistics"] {
        if statistics == "with statistics" {
            analyze(&pool).await;
        }
        for mode in PLAN_CACHE_MODES {
            let (log, tasks) = place.node(mode).await;
            place.write(&log).await;
            place.read(&log, &streams).await;
            tasks.close().await;
            assert_cheap(&format!("{statistics}, {mode}"), plans.take(), STATEMENTS_MIN, ROWS_MAX);
        }
    }
}

#[tokio::test]
async fn every_statement_uses_its_index_in_a_long_history() {
    every_statement_uses_its_index(History { streams: 120_000, events: 300_000 }).await;
}

#[tokio::test]
#[ignore = "soak: a million streams take a minute to make"]
async fn every_statement_uses_its_index_with_a_million_streams() {
    every_statement_uses_its_index(History { streams: 1_000_000, events: 3_000_000 }).await;
}

/// One busy group is most of the log. A planner that knows it expects to meet events of it, or of any stream,
/// soon when it walks the log by position; but what is asked for began late.
#[tokio::test]
async fn beside_a_stream_that_is_most_of_the_log_every_stream_is_found_by_its_index() {
    for (hot_first, others) in [(false, History { streams: 5_000, events: 20_000 }), (true, FEW)] {
        let (plans, place) = (Plans::collect(), Place::new().await);
        let pool = place.database.pool();
        if hot_first {
            make_hot(&pool, 60_000).await;
            grow(&pool, others).await;
        } else {
            grow(&pool, others).await;
            make_hot(&pool, 60_000).await;
        }
        analyze(&pool).await;
        let hot = StreamId { aggregate_type: "conversation", aggregate_id: HOT.to_owned() };
        for mode in PLAN_CACHE_MODES {
            let (log, tasks) = place.node(mode).await;
            look_for(&log, &hot).await;
            for number in 0..10 {
                look_for(&log, &foreign(number)).await;
            }
            tasks.close().await;
            assert_cheap(&format!("{mode}, hot first: {hot_first}"), plans.take(), 5, LOAD_PAGE);
            // The next node has to load the stream again.
            sqlx::query("DELETE FROM snapshots").execute(&pool).await.unwrap();
        }
    }
}

async fn look_for(log: &EventLog, stream: &StreamId) {
    let head = log.head().await.unwrap();
    assert!(log.beginning_of(stream).await.unwrap().is_some());
    for after in [Position::START, Position(head.0 - 50)] {
        let parts = parts(std::slice::from_ref(stream));
        log.read_streams(&parts, after, head, 50).await.unwrap();
    }
    log.inspect::<Conversation, _>(&stream.id::<Conversation>().unwrap(), |_| ()).await.unwrap();
}

#[tokio::test]
async fn a_plan_made_while_the_log_was_empty_still_uses_its_index_when_it_is_long() {
    let (plans, place) = (Plans::collect(), Place::new().await);
    let (log, tasks) = place.node("auto").await;
    // Long enough ago that every reading statement has the plan that it keeps.
    for _ in 0..8 {
        send(&log, place.ann, place.conversation, "early").await;
    }
    let own = [StreamId::of::<Conversation>(&place.conversation)];
    for n in 0..8 {
        let head = log.head().await.unwrap();
        log.read(Position::START, 50).await.unwrap();
        log.read_streams(&parts(&own), Position::START, head, 50).await.unwrap();
        log.stream_begun_at(Position(n)).await.unwrap();
        assert!(log.beginning_of(&foreign(n)).await.unwrap().is_none());
        log.inspect::<Conversation, _>(&foreign(n).id::<Conversation>().unwrap(), |_| ()).await.unwrap();
    }
    // Nobody follows what comes now; reading goes on on the same sessions.
    tasks.close().await;
    grow(&place.database.pool(), History { streams: 100_000, events: 200_000 }).await;
    plans.take();
    let streams: Vec<_> = (100..100 + i64::try_from(OWN_STREAMS).unwrap()).map(foreign).collect();
    place.read(&log, &streams).await;
    assert_cheap("planned early", plans.take(), 6, ROWS_MAX);
}

#[tokio::test]
async fn catching_up_reads_own_events_and_own_streams_and_nothing_else() {
    catching_up(History { streams: 100_000, events: 300_000 }).await;
}

#[tokio::test]
#[ignore = "soak: a million foreign events take half a minute to make"]
async fn catching_up_beside_a_million_foreign_events_reads_own_ones_only() {
    catching_up(History { streams: 300_000, events: 1_000_000 }).await;
}

async fn catching_up(foreign_history: History) {
    let (plans, place) = (Plans::collect(), Place::new().await);
    let (log, tasks) = place.node("auto").await;
    let seam = send(&log, place.ann, place.conversation, "seen").await.position;
    tasks.close().await;
    grow(&place.database.pool(), foreign_history).await;
    for mode in PLAN_CACHE_MODES {
        let (log, tasks) = place.node(mode).await;
        let before = log.head().await.unwrap();
        for n in 0..10 {
            send(&log, place.bob, place.conversation, &n.to_string()).await;
        }
        let head = log.head().await.unwrap();
        // 100 quiet streams, one with news, and one that never was.
        let quiet: Vec<_> = (0..100).map(foreign).collect();
        let mut own = quiet.clone();
        own.push(StreamId::of::<Conversation>(&place.conversation));
        own.push(StreamId { aggregate_type: "conversation", aggregate_id: new_uuid().simple().to_string() });
        let some = Position(head.0 - 5);
        for (own, after, until) in [(&own, before, head), (&own, before, some), (&quiet, seam, before)] {
            plans.take();
            let news = log.read_streams(&parts(own), after, until, 500).await.unwrap();
            let taken = plans.take();
            assert_eq!(taken.len(), 1);
            let rows_max = news.len() + own.len();
            assert!(taken[0].rows <= rows_max as u64, "{mode}: {} of {rows_max} rows", taken[0].rows);
            assert!(!news.is_empty() && taken[0].scanned.is_empty());
        }
        tasks.close().await;
    }
}
