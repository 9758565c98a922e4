//! `annal keys`: a new master key, and wrapping all keys by it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use eventlog::{MasterKey, MasterKeys, Rotation, rotate_master_key};

use super::{Failure, say};
use crate::server::{Storage, read_master_key};
use crate::settings::DataSettings;

/// Settings of `annal keys`.
///
/// To change the master key while serving: `annal keys make FILE`; restart every server with the new file as
/// `--master-key-file` and the old one as `--old-master-key-file`; `annal keys rotate` with the same two; then
/// the old one is not needed any longer, but for old backups.
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct KeysSettings {
    #[command(subcommand)]
    command: KeysCommand,

    #[command(flatten)]
    data: DataSettings,
}

#[derive(Subcommand, Debug)]
enum KeysCommand {
    /// Make a new master key in a file that only its owner can read. An existing file is left as it is.
    Make {
        /// The file.
        file: PathBuf,
    },
    /// Wrap every key by the new master key. May be cut off and run again.
    Rotate {
        /// The file with the new master key, when `--master-key-file` still names the old one. Only without
        /// a running server: servers need both keys before.
        #[arg(long)]
        new_master_key_file: Option<PathBuf>,
    },
}

pub(super) async fn run(settings: KeysSettings) -> Result<(), Failure> {
    match settings.command {
        KeysCommand::Make { file } => {
            let key = MasterKey::create(&file).map_err(|error| format!("{error} ({})", file.display()))?;
            say(&format!(
                "Made the master key {} in {}. Keep a copy apart from the data.",
                key.id(),
                file.display()
            ))
        }
        KeysCommand::Rotate { new_master_key_file } => rotate(&settings.data, new_master_key_file).await,
    }
}

async fn rotate(settings: &DataSettings, new: Option<PathBuf>) -> Result<(), Failure> {
    let storage = Storage::join(settings).await?;
    let keys = match new {
        Some(file) => MasterKeys::from(read_master_key(&file)?).with_old(storage.master_key().await?),
        None => storage.master_keys().await?,
    };
    let rotated = rotate_master_key(&storage.options(), &keys, &mut shown()).await;
    storage.close().await?;
    let Rotation { rewrapped, .. } = rotated?;
    say(&format!(
        "{rewrapped} keys were wrapped anew. All keys belong to the master key {}.",
        keys.current_id()
    ))
}

/// Shows progress, every twentieth of the way.
fn shown() -> impl FnMut(Rotation) + Send {
    let mut next = 0;
    move |rotation| {
        let percent = rotation.rewrapped * 100 / rotation.found.max(1);
        if percent >= next {
            next = percent + 5;
            tracing::info!(percent, keys = rotation.rewrapped, of = rotation.found, "wrapping keys anew");
        }
    }
}
