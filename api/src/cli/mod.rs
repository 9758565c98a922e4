//! The command line.

mod demo;
mod epoch;
mod erase;
#[cfg(test)]
pub(crate) mod help;
mod keys;
mod views;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::server::{self, Open, Storage};
use crate::settings::{DataSettings, LogSettings, ServeSettings};
use crate::{graphql, observe};

/// Where the settings are.
const SETTINGS: &str = "`annal serve --help` lists every setting with its variable, unit and default.";

/// Annal: a self-hosted instant messenger backend whose only truth is an append-only log of events.
#[derive(Parser, Debug)]
#[command(name = "annal", version, after_help = SETTINGS)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    log: LogSettings,
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
    let traces = match &cli.command {
        Command::Serve(settings) => Some(&settings.observe.traces),
        _ => None,
    };
    let done = match observe::start(&cli.log, traces) {
        Ok(observing) => {
            let done = carry_out(cli.command).await;
            observing.end().await;
            done
        }
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(settings) => serve(*settings).await,
        Command::Migrate(settings) => migrate(&settings).await,
        Command::Demo(settings) => demo::run(settings).await,
        Command::Views(settings) => views::run(settings).await,
        Command::Epoch(settings) => epoch::run(settings).await,
        Command::Keys(settings) => keys::run(settings).await,
        Command::Erase(settings) => erase::run(settings).await,
        Command::Schema => say(graphql::sdl().trim_end()),
    }
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

fn announce(open: Open) {
    let address = open.address;
    let host = match address {
        any if any.ip().is_unspecified() || any.ip().is_loopback() => format!("localhost:{}", any.port()),
        other => other.to_string(),
    };
    let metrics = open.metrics.map(|address| format!("Metrics                  http://{address}/metrics"));
    let lines = [
        format!("Annal is running.        http://{host}/"),
        format!("Playground (two people: two tabs)  http://{host}/playground/"),
    ];
    let last = [
        format!("GraphQL                  http://{host}/graphql   ws://{host}/graphql/ws"),
        format!("Health                   http://{host}/readyz"),
    ];
    for line in lines.into_iter().chain(metrics).chain(last) {
        if let Err(error) = say(&line) {
            tracing::warn!(%error, "nobody reads the terminal");
        }
    }
}

async fn migrate(settings: &DataSettings) -> Result<(), Failure> {
    Storage::join(settings).await?.close().await?;
    say("The schema is up to date.")
}
