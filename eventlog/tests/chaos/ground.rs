//! A database under attack, and the people who talk on it.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use base64::Engine as _;
use domain::{AccountId, ConversationId};
use eventlog::fresh::random_bytes;
use eventlog::testing::{Template, TestDatabase};
use eventlog::{EventLog, LogConfig, LogTasks, MIGRATOR, MasterKey, PgConnectOptions, SystemClock};
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, PgConnection};

use crate::kit;

/// The migrated database that every case begins with.
pub(crate) static TEMPLATE: Template = Template::new(&MIGRATOR);

/// Where a log lies and what opens it; other processes are told it as JSON.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Ground {
    url: String,
    master: String,
}

impl Ground {
    /// The database at an address, with a master key of its own.
    pub(crate) fn at(url: String) -> Self {
        Self { url, master: base64::engine::general_purpose::STANDARD.encode(random_bytes::<32>()) }
    }

    /// A database of the shared test cluster; it goes with the first value.
    pub(crate) async fn shared() -> (TestDatabase, Self) {
        let database = TestDatabase::create(&TEMPLATE).await.unwrap();
        let ground = Self::at(database.url());
        (database, ground)
    }

    /// Another database under the same master key.
    pub(crate) fn moved_to(&self, url: String) -> Self {
        Self { url, master: self.master.clone() }
    }

    /// The same database through a socket in another folder.
    pub(crate) fn through(&self, folder: &Path) -> Self {
        let (before, host) = self.url.split_once("host=").unwrap();
        let (_, after) = host.split_once('&').unwrap();
        self.moved_to(format!("{before}host={}&{after}", folder.display()))
    }

    /// The folder of the database's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.options().get_socket().unwrap().clone()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::from_str(&self.url).unwrap()
    }

    /// A connection of the attacker's own.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.options()).await.unwrap()
    }

    /// Opens the log; a node more each time.
    pub(crate) async fn open(&self, config: LogConfig) -> (EventLog, LogTasks) {
        let master = MasterKey::from_base64(&self.master).unwrap();
        EventLog::open(self.options(), master, Arc::new(SystemClock), config).await.unwrap()
    }
}

/// Two friends and where they talk.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Friends {
    pub(crate) people: [AccountId; 2],
    pub(crate) conversation: ConversationId,
}

/// Pairs of friends.
pub(crate) async fn crowd(log: &EventLog, pairs: u32) -> Vec<Friends> {
    let mut crowd = Vec::new();
    for pair in 0..pairs {
        let (one, other) = (format!("ann{pair:03}"), format!("bob{pair:03}"));
        let (ann, bob, conversation) = kit::friends(log, &one, &other).await;
        crowd.push(Friends { people: [ann, bob], conversation });
    }
    crowd
}
