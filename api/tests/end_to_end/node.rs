//! Clients and audits from npm against the real server; the scripts live in `tests/clients`.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use eventlog::testing::{Template, TestDatabase};
use tokio::process::Command;
use tokio::time::timeout;

use crate::annal::Installation;

/// The story takes some three seconds, the audits one; both end themselves earlier when they wait in vain.
const DEADLINE: Duration = Duration::from_mins(2);

static TEMPLATE: Template = Template::new(&eventlog::MIGRATOR);

/// Runs a script against a server of its own, which then has to have equal views and to stop in good order.
async fn run(script: &str) {
    let database = TestDatabase::create(&TEMPLATE).await.unwrap();
    let installation = Installation::new(Some(database.url()));
    let server = installation.serve().await;
    let output = node(script, &server.graphql()).await;
    println!("{output}");
    installation.views_equal_their_rebuild().await;
    server.stop().await;
}

/// What the script said; it must have ended well.
async fn node(script: &str, url: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let missing = "run scripts/test, or install Node.js and run `npm ci` in api/tests/clients";
    assert!(folder.join("node_modules").is_dir(), "the clients are not installed: {missing}");
    let mut command = Command::new("node");
    command.arg(script).arg(url).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = match timeout(DEADLINE, command.output()).await.expect("the script ends in time") {
        Err(error) if error.kind() == ErrorKind::NotFound => panic!("there is no node: {missing}"),
        output => output.unwrap(),
    };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}\n{out}{err}");
    out.into_owned()
}

#[tokio::test]
async fn two_people_exchange_200_messages_and_one_resumes_after_a_broken_socket() {
    run("story.mjs").await;
}

#[tokio::test]
async fn all_audits_of_graphql_http_pass_against_the_real_schema() {
    run("audit.mjs").await;
}
