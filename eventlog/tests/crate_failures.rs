//! What went wrong when cqrs-es 0.5 and postgres-es 0.5 were measured and read (`docs/adr/0002`), tried on
//! our log: one test per failure, named after it. Whether the crates still have it is not asked here.

#![allow(clippy::unwrap_used)]

#[path = "plans/explained.rs"]
mod explained;
mod kit;

use std::collections::{BTreeSet, HashMap};

use cqrs_es::EventStore as _;
use domain::actions::{ConfirmFriend, RequestFriend};
use domain::contacts::{Contacts, ContactsCommand, ContactsEvent};
use domain::conversation::{Conversation, ConversationEvent};
use domain::friendship::{Friendship, FriendshipCommand, FriendshipError};
use domain::{
    AccountId, Action, Actor, ConversationId, Decider as _, Event, IdempotencyKey, Pair, Position, Recorded,
    Refusal, StreamId, StreamRef, Streams,
};
use eventlog::fresh::new_uuid;
use eventlog::{
    CqrsStore, EventLog, ExecuteError, LogConfig, LogError, LogTasks, MasterKey, Outcome, StreamPart,
};
use explained::{Plans, explaining};
use kit::{
    DEADLINE, TestLog, context, done, friends, keyed, message, node, outcome, person, register, send, start,
};

/// A node with limits of its own, whose sessions report their plans.
async fn small_node(test: &TestLog, config: LogConfig) -> (EventLog, LogTasks) {
    let options = explaining(test.database.connect_options(), "auto");
    let master = MasterKey::from_base64(&test.master).unwrap();
    EventLog::open(options, master, test.clock.clone(), config).await.unwrap()
}

async fn state(log: &EventLog, conversation: ConversationId) -> Conversation {
    log.inspect::<Conversation, _>(&conversation, Clone::clone).await.unwrap()
}

async fn execute(test: &TestLog, statements: &[&str]) {
    let mut connection = test.database.pool().acquire().await.unwrap();
    for statement in statements {
        sqlx::query(statement).execute(&mut *connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// The whole stream, folded in memory.
async fn replayed(log: &EventLog, conversation: ConversationId) -> Conversation {
    let part = StreamPart {
        stream: StreamId::of::<Conversation>(&conversation),
        after: Position::START,
        until: None,
    };
    let events = log.read_streams(&[part], Position::START, log.head().await.unwrap(), 5_000).await.unwrap();
    let mut state = Conversation::default();
    for recorded in &events {
        let Event::Conversation(event) = &recorded.event else { panic!("not of a conversation") };
        state.evolve(event);
    }
    state
}

/// Their snapshot stores apply events twice (5 events load as 7 or 10) or lose those behind a snapshot.
#[tokio::test]
async fn events_are_not_applied_twice_and_not_lost_around_a_snapshot() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    // Keeps nothing in memory, so every command loads, at every length of the stream.
    let forgetful = LogConfig { live_aggregates_max: 0, ..LogConfig::default() };
    let (log, _tasks) = small_node(&test, forgetful).await;
    for number in 1..=300 {
        send(&log, ann, conversation, "x").await;
        let loaded = state(&log, conversation).await;
        assert!(matches!(loaded, Conversation::Private { last, .. } if last.0 == number), "{loaded:?}");
        if number % 50 == 0 {
            assert_eq!(loaded, replayed(&log, conversation).await);
        }
    }
}

/// Their snapshot update commits first and reports a lock conflict for events that are stored.
#[tokio::test]
async fn what_is_stored_is_never_reported_as_a_conflict() {
    let test = start().await;
    let (ann, bob, conversation) = friends(&test.log, "alice01", "robert01").await;
    let (other, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    let before = test.log.head().await.unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..200 {
        let (log, sender) = if n % 2 == 0 { (test.log.clone(), ann) } else { (other.clone(), bob) };
        callers.spawn(async move { outcome(&log, message(sender, conversation, "x"), sender).await });
    }
    let mut answered = BTreeSet::new();
    for answer in callers.join_all().await {
        match answer {
            Ok(Outcome::Done(done)) => assert!(answered.insert(done.position)),
            Ok(Outcome::Refused(refusal)) => panic!("refused: {refusal}"),
            Err(ExecuteError::Contended) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let stored = test.log.read(before, 5_000).await.unwrap();
    assert_eq!(answered, stored.iter().map(|event| event.position).collect());
    // Nor was any decided on events that lost against the other node's.
    for (expected, recorded) in (1..).zip(&stored) {
        let Event::Conversation(ConversationEvent::MessageSent { number, .. }) = &recorded.event else {
            panic!("not a message: {recorded:?}")
        };
        assert_eq!(number.0, expected);
    }
}

/// Their queries run in the caller's future after the commit: 200 events, and a view had 138.
#[tokio::test]
async fn followers_do_not_lose_events_of_callers_that_went_away() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let seam = test.log.head().await.unwrap();
    let mut follow = test.log.follow();
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..200 {
        let log = test.log.clone();
        callers.spawn(async move {
            let sending = outcome(&log, message(ann, conversation, "x"), ann);
            // Every third caller is gone at once, when the command has just begun.
            let patience = if n % 3 == 0 { std::time::Duration::ZERO } else { DEADLINE };
            tokio::time::timeout(patience, sending).await.is_ok()
        });
    }
    let answered = callers.join_all().await.into_iter().filter(|answered| *answered).count();
    assert!(answered < 200);
    let mut seen = vec![];
    while seen.len() < 200 {
        let batch = tokio::time::timeout(DEADLINE, follow.recv()).await.unwrap().unwrap();
        seen.extend(batch.iter().filter(|event| event.position > seam).map(|event| (**event).clone()));
    }
    assert_eq!(seen, test.log.read(seam, 5_000).await.unwrap());
}

/// Their replay is of one aggregate type, in the order of sequences, and takes a database error for the end.
#[tokio::test]
async fn all_types_are_read_in_commit_order_and_an_error_is_not_the_end() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    for n in 0..20 {
        send(&test.log, ann, conversation, &n.to_string()).await;
    }
    let all = test.log.read(Position::START, 5_000).await.unwrap();
    let types: BTreeSet<_> = all.iter().map(|event| event.stream.aggregate_type).collect();
    assert_eq!(types.len(), 5);
    for page in [1, 2, 3, 7] {
        let mut paged: Vec<Recorded> = vec![];
        loop {
            let after = paged.last().map_or(Position::START, |event| event.position);
            if after == Position(15) {
                execute(&test, &["ALTER TABLE events RENAME TO away"]).await;
                assert!(matches!(test.log.read(after, page).await, Err(LogError::Database(_))));
                execute(&test, &["ALTER TABLE away RENAME TO events"]).await;
            }
            let next = test.log.read(after, page).await.unwrap();
            if next.is_empty() {
                break;
            }
            paged.extend(next);
        }
        assert_eq!(paged, all);
    }
}

/// Their tail query has the version in its text: one prepared statement more per version.
#[tokio::test]
async fn prepared_statements_do_not_grow_with_what_is_asked() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let config = LogConfig { read_connections_max: 1, live_aggregates_max: 0, ..LogConfig::default() };
    let (log, _tasks) = small_node(&test, config).await;
    let mut counts = vec![];
    for n in 0..30_u32 {
        let (key, text) = (IdempotencyKey(new_uuid()), n.to_string());
        let sent = keyed(Actor::Account(ann), key, &text);
        let told = done(&log, message(ann, conversation, &text), sent).await;
        log.read(Position(i64::from(n)), n + 1).await.unwrap();
        log.stream_begun_at(Position(i64::from(n))).await.unwrap();
        let part = StreamPart { stream: told.events[0].stream.clone(), after: told.position, until: None };
        log.read_streams(&vec![part; n as usize], Position(i64::from(n)), told.position, n + 1)
            .await
            .unwrap();
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM pg_prepared_statements");
        counts.push(count.fetch_one(log.pool()).await.unwrap());
    }
    assert_eq!(counts[5], counts[29], "{counts:?}");
}

/// Their event store loads the whole stream for every command: 0.45 to 1.5 s at 100,000 events.
#[tokio::test]
async fn a_command_does_not_read_the_events_of_its_stream() {
    let plans = Plans::collect();
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    // Nobody looks for other nodes' events meanwhile, which would be counted with the commands.
    let config = LogConfig { poll_interval: 10 * DEADLINE, ..LogConfig::default() };
    let (log, _tasks) = small_node(&test, config).await;
    for _ in 0..100 {
        send(&log, ann, conversation, "x").await;
    }
    plans.take();
    for _ in 0..10 {
        send(&log, ann, conversation, "x").await;
        // The version of the stream and the head of the log.
        let rows: u64 = plans.take().iter().map(|plan| plan.rows).sum();
        assert!(rows <= 2, "{rows} rows");
    }
}

/// Their `persist` makes a round trip per event.
#[tokio::test]
async fn the_events_of_a_batch_are_inserted_together() {
    let plans = Plans::collect();
    let test = start().await;
    let (ann, bob) = (person(&test.log, "alice01").await, person(&test.log, "robert01").await);
    done(&test.log, RequestFriend::new(ann, bob).unwrap(), context(Actor::Account(ann))).await;
    let (log, _tasks) = small_node(&test, LogConfig::default()).await;
    let insertions = |plans: &Plans| {
        plans.take().iter().filter(|plan| plan.statement.contains("INSERT INTO events")).count()
    };
    let confirmed = done(&log, ConfirmFriend::new(bob, ann).unwrap(), context(Actor::Account(bob))).await;
    assert_eq!((confirmed.events.len(), insertions(&plans)), (4, 1));
    let conversation = ConversationId::private(&Pair::of(ann, bob).unwrap());
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let log = log.clone();
        callers.spawn(async move { send(&log, ann, conversation, "x").await });
    }
    callers.join_all().await;
    let batches = insertions(&plans);
    assert!(batches <= 16, "64 commands took {batches} insertions");
}

/// To them every unique violation is a lock conflict, also that of an idempotency key, and so retried.
#[tokio::test]
async fn a_key_that_was_used_is_not_a_conflict_and_neither_is_a_foreign_violation() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let (other, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    for _ in 0..20 {
        let (key, hello) = (IdempotencyKey(new_uuid()), message(ann, conversation, "hello"));
        let (one, two) = tokio::join!(
            done(&test.log, hello.clone(), keyed(Actor::Account(ann), key, "hello")),
            done(&other, hello, keyed(Actor::Account(ann), key, "hello")),
        );
        assert_eq!((&one.events, one.position), (&two.events, two.position));
        assert!(one.repeated != two.repeated);
    }
    let first = register(&test.log, "charlie1");
    let mut second = register(&test.log, "charlie2");
    second.session.as_mut().unwrap().token = first.session.as_ref().unwrap().token;
    done(&test.log, first, context(Actor::Anonymous)).await;
    let refused = test.log.execute(second, context(Actor::Anonymous)).await;
    assert!(matches!(refused, Err(ExecuteError::Log(LogError::Refused))));
}

/// To them a serialisation failure or a deadlock is an unknown error, which nobody retries.
#[tokio::test]
async fn an_append_that_lost_a_race_in_the_database_is_tried_again() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    for (name, code) in [("lost_1", "40001"), ("lost_2", "40P01"), ("lost_3", "57014")] {
        // A sequence counts on although its transaction is undone.
        let function = format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF nextval('{name}_tries') < 3 THEN RAISE EXCEPTION 'lost' USING ERRCODE = '{code}'; END IF;
                 RETURN NULL;
             END $$"
        );
        let trigger = format!(
            "CREATE TRIGGER {name} AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        );
        execute(&test, &[&format!("CREATE SEQUENCE {name}_tries"), &function, &trigger]).await;
        let before = test.log.head().await.unwrap();
        let sent = send(&test.log, ann, conversation, "after all").await;
        assert_eq!((sent.position, test.log.head().await.unwrap()), (before.next(), before.next()), "{code}");
    }
}

/// Their `execute` answers with `()`: no version, no position.
#[tokio::test]
async fn an_answer_says_what_happened_and_where() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let sent = send(&test.log, ann, conversation, "hello").await;
    assert_eq!(sent.position, test.log.head().await.unwrap());
    assert_eq!((sent.events.len(), sent.events[0].position, sent.events[0].sequence), (1, sent.position, 2));
}

/// Their store in memory has no optimistic lock: two commits at version 0 give sequences 1 and 1.
#[tokio::test]
async fn of_many_commits_at_one_version_one_is_accepted() {
    let test = start().await;
    let owner = AccountId(new_uuid());
    let (other, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    let mut racers = tokio::task::JoinSet::new();
    for n in 0..8 {
        let log = if n % 2 == 0 { test.log.clone() } else { other.clone() };
        racers.spawn(async move {
            let store = CqrsStore::<Contacts>::new(log, context(Actor::Account(owner)));
            let loaded = store.load_aggregate(&owner.to_string()).await.unwrap();
            let filed = vec![ContactsEvent::FriendFiled { friend: AccountId(new_uuid()) }];
            store.commit(filed, loaded, HashMap::new()).await.is_ok()
        });
    }
    let accepted = racers.join_all().await.into_iter().filter(|accepted| *accepted).count();
    let stored = test.log.read(Position::START, 100).await.unwrap();
    assert!(accepted >= 1);
    assert_eq!(
        stored.iter().map(|event| event.sequence).collect::<Vec<_>>(),
        (1..=8).collect::<Vec<i64>>()[..accepted]
    );
}

/// Files a friend, then asks for something that is refused, or panics.
struct Halfway {
    owner: AccountId,
    pair: Pair,
    panics: bool,
}

impl Action for Halfway {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Contacts>(&self.owner), StreamRef::of::<Friendship>(&self.pair)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        let friend = AccountId(new_uuid());
        assert!(streams.decide::<Contacts>(&self.owner, &ContactsCommand::File { friend })?);
        assert!(!self.panics, "as it was asked to");
        streams.decide::<Friendship>(&self.pair, &FriendshipCommand::Confirm { by: self.owner })?;
        Ok(())
    }
}

/// Their `handle(&mut self)` has changed the state even when it returns an error.
#[tokio::test]
async fn a_decision_that_fails_halfway_leaves_the_state_untouched() {
    let test = start().await;
    let owner = AccountId(new_uuid());
    let pair = Pair::of(owner, AccountId(new_uuid())).unwrap();
    let contacts = async || test.log.inspect::<Contacts, _>(&owner, Clone::clone).await.unwrap();
    let before = contacts().await;
    for _ in 0..3 {
        let refused = outcome(&test.log, Halfway { owner, pair, panics: false }, owner).await.unwrap();
        assert_eq!(refused, Outcome::Refused(Refusal::Friendship(FriendshipError::NoRequest)));
        assert_eq!(contacts().await, before);
        let broken = outcome(&test.log, Halfway { owner, pair, panics: true }, owner).await;
        assert!(matches!(broken, Err(ExecuteError::Log(LogError::Panicked))));
        assert_eq!(contacts().await, before);
    }
    assert_eq!(test.log.head().await.unwrap(), Position::START);
    // And the mailbox is free again.
    let store = CqrsStore::<Contacts>::new(test.log.clone(), context(Actor::Account(owner)));
    let loaded = store.load_aggregate(&owner.to_string()).await.unwrap();
    let filed = vec![ContactsEvent::FriendFiled { friend: AccountId(new_uuid()) }];
    assert_eq!(store.commit(filed, loaded, HashMap::new()).await.unwrap()[0].sequence, 1);
}

/// They panic at a row of another type, and cut sequences to 32 bits.
#[tokio::test]
async fn a_damaged_row_is_an_error_and_no_panic() {
    const REPLICA: &str = "SET session_replication_role = replica";
    for (damage, expected) in [
        ("ALTER TABLE events ALTER COLUMN sequence TYPE numeric", "Database"),
        ("ALTER TABLE events ALTER COLUMN recorded_at TYPE timestamp", "Database"),
        ("ALTER TABLE events DROP COLUMN event_version", "Database"),
        ("UPDATE events SET aggregate_type = 'parrot' WHERE position = 12", "Decode"),
        ("UPDATE events SET payload = '{\"Unheard\":{}}' WHERE position = 12", "Decode"),
        ("UPDATE events SET payload = '[]' WHERE position = 12", "Decode"),
        ("UPDATE events SET event_version = '99.0' WHERE position = 12", "Decode"),
        ("UPDATE events SET metadata = '{}' WHERE position = 12", "Envelope"),
        ("UPDATE events SET sequence = 3000000000 WHERE position = 12", "Unsealable"),
    ] {
        let test = start().await;
        let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
        send(&test.log, ann, conversation, "hello").await;
        execute(&test, &[REPLICA, damage]).await;
        let (fresh, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
        for log in [&test.log, &fresh] {
            let error = log.read(Position(11), 10).await.expect_err(damage);
            assert!(format!("{error:?}").starts_with(expected), "{damage}: {error:?}");
        }
    }
}
