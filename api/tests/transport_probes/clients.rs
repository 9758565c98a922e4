//! Third-party audits and clients against the probe server; the scripts live in `tests/clients`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::server::Server;

/// The audits take about a second, the Python client two.
const DEADLINE: Duration = Duration::from_mins(1);

async fn run(program: &str, script: &str) {
    let server = Server::start().await;
    let mut command = Command::new(program);
    command.arg(script).arg(server.http("/graphql"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients"));
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(DEADLINE, command.output()).await.expect("in time").expect("the program starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{out}");
    assert!(output.status.success(), "{script}\n{out}{err}");
}

#[tokio::test]
#[ignore = "needs node and `npm ci` in tests/clients"]
async fn all_audits_of_graphql_http_pass() {
    run("node", "audit.mjs").await;
}

#[tokio::test]
#[ignore = "needs node and `npm ci` in tests/clients"]
async fn javascript_clients_work() {
    run("node", "clients.mjs").await;
}

#[tokio::test]
#[ignore = "needs python3 with gql, see tests/clients/README.md"]
async fn pythons_gql_works() {
    run("python3", "gql_client.py").await;
}
