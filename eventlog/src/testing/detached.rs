//! Work that a test's `Drop` has to finish, whatever runtime the test had.

use std::future::Future;
use std::time::Duration;

/// Longest wait for it.
const CLEANUP_MAX: Duration = Duration::from_secs(30);

/// Runs the work to its end on a thread of its own. Failures are logged, not raised: a test must not fail in its
/// cleanup, and the next test process sweeps what is left.
pub(crate) fn finish<E: std::error::Error, W: Future<Output = Result<(), E>>>(
    what: &'static str,
    work: impl FnOnce() -> W + Send,
) {
    let run = || -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        match runtime.block_on(async { tokio::time::timeout(CLEANUP_MAX, work()).await }) {
            Ok(done) => done.map_err(|error| error.to_string()),
            Err(_) => Err(format!("not done after {} s", CLEANUP_MAX.as_secs())),
        }
    };
    let outcome = std::thread::scope(|scope| scope.spawn(run).join());
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "{what} is left to the next test"),
        Err(_) => tracing::warn!("{what} panicked and is left to the next test"),
    }
}
