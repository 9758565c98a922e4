//! How often each caller may ask, counted in memory.

use std::convert::Infallible;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;

use super::config::Rate;

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// One rate for many callers, each counted for itself. Cheap to clone: clones count together.
///
/// When more callers than fit are known, one that was quiet is forgotten. If its bucket was full again that
/// makes no difference: everybody starts with a full one.
pub(crate) struct Rates<K, C: Clock = MonotonicClock> {
    quota: Option<Quota>,
    buckets: Arc<Cache<K, Arc<Bucket<C>>>>,
    clock: C,
}

impl<K, C: Clock + Clone> Clone for Rates<K, C> {
    fn clone(&self) -> Self {
        Self { quota: self.quota, buckets: Arc::clone(&self.buckets), clock: self.clock.clone() }
    }
}

impl<K, C> Rates<K, C>
where
    K: Hash + Eq + Copy + Send + Sync + 'static,
    C: Clock + Clone + Send + Sync + 'static,
    C::Instant: Send + Sync,
{
    /// A rate; at most `callers_max` callers are remembered.
    pub(crate) fn new(rate: Rate, callers_max: usize, clock: C) -> Self {
        let at_once = NonZeroU32::new(rate.at_once).unwrap_or(NonZeroU32::MIN);
        let quota = NonZeroU32::new(rate.per_minute).map(|n| Quota::per_minute(n).allow_burst(at_once));
        let buckets = Arc::new(Cache::new(callers_max.max(1)));
        Self { quota, buckets, clock }
    }

    /// Counts one more of a caller.
    ///
    /// # Errors
    /// One too many: the time after which it would not be. Nothing was counted.
    pub(crate) fn take(&self, caller: K) -> Result<(), Duration> {
        let Some(quota) = self.quota else { return Ok(()) };
        let fresh = || Ok(Arc::new(RateLimiter::direct_with_clock(quota, self.clock.clone())));
        let Ok(bucket) = self.buckets.get_or_insert_with::<K, Infallible>(&caller, fresh);
        bucket.check().map_err(|too_soon| too_soon.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn rates(per_minute: u32, at_once: u32) -> (Rates<u32, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Rates::new(Rate { per_minute, at_once }, 100, clock.clone()), clock)
    }

    #[test]
    fn so_many_at_once_and_then_one_in_a_while() {
        let (rates, clock) = rates(60, 3);
        for _ in 0..3 {
            assert_eq!(rates.take(1), Ok(()));
        }
        assert_eq!(rates.take(1), Err(Duration::from_secs(1)));
        assert_eq!(rates.take(2), Ok(()), "another caller is counted apart");
        clock.advance(Duration::from_millis(999));
        assert_eq!(rates.take(1), Err(Duration::from_millis(1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(rates.clone().take(1), Ok(()));
        assert_eq!(rates.take(1), Err(Duration::from_secs(1)));
        clock.advance(Duration::from_mins(1));
        for _ in 0..3 {
            assert_eq!(rates.take(1), Ok(()));
        }
    }

    #[test]
    fn callers_are_bounded_and_the_newest_is_always_counted() {
        let (rates, _clock) = rates(60, 1);
        for caller in 0..10_000 {
            assert_eq!(rates.take(caller), Ok(()));
            assert!(rates.take(caller).is_err(), "{caller} is counted");
        }
        assert!(rates.buckets.len() <= 100);
    }

    #[test]
    fn zero_is_without_limit() {
        let (rates, _clock) = rates(0, 0);
        assert!((0..10_000).all(|_| rates.take(1) == Ok(())));
        assert_eq!(rates.buckets.len(), 0);
    }
}
