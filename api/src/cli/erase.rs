//! `annal erase`: forgetting a person, for operators.

use std::sync::Arc;

use clap::Args;
use domain::account::Account;
use domain::actions::ErasePerson;
use domain::{AccountId, Actor, Causation, Client, CommandId, CorrelationId};
use eventlog::fresh::new_uuid;
use eventlog::{CommandContext, EventLog, Outcome, SystemClock};

use super::{Failure, say};
use crate::policies::{Erasure, Policy as _};
use crate::server::Storage;
use crate::settings::DataSettings;

/// Settings of `annal erase`.
#[derive(Args, Debug)]
pub(super) struct EraseSettings {
    /// The account, as 32 hexadecimal digits. What its person wrote cannot be read again by anybody.
    #[arg(long)]
    account: AccountId,

    #[command(flatten)]
    data: DataSettings,
}

pub(super) async fn run(settings: EraseSettings) -> Result<(), Failure> {
    let storage = Storage::join(&settings.data).await?;
    let masters = storage.master_keys().await?;
    let opened = EventLog::open(storage.options(), masters, Arc::new(SystemClock), settings.data.log()).await;
    let (log, tasks) = opened?;
    let done = erase(&log, settings.account).await;
    tasks.close().await;
    storage.close().await?;
    done
}

/// Erases, and does at once what the server's policy would do: it may not be running.
async fn erase(log: &EventLog, account: AccountId) -> Result<(), Failure> {
    let handle = log.inspect::<Account, _>(&account, |account| account.handle().cloned()).await?;
    let Some(handle) = handle else { return Err("there is no such account, or it was erased before".into()) };
    let context = CommandContext {
        actor: Actor::Anonymous,
        session: None,
        causation: Causation::Command(CommandId(new_uuid())),
        correlation: CorrelationId(new_uuid()),
        client: Client::Cli,
        idempotency: None,
    };
    match log.execute(ErasePerson { account, handle }, context).await? {
        Outcome::Refused(refusal) => return Err(refusal.into()),
        Outcome::Done(done) => {
            for recorded in done.events.iter().filter(|recorded| Erasure.concerns(&recorded.event)) {
                Erasure.react(log, recorded).await?;
            }
        }
    }
    say("The person was erased: the key is destroyed.")
}
