//! A person is forgotten: nothing that was theirs is found again, and nobody else loses anything.

use domain::account::Account;
use domain::actions::ErasePerson;
use domain::handle::Handle;
use domain::{AccountId, Actor, Causation, Client, CommandId, CorrelationId, Position};
use eventlog::fresh::new_uuid;
use eventlog::{CommandContext, Done, EventLog, Outcome};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::kit::{self, DEADLINE, Heard, PASSWORD, TestApp, codes, soon};
use crate::secrets::all_lines;

/// Everything that the person of the story types or brings along, in lower case.
const MARKERS: [&str; 3] = ["forgetme", "忘记", "2001:db8::f06e"];

/// A command from the command line.
pub(crate) fn by_hand() -> CommandContext {
    CommandContext {
        actor: Actor::Anonymous,
        session: None,
        causation: Causation::Command(CommandId(new_uuid())),
        correlation: CorrelationId(new_uuid()),
        client: Client::Cli,
        idempotency: None,
    }
}

/// Erases a person as the command line does, but leaves the rest to the policy.
pub(crate) async fn erase(log: &EventLog, account: AccountId) -> Done {
    let handle = log.inspect::<Account, _>(&account, |a| a.handle().cloned()).await.unwrap().unwrap();
    match log.execute(ErasePerson { account, handle }, by_hand()).await.unwrap() {
        Outcome::Done(done) => done,
        Outcome::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

/// Waits until the log says that the account's key is destroyed.
pub(crate) async fn confirmed(log: &EventLog, account: AccountId) {
    let mut head = log.watch_head();
    let waiting = async {
        while log.inspect::<Account, _>(&account, Account::clone).await.unwrap()
            != (Account::Erased { confirmed: true })
        {
            head.changed().await.unwrap();
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.expect("the erasure is confirmed in time");
}

/// The tables of the whole database in which something of the person is found.
async fn tables_with_markers(app: &TestApp) -> Vec<String> {
    let pool = app.database.pool();
    let tables = sqlx::query(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut found = vec![];
    for table in tables {
        let name: String = table.get("name");
        // Bound, so that our own statement is no log line with a marker.
        let rows: i64 = sqlx::query_scalar(&format!("SELECT count(*) FROM {name} AS t WHERE t::text ~* $1"))
            .bind(MARKERS.join("|"))
            .fetch_one(&pool)
            .await
            .unwrap();
        if rows > 0 {
            found.push(name);
        }
    }
    found
}

/// A person with a telling name, on a telling device at a telling address.
async fn with_markers(app: &TestApp) -> kit::Actor {
    let mut actor = app.nobody();
    let request = actor.request(Method::POST, "/graphql").json(&json!({
        "query": "mutation ($input: RegisterInput!) {
            register(input: $input) { token viewer { person { id } } } }",
        "variables": { "input": { "userName": "ForgetMe01", "password": PASSWORD } },
    }));
    let request = request.header("user-agent", "ForgetMe phone").header("x-forwarded-for", "2001:db8::f06e");
    let answer: Value = soon(async { request.send().await.unwrap().json().await.unwrap() }).await;
    actor.become_bearer_of(&answer["data"]["register"]);
    actor
}

#[tokio::test]
async fn after_an_erasure_nothing_of_the_person_is_found_in_any_table_or_log_line() {
    let lines = all_lines();
    let app = TestApp::start_with(&["--trust-forwarded-for"]).await;
    let (ann, bob) = (with_markers(&app).await, app.person("robert01").await);
    let conversation = ann.befriends(&bob).await;
    let said = ann.sends(&conversation, "ForgetMe never 忘记").await;
    bob.sends(&conversation, "from bob").await;
    let mut socket = ann.updates(None).await;
    let (log, tasks) = app.node().await;
    let handle = log.handle_id("forgetme01");
    let account = log.inspect::<Handle, _>(&handle, Handle::holder).await.unwrap().unwrap();
    let shown = "query ($m: ID!, $p: ID!) { message: node(id: $m) { ... on Message {
        content { ... on TextContent { text } } } } person: node(id: $p) { ... on Person { userName } } }";
    let variables = json!({ "m": said["id"], "p": ann.id });
    let before = bob.query(shown, variables.clone()).await;
    assert_eq!(before["person"]["userName"], "ForgetMe01", "{before}");
    assert_eq!(tables_with_markers(&app).await, ["views.people_1", "views.timeline_1"]);

    erase(&log, account).await;
    confirmed(&log, account).await;
    // The device that was listening is told that its session ended, and hears no more.
    while let Heard::Message(_) = socket.hear().await {}
    let forgotten = json!({ "message": { "content": { "text": null } }, "person": { "userName": null } });
    soon(async { while bob.query(shown, variables.clone()).await != forgotten {} }).await;
    assert_eq!(tables_with_markers(&app).await, Vec::<String>::new());

    // What is still sealed in the log opens for nobody; what another said does.
    let events = log.read(Position::START, 1_000).await.unwrap();
    let open = events.iter().filter(|recorded| format!("{:?}", recorded.event).contains("Personal(open)"));
    assert_eq!(open.count(), 3, "bob's registration, sign-in and message");
    let unknown = ann.run("{ viewer { person { id } } }", json!({})).await;
    assert_eq!(unknown["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{unknown}");
    let input = json!({ "userName": "forgetme01", "password": PASSWORD });
    let refused = app.nobody().attempt("signIn", input, "token").await;
    assert_eq!(codes(&refused), ["WRONG_CREDENTIALS"]);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE event_type = 'ErasureConfirmed'").await, 1);
    let logged = lines();
    assert!(logged.contains("leading a projection"), "the lines are those of our process");
    let shown: Vec<_> = logged.lines().filter(|line| MARKERS.iter().any(|m| line.contains(m))).collect();
    assert_eq!(shown, Vec::<&str>::new(), "something of the person was logged");

    // The name is free for somebody else.
    app.person("FORGETME01").await;
    soon(tasks.close()).await;
    app.views_equal_their_rebuild().await;
}
