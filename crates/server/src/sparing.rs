//! Questions that cost the sequencer time, asked sparingly: one at a time, and after each a rest many times as long.
//!
//! What must stay true: however often and by however many such a question is asked, deciding keeps most of its time.

use crate::clock::SharedClock;
use crate::error::{Error, Kind};
use runplane_core::time::{Micros, Span};
use std::future::Future;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};

/// The rest after a question, as a multiple of what its answer took.
const REST_FACTOR: u32 = 9;
const LONGEST_REST: Duration = Duration::from_secs(2);
/// Who asks while so many wait hears so at once.
const MOST_WAITING: usize = 32;

pub struct Sparing {
    waiting: Semaphore,
    /// When the next may be asked, on the monotonic clock.
    next: Mutex<Micros>,
}

impl Default for Sparing {
    fn default() -> Self {
        Self { waiting: Semaphore::new(MOST_WAITING), next: Mutex::new(Micros(0)) }
    }
}

impl Sparing {
    /// Asks when it is this question's turn.
    pub async fn ask<T>(
        &self,
        clock: &SharedClock,
        question: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let busy = || Error::new(Kind::Overloaded, "too many ask this at once");
        let _place = self.waiting.try_acquire().map_err(|_| busy())?;
        let mut next = self.next.lock().await;
        let began = clock.read().elapsed;
        tokio::time::sleep(length(next.since(began))).await;
        let asked = clock.read().elapsed;
        let answer = question.await;
        let now = clock.read().elapsed;
        let rest = (length(now.since(asked)) * REST_FACTOR).min(LONGEST_REST);
        *next = now.after(Span(i64::try_from(rest.as_micros()).unwrap_or(i64::MAX)));
        answer
    }
}

fn length(span: Span) -> Duration {
    Duration::from_micros(u64::try_from(span.0).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn a_costly_question_is_followed_by_a_rest_and_a_crowd_is_sent_away() {
        let (sparing, clock) = (Sparing::default(), SystemClock::shared());
        let ask = || async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(())
        };
        let began = clock.read().elapsed;
        for _ in 0..3 {
            sparing.ask(&clock, ask()).await.unwrap();
        }
        assert!(clock.read().elapsed.since(began) >= Span(400_000), "there was no rest between");
        let crowd = (0..100).map(|_| sparing.ask(&clock, async { Ok(()) }));
        let answers = futures_util::future::join_all(crowd).await;
        let refused = answers.iter().filter(|answer| answer.is_err()).count();
        assert_eq!(refused, 100 - MOST_WAITING);
    }
}
