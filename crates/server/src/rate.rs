//! How many requests an agent may make per second, where the settings say so.

use governor::clock::QuantaClock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

type Limiter = RateLimiter<NotKeyed, InMemoryState, QuantaClock>;

/// One limiter per agent, made again when the setting changes.
#[derive(Default)]
pub struct RateLimits {
    by_agent: Mutex<HashMap<String, (NonZeroU32, Arc<Limiter>)>>,
}

impl RateLimits {
    /// Whether the agent may make one more request now.
    pub fn admits(&self, agent: &str, per_second: Option<u32>) -> bool {
        let Some(quota) = per_second.and_then(NonZeroU32::new) else { return true };
        let limiter = {
            let mut limiters = self.by_agent.lock();
            match limiters.get(agent) {
                Some((known, limiter)) if *known == quota => Arc::clone(limiter),
                _ => {
                    let limiter = Arc::new(RateLimiter::direct(Quota::per_second(quota)));
                    limiters.insert(agent.to_owned(), (quota, Arc::clone(&limiter)));
                    limiter
                }
            }
        };
        limiter.check().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_means_no_limit_and_each_agent_has_its_own() {
        let rates = RateLimits::default();
        assert!((0..10_000).all(|_| rates.admits("a", None)));
        let admitted = (0..100).filter(|_| rates.admits("a", Some(5))).count();
        assert!((5..20).contains(&admitted), "{admitted}");
        assert!(rates.admits("b", Some(5)));
    }
}
