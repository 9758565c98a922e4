//! A small house for tests: a log on a database of its own, and people who act through real commands.

#![allow(dead_code, unreachable_pub, reason = "every test file uses another part")]

use std::sync::Arc;
use std::time::Duration;

use domain::actions::{AddMembers, ConfirmFriend, CreateGroup, Register, RequestFriend, SendMessage};
use domain::conversation::Content;
use domain::credential::PasswordHash;
use domain::values::{GroupName, MessageText, UserName};
use domain::{
    AccountId, Action, Actor, Causation, Client, CommandId, ConversationId, CorrelationId, Pair, Personal,
    Position,
};
use eventlog::fresh::new_uuid;
use eventlog::testing::{Template, TestDatabase};
use eventlog::{CommandContext, Done, EventLog, LogConfig, LogTasks, MasterKey, Outcome, SystemClock};
use projections::{
    Catalogue, Projector, ProjectorConfig, ProjectorTask, Verdict, ViewState, Views, Waited, catalogue,
    status, verify,
};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A database with the product's schema.
pub const TEMPLATE: Template = Template::new(&eventlog::MIGRATOR);

/// A log on a database of its own.
pub struct House {
    // Before the database, so that connections end first.
    pub log: EventLog,
    _tasks: LogTasks,
    pool: PgPool,
    _database: Option<TestDatabase>,
}

/// A projector that runs, and its views.
pub struct Running {
    pub views: Views,
    stop: watch::Sender<bool>,
    task: ProjectorTask,
}

impl Running {
    pub async fn stop(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(PATIENCE, self.task.finish()).await.unwrap();
    }
}

impl House {
    pub async fn open() -> Self {
        let database = TestDatabase::create(&TEMPLATE).await.unwrap();
        let (options, pool) = (database.connect_options(), database.pool());
        Self { _database: Some(database), ..Self::on(options, pool).await }
    }

    /// On a migrated database of the caller's.
    pub async fn on(options: PgConnectOptions, pool: PgPool) -> Self {
        let (log, tasks) = EventLog::open(
            options,
            MasterKey::generate(),
            Arc::new(SystemClock),
            LogConfig { read_connections_max: 6, ..LogConfig::default() },
        )
        .await
        .unwrap();
        Self { log, _tasks: tasks, pool, _database: None }
    }

    /// A pool beside the log's, for looking at and tampering with tables.
    pub fn pool(&self) -> PgPool {
        self.pool.clone()
    }

    pub async fn acts<A: Action>(&self, who: Option<AccountId>, action: A) -> Done {
        match self.tries(who, action).await {
            Outcome::Done(done) => done,
            Outcome::Refused(refusal) => panic!("refused: {refusal:?}"),
        }
    }

    pub async fn tries<A: Action>(&self, who: Option<AccountId>, action: A) -> Outcome {
        let context = CommandContext {
            actor: who.map_or(Actor::Anonymous, Actor::Account),
            session: None,
            causation: Causation::Command(CommandId(new_uuid())),
            correlation: CorrelationId(new_uuid()),
            client: Client::Graphql,
            idempotency: None,
        };
        self.log.execute(action, context).await.unwrap()
    }

    pub async fn person(&self, name: &str) -> AccountId {
        let user_name = UserName::parse(name).unwrap();
        let register = Register {
            account: AccountId(new_uuid()),
            handle: self.log.handle_id(&user_name.normalised()),
            user_name,
            password: PasswordHash("$argon2id$".into()),
            session: None,
        };
        let account = register.account;
        self.acts(None, register).await;
        account
    }

    pub async fn asks(&self, from: AccountId, to: AccountId) -> Position {
        self.acts(Some(from), RequestFriend::new(from, to).unwrap()).await.position
    }

    pub async fn confirms(&self, by: AccountId, requester: AccountId) -> Position {
        self.acts(Some(by), ConfirmFriend::new(by, requester).unwrap()).await.position
    }

    pub async fn befriends(&self, one: AccountId, other: AccountId) -> ConversationId {
        self.asks(one, other).await;
        self.confirms(other, one).await;
        talk(one, other)
    }

    pub async fn says(&self, sender: AccountId, to: AccountId, text: &str) -> Position {
        self.acts(Some(sender), saying(sender, to, text)).await.position
    }

    /// A group of the owner's friends.
    pub async fn founds(&self, owner: AccountId, members: &[AccountId]) -> ConversationId {
        let conversation = ConversationId(new_uuid());
        let name = GroupName::parse("周末爬山".into()).unwrap();
        let create = CreateGroup { conversation, owner, name, members: members.to_vec() };
        self.acts(Some(owner), create).await;
        conversation
    }

    pub async fn admits(
        &self,
        by: AccountId,
        conversation: ConversationId,
        members: &[AccountId],
    ) -> Position {
        let add = AddMembers { conversation, by, members: members.to_vec() };
        self.acts(Some(by), add).await.position
    }

    pub async fn says_in(&self, conversation: ConversationId, sender: AccountId, text: &str) -> Position {
        self.acts(Some(sender), saying_in(conversation, sender, text)).await.position
    }

    /// What `status` says of a projection.
    pub async fn state(&self, projection: &str) -> ViewState {
        let all = status(&self.pool()).await.unwrap();
        all.into_iter().find(|view| view.projection == projection).unwrap().state
    }

    /// Runs a statement that tampers with tables.
    pub async fn tampers(&self, statement: &str) {
        sqlx::raw_sql(statement).execute(&self.pool()).await.unwrap();
    }

    pub async fn projector(&self, config: ProjectorConfig) -> Running {
        self.projector_of(catalogue(), config).await
    }

    pub async fn projector_of(&self, catalogue: Catalogue, config: ProjectorConfig) -> Running {
        let (stop, stopped) = watch::channel(false);
        let (views, task) = Projector::start(self.log.clone(), catalogue, config, stopped).await.unwrap();
        Running { views, stop, task }
    }

    /// Waits until the views hold everything.
    pub async fn settled(&self, views: &Views) {
        let head = self.log.head().await.unwrap();
        assert_eq!(views.wait_for(head, PATIENCE).await, Waited::Reached);
    }

    pub async fn verdicts(&self) -> Vec<Verdict> {
        verify(&self.log, &mut |_| {}).await.unwrap()
    }

    /// Every view was built, goes on, and holds what the log says.
    pub async fn proves_all_equal(&self) {
        let verdicts = self.verdicts().await;
        assert_eq!(verdicts.len(), catalogue().len());
        assert!(verdicts.iter().all(|verdict| verdict.equal), "{verdicts:?}");
        for projection in catalogue() {
            assert_eq!(self.state(projection.name()).await, ViewState::Following, "{}", projection.name());
        }
    }
}

/// Limits for tests: small batches, quick polls.
pub fn batches_of(batch_events_max: u32) -> ProjectorConfig {
    ProjectorConfig {
        batch_events_max,
        backoff: Duration::from_millis(1),
        poll_interval: Duration::from_millis(20),
        retry_interval: Duration::from_millis(20),
        ..ProjectorConfig::default()
    }
}

pub fn saying(sender: AccountId, to: AccountId, text: &str) -> SendMessage {
    saying_in(talk(sender, to), sender, text)
}

pub fn saying_in(conversation: ConversationId, sender: AccountId, text: &str) -> SendMessage {
    let content = Content::Text { text: Personal::Open(MessageText::parse(text.to_owned()).unwrap()) };
    SendMessage { sender, conversation, content }
}

pub fn talk(one: AccountId, other: AccountId) -> ConversationId {
    ConversationId::private(&Pair::of(one, other).unwrap())
}

/// Looks again and again until something is so; fails after [`PATIENCE`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
