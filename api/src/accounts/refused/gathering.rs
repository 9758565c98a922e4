//! Which refused sign-ins are told at once, and which are gathered.

use std::collections::{HashMap, VecDeque};

use domain::AccountId;
use tokio::time::Instant;

use super::RefusedLimits;

/// The open windows. Each begins with an event and gathers what comes before its end; it is followed by
/// another one as long as something came.
pub(super) struct Gathering {
    limits: RefusedLimits,
    gathered: HashMap<AccountId, u32>,
    /// All windows are of one length, so the first to begin is the first to end.
    ends: VecDeque<(Instant, AccountId)>,
}

impl Gathering {
    pub(super) fn new(limits: RefusedLimits) -> Self {
        Self { limits, gathered: HashMap::new(), ends: VecDeque::new() }
    }

    /// Takes in one refused sign-in; true when it is the first one and to be told at once.
    pub(super) fn refused(&mut self, account: AccountId, now: Instant) -> bool {
        if let Some(times) = self.gathered.get_mut(&account) {
            *times = times.saturating_add(1);
            return false;
        }
        if self.gathered.len() >= self.limits.accounts_max {
            tracing::warn!("too many accounts with refused sign-ins: one was not noted");
            return false;
        }
        self.begin(account, now);
        true
    }

    /// When the next window ends.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.ends.front().map(|(end, _)| *end)
    }

    /// Ends windows that are over, up to the first in which something came: that is to be told.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(AccountId, u32)> {
        while let Some((_, account)) = self.ends.pop_front_if(|(end, _)| *end <= now) {
            let times = self.gathered.remove(&account).unwrap_or_default();
            if times > 0 {
                self.begin(account, now);
                return Some((account, times));
            }
        }
        None
    }

    /// What was gathered and not told yet.
    pub(super) fn into_rest(self) -> impl Iterator<Item = (AccountId, u32)> {
        self.gathered.into_iter().filter(|(_, times)| *times > 0)
    }

    fn begin(&mut self, account: AccountId, now: Instant) {
        self.gathered.insert(account, 0);
        self.ends.push_back((now + self.limits.window, account));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    const WINDOW: Duration = Duration::from_mins(1);

    fn gathering() -> (Gathering, Instant) {
        (Gathering::new(RefusedLimits { window: WINDOW, accounts_max: 2 }), Instant::now())
    }

    fn account(n: u128) -> AccountId {
        AccountId(Uuid::from_u128(n))
    }

    #[test]
    fn the_first_is_told_at_once_and_the_others_together() {
        let (mut gathering, noon) = gathering();
        assert!(gathering.refused(account(1), noon));
        for _ in 0..3 {
            assert!(!gathering.refused(account(1), noon));
        }
        assert!(gathering.refused(account(2), noon + WINDOW / 2), "accounts are apart");
        assert_eq!(gathering.take_due(noon + WINDOW - Duration::from_millis(1)), None);
        assert_eq!(gathering.next_due(), Some(noon + WINDOW));
        assert_eq!(gathering.take_due(noon + WINDOW), Some((account(1), 3)));
        // The event began another window; that of the other account ends without anything.
        assert!(!gathering.refused(account(1), noon + WINDOW));
        assert_eq!(gathering.take_due(noon + WINDOW * 2), Some((account(1), 1)));
        assert_eq!(gathering.take_due(noon + WINDOW * 3), None);
        assert_eq!(gathering.next_due(), None);
        assert!(gathering.refused(account(1), noon + WINDOW * 3));
    }

    #[test]
    fn what_was_gathered_is_there_at_the_end() {
        let (mut gathering, noon) = gathering();
        for n in [1, 2, 2] {
            gathering.refused(account(n), noon);
        }
        assert_eq!(gathering.into_rest().collect::<Vec<_>>(), [(account(2), 1)]);
    }

    #[test]
    fn accounts_are_bounded() {
        let (mut gathering, noon) = gathering();
        assert!(gathering.refused(account(1), noon) && gathering.refused(account(2), noon));
        assert!(!gathering.refused(account(3), noon));
        assert_eq!(gathering.take_due(noon + WINDOW), None);
        assert!(gathering.refused(account(3), noon + WINDOW));
    }
}
