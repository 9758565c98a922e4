//! The command line.

mod demo;
mod epoch;
mod erase;
mod keys;
mod views;

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::graphql;
use crate::server::{self, Storage};
use crate::settings::{DataSettings, ServeSettings};

/// Annal: a self-hosted instant messenger backend whose only truth is an append-only log of events.
#[derive(Parser, Debug)]
#[command(name = "annal", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,

    /// What to log: error, warn, info, debug or trace, or per module as `RUST_LOG` takes it.
    #[arg(long, env = "ANNAL_LOG", default_value = "info,sqlx=warn", global = true)]
    log: String,

    /// Whether to log JSON, one object a line.
    #[arg(long, env = "ANNAL_LOG_JSON", global = true)]
    log_json: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Serve, until Ctrl-C or SIGTERM.
    Serve(Box<ServeSettings>),
    /// Bring the schema of the database up to date, and stop.
    Migrate(DataSettings),
    /// Fill a running server with a small lively world, through its public API.
    Demo(demo::DemoSettings),
    /// Look after the views: everything in them can be built again from the log.
    Views(views::ViewsSettings),
    /// Tell clients that positions mean something else, after a restore to an earlier moment.
    Epoch(epoch::EpochSettings),
    /// Look after the master key: make a new one, wrap all keys by it.
    Keys(keys::KeysSettings),
    /// Forget a person, for ever. Also works beside a running server.
    Erase(erase::EraseSettings),
    /// Print the GraphQL schema.
    Schema,
}

/// What went wrong, for the person at the terminal.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command line.
pub async fn run(cli: Cli) -> ExitCode {
    start_logging(&cli);
    let done = match cli.command {
        Command::Serve(settings) => serve(*settings).await,
        Command::Migrate(settings) => migrate(&settings).await,
        Command::Demo(settings) => demo::run(settings).await,
        Command::Views(settings) => views::run(settings).await,
        Command::Epoch(settings) => epoch::run(settings).await,
        Command::Keys(settings) => keys::run(settings).await,
        Command::Erase(settings) => erase::run(settings).await,
        Command::Schema => say(graphql::sdl().trim_end()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn start_logging(cli: &Cli) {
    let filter = EnvFilter::try_new(&cli.log).unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let colours = io::stderr().is_terminal();
    let logging =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours);
    if cli.log_json { logging.json().init() } else { logging.with_target(false).init() }
}

/// Writes a line for the person at the terminal.
fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stdout().lock(), "{line}")?)
}

async fn serve(settings: ServeSettings) -> Result<(), Failure> {
    let (mut terminated, mut interrupted) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    };
    Ok(server::serve(settings, stop, announce).await?)
}

fn announce(address: SocketAddr) {
    let host = match address {
        any if any.ip().is_unspecified() || any.ip().is_loopback() => format!("localhost:{}", any.port()),
        other => other.to_string(),
    };
    let lines = [
        format!("Annal is running.        http://{host}/"),
        format!("Playground (two people: two tabs)  http://{host}/playground/"),
        format!("GraphQL                  http://{host}/graphql   ws://{host}/graphql/ws"),
        format!("Health                   http://{host}/readyz"),
    ];
    for line in lines {
        if let Err(error) = say(&line) {
            tracing::warn!(%error, "nobody reads the terminal");
        }
    }
}

async fn migrate(settings: &DataSettings) -> Result<(), Failure> {
    Storage::join(settings).await?.close().await?;
    say("The schema is up to date.")
}
