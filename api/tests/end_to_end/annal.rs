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
        self.serve_with(&[]).await
    }

    /// The same with further flags.
    pub(crate) async fn serve_with(&self, flags: &[&str]) -> Annal {
        let log = self.folder.path().join("log");
        let log_file = File::options().create(true).append(true).open(&log).unwrap();
        let given: Vec<&str> = ["serve", "--listen", "127.0.0.1:0"].iter().chain(flags).copied().collect();
        let mut command = self.command(&given);
        let mut process = command.stdout(Stdio::piped()).stderr(log_file).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let started = timeout(START_MAX, async {
            let ports = Ports::read(&mut said).await?;
            ready(ports.main).await;
            Some(ports)
        });
        let Ok(Some(ports)) = started.await else {
            panic!("the server does not start:\n{}", self.log());
        };
        Annal { process, ports, said }
    }

    /// Every line that its servers have logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
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

/// Where a server says that it is open.
struct Ports {
    main: u16,
    metrics: Option<u16>,
}

impl Ports {
    /// Reads the lines `Metrics   http://127.0.0.1:PORT/metrics` (if asked for) and
    /// `GraphQL   http://localhost:PORT/graphql   ws://...`.
    async fn read(said: &mut Lines<BufReader<ChildStdout>>) -> Option<Self> {
        let mut metrics = None;
        while let Some(line) = said.next_line().await.unwrap() {
            if let Some((_, after)) = line.split_once("Metrics ") {
                metrics = after.trim().strip_suffix("/metrics")?.rsplit(':').next()?.parse().ok();
            }
            if let Some((_, after)) = line.split_once("ws://localhost:") {
                return Some(Self { main: after.split('/').next()?.parse().ok()?, metrics });
            }
        }
        None
    }
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
    ports: Ports,
    /// Kept open, so that the server always has somebody to speak to.
    said: Lines<BufReader<ChildStdout>>,
}

impl Annal {
    /// Where GraphQL is.
    pub(crate) fn graphql(&self) -> String {
        self.at("/graphql")
    }

    /// Some other path of it.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports.main)
    }

    /// A path on the address for operators, which has to be there.
    pub(crate) fn for_operators(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports.metrics.expect("metrics were asked for"))
    }

    /// SIGKILL: no farewell to anybody.
    pub(crate) async fn crash(mut self) {
        self.process.kill().await.unwrap();
    }

    /// SIGTERM; the server has to end well, and in time. Returns what it has said since its start.
    pub(crate) async fn stop(mut self) -> String {
        self.ask_to_stop();
        self.has_stopped().await
    }

    /// SIGTERM, without waiting for what comes of it.
    pub(crate) fn ask_to_stop(&self) {
        let number = self.process.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)).expect("it runs");
        kill_process(number, Signal::TERM).unwrap();
    }

    /// Waits until a server that was asked to stop has ended, which has to be well, and in time.
    pub(crate) async fn has_stopped(&mut self) -> String {
        let status = timeout(STOP_MAX, self.process.wait()).await.expect("stopped in time").unwrap();
        assert_eq!(status.code(), Some(0), "SIGTERM ends the server well");
        let mut said = String::new();
        while let Some(line) = self.said.next_line().await.unwrap() {
            said = format!("{said}{line}\n");
        }
        said
    }
}
