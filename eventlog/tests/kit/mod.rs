//! A log on a database of its own, and people who act on it.

#![allow(clippy::unwrap_used, dead_code, reason = "a failed step is a failed test; no test uses everything")]

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, TimeZone as _, Utc};
use domain::account::Device;
use domain::actions::{ConfirmFriend, NewSession, Register, RequestFriend, SendMessage};
use domain::conversation::Content;
use domain::credential::{PasswordHash, TokenHash};
use domain::values::{DeviceName, MessageText, NetworkAddress, UserName};
use domain::{
    AccountId, Action, Actor, Causation, Client, CommandId, ConversationId, CorrelationId, IdempotencyKey,
    Pair, Personal, SessionId,
};
use eventlog::fresh::{new_uuid, random_bytes};
use eventlog::testing::{Template, TestDatabase};
use eventlog::{
    CommandContext, Done, EventLog, ExecuteError, LogConfig, LogTasks, MIGRATOR, MasterKey, Outcome,
    StoppedClock,
};

/// The longest a test waits for something that should be there at once.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A log and everything it runs on.
pub(crate) struct TestLog {
    pub(crate) log: EventLog,
    pub(crate) clock: Arc<StoppedClock>,
    pub(crate) tasks: LogTasks,
    pub(crate) master: String,
    pub(crate) database: TestDatabase,
}

/// One node more on the same database.
pub(crate) async fn node(
    database: &TestDatabase,
    master: &str,
    clock: Arc<StoppedClock>,
) -> (EventLog, LogTasks) {
    let master = MasterKey::from_base64(master).unwrap();
    EventLog::open(database.connect_options(), master, clock, LogConfig::default()).await.unwrap()
}

pub(crate) async fn start() -> TestLog {
    use base64::Engine as _;
    let database = TestDatabase::create(&Template::new(&MIGRATOR)).await.unwrap();
    let master = base64::engine::general_purpose::STANDARD.encode(random_bytes::<32>());
    let clock = Arc::new(StoppedClock::at(Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap()));
    let (log, tasks) = node(&database, &master, clock.clone()).await;
    TestLog { log, clock, tasks, master, database }
}

pub(crate) fn context(actor: Actor) -> CommandContext {
    CommandContext {
        actor,
        session: None,
        causation: Causation::Command(CommandId(new_uuid())),
        correlation: CorrelationId(new_uuid()),
        client: Client::Graphql,
        idempotency: None,
    }
}

pub(crate) fn keyed(actor: Actor, key: IdempotencyKey, input: &str) -> CommandContext {
    CommandContext { idempotency: Some((key, input.to_owned())), ..context(actor) }
}

/// Executes an action that must be done.
pub(crate) async fn done(log: &EventLog, action: impl Action, context: CommandContext) -> Done {
    match log.execute(action, context).await.unwrap() {
        Outcome::Done(done) => done,
        Outcome::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

pub(crate) fn register(log: &EventLog, name: &str) -> Register {
    let user_name = UserName::parse(name).unwrap();
    Register {
        account: AccountId(new_uuid()),
        handle: log.handle_id(&user_name.normalised()),
        user_name,
        password: PasswordHash("$argon2id$fake".into()),
        session: Some(NewSession {
            device: Device {
                session: SessionId(new_uuid()),
                name: DeviceName::lenient("a laptop"),
                address: NetworkAddress::from("192.0.2.7".to_owned()),
            },
            token: TokenHash(random_bytes()),
            expires_at: Utc.with_ymd_and_hms(2027, 1, 1, 0, 0, 0).unwrap() + TimeDelta::days(1),
        }),
    }
}

pub(crate) async fn person(log: &EventLog, name: &str) -> AccountId {
    let register = register(log, name);
    let account = register.account;
    done(log, register, context(Actor::Anonymous)).await;
    account
}

/// Two friends and their conversation.
pub(crate) async fn friends(
    log: &EventLog,
    one: &str,
    other: &str,
) -> (AccountId, AccountId, ConversationId) {
    let (ann, bob) = (person(log, one).await, person(log, other).await);
    done(log, RequestFriend::new(ann, bob).unwrap(), context(Actor::Account(ann))).await;
    done(log, ConfirmFriend::new(bob, ann).unwrap(), context(Actor::Account(bob))).await;
    (ann, bob, ConversationId::private(&Pair::of(ann, bob).unwrap()))
}

pub(crate) fn message(sender: AccountId, conversation: ConversationId, text: &str) -> SendMessage {
    let text = MessageText::parse(text.to_owned()).unwrap();
    SendMessage { sender, conversation, content: Content::Text { text: Personal::Open(text) } }
}

pub(crate) async fn send(
    log: &EventLog,
    sender: AccountId,
    conversation: ConversationId,
    text: &str,
) -> Done {
    done(log, message(sender, conversation, text), context(Actor::Account(sender))).await
}

/// Executes an action that a full or busy log may refuse for the moment.
pub(crate) async fn outcome(
    log: &EventLog,
    action: impl Action,
    actor: AccountId,
) -> Result<Outcome, ExecuteError> {
    log.execute(action, context(Actor::Account(actor))).await
}
