//! The binary as an operator runs it.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::folder::Folder;

/// A start makes the cluster and the tables, or recovers after a crash.
const START_MAX: Duration = Duration::from_mins(1);
/// From SIGTERM to the end of the process: 10 s for open requests, and the rest.
const STOP_MAX: Duration = Duration::from_secs(15);
/// One command, such as a verification.
const COMMAND_MAX: Duration = Duration::from_mins(1);
/// Between two looks whether the server is ready.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One installation: a folder with its data, its master key and its log lines, maybe a database elsewhere.
pub(crate) struct Installation {
    pub(crate) folder: Folder,
    /// The files of the master key, and of the one before it.
    pub(crate) key_files: (PathBuf, Option<PathBuf>),
    database_url: Option<String>,
}

impl Installation {
    /// One that keeps its data in this database, or in a private PostgreSQL when there is none.
    pub(crate) fn new(database_url: Option<String>) -> Self {
        let folder = Folder::new();
        let key_files = (folder.path().join("master.key"), None);
        Self { folder, key_files, database_url }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_annal"));
        for (name, _) in std::env::vars_os() {
            if name == "DATABASE_URL" || name.as_encoded_bytes().starts_with(b"ANNAL_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command.env("ANNAL_DATA", self.folder.path().join("data"));
        command.env("ANNAL_MASTER_KEY_FILE", &self.key_files.0);
        // Two people of a test say more than two hundred do otherwise.
        command.env("ANNAL_ACCOUNT_REQUESTS_PER_MINUTE", "0");
        if let Some(old) = &self.key_files.1 {
            command.env("ANNAL_OLD_MASTER_KEY_FILE", old);
        }
        if let Some(url) = &self.database_url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Starts the server on a free port; it is ready when this returns.
    pub(crate) async fn serve(&self) -> Annal {
        let log = self.folder.path().join("log");
        let log_file = File::options().create(true).append(true).open(&log).unwrap();
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut process = command.stdout(Stdio::piped()).stderr(log_file).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let started = timeout(START_MAX, async {
            let port = port(&mut said).await?;
            ready(port).await;
            Some(port)
        });
        let Ok(Some(port)) = started.await else {
            panic!("the server does not start:\n{}", std::fs::read_to_string(log).unwrap());
        };
        Annal { process, port, _said: said }
    }

    /// Runs a command to its end: whether it ended well, and what it said.
    pub(crate) async fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.command(arguments).output();
        let output = timeout(COMMAND_MAX, output).await.expect("it ends in time").unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), format!("{out}{err}"))
    }

    /// Compares every view with the log.
    pub(crate) async fn views_equal_their_rebuild(&self) {
        let (well, said) = self.run(&["views", "verify"]).await;
        assert!(well && said.contains("timeline") && !said.contains("DIFFERENT"), "{said}");
    }
}

/// The port in the line `GraphQL   http://localhost:PORT/graphql   ws://...`.
async fn port(said: &mut Lines<BufReader<ChildStdout>>) -> Option<u16> {
    while let Some(line) = said.next_line().await.unwrap() {
        if let Some((_, after)) = line.split_once("ws://localhost:") {
            return after.split('/').next()?.parse().ok();
        }
    }
    None
}

async fn ready(port: u16) {
    let url = format!("http://127.0.0.1:{port}/readyz");
    while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
        sleep(LOOK_EVERY).await;
    }
}

/// A running server.
pub(crate) struct Annal {
    process: Child,
    port: u16,
    /// Kept open, so that the server always has somebody to speak to.
    _said: Lines<BufReader<ChildStdout>>,
}

impl Annal {
    /// Where GraphQL is.
    pub(crate) fn graphql(&self) -> String {
        format!("http://127.0.0.1:{}/graphql", self.port)
    }

    /// SIGKILL: no farewell to anybody.
    pub(crate) async fn crash(mut self) {
        self.process.kill().await.unwrap();
    }

    /// SIGTERM; the server has to end well, and in time.
    pub(crate) async fn stop(mut self) {
        let number = self.process.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)).expect("it runs");
        kill_process(number, Signal::TERM).unwrap();
        let status = timeout(STOP_MAX, self.process.wait()).await.expect("stopped in time").unwrap();
        assert_eq!(status.code(), Some(0), "SIGTERM ends the server well");
    }
}
