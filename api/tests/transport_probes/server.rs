//! A server of the transport over a schema of its own: every kind of field that can go wrong.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use api::transport::{
    Audience, Credential, Identity, IdentityFault, RequestInfo, Shareable, Sharing, Transport,
    TransportConfig, TransportStats, Writings, routes,
};
use async_graphql::{Context, Error, ErrorExtensions, Object, Result, Schema, SimpleObject, Subscription};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, Stream, StreamExt};
use serde_json::{Map, Value, json};
use tokio::sync::{broadcast, watch};

/// A caller known by the token `good`.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) String);

/// Knows one token and one cookie (`good`); other names stand for the faults.
#[derive(Clone)]
pub(crate) struct Door {
    session_over: watch::Receiver<bool>,
}

impl Identity for Door {
    type Caller = Caller;
    type SocketLease = ();

    async fn caller(&self, credential: Credential, _: &RequestInfo) -> Result<Caller, IdentityFault> {
        let (Credential::Bearer(text) | Credential::SessionCookie(text)) = credential;
        match text.as_str() {
            "good" | "many" => Ok(Caller(text)),
            "often" => Err(IdentityFault::RateLimited { retry_after_ms: 1_500 }),
            "down" => Err(IdentityFault::Unavailable),
            _ => Err(IdentityFault::Refused),
        }
    }

    fn knock(&self, info: &RequestInfo) -> Result<(), IdentityFault> {
        match info.user_agent.as_deref() {
            Some("flooder") => Err(IdentityFault::RateLimited { retry_after_ms: 10 }),
            _ => Ok(()),
        }
    }

    fn admit(&self, _: Option<&Caller>, info: &RequestInfo) -> Result<(), IdentityFault> {
        match info.user_agent.as_deref() {
            Some("busy") => Err(IdentityFault::RateLimited { retry_after_ms: 2_500 }),
            _ => Ok(()),
        }
    }

    fn socket_from(&self, info: &RequestInfo) -> Result<(), IdentityFault> {
        match info.user_agent.as_deref() {
            Some("crowd") => Err(IdentityFault::TooManySockets),
            _ => Ok(()),
        }
    }

    fn socket_of(&self, caller: &Caller) -> Result<(), IdentityFault> {
        if caller.0 == "many" { Err(IdentityFault::TooManySockets) } else { Ok(()) }
    }

    fn session_ended(&self, _: &Caller) -> BoxFuture<'static, ()> {
        let mut over = self.session_over.clone();
        async move {
            if over.wait_for(|over| *over).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        .boxed()
    }

    async fn welcome(&self, caller: Option<&Caller>) -> Map<String, Value> {
        let name = caller.map(|caller| caller.0.clone());
        Map::from_iter([("you".to_owned(), json!(name)), ("head".to_owned(), json!("7"))])
    }
}

#[derive(SimpleObject)]
pub(crate) struct Room {
    title: String,
    tags: Vec<String>,
}

pub(crate) struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn room(&self) -> Option<Room> {
        Some(Room { title: "Lobby".into(), tags: vec!["a".into(), "b".into()] })
    }

    async fn this(&self) -> Query {
        Query
    }

    async fn number(&self, n: i32) -> i32 {
        n
    }

    async fn echo(&self, text: String) -> String {
        text
    }

    async fn who(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(ctx.data::<Option<Caller>>()?.as_ref().map(|caller| caller.0.clone()))
    }

    async fn language(&self, ctx: &Context<'_>) -> Result<String> {
        let info = ctx.data::<RequestInfo>()?;
        Ok(format!("{:?} {}", info.language, info.peer.is_some()))
    }

    async fn fails(&self) -> Option<Result<i32>> {
        Some(Err(Error::new("relation \"secrets\" does not exist")))
    }

    async fn forbids(&self) -> Option<Result<i32>> {
        Some(Err(Error::new("not yours").extend_with(|_, e| e.set("code", "FORBIDDEN"))))
    }

    async fn panics(&self) -> Option<i32> {
        [1].get(1).map(|_| 1).or_else(|| panic!("on purpose"))
    }

    async fn sleeps(&self) -> i32 {
        tokio::time::sleep(Duration::from_hours(1)).await;
        1
    }
}

/// Something that is told to many sockets, and how often a payload was made of it.
pub(crate) struct Told {
    text: String,
    made: AtomicU32,
    writings: Writings,
}

impl Told {
    pub(crate) fn new(text: &str) -> Arc<Self> {
        let (made, writings) = (AtomicU32::new(0), Writings::default());
        Arc::new(Self { text: text.to_owned(), made, writings })
    }
}

impl Shareable for Told {
    fn writings(&self) -> &Writings {
        &self.writings
    }
}

pub(crate) struct News {
    text: String,
    made: u32,
}

#[Object]
impl News {
    async fn text(&self) -> &str {
        assert_ne!(self.text, "bad news", "on purpose");
        &self.text
    }

    /// How many payloads had been made with this one.
    async fn made(&self) -> u32 {
        self.made
    }

    /// Who is looking.
    async fn reader(&self, ctx: &Context<'_>) -> Option<String> {
        ctx.data_opt::<Option<Caller>>()?.as_ref().map(|caller| caller.0.clone())
    }
}

pub(crate) struct Mutation;

#[Object]
impl Mutation {
    /// Signs in: a resolver sets the cookie.
    async fn enter(&self, ctx: &Context<'_>) -> bool {
        ctx.append_http_header("set-cookie", "annal_session=good; HttpOnly");
        ctx.append_http_header("set-cookie", "second=1");
        true
    }

    /// Tells every `said` subscription, and answers only after they had time to be first.
    async fn say(&self, ctx: &Context<'_>, text: String) -> Result<String> {
        ctx.data::<broadcast::Sender<String>>()?.send(text.clone())?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(text)
    }
}

pub(crate) struct Subscriptions;

#[Subscription]
impl Subscriptions {
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(1..=to)
    }

    async fn said(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = String> + use<>> {
        let heard = ctx.data::<broadcast::Sender<String>>()?.subscribe();
        Ok(stream::unfold(
            heard,
            |mut heard| async move { heard.recv().await.ok().map(|text| (text, heard)) },
        ))
    }

    async fn news(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] after: i32,
    ) -> Result<impl Stream<Item = Result<News>> + use<>> {
        let heard = ctx.data::<broadcast::Sender<Arc<Told>>>()?;
        let events = || {
            let is_known = ctx.data::<Option<Caller>>()?.is_some() && after >= 0;
            if !is_known {
                return Err(Error::new("sign in").extend_with(|_, e| e.set("code", "UNAUTHENTICATED")));
            }
            let next = async |mut heard: broadcast::Receiver<Arc<Told>>| {
                let told: Arc<dyn Shareable> = heard.recv().await.ok()?;
                Some((Ok(told), heard))
            };
            Ok(stream::unfold(heard.subscribe(), next).boxed())
        };
        ctx.data::<Sharing>()?.payloads(Audience("all"), events, |told: &Told| {
            let made = told.made.fetch_add(1, Ordering::SeqCst) + 1;
            Some(News { text: told.text.clone(), made })
        })
    }

    async fn never(&self) -> impl Stream<Item = i32> {
        stream::pending()
    }

    async fn panics(&self) -> impl Stream<Item = i32> {
        stream::iter(1..).map(|n| if n == 2 { panic!("on purpose") } else { n })
    }

    async fn fails(&self) -> Result<impl Stream<Item = i32> + use<>> {
        Err::<stream::Pending<i32>, _>(Error::new("relation \"secrets\" does not exist"))
    }

    async fn lags(&self) -> impl Stream<Item = Result<i32>> {
        let slow = Error::new("behind").extend_with(|_, e| e.set("code", "SLOW_CONSUMER"));
        stream::iter([Ok(1), Err(slow)]).chain(stream::pending())
    }

    async fn flood(&self) -> impl Stream<Item = String> {
        stream::repeat_with(|| "x".repeat(10_000))
    }
}

pub(crate) type TestSchema = Schema<Query, Mutation, Subscriptions>;

/// A running server; stops with the test's runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) schema: TestSchema,
    pub(crate) stats: Arc<TransportStats>,
    /// What the mutation `say` tells the subscription `said`.
    pub(crate) said: broadcast::Sender<String>,
    /// What the subscription `news` shares.
    pub(crate) told: broadcast::Sender<Arc<Told>>,
    pub(crate) drain: watch::Sender<bool>,
    pub(crate) end_session: watch::Sender<bool>,
}

impl Server {
    /// Starts with the default limits.
    pub(crate) async fn start() -> Self {
        Self::with(TransportConfig::default()).await
    }

    /// Starts with limits of its own.
    pub(crate) async fn with(config: TransportConfig) -> Self {
        let said = broadcast::channel::<String>(16).0;
        let told = broadcast::channel::<Arc<Told>>(16).0;
        let schema = Schema::build(Query, Mutation, Subscriptions)
            .data(said.clone())
            .data(told.clone())
            .disable_suggestions()
            .finish();
        let (drain, draining) = watch::channel(false);
        let (end_session, session_over) = watch::channel(false);
        let door = Door { session_over };
        let transport = Transport::new(schema.clone(), door, config, schema.sdl(), draining);
        let stats = transport.stats();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = routes(transport).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, schema, stats, said, told, drain, end_session }
    }

    /// The address of a path over HTTP.
    pub(crate) fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}
