//! Appending: dense positions, conflicts, idempotency, credentials, and what the database refuses.

#![allow(clippy::unwrap_used)]

mod kit;

use domain::actions::{ConfirmFriend, RequestFriend, SignOut};
use domain::conversation::ConversationError;
use domain::friendship::FriendshipError;
use domain::handle::HandleError;
use domain::{AccountId, Actor, Event, IdempotencyKey, Position, Refusal, SessionId};
use eventlog::fresh::new_uuid;
use eventlog::{EventLog, ExecuteError, Outcome};
use kit::{context, done, friends, keyed, message, node, outcome, person, register, send, start};
use sqlx::Row as _;

/// Every position from 1 to the head, and every stream's sequences from 1, without a gap.
async fn assert_dense(log: &EventLog) {
    let events = log.read(Position::START, 5_000).await.unwrap();
    let mut streams = std::collections::BTreeMap::new();
    for (expected, event) in (1..).zip(&events) {
        assert_eq!(event.position, Position(expected));
        let sequence = streams.entry(event.stream.clone()).or_insert(0);
        *sequence += 1;
        assert_eq!(event.sequence, *sequence, "{}", event.stream);
    }
}

#[tokio::test]
async fn everything_a_person_does_is_an_event_in_one_dense_order() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let sent = send(&test.log, ann, conversation, "hello").await;
    let events = test.log.read(Position::START, 100).await.unwrap();
    let names: Vec<_> = events.iter().map(|recorded| recorded.event.event_type()).collect();
    assert_eq!(names.len(), 12);
    assert_eq!(names.last().unwrap(), "MessageSent");
    assert_eq!(*sent.events[0], events[11]);
    assert_eq!(sent.position, test.log.head().await.unwrap());
    assert_dense(&test.log).await;
}

#[tokio::test]
async fn a_refused_command_leaves_nothing_behind() {
    let test = start().await;
    let ann = person(&test.log, "alice01").await;
    let before = test.log.head().await.unwrap();
    let same_name = register(&test.log, "ALICE01");
    let refused = test.log.execute(same_name, context(Actor::Anonymous)).await.unwrap();
    assert_eq!(refused, Outcome::Refused(Refusal::Handle(HandleError::Taken)));
    let stranger = AccountId(new_uuid());
    let refused = outcome(&test.log, ConfirmFriend::new(ann, stranger).unwrap(), ann).await.unwrap();
    assert_eq!(refused, Outcome::Refused(Refusal::Friendship(FriendshipError::NoRequest)));
    assert_eq!(test.log.head().await.unwrap(), before);
}

#[tokio::test]
async fn many_callers_on_one_hot_stream_are_numbered_without_a_gap() {
    let test = start().await;
    let (ann, bob, conversation) = friends(&test.log, "alice01", "robert01").await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..32_u32 {
        let (log, sender) = (test.log.clone(), if caller % 2 == 0 { ann } else { bob });
        callers.spawn(async move {
            for n in 0..10 {
                send(&log, sender, conversation, &format!("{caller}/{n}")).await;
            }
        });
    }
    callers.join_all().await;
    let numbers: Vec<_> = test.log.read(Position(11), 1_000).await.unwrap();
    assert_eq!(numbers.len(), 320);
    for (expected, recorded) in (1..).zip(numbers) {
        let Event::Conversation(domain::conversation::ConversationEvent::MessageSent { number, .. }) =
            recorded.event
        else {
            panic!("a message was expected")
        };
        assert_eq!(number.0, expected);
    }
    assert_dense(&test.log).await;
}

#[tokio::test]
async fn two_nodes_write_one_conversation_and_both_stay_right() {
    let test = start().await;
    let (ann, bob, conversation) = friends(&test.log, "alice01", "robert01").await;
    let (other, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    let mut callers = tokio::task::JoinSet::new();
    for (log, sender) in [(test.log.clone(), ann), (other.clone(), bob)] {
        callers.spawn(async move {
            for n in 0..50 {
                let done = loop {
                    match outcome(&log, message(sender, conversation, &format!("{n}")), sender).await {
                        Ok(done) => break done,
                        Err(ExecuteError::Contended) => {}
                        Err(error) => panic!("{error}"),
                    }
                };
                assert!(matches!(done, Outcome::Done(_)));
            }
        });
    }
    callers.join_all().await;
    assert_eq!(test.log.head().await.unwrap(), Position(11 + 100));
    assert_dense(&test.log).await;
}

#[tokio::test]
async fn a_refusal_is_checked_against_what_other_nodes_wrote() {
    let test = start().await;
    let (ann, bob) = (person(&test.log, "alice01").await, person(&test.log, "robert01").await);
    let (other, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    // The other node remembers: nobody asked.
    let confirm = ConfirmFriend::new(bob, ann).unwrap();
    assert!(matches!(outcome(&other, confirm.clone(), bob).await.unwrap(), Outcome::Refused(_)));
    done(&test.log, RequestFriend::new(ann, bob).unwrap(), context(Actor::Account(ann))).await;
    assert!(matches!(outcome(&other, confirm, bob).await.unwrap(), Outcome::Done(_)));
}

#[tokio::test]
async fn the_same_key_never_makes_two_events() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let key = IdempotencyKey(new_uuid());
    let hello = message(ann, conversation, "hello");
    let first = done(&test.log, hello.clone(), keyed(Actor::Account(ann), key, "hello")).await;
    // Again on this node, and on one that was started later.
    let (other, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    for log in [&test.log, &other] {
        let again = done(log, hello.clone(), keyed(Actor::Account(ann), key, "hello")).await;
        assert!(again.repeated);
        assert_eq!((&again.events, again.position), (&first.events, first.position));
    }
    let reused = test.log.execute(hello, keyed(Actor::Account(ann), key, "bye")).await;
    assert!(matches!(reused, Err(ExecuteError::KeyReused)));
    assert_eq!(test.log.head().await.unwrap(), first.position);
    // The stream goes on after a repeat.
    send(&test.log, ann, conversation, "more").await;
    assert_dense(&test.log).await;
}

#[tokio::test]
async fn requests_in_flight_with_one_key_have_one_effect() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let key = IdempotencyKey(new_uuid());
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (log, hello) = (test.log.clone(), message(ann, conversation, "hello"));
        callers
            .spawn(async move { done(&log, hello, keyed(Actor::Account(ann), key, "hello")).await.position });
    }
    let positions = callers.join_all().await;
    assert!(positions.iter().all(|position| *position == positions[0]));
    assert_eq!(test.log.head().await.unwrap(), positions[0]);
}

#[tokio::test]
async fn a_repeat_is_answered_as_the_first_time_even_when_it_would_be_refused_now() {
    let test = start().await;
    let (ann, bob) = (person(&test.log, "alice01").await, person(&test.log, "robert01").await);
    let (key, request) = (IdempotencyKey(new_uuid()), RequestFriend::new(ann, bob).unwrap());
    let first = done(&test.log, request.clone(), keyed(Actor::Account(ann), key, "x")).await;
    done(&test.log, ConfirmFriend::new(bob, ann).unwrap(), context(Actor::Account(bob))).await;
    let again = done(&test.log, request.clone(), keyed(Actor::Account(ann), key, "x")).await;
    assert_eq!((again.events, again.position), (first.events, first.position));
    let unkeyed = outcome(&test.log, request, ann).await.unwrap();
    assert_eq!(unkeyed, Outcome::Refused(Refusal::Friendship(FriendshipError::AlreadyFriends)));
}

#[tokio::test]
async fn a_command_that_changes_nothing_answers_with_its_streams_last_position() {
    let test = start().await;
    let (ann, bob) = (person(&test.log, "alice01").await, person(&test.log, "robert01").await);
    let request = RequestFriend::new(ann, bob).unwrap();
    let first = done(&test.log, request.clone(), context(Actor::Account(ann))).await;
    let key = IdempotencyKey(new_uuid());
    for repeated in [false, true] {
        let again = done(&test.log, request.clone(), keyed(Actor::Account(ann), key, "x")).await;
        assert_eq!((again.events.len(), again.position), (0, first.position));
        assert_eq!(again.repeated, repeated);
    }
}

#[tokio::test]
async fn a_session_ends_in_the_append_that_says_so() {
    let test = start().await;
    let registration = register(&test.log, "alice01");
    let session = registration.session.clone().unwrap();
    let account = registration.account;
    done(&test.log, registration, context(Actor::Anonymous)).await;
    let now = test.log.clock().now();
    let bearer = test.log.credentials().bearer(&session.token, now).await.unwrap().unwrap();
    assert_eq!((bearer.account, bearer.session), (account, session.device.session));
    assert_eq!(test.log.credentials().bearer(&session.token, session.expires_at).await.unwrap(), None);
    let sign_out = SignOut { account, session: session.device.session };
    done(&test.log, sign_out, context(Actor::Account(account))).await;
    assert_eq!(test.log.credentials().bearer(&session.token, now).await.unwrap(), None);
    assert!(test.log.credentials().password(account).await.unwrap().is_some());
}

#[tokio::test]
async fn history_cannot_be_rewritten() {
    let test = start().await;
    person(&test.log, "alice01").await;
    for statement in [
        "UPDATE events SET event_type = 'x'",
        "UPDATE events SET event_type = 'x' WHERE false",
        "DELETE FROM events",
        "TRUNCATE events",
        "DELETE FROM log_epochs",
    ] {
        let refused = sqlx::query(statement).execute(&test.database.pool()).await.unwrap_err();
        assert!(refused.to_string().contains("append only"), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn one_bad_append_does_not_take_the_others_of_its_batch_along() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    // The same token twice: the second registration is refused by the database, not by a rule.
    let one = register(&test.log, "charlie1");
    let mut other = register(&test.log, "charlie2");
    other.session.as_mut().unwrap().token = one.session.as_ref().unwrap().token;
    let (first, second, sent) = tokio::join!(
        test.log.execute(one, context(Actor::Anonymous)),
        test.log.execute(other, context(Actor::Anonymous)),
        send(&test.log, ann, conversation, "hello"),
    );
    assert!(first.is_ok() != second.is_ok(), "one of them was refused");
    assert_eq!(sent.events.len(), 1);
    send(&test.log, ann, conversation, "and on it goes").await;
    assert_dense(&test.log).await;
}

#[tokio::test]
async fn nobody_sends_where_they_are_no_member() {
    let test = start().await;
    let (_, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let eve = person(&test.log, "evelyn1").await;
    let refused = outcome(&test.log, message(eve, conversation, "hi"), eve).await.unwrap();
    assert_eq!(refused, Outcome::Refused(Refusal::Conversation(ConversationError::NotMember)));
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_cut_its_command() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let mut follow = test.log.follow();
    for n in 0..20 {
        let execute = outcome(&test.log, message(ann, conversation, &n.to_string()), ann);
        // Polled once, then dropped: the command is on its way.
        assert!(futures_poll_once(execute).await.is_none());
    }
    let mut seen = 0;
    while seen < 20 {
        seen += tokio::time::timeout(kit::DEADLINE, follow.recv()).await.unwrap().unwrap().len();
    }
    assert_dense(&test.log).await;
}

/// Polls a future once and drops it.
async fn futures_poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

#[tokio::test]
async fn plain_text_is_nowhere_in_the_database() {
    const MARKER: &str = "MARKERxyzzy";
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, MARKER, "robert01").await;
    send(&test.log, ann, conversation, MARKER).await;
    let tables = sqlx::query(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&test.database.pool())
    .await
    .unwrap();
    assert!(tables.len() >= 8);
    for table in tables {
        let name: String = table.get("name");
        let count: i64 =
            sqlx::query_scalar(&format!("SELECT count(*) FROM {name} AS t WHERE t::text ILIKE '%{MARKER}%'"))
                .fetch_one(&test.database.pool())
                .await
                .unwrap();
        assert_eq!(count, 0, "{name} holds personal text in clear");
    }
}

#[tokio::test]
async fn destroying_a_key_erases_what_it_sealed_and_nothing_else() {
    let test = start().await;
    let (ann, bob, conversation) = friends(&test.log, "alice01", "robert01").await;
    send(&test.log, ann, conversation, "from ann").await;
    send(&test.log, bob, conversation, "from bob").await;
    sqlx::query("UPDATE keys.sealing_keys SET wrapped = NULL WHERE owner = $1")
        .bind(ann.0)
        .execute(&test.database.pool())
        .await
        .unwrap();
    // A node that never had the key in memory.
    let (other, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    let texts: Vec<_> =
        other.read(Position(11), 10).await.unwrap().into_iter().map(|r| text_of(&r.event)).collect();
    assert_eq!(texts, [None, Some("from bob".to_owned())]);
    // The stream goes on, and what is decided does not depend on the text.
    send(&other, bob, conversation, "still here").await;
}

fn text_of(event: &Event) -> Option<String> {
    use domain::conversation::{Content, ConversationEvent};
    match event {
        Event::Conversation(ConversationEvent::MessageSent { content: Content::Text { text }, .. }) => {
            text.open().map(|text| text.as_ref().to_owned())
        }
        other => panic!("not a message: {other:?}"),
    }
}

#[tokio::test]
async fn another_master_key_is_refused_at_the_door() {
    let test = start().await;
    let options = test.database.connect_options();
    let (master, clock) = (eventlog::MasterKey::generate(), test.clock.clone());
    let opened = EventLog::open(options, master, clock, eventlog::LogConfig::default()).await;
    assert!(matches!(opened.err(), Some(eventlog::LogError::WrongMasterKey)));
}

#[tokio::test]
async fn everything_queued_is_committed_before_the_log_closes() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let mut waiting = tokio::task::JoinSet::new();
    for n in 0..50 {
        let log = test.log.clone();
        waiting.spawn(async move {
            match outcome(&log, message(ann, conversation, &n.to_string()), ann).await {
                Ok(Outcome::Done(done)) => Some(done.position),
                Ok(Outcome::Refused(refusal)) => panic!("refused: {refusal}"),
                Err(_) => None,
            }
        });
    }
    let kit::TestLog { log, tasks, database, .. } = test;
    // All of them have begun; closing waits for what is queued and refuses what comes later.
    let mut follow = log.follow();
    tokio::time::timeout(kit::DEADLINE, follow.recv()).await.unwrap().unwrap();
    tokio::time::timeout(kit::DEADLINE, tasks.close()).await.unwrap();
    let positions: Vec<_> = waiting.join_all().await.into_iter().flatten().collect();
    let late = log.execute(message(ann, conversation, "late"), context(Actor::Account(ann))).await;
    assert!(matches!(late, Err(ExecuteError::Log(eventlog::LogError::Closed))));
    let head: i64 =
        sqlx::query_scalar("SELECT max(position) FROM events").fetch_one(&database.pool()).await.unwrap();
    assert_eq!(Some(Position(head)), positions.iter().copied().max());
    assert_eq!(positions.len(), usize::try_from(head - 11).unwrap());
}

#[tokio::test]
async fn a_session_that_never_was_ends_without_an_event() {
    let test = start().await;
    let ann = person(&test.log, "alice01").await;
    let before = test.log.head().await.unwrap();
    let sign_out = SignOut { account: ann, session: SessionId(new_uuid()) };
    assert!(done(&test.log, sign_out, context(Actor::Account(ann))).await.events.is_empty());
    assert_eq!(test.log.head().await.unwrap(), before);
}
