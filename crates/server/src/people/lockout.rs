//! Guessing is slowed: per account and per address, each failure beyond the first few doubles the wait.
//!
//! An attempt is counted before it is judged, so that many at once gain nothing. Kept in this process only and in
//! bounded space; a restart forgets, which gives a guesser a handful of tries more.

use parking_lot::Mutex;
use runplane_core::time::{Micros, Span};
use std::collections::HashMap;

/// Failures that cost nothing but the slow hash.
const FREE_FOR_ACCOUNT: u32 = 5;
const FREE_FOR_ADDRESS: u32 = 30;
const FIRST_WAIT: i64 = 1_000_000;
const LONGEST_WAIT: i64 = 15 * 60 * 1_000_000;
/// After this long without a failure nothing is held against anybody.
const FORGIVEN: Span = Span::seconds(3_600);
const MOST: usize = 20_000;

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Micros,
}

impl Failures {
    fn wait(self, free: u32) -> Span {
        match self.count.checked_sub(free) {
            None => Span::ZERO,
            Some(beyond) => Span(FIRST_WAIT.checked_shl(beyond.min(20)).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)),
        }
    }

    fn until(self, free: u32) -> Micros {
        self.last.after(self.wait(free))
    }
}

#[derive(Default)]
pub struct Attempts {
    by_name: Mutex<HashMap<String, Failures>>,
}

fn free(name: &str) -> u32 {
    if name.starts_with("address ") { FREE_FOR_ADDRESS } else { FREE_FOR_ACCOUNT }
}

impl Attempts {
    #[must_use]
    pub fn account(workspace: &str, username: &str) -> String {
        format!("account {workspace} {username}")
    }

    #[must_use]
    pub fn address(address: &std::net::IpAddr) -> String {
        match address {
            // Whoever has one address of a /64 has them all.
            std::net::IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                format!("address {a:x}:{b:x}:{c:x}:{d:x}")
            }
            std::net::IpAddr::V4(v4) => format!("address {v4}"),
        }
    }

    /// Counts an attempt in all these names, or says how long to wait for the next.
    pub fn begin(&self, names: &[String], now: Micros) -> Result<(), Span> {
        let mut known = self.by_name.lock();
        let until = names.iter().filter_map(|name| known.get(name).map(|failures| failures.until(free(name)))).max();
        if let Some(until) = until
            && until > now
        {
            return Err(until.since(now));
        }
        if known.len() >= MOST {
            known.retain(|name, failures| {
                now.since(failures.last) < FORGIVEN && failures.count > 1 && failures.until(free(name)) > now
            });
        }
        for name in names {
            let failures = known.entry(name.clone()).or_insert(Failures { count: 0, last: now });
            if now.since(failures.last) >= FORGIVEN {
                failures.count = 0;
            }
            *failures = Failures { count: failures.count.saturating_add(1), last: now };
        }
        Ok(())
    }

    /// It was the right password: the account starts afresh, and this attempt is not held against the address.
    pub fn succeeded(&self, names: &[String]) {
        let mut known = self.by_name.lock();
        for name in names {
            if free(name) == FREE_FOR_ACCOUNT {
                known.remove(name);
            } else if let Some(failures) = known.get_mut(name) {
                failures.count = failures.count.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: i64) -> Micros {
        Micros(seconds * 1_000_000)
    }

    #[test]
    fn each_failure_beyond_the_first_few_doubles_the_wait_up_to_a_quarter_of_an_hour() {
        let attempts = Attempts::default();
        let names = [Attempts::account("ws_1", "ada")];
        for _ in 0..FREE_FOR_ACCOUNT {
            attempts.begin(&names, seconds(0)).unwrap();
        }
        assert_eq!(attempts.begin(&names, seconds(0)), Err(Span::seconds(1)));
        let mut now = seconds(0);
        let mut waits = Vec::new();
        for _ in 0..14 {
            let wait = attempts.begin(&names, now).unwrap_err();
            waits.push(wait.0 / 1_000_000);
            now = now.after(wait);
            attempts.begin(&names, now).unwrap();
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
        attempts.succeeded(&names);
        attempts.begin(&names, now).unwrap();
    }

    #[test]
    fn an_address_has_more_tries_than_an_account_and_both_count() {
        let attempts = Attempts::default();
        let address = Attempts::address(&"10.0.0.1".parse().unwrap());
        for who in 0..FREE_FOR_ADDRESS {
            attempts.begin(&[Attempts::account("ws_1", &format!("u{who}")), address.clone()], seconds(0)).unwrap();
        }
        assert!(attempts.begin(&[Attempts::account("ws_1", "another"), address.clone()], seconds(0)).is_err());
        let other = Attempts::address(&"10.0.0.2".parse().unwrap());
        attempts.begin(&[Attempts::account("ws_1", "another"), other], seconds(0)).unwrap();
        let (one, two) = ("2001:db8::1".parse().unwrap(), "2001:db8::ffff:2".parse().unwrap());
        assert_eq!(Attempts::address(&one), Attempts::address(&two), "one network");
    }

    #[test]
    fn after_an_hour_nothing_is_held_against_anybody_and_space_is_bounded() {
        let attempts = Attempts::default();
        let names = [Attempts::account("ws_1", "ada")];
        for _ in 0..FREE_FOR_ACCOUNT {
            attempts.begin(&names, seconds(0)).unwrap();
        }
        for _ in 0..FREE_FOR_ACCOUNT {
            attempts.begin(&names, seconds(3_600)).unwrap();
        }
        for who in 0..MOST + 10 {
            attempts.begin(&[Attempts::account("ws_1", &who.to_string())], seconds(3_600)).unwrap();
        }
        assert!(attempts.by_name.lock().len() <= MOST);
        assert!(attempts.begin(&names, seconds(3_600)).is_err(), "whoever waits is not forgotten for others' sake");
    }
}
