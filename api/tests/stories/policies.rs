//! Policies react to every event, whatever crashes: wish, deed and proof of an erasure.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use api::policies::{Erasure, Policy, PolicyConfig, PolicyError, start};
use async_trait::async_trait;
use domain::actions::{ConfirmErasure, Register};
use domain::credential::PasswordHash;
use domain::values::UserName;
use domain::{AccountId, Actor, Causation, Client, Event, Position, Recorded};
use eventlog::fresh::new_uuid;
use eventlog::testing::{Template, TestDatabase};
use eventlog::{EventLog, LogError, LogTasks, MIGRATOR, Outcome};
use tokio::sync::mpsc;

use crate::erasure::{by_hand, confirmed, erase};
use crate::kit::{node, soon};

/// A log with one erased person, and no policy that has seen it.
struct Erased {
    log: EventLog,
    account: AccountId,
    /// Where `PersonalDataErased` stands.
    cause: Position,
    tasks: LogTasks,
    database: TestDatabase,
}

async fn erased() -> Erased {
    let database = TestDatabase::create(&Template::new(&MIGRATOR)).await.unwrap();
    let (log, tasks) = node(&database).await;
    let account = AccountId(new_uuid());
    let register = Register {
        account,
        handle: log.handle_id("alice01"),
        user_name: UserName::parse("alice01").unwrap(),
        password: PasswordHash("$argon2id$".into()),
        session: None,
    };
    log.execute(register, by_hand()).await.unwrap();
    let done = erase(&log, account).await;
    let cause = done.events.iter().find(|recorded| Erasure.concerns(&recorded.event)).unwrap().position;
    Erased { log, account, cause, tasks, database }
}

impl Erased {
    async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.database.pool()).await.unwrap()
    }

    /// Waits until the erasure's checkpoint stands behind its cause.
    async fn reacted(&self) {
        let checkpoint = self.log.policy_checkpoint("erasure");
        soon(async { while checkpoint.read().await.unwrap() < self.cause {} }).await;
    }

    /// One key destroyed, one confirmation, however often it was tried.
    async fn is_over(&self) {
        self.reacted().await;
        confirmed(&self.log, self.account).await;
        assert_eq!(self.number("SELECT count(*) FROM keys.sealing_keys WHERE wrapped IS NULL").await, 1);
        let confirmations = "SELECT count(*) FROM events WHERE event_type = 'ErasureConfirmed'";
        assert_eq!(self.number(confirmations).await, 1);
    }
}

#[tokio::test]
async fn an_erasure_is_finished_wherever_a_crash_cut_it_off() {
    for already_done in 0..4 {
        let test = erased().await;
        sqlx::raw_sql("CREATE TABLE old_copy AS SELECT * FROM keys.sealing_keys")
            .execute(&test.database.pool())
            .await
            .unwrap();
        if already_done >= 1 {
            test.log.destroy_account_key(test.account).await.unwrap();
        }
        if already_done >= 2 {
            // All of it, but for the checkpoint.
            let events = test.log.read(Position(test.cause.0 - 1), 1).await.unwrap();
            Erasure.react(&test.log, &events[0]).await.unwrap();
        }
        let policy = start(Erasure, test.log.clone(), PolicyConfig::default());
        test.is_over().await;
        soon(policy.stop()).await;
        let last = test.log.read(test.cause, 10).await.unwrap().pop().unwrap();
        assert_eq!(last.metadata.actor, Actor::Policy("erasure".into()));
        assert_eq!(last.metadata.causation, Causation::Event(test.cause));
        assert_eq!(last.metadata.client, Client::Policy);
        if already_done == 3 {
            // As after a restore: the checkpoints are gone, and an old copy of the keys came back.
            sqlx::raw_sql(
                "DELETE FROM policies.checkpoints; UPDATE keys.sealing_keys SET (wrapped, master_id) =
                     (SELECT wrapped, master_id FROM old_copy WHERE old_copy.key_id = sealing_keys.key_id)",
            )
            .execute(&test.database.pool())
            .await
            .unwrap();
            assert_eq!(test.number("SELECT count(*) FROM keys.sealing_keys WHERE wrapped IS NULL").await, 0);
            let policy = start(Erasure, test.log.clone(), PolicyConfig::default());
            test.is_over().await;
            soon(policy.stop()).await;
        }
        soon(test.tasks.close()).await;
    }
}

#[tokio::test]
async fn two_nodes_with_the_same_policy_do_it_once() {
    let test = erased().await;
    let (other, tasks) = node(&test.database).await;
    let policies = [&test.log, &other].map(|log| start(Erasure, log.clone(), PolicyConfig::default()));
    test.is_over().await;
    for policy in policies {
        soon(policy.stop()).await;
    }
    test.is_over().await;
    soon(tasks.close()).await;
    soon(test.tasks.close()).await;
}

#[tokio::test]
async fn an_erasure_cannot_be_confirmed_that_nobody_asked_for() {
    let test = erased().await;
    let stranger = ConfirmErasure { account: AccountId(new_uuid()) };
    assert!(matches!(test.log.execute(stranger, by_hand()).await.unwrap(), Outcome::Refused(_)));
    soon(test.tasks.close()).await;
}

/// Fails so many times, and tells what it then reacted to.
struct Clumsy {
    failures: AtomicU32,
    reacted: mpsc::UnboundedSender<Position>,
}

#[async_trait]
impl Policy for Clumsy {
    fn name(&self) -> &'static str {
        "clumsy"
    }

    fn concerns(&self, _event: &Event) -> bool {
        true
    }

    async fn react(&self, _log: &EventLog, recorded: &Recorded) -> Result<(), PolicyError> {
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
        {
            return Err(LogError::Closed.into());
        }
        self.reacted.send(recorded.position).unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn a_policy_that_fails_tries_again_and_never_skips_an_event() {
    let test = erased().await;
    let head = test.log.head().await.unwrap();
    let (reacted, mut heard) = mpsc::unbounded_channel();
    let config = PolicyConfig {
        attempts_max: 3,
        backoff: Duration::from_millis(1),
        rest: Duration::from_millis(5),
        ..PolicyConfig::default()
    };
    // More than two rows of attempts.
    let clumsy = Clumsy { failures: AtomicU32::new(8), reacted };
    let policy = start(clumsy, test.log.clone(), config);
    for position in 1..=head.0 {
        assert_eq!(soon(heard.recv()).await, Some(Position(position)));
    }
    // What comes while it runs is reacted to as well, from memory.
    test.log.destroy_account_key(test.account).await.unwrap();
    let confirm = ConfirmErasure { account: test.account };
    test.log.execute(confirm, by_hand()).await.unwrap();
    assert_eq!(soon(heard.recv()).await, Some(head.next()));
    soon(policy.stop()).await;
    assert!(heard.recv().await.is_none(), "nothing was reacted to twice");
    let checkpoint = test.log.policy_checkpoint("clumsy");
    let stands = checkpoint.read().await.unwrap();
    assert!(stands >= head);
    assert!(!checkpoint.advance(Position(1), Position(2)).await.unwrap(), "the fence holds");
    assert_eq!(checkpoint.read().await.unwrap(), stands);
    soon(test.tasks.close()).await;
}
