//! `annal views`: status, rebuild, verify.

use std::sync::Arc;

use clap::{Args, Subcommand};
use eventlog::{EventLog, LogTasks, SystemClock};
use projections::{Progress, ViewState};

use super::{Failure, say};
use crate::server::Storage;
use crate::settings::DataSettings;

/// Settings of `annal views`.
#[derive(Args, Debug)]
pub(super) struct ViewsSettings {
    #[command(subcommand)]
    command: ViewsCommand,

    #[command(flatten)]
    data: DataSettings,
}

#[derive(Subcommand, Debug)]
enum ViewsCommand {
    /// How far each view has read the log.
    Status,
    /// Build a view again from the log, beside the live one, and put it in its place.
    Rebuild {
        /// The view's name, as `status` shows it.
        name: String,
    },
    /// Build every view again in a shadow and compare: are they equal to the log?
    Verify,
}

pub(super) async fn run(settings: ViewsSettings) -> Result<(), Failure> {
    let storage = Storage::join(&settings.data).await?;
    let masters = storage.master_keys().await?;
    let opened = EventLog::open(storage.options(), masters, Arc::new(SystemClock), settings.data.log()).await;
    let (log, tasks): (EventLog, LogTasks) = opened?;
    let done = match settings.command {
        ViewsCommand::Status => status(&log).await,
        ViewsCommand::Rebuild { name } => rebuild(&log, &name).await,
        ViewsCommand::Verify => verify(&log).await,
    };
    tasks.close().await;
    storage.close().await?;
    done
}

async fn status(log: &EventLog) -> Result<(), Failure> {
    say(&format!("{:<24} {:>12} {:>12} {:>12}  state", "view", "position", "lag events", "lag seconds"))?;
    for view in projections::status(log.pool()).await? {
        let state = match view.state {
            ViewState::Following => "following".to_owned(),
            ViewState::Stopped { at, reason } => format!("STOPPED before {at}: {reason}; repair and rebuild"),
            ViewState::NotBuilt => "not built yet".to_owned(),
            ViewState::Foreign => "of another build".to_owned(),
        };
        say(&format!(
            "{:<24} {:>12} {:>12} {:>12.1}  {}",
            view.projection, view.position, view.lag_events, view.lag_seconds, state
        ))?;
    }
    Ok(())
}

pub(super) async fn rebuild(log: &EventLog, name: &str) -> Result<(), Failure> {
    projections::rebuild(log, name, &mut shown()).await?;
    say(&format!("{name} was built again from the log."))
}

async fn verify(log: &EventLog) -> Result<(), Failure> {
    let mut equal = true;
    for verdict in projections::verify(log, &mut shown()).await? {
        equal &= verdict.equal;
        let word = if verdict.equal { "equal" } else { "DIFFERENT" };
        let tables = verdict.differing_tables.join(", ");
        say(&format!("{:<24} {word} at position {} {tables}", verdict.projection, verdict.position))?;
    }
    if equal { Ok(()) } else { Err("some views differ from the log: rebuild them".into()) }
}

/// Shows progress, every twentieth of the way.
fn shown() -> impl FnMut(Progress) + Send {
    let mut last = ("", 0);
    move |progress| {
        let percent = progress.position.0 * 100 / progress.target.0.max(1);
        if progress.projection != last.0 || percent >= last.1 + 5 {
            last = (progress.projection, percent);
            tracing::info!(view = progress.projection, percent, "building");
        }
    }
}
