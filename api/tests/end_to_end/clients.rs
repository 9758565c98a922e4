//! Clients, audits and linters that nobody here wrote, against the real server and its schema; the scripts live in
//! `tests/clients`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use eventlog::testing::{Template, TestDatabase};
use tokio::process::Command;
use tokio::time::timeout;

use crate::annal::Installation;
use crate::folder::Folder;

/// A script takes seconds, fuzzing half a minute; they end themselves earlier when they wait in vain.
const DEADLINE: Duration = Duration::from_mins(3);
/// The long fuzzing of `make soak`.
const SOAK_DEADLINE: Duration = Duration::from_mins(18);
/// Examples for each operation of the schema in the long fuzzing.
const SOAK_EXAMPLES: &str = "300";
/// Its requests per second, below what one account may ask.
const SOAK_RATE: &str = "15";

const MISSING: &str = "run scripts/test, which installs the clients";

static TEMPLATE: Template = Template::new(&eventlog::MIGRATOR);

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// A file of the repository.
fn repository(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path).to_str().unwrap().to_owned()
}

/// Python with what `requirements.txt` names, which `scripts/test` keeps in the target folder.
fn python() -> PathBuf {
    let profile = Path::new(env!("CARGO_BIN_EXE_annal")).parent().unwrap();
    profile.parent().unwrap().join("clients-python/bin/python")
}

fn node() -> PathBuf {
    assert!(scripts().join("node_modules").is_dir(), "the clients are not installed: {MISSING}");
    "node".into()
}

/// One program of `node_modules`.
fn npm(name: &str) -> PathBuf {
    let program = scripts().join("node_modules/.bin").join(name);
    assert!(program.is_file(), "{name} is not installed: {MISSING}");
    program
}

/// Runs a program in a folder to its end.
async fn output(program: &Path, arguments: &[&str], folder: &Path, deadline: Duration) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    if deadline == SOAK_DEADLINE {
        command.env("FUZZ_EXAMPLES", SOAK_EXAMPLES).env("FUZZ_RATE", SOAK_RATE);
    }
    match timeout(deadline, command.output()).await.expect("the script ends in time") {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("there is no {}: {MISSING}", program.display())
        }
        output => output.unwrap(),
    }
}

/// What a program said that has to end well.
async fn well(program: &Path, arguments: &[&str], folder: &Path, deadline: Duration) -> String {
    let output = output(program, arguments, folder, deadline).await;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{} {arguments:?}\n{out}{err}", program.display());
    println!("{out}");
    out.into_owned()
}

/// Runs a script against a server of its own, which then has to have equal views and to stop in good order.
async fn against_annal(program: &Path, script: &str, deadline: Duration) {
    let database = TestDatabase::create(&TEMPLATE).await.unwrap();
    let installation = Installation::new(Some(database.url()));
    let server = installation.serve().await;
    well(program, &[script, &server.graphql()], &scripts(), deadline).await;
    installation.views_equal_their_rebuild().await;
    server.stop().await;
}

#[tokio::test]
async fn two_people_exchange_200_messages_and_one_resumes_after_a_broken_socket() {
    against_annal(&node(), "story.mjs", DEADLINE).await;
}

#[tokio::test]
async fn all_audits_of_graphql_http_pass_against_the_real_schema() {
    against_annal(&node(), "audit.mjs", DEADLINE).await;
}

#[tokio::test]
async fn graphql_ws_urql_and_apollo_ask_fail_follow_and_resume() {
    against_annal(&node(), "clients/main.mjs", DEADLINE).await;
}

#[tokio::test]
async fn pythons_gql_asks_fails_follows_and_resumes_over_both_subprotocols() {
    against_annal(&python(), "gql_client.py", DEADLINE).await;
}

#[tokio::test]
async fn the_examples_of_the_api_page_do_what_it_says() {
    against_annal(&node(), "examples.mjs", DEADLINE).await;
}

#[tokio::test]
async fn schemathesis_finds_no_server_error() {
    against_annal(&python(), "fuzz/main.py", DEADLINE).await;
}

#[tokio::test]
#[ignore = "many minutes: make soak"]
async fn soak_schemathesis_finds_no_server_error_in_many_examples() {
    against_annal(&python(), "fuzz/main.py", SOAK_DEADLINE).await;
}

#[tokio::test]
async fn relay_compiles_fragments_that_page_and_fetch_again() {
    let project = scripts().join("relay");
    std::fs::create_dir_all(project.join("__generated__")).unwrap();
    let said = well(&npm("relay-compiler"), &["relay.config.json"], &project, DEADLINE).await;
    assert!(said.contains("Compilation completed"), "{said}");
}

#[tokio::test]
async fn graphql_eslint_has_nothing_to_say_about_the_schema_and_its_operations() {
    let root = scripts().join("../../..");
    let arguments = [
        "-c",
        "api/tests/clients/schema/eslint.config.mjs",
        "api/tests/clients/operations",
        "schema.graphql",
    ];
    let said = well(&npm("eslint"), &arguments, &root, DEADLINE).await;
    assert_eq!(said, "");
}

/// Compares two schemas, with a changelog; whether the changes are in order, and what was said.
async fn changes(released: &str, changelog: &str) -> (bool, String) {
    let script = ["schema/changes.mjs", released, &repository("schema.graphql"), changelog];
    let output = output(&node(), &script, &scripts(), DEADLINE).await;
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn what_breaks_clients_since_the_last_release_is_in_the_changelog() {
    let released = repository("docs/schema/released.graphql");
    let (fine, said) = changes(&released, &repository("CHANGELOG.md")).await;
    assert!(fine, "{said}");
    println!("{said}");

    let folder = Folder::new();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // Whatever else has changed since the release, here it has not.
    let today = std::fs::read_to_string(repository("schema.graphql")).unwrap();
    let older = today + "extend type Log { gone: Int }";
    let older = file("older.graphql", older);
    let (silent, named) = ("# Changelog\n\n## [Unreleased]\n", "\n- `Log.gone` is gone.\n");
    let later = "\n## [0.1.0]\n";
    for (changelog, fine) in [
        (format!("{silent}{later}"), false),
        (format!("{silent}{named}{later}"), true),
        (format!("{silent}{later}{named}"), false),
    ] {
        let (found, said) = changes(&older, &file("CHANGELOG.md", changelog.clone())).await;
        assert_eq!(found, fine, "{changelog}\n{said}");
        assert!(said.contains("breaking: Field 'gone' was removed"), "{said}");
    }
}
