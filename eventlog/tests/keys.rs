//! Keys: destroyed for everybody and for ever, and wrapped by a new master key while appends go on.

#![allow(clippy::unwrap_used)]

mod kit;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::account::{Account, AccountEvent};
use domain::actions::{ConfirmErasure, ErasePerson};
use domain::conversation::{Content, ConversationEvent};
use domain::{AccountId, Actor, Event, Position};
use eventlog::fresh::{new_uuid, random_bytes};
use eventlog::testing::TestDatabase;
use eventlog::{
    EventLog, ExecuteError, LogConfig, LogError, LogTasks, MasterKey, MasterKeys, StoppedClock,
    rotate_master_key,
};
use kit::{DEADLINE, TestLog, context, done, friends, message, node, outcome, person, send, start};
use tokio::sync::watch;
use tokio::time::timeout;

/// The texts of all messages as a node reads them; none where it reads "erased".
async fn texts(log: &EventLog) -> Vec<Option<String>> {
    let events = log.read(Position::START, 5_000).await.unwrap();
    let text_of = |event: &Event| match event {
        Event::Conversation(ConversationEvent::MessageSent { content: Content::Text { text }, .. }) => {
            Some(text.open().map(|text| text.as_ref().to_owned()))
        }
        _ => None,
    };
    events.iter().filter_map(|recorded| text_of(&recorded.event)).collect()
}

async fn erase(log: &EventLog, account: AccountId) -> Position {
    let handle = log.inspect::<Account, _>(&account, |a| a.handle().cloned()).await.unwrap().unwrap();
    done(log, ErasePerson { account, handle }, context(Actor::Account(account))).await.position
}

async fn confirm(log: &EventLog, account: AccountId) -> Position {
    done(log, ConfirmErasure { account }, context(Actor::Policy("erasure".into()))).await.position
}

async fn sees(log: &EventLog, position: Position) {
    let mut head = log.watch_head();
    timeout(DEADLINE, head.wait_for(|head| *head >= position)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_destroyed_key_is_gone_on_every_node_also_where_it_was_in_use() {
    let test = start().await;
    let (other, _tasks) = node(&test.database, &test.master, test.clock.clone()).await;
    let (ann, bob, conversation) = friends(&test.log, "alice01", "robert01").await;
    send(&test.log, ann, conversation, "from ann").await;
    send(&other, bob, conversation, "from bob").await;
    let open = vec![Some("from ann".to_owned()), Some("from bob".to_owned())];
    let left = vec![None, Some("from bob".to_owned())];
    assert_eq!(texts(&other).await, open);

    sees(&other, erase(&test.log, ann).await).await;
    // Between the event and the deed the key is still there, and this read brings it back into memory.
    assert_eq!(texts(&other).await, open);
    test.log.destroy_account_key(ann).await.unwrap();
    assert_eq!(texts(&test.log).await, left);
    sees(&other, confirm(&test.log, ann).await).await;
    assert_eq!(texts(&other).await, left);

    let again = outcome(&other, message(ann, conversation, "too late"), ann).await;
    assert!(matches!(again, Err(ExecuteError::Log(LogError::KeyDestroyed))), "{again:?}");
    send(&other, bob, conversation, "still here").await;
    test.log.destroy_account_key(ann).await.unwrap();
    assert_eq!(texts(&test.log).await.len(), 3);
}

#[tokio::test]
async fn no_key_is_ever_made_for_an_account_whose_key_was_destroyed() {
    let test = start().await;
    let (ann, _, conversation) = friends(&test.log, "alice01", "robert01").await;
    let stranger = AccountId(new_uuid());
    test.log.destroy_account_key(stranger).await.unwrap();
    let keys = |kind| {
        let pool = test.database.pool();
        async move {
            let sql = format!("SELECT count(*) FROM keys.sealing_keys WHERE wrapped IS {kind}");
            sqlx::query_scalar::<_, i64>(&sql).fetch_one(&pool).await.unwrap()
        }
    };
    assert_eq!((keys("NULL").await, keys("NOT NULL").await), (1, 2));
    test.log.destroy_account_key(ann).await.unwrap();
    let refused = outcome(&test.log, message(ann, conversation, "no"), ann).await;
    assert!(matches!(refused, Err(ExecuteError::Log(LogError::KeyDestroyed))));
    // The conversation's key of the month may have been made meanwhile; the account's was not.
    assert_eq!(keys("NULL").await, 2);
}

#[tokio::test]
async fn an_erased_person_can_neither_sign_in_nor_act_and_the_name_is_free() {
    let test = start().await;
    let ann = person(&test.log, "alice01").await;
    assert!(test.log.credentials().password(ann).await.unwrap().is_some());
    erase(&test.log, ann).await;
    assert!(test.log.credentials().password(ann).await.unwrap().is_none());
    let sessions: i64 = sqlx::query_scalar("SELECT count(*) FROM credentials.sessions")
        .fetch_one(&test.database.pool())
        .await
        .unwrap();
    assert_eq!(sessions, 0);
    let erased = test.log.inspect::<Account, _>(&ann, Account::clone).await.unwrap();
    assert_eq!(erased, Account::Erased { confirmed: false });
    person(&test.log, "ALICE01").await;
    let first = confirm(&test.log, ann).await;
    assert_eq!(confirm(&test.log, ann).await, first, "a second confirmation adds nothing");
    let last = test.log.read(Position(first.0 - 1), 1).await.unwrap();
    assert_eq!(last[0].event, Event::Account(AccountEvent::ErasureConfirmed {}));
}

fn key(text: &str) -> MasterKey {
    MasterKey::from_base64(text).unwrap()
}

async fn open(
    database: &TestDatabase,
    clock: &Arc<StoppedClock>,
    keys: impl Into<MasterKeys>,
) -> Result<(EventLog, LogTasks), LogError> {
    EventLog::open(database.connect_options(), keys, clock.clone(), LogConfig::default()).await
}

#[tokio::test]
async fn the_master_key_changes_while_appends_go_on() {
    let test = start().await;
    let old = test.master.clone();
    let new = STANDARD.encode(random_bytes::<32>());
    let (ann, bob, conversation) = friends(&test.log, "alice01", "robert01").await;
    send(&test.log, ann, conversation, "before").await;
    let gone = person(&test.log, "cecilia01").await;
    test.log.destroy_account_key(gone).await.unwrap();
    for n in 0..450 {
        // More than two pages of keys.
        person(&test.log, &format!("person{n:03}")).await;
    }
    // As a database from before the ids of master keys were stored.
    sqlx::raw_sql("UPDATE keys.sealing_keys SET master_id = NULL; UPDATE keys.log_keys SET master_id = NULL")
        .execute(&test.database.pool())
        .await
        .unwrap();
    let TestLog { tasks, clock, database, .. } = test;
    tasks.close().await;

    // The servers restart with both.
    let both = || MasterKeys::from(key(&new)).with_old(key(&old));
    let (log, tasks) = open(&database, &clock, both()).await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let writing = {
        let log = log.clone();
        tokio::spawn(async move {
            let mut sent = 0;
            while !*stopped.borrow() {
                send(&log, if sent % 2 == 0 { ann } else { bob }, conversation, &sent.to_string()).await;
                // Each is somebody new, whose key is made meanwhile.
                person(&log, &format!("during{sent:04}")).await;
                sent += 1;
            }
            sent
        })
    };
    let mut steps = vec![];
    let options = database.connect_options();
    let rotated = rotate_master_key(&options, &both(), &mut |step| steps.push(step)).await.unwrap();
    let again = rotate_master_key(&options, &both(), &mut |_| {}).await.unwrap();
    stop.send_replace(true);
    let sent = timeout(DEADLINE, writing).await.unwrap().unwrap();
    let before = texts(&log).await;
    assert_eq!(before.len(), sent + 1);
    drop(log);
    tasks.close().await;
    // Two of the log, ann, bob, their conversation, and the 450.
    assert_eq!((rotated.found, rotated.rewrapped, again.rewrapped), (455, 455, 0));
    assert!(steps.len() >= 4 && steps.is_sorted_by(|one, next| one.rewrapped <= next.rewrapped), "{steps:?}");

    let (log, _tasks) = open(&database, &clock, key(&new)).await.unwrap();
    assert_eq!(texts(&log).await, before, "the new master key alone opens everything");
    let destroyed: i64 = sqlx::query_scalar("SELECT count(*) FROM keys.sealing_keys WHERE wrapped IS NULL")
        .fetch_one(&database.pool())
        .await
        .unwrap();
    assert_eq!(destroyed, 1, "what was destroyed stays so");
    let refused = open(&database, &clock, key(&old)).await.err().unwrap();
    assert!(matches!(refused, LogError::WrongMasterKey));
    assert!(refused.to_string().contains("if it was changed, use the new one"), "{refused}");
}

#[tokio::test]
async fn a_rotation_that_was_cut_off_keeps_the_database_usable_and_goes_on_where_it_stopped() {
    let test = start().await;
    let (old, new) = (test.master.clone(), STANDARD.encode(random_bytes::<32>()));
    for n in 0..250 {
        person(&test.log, &format!("person{n:03}")).await;
    }
    let TestLog { tasks, clock, database, log, .. } = test;
    let before = log.read(Position::START, 5_000).await.unwrap();
    tasks.close().await;
    let both = || MasterKeys::from(key(&new)).with_old(key(&old));
    let options = database.connect_options();
    // Cut off after the first page: the task is gone at its next await.
    let (page, mut paged) = watch::channel(0);
    let cut_off = {
        let (options, keys) = (options.clone(), both());
        tokio::spawn(async move {
            let mut tell = |step: eventlog::Rotation| {
                page.send_replace(step.rewrapped);
                assert!(step.rewrapped < 200, "cut off here");
            };
            rotate_master_key(&options, &keys, &mut tell).await
        })
    };
    timeout(DEADLINE, paged.wait_for(|rewrapped| *rewrapped >= 200)).await.unwrap().unwrap();
    assert!(cut_off.await.unwrap_err().is_panic());
    for half in [key(&old), key(&new)] {
        assert!(matches!(open(&database, &clock, half).await.err(), Some(LogError::WrongMasterKey)));
    }
    let third = MasterKeys::from(MasterKey::generate()).with_old(key(&new));
    assert!(matches!(rotate_master_key(&options, &third, &mut |_| {}).await, Err(LogError::WrongMasterKey)));
    let (log, tasks) = open(&database, &clock, both()).await.unwrap();
    assert_eq!(log.read(Position::START, 5_000).await.unwrap(), before);
    tasks.close().await;
    let left = rotate_master_key(&options, &both(), &mut |_| {}).await;
    // 50 of people and two of the log.
    assert_eq!(left.unwrap().rewrapped, 52);
    open(&database, &clock, key(&new)).await.unwrap();
}
