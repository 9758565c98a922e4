//! Settings: flags and `ANNAL_*` variables, with units and defaults.

mod callers;
mod doors;
mod limits;
mod observing;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;
use eventlog::LogConfig;

pub use callers::LimitSettings;
pub use doors::DoorSettings;
pub use limits::{LogLimits, RequestLimits, SocketSettings};
pub use observing::{LogFormat, LogSettings, ObserveSettings, TraceSettings};

use crate::accounts::PasswordLimits;
use crate::live::HubLimits;
use crate::transport::{SessionCookie, TransportConfig};

/// Where the data is. Shared by every command that touches it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Data")]
pub struct DataSettings {
    /// A PostgreSQL server to use, as `postgres://user:password@host/database`. Without it Annal runs a
    /// private one in the data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,

    /// The folder for everything that Annal keeps. Default: /var/lib/annal as root, else ./data.
    #[arg(long, env = "ANNAL_DATA", global = true)]
    pub data: Option<PathBuf>,

    /// The master key as 32 bytes in base64. Without it a file is used.
    #[arg(long, env = "ANNAL_MASTER_KEY", hide_env_values = true, global = true)]
    pub master_key: Option<String>,

    /// The file with the master key, made at the first start. Keep a copy apart from the data: without it
    /// personal data cannot be read. Default: master.key in /etc/annal as root, else in ~/.config/annal;
    /// with a data folder of one's own choice master-FOLDER.key.
    #[arg(long, env = "ANNAL_MASTER_KEY_FILE", global = true)]
    pub master_key_file: Option<PathBuf>,

    /// The file with the master key before this one, while keys are wrapped anew: `annal keys` tells how.
    #[arg(long, env = "ANNAL_OLD_MASTER_KEY_FILE", global = true)]
    pub old_master_key_file: Option<PathBuf>,

    /// Database connections for reading.
    #[arg(long, env = "ANNAL_READ_CONNECTIONS_MAX", default_value_t = 16, global = true)]
    pub read_connections_max: u32,
}

/// How `annal serve` serves.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Serving")]
pub struct ServeSettings {
    /// The address to listen on.
    #[arg(long, env = "ANNAL_LISTEN", default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,

    /// Origins of other hosts whose pages may use cookies and sockets, separated by commas, such as
    /// <https://chat.example.org>.
    #[arg(long, env = "ANNAL_ORIGINS", value_delimiter = ',')]
    pub origins: Vec<String>,

    /// Whether the session cookie is sent over HTTPS only; it is then called `__Host-annal_session`. Set it
    /// behind a proxy that speaks HTTPS.
    #[arg(long, env = "ANNAL_SECURE_COOKIES")]
    pub secure_cookies: bool,

    /// Whether to believe the last address of `X-Forwarded-For`. Only behind a proxy that sets it; there it is
    /// needed, because limits by address otherwise count the proxy.
    #[arg(long, env = "ANNAL_TRUST_FORWARDED_FOR")]
    pub trust_forwarded_for: bool,

    /// How long a session lasts, in days.
    #[arg(long, env = "ANNAL_SESSION_DAYS", default_value_t = 90)]
    pub session_days: u32,

    /// Passwords hashed at once, each with 19 MiB. Default: one per core.
    #[arg(long, env = "ANNAL_PASSWORDS_AT_ONCE_MAX")]
    pub passwords_at_once_max: Option<usize>,

    /// Passwords that may wait for their turn; one more caller is told to come back later.
    #[arg(long, env = "ANNAL_PASSWORDS_WAITING_MAX", default_value_t = 256)]
    pub passwords_waiting_max: usize,

    /// How long `/readyz` says no before the server begins to stop, in seconds: what balancers need to notice.
    #[arg(long, env = "ANNAL_NOTICE_S", default_value_t = 0)]
    pub notice_s: u64,

    /// How long the server waits for open requests when it is told to stop, in seconds.
    #[arg(long, env = "ANNAL_DRAIN_S", default_value_t = 10)]
    pub drain_s: u64,

    // Last, because the heading of a group holds for every flag behind it.
    /// Where the data is.
    #[command(flatten)]
    pub data: DataSettings,

    /// What is open, and to whom.
    #[command(flatten)]
    pub doors: DoorSettings,

    /// What operators see.
    #[command(flatten)]
    pub observe: ObserveSettings,

    /// How much one caller may ask.
    #[command(flatten)]
    pub limits: LimitSettings,

    /// Limits of requests.
    #[command(flatten)]
    pub requests: RequestLimits,

    /// Limits of sockets.
    #[command(flatten)]
    pub sockets: SocketSettings,

    /// Limits of the log.
    #[command(flatten)]
    pub log: LogLimits,
}

impl DataSettings {
    /// The folder for everything that Annal keeps.
    pub fn folder(&self) -> PathBuf {
        let default = if is_root() { "/var/lib/annal" } else { "data" };
        self.data.clone().unwrap_or_else(|| PathBuf::from(default))
    }

    /// The file with the master key: outside the data folder, so that a copy of the one is not a copy of
    /// the other.
    pub fn key_file(&self) -> PathBuf {
        if let Some(file) = &self.master_key_file {
            return file.clone();
        }
        let folder = match std::env::var_os("HOME").filter(|_| !is_root()) {
            Some(home) => Path::new(&home).join(".config/annal"),
            None => PathBuf::from("/etc/annal"),
        };
        // A data folder of one's own choice has a key of its own.
        let private = self.database_url.is_none() && (self.data.is_some() || !is_root());
        let name =
            if private { format!("master-{}.key", name_of(&self.folder())) } else { "master.key".to_owned() };
        folder.join(name)
    }

    /// The limits of the log for commands that only read.
    pub fn log(&self) -> LogConfig {
        LogConfig { read_connections_max: self.read_connections_max, ..LogConfig::default() }
    }
}

impl ServeSettings {
    /// The limits of the log.
    pub fn log(&self) -> LogConfig {
        self.log.over(&self.data.log())
    }

    /// The limits of the transport.
    pub fn transport(&self) -> TransportConfig {
        let mut config = TransportConfig {
            session_cookie: SessionCookie::new(self.secure_cookies),
            origins_allowed: self.origins.clone(),
            forwarded_for_trusted: self.trust_forwarded_for,
            get_queries: self.doors.get_queries,
            introspection_anonymous: self.doors.schema_for_all,
            ..TransportConfig::default()
        };
        self.requests.apply(&mut config);
        self.sockets.apply(&mut config);
        config
    }

    /// The limits of live delivery.
    pub fn hub(&self) -> HubLimits {
        self.sockets.hub()
    }

    /// The limits of password hashing.
    pub fn passwords(&self) -> PasswordLimits {
        let limits = PasswordLimits::default();
        PasswordLimits {
            at_once_max: self.passwords_at_once_max.unwrap_or(limits.at_once_max),
            waiting_max: self.passwords_waiting_max,
        }
    }

    /// How long a session lasts.
    pub fn session_lifetime(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.session_days))
    }

    /// How long a stop is announced before it begins.
    pub fn notice(&self) -> Duration {
        Duration::from_secs(self.notice_s)
    }

    /// How long a stop waits for open requests.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_s)
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A folder's absolute path as part of a file name.
fn name_of(folder: &Path) -> String {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let flat = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    folder.to_string_lossy().trim_matches('/').chars().map(flat).collect()
}
