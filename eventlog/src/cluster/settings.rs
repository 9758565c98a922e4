//! What a cluster is asked to be, and the server's settings that follow from it.

use super::layout::Layout;
use std::path::PathBuf;
use std::time::Duration;

/// How much a commit is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A commit survives a crash of the process and of the machine.
    Full,
    /// A crash of the machine may destroy the whole cluster; for tests only.
    Off,
}

/// What a private cluster is asked to be, with its limits.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// The cluster's folder: made when missing, empty or a cluster of ours otherwise.
    pub data: PathBuf,
    /// What a commit survives.
    pub durability: Durability,
    /// Connections at the same time, three of them kept for the superuser.
    pub max_connections: u32,
    /// Memory that the server shares between its processes, in MiB.
    pub shared_buffers_mib: u32,
    /// Write-ahead log between two checkpoints, in MiB, more or less.
    pub wal_mib_max: u32,
    /// Size in bytes of the server's log file before it is rotated; one older file is kept.
    pub log_bytes_max: u64,
    /// Seconds until a server must be ready; includes recovery after a crash.
    pub start_timeout_s: u64,
    /// Seconds for a fast shutdown with its last checkpoint, before the server is stopped without.
    pub stop_timeout_s: u64,
}

impl ClusterConfig {
    /// A durable cluster in this folder with limits for one small machine.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            durability: Durability::Full,
            max_connections: 100,
            shared_buffers_mib: 256,
            wal_mib_max: 2048,
            log_bytes_max: 8 * 1024 * 1024,
            start_timeout_s: 60,
            stop_timeout_s: 30,
        }
    }

    /// How long a start may take.
    pub(crate) fn start_timeout(&self) -> Duration {
        Duration::from_secs(self.start_timeout_s)
    }

    /// How long a fast shutdown may take.
    pub(crate) fn stop_timeout(&self) -> Duration {
        Duration::from_secs(self.stop_timeout_s)
    }

    /// The server's arguments. Passed at every start, so that a new release brings its settings with it.
    pub(crate) fn arguments(&self, layout: &Layout) -> Vec<String> {
        let mut arguments = vec!["-D".to_owned(), layout.pgdata.to_string_lossy().into_owned()];
        for (name, value) in self.settings(layout) {
            arguments.extend(["-c".to_owned(), format!("{name}={value}")]);
        }
        arguments
    }

    fn settings(&self, layout: &Layout) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("listen_addresses", String::new()),
            ("port", "5432".to_owned()),
            ("unix_socket_directories", layout.socket.to_string_lossy().into_owned()),
            ("max_connections", self.max_connections.to_string()),
            ("shared_buffers", format!("{}MB", self.shared_buffers_mib)),
            ("max_wal_size", format!("{}MB", self.wal_mib_max)),
        ];
        let fixed: &[(&str, &str)] = &[
            ("unix_socket_permissions", "0700"),
            // Compiling a query pays for analytics only; it took 1.3 s of a 1.4 s batch of appends.
            ("jit", "off"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("cluster_name", "annal"),
            ("logging_collector", "off"),
            ("log_destination", "stderr"),
            ("log_line_prefix", "%m [%p] "),
            ("log_checkpoints", "off"),
            // Personal data stays out of the log: no statements, no parameters, no details, no messages of
            // failed statements (the client gets those). Starts, stops and fatal faults remain.
            ("log_statement", "none"),
            ("log_min_messages", "log"),
            ("log_min_error_statement", "panic"),
            ("log_error_verbosity", "terse"),
            ("log_parameter_max_length", "0"),
            ("log_parameter_max_length_on_error", "0"),
        ];
        let durability: &[(&str, &str)] = match self.durability {
            Durability::Full => &[
                ("fsync", "on"),
                ("synchronous_commit", "on"),
                ("full_page_writes", "on"),
                ("wal_level", "replica"),
            ],
            Durability::Off => &[
                ("fsync", "off"),
                ("synchronous_commit", "off"),
                ("full_page_writes", "off"),
                ("wal_level", "minimal"),
                ("max_wal_senders", "0"),
            ],
        };
        settings.extend(fixed.iter().chain(durability).map(|&(name, value)| (name, value.to_owned())));
        settings
    }
}
