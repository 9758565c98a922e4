//! The server as an operator runs it, in a folder of its own.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::process;

/// Limits of one caller, which the clients together exceed.
const LIMITS: [&str; 7] = [
    "ANNAL_ACCOUNT_REQUESTS_PER_MINUTE",
    "ANNAL_ACCOUNT_REQUESTS_AT_ONCE",
    "ANNAL_ADDRESS_REQUESTS_PER_MINUTE",
    "ANNAL_ADDRESS_REQUESTS_AT_ONCE",
    "ANNAL_SOCKETS_PER_ACCOUNT_MAX",
    "ANNAL_SOCKETS_PER_ADDRESS_MAX",
    "ANNAL_ADDRESS_REGISTRATIONS_PER_HOUR",
];

/// A running `annal serve` with a private PostgreSQL; its folder is removed when it stops.
pub(crate) struct Server {
    folder: PathBuf,
    process: Child,
    pub(crate) port: u16,
}

/// Processor time used by the server and by PostgreSQL.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    pub(crate) server: Duration,
    pub(crate) postgres: Duration,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("annal-delivery-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let binary = std::env::var("BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_annal").to_owned());
        let mut process = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env_remove("DATABASE_URL")
            .env("ANNAL_DATA", folder.join("data"))
            .env("ANNAL_MASTER_KEY_FILE", folder.join("master.key"))
            // All clients come from one address, and a room is two accounts with many devices.
            .envs(LIMITS.map(|name| (name, "1000000")))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.join("log")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = timeout(Duration::from_mins(1), async {
            loop {
                let line = said.next_line().await.unwrap().expect("the server starts");
                if let Some((_, after)) = line.split_once("ws://localhost:") {
                    return after.split('/').next().unwrap().parse().unwrap();
                }
            }
        });
        let port = port.await.expect("the server starts in time");
        // Whatever else it says goes nowhere, but somebody has to listen.
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        Self { folder, process, port }
    }

    fn id(&self) -> u32 {
        self.process.id().unwrap()
    }

    fn postgres(&self) -> u32 {
        let file = self.folder.join("data/postgres/pgdata/postmaster.pid");
        fs::read_to_string(file).unwrap().lines().next().unwrap().trim().parse().unwrap()
    }

    /// Processor time since start.
    pub(crate) fn used(&self) -> Used {
        Used { server: process::cpu(self.id()), postgres: process::cpu_of_family(self.postgres()) }
    }

    /// Memory of the server in bytes, once it stands still.
    pub(crate) async fn resident(&self) -> u64 {
        let mut last = 0;
        loop {
            let now = process::resident(self.id());
            if now.abs_diff(last) < 64 * 1_024 {
                return now;
            }
            last = now;
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Stops it in good order.
    pub(crate) async fn stop(mut self) {
        let number = Pid::from_raw(self.id().try_into().unwrap()).unwrap();
        kill_process(number, Signal::TERM).unwrap();
        self.process.wait().await.unwrap();
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

impl Used {
    /// What was used since then.
    pub(crate) fn since(self, then: Self) -> Self {
        // A database process that ended takes its count along; the figure is a little low then.
        let server = self.server.saturating_sub(then.server);
        Self { server, postgres: self.postgres.saturating_sub(then.postgres) }
    }
}
