//! Reading ahead: while one page of events is applied, the next one is read and opened.

use domain::{Position, Recorded};
use eventlog::{EventLog, LogError};
use tokio::task::JoinHandle;

/// Reads pages of the log, one ahead.
pub(crate) struct Ahead {
    log: EventLog,
    next: Option<Next>,
}

/// A page that is being read.
struct Next {
    after: Position,
    limit: u32,
    page: JoinHandle<Result<Vec<Recorded>, LogError>>,
}

impl Drop for Next {
    fn drop(&mut self) {
        self.page.abort();
    }
}

impl Ahead {
    pub(crate) fn of(log: EventLog) -> Self {
        Self { log, next: None }
    }

    /// Events above `after`, at most `limit`; see [`EventLog::read`]. After a full page the one behind it is
    /// read in the background, so memory holds two pages at most.
    pub(crate) async fn read(&mut self, after: Position, limit: u32) -> Result<Vec<Recorded>, LogError> {
        let ahead = match self.next.take() {
            Some(mut next) if next.after == after && next.limit == limit => {
                (&mut next.page).await.map_err(|_| LogError::Panicked)??
            }
            _ => vec![],
        };
        // An empty page says how the log ended when it was read ahead. Since then there may be more, and whoever
        // is told that there is not sleeps.
        let page = if ahead.is_empty() { self.log.read(after, limit).await? } else { ahead };
        if let Some(last) = page.last().filter(|_| page.len() == limit as usize) {
            let (log, after) = (self.log.clone(), last.position);
            let page = tokio::spawn(async move { log.read(after, limit).await });
            self.next = Some(Next { after, limit, page });
        }
        Ok(page)
    }
}
