//! Makes a new cluster: in a folder beside, renamed when whole, so that a kill leaves nothing half made.

use super::SUPERUSER;
use super::account::Account;
use super::binaries::Binaries;
use super::error::{ClusterError, io};
use super::layout::Layout;
use super::settings::{ClusterConfig, Durability};
use std::fs::File;
use std::path::{Path, PathBuf};
use tokio::time::timeout;

/// How a cluster under construction is called.
const UNFINISHED: &str = "pgdata.new-";
/// Names to try: a killed `initdb` may go on for a moment in the last one.
const ATTEMPTS_MAX: u32 = 100;
/// How much of a failure's output is told, in bytes.
const OUTPUT_BYTES_MAX: usize = 2000;
/// The first version with its own, system-independent C.UTF-8.
const BUILTIN_LOCALE_SINCE: u32 = 17;

/// Makes the cluster, unless it is there already.
pub(crate) async fn initialise(
    binaries: &Binaries,
    layout: &Layout,
    account: Account,
    config: &ClusterConfig,
) -> Result<(), ClusterError> {
    sweep_unfinished(&layout.folder)?;
    if layout.pgdata.exists() {
        return Ok(());
    }
    let unfinished = free_name(&layout.folder)?;
    let mut made = Err(ClusterError::InitialiseFailed { output: String::new() });
    for locale in locales(binaries.major) {
        made = run_initdb(binaries, &unfinished, account, config, locale).await;
        match &made {
            Err(ClusterError::InitialiseFailed { output }) if output.contains("locale") => {}
            _ => break,
        }
    }
    if let Err(error) = made {
        remove(&unfinished);
        return Err(error);
    }
    std::fs::rename(&unfinished, &layout.pgdata).map_err(io("put in place", &unfinished))?;
    File::open(&layout.folder).and_then(|folder| folder.sync_all()).map_err(io("sync", &layout.folder))
}

/// Sort by code point on every system, so that no upgrade of a system library breaks an index; but know the
/// letters of all scripts where the system can.
fn locales(major: u32) -> &'static [&'static [&'static str]] {
    if major >= BUILTIN_LOCALE_SINCE {
        &[&["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
    } else {
        &[&["--locale=C", "--lc-ctype=C.UTF-8"], &["--locale=C"]]
    }
}

/// Runs `initdb` as the server's user.
async fn run_initdb(
    binaries: &Binaries,
    pgdata: &Path,
    account: Account,
    config: &ClusterConfig,
    locale: &[&str],
) -> Result<(), ClusterError> {
    let program = binaries.initdb();
    let folder = pgdata.parent().unwrap_or(pgdata);
    let mut command = account.command(&program, folder);
    command.arg("-D").arg(pgdata).arg(format!("--username={SUPERUSER}")).args(locale);
    // Whoever may enter the private socket folder is trusted; nobody else gets as far as a question.
    command.args(["--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--data-checksums"]);
    command.arg("--text-search-config=simple");
    if config.durability == Durability::Off {
        command.arg("--no-sync");
    }
    let output = timeout(config.start_timeout(), command.kill_on_drop(true).output())
        .await
        .map_err(|_| ClusterError::InitialiseFailed {
            output: format!("not done after {} s", config.start_timeout_s),
        })?
        .map_err(io("run", &program))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let output = super::log::last_bytes(text.trim(), OUTPUT_BYTES_MAX).to_owned();
    Err(ClusterError::InitialiseFailed { output })
}

/// Removes what killed attempts left behind.
fn sweep_unfinished(folder: &Path) -> Result<(), ClusterError> {
    for entry in std::fs::read_dir(folder).map_err(io("read", folder))? {
        let entry = entry.map_err(io("read", folder))?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            remove(&entry.path());
        }
    }
    Ok(())
}

/// Removes an unfinished cluster; when an orphaned `initdb` still writes there, the next start does it.
fn remove(unfinished: &Path) {
    if let Err(error) = std::fs::remove_dir_all(unfinished)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, folder = %unfinished.display(), "an unfinished cluster stays until the next start");
    }
}

/// A name that nobody uses.
fn free_name(folder: &Path) -> Result<PathBuf, ClusterError> {
    (0..ATTEMPTS_MAX)
        .map(|number| folder.join(format!("{UNFINISHED}{number}")))
        .find(|path| !path.exists())
        .ok_or_else(|| ClusterError::InitialiseFailed {
            output: format!("{ATTEMPTS_MAX} unfinished clusters are in the way"),
        })
}
