//! `annal epoch`: what positions mean, after a restore.

use std::sync::Arc;

use clap::{Args, Subcommand};
use eventlog::{EventLog, LogTasks, SystemClock};
use projections::ViewState;

use super::{Failure, say, views};
use crate::server::Storage;
use crate::settings::DataSettings;

/// Settings of `annal epoch`.
#[derive(Args, Debug)]
pub(super) struct EpochSettings {
    #[command(subcommand)]
    command: EpochCommand,

    #[command(flatten)]
    data: DataSettings,
}

#[derive(Subcommand, Debug)]
enum EpochCommand {
    /// The epoch and the end of the log.
    Show,
    /// Begin a new epoch, after the log was restored to an earlier moment and before any server starts on it.
    ///
    /// Clients with positions of the old epoch then read everything anew. Views that stand beyond the end
    /// of the log are built again.
    Begin,
}

pub(super) async fn run(settings: EpochSettings) -> Result<(), Failure> {
    let storage = Storage::join(&settings.data).await?;
    if let EpochCommand::Begin = settings.command {
        let epoch = eventlog::begin_epoch(&storage.options(), &SystemClock).await?;
        say(&format!("Epoch {} begins after position {}.", epoch.id, epoch.after))?;
    }
    let masters = storage.master_keys().await?;
    let opened = EventLog::open(storage.options(), masters, Arc::new(SystemClock), settings.data.log()).await;
    let (log, tasks): (EventLog, LogTasks) = opened?;
    let done = match settings.command {
        EpochCommand::Show => show(&log).await,
        EpochCommand::Begin => rebuild_views_ahead(&log).await,
    };
    tasks.close().await;
    storage.close().await?;
    done
}

async fn show(log: &EventLog) -> Result<(), Failure> {
    say(&format!("Epoch {}, last position {}.", log.epoch(), log.head().await?))
}

/// What a view took from events that are no longer there cannot be taken back: it is built again.
async fn rebuild_views_ahead(log: &EventLog) -> Result<(), Failure> {
    let head = log.head().await?;
    for view in projections::status(log.pool()).await? {
        match view.state {
            _ if view.position <= head => {}
            ViewState::Foreign => {
                let name = view.projection;
                say(&format!(
                    "{name} stands beyond the end and is of another build: rebuild it with that build."
                ))?;
            }
            _ => views::rebuild(log, &view.projection).await?,
        }
    }
    say("No view of this build stands beyond the end of the log.")
}
