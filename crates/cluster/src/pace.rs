//! The number of writes under way at the same time: more while an API server answers as fast as
//! when it has little to do, fewer when it says that it has too much.
//!
//! On a long line most of a request is the way there and back, and the API server is idle; sixteen
//! writes at a time would wait for the line only. Near an API server sixteen are as fast as any
//! number.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Writes under way at first, and as long as an API server does not complain.
const FIRST: f64 = 16.0;

/// The most writes under way.
const MOST: f64 = 128.0;

/// Answers up to so many times slower than the fastest one are as fast as before.
const FLAT: f64 = 2.0;

/// Answers from so many times slower on are a queue.
const STEEP: f64 = 4.0;

/// Differences between answers that mean nothing.
const JITTER: Duration = Duration::from_millis(5);

/// The part of the latest answer in the mean of the recent ones.
const WEIGHT: f64 = 0.2;

/// Growth for each answer that was as fast as before: by half in the time of one round trip.
const STEP: f64 = 0.5;

/// Refusals of requests that were sent together count once.
const REFUSAL_INTERVAL: Duration = Duration::from_secs(1);

/// The number of writes that one cluster takes, learnt from its answers.
#[derive(Debug)]
pub struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    limit: f64,
    /// Seconds.
    fastest: f64,
    /// Mean of the recent answers, in seconds.
    recent: f64,
    refused: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self(Mutex::new(State { limit: FIRST, fastest: f64::MAX, recent: 0.0, refused: None }))
    }
}

impl Pace {
    /// The number of writes that may be under way.
    pub fn limit(&self) -> usize {
        self.state().limit as usize
    }

    /// Returns whether the API server has refused writes because there were too many.
    pub fn is_throttled(&self) -> bool {
        self.state().limit < FIRST
    }

    /// A write was answered after this time.
    pub(super) fn answered(&self, after: Duration) {
        let mut state = self.state();
        let after = after.as_secs_f64();
        let is_first = state.fastest == f64::MAX;
        state.fastest = state.fastest.min(after);
        state.recent =
            if is_first { after } else { state.recent + WEIGHT * (after - state.recent) };
        let slower = |times: f64| state.fastest * times + JITTER.as_secs_f64();
        let limit = if state.limit < FIRST {
            state.limit + 1.0 / state.limit
        } else if state.recent <= slower(FLAT) {
            state.limit + STEP
        } else if state.recent > slower(STEEP) {
            (state.limit - STEP).max(FIRST)
        } else {
            state.limit
        };
        state.limit = limit.min(MOST);
    }

    /// A write was refused because there were too many.
    pub(super) fn refused(&self) {
        let mut state = self.state();
        if state.refused.is_none_or(|before| before.elapsed() > REFUSAL_INTERVAL) {
            state.refused = Some(Instant::now());
            state.limit = (state.limit / 2.0).max(1.0);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(answers: impl IntoIterator<Item = u64>) -> Pace {
        let pace = Pace::default();
        answers.into_iter().for_each(|millis| pace.answered(Duration::from_millis(millis)));
        pace
    }

    #[test]
    fn a_long_line_takes_more_and_a_queue_does_not() {
        assert_eq!(after([]).limit(), 16);
        assert_eq!(after([50; 400]).limit(), 128, "nothing but the line");
        assert_eq!(after([2].into_iter().chain([15; 400])).limit(), 16, "a busy API server");
        let mut grown = vec![50; 40];
        grown.extend([95; 400]);
        assert!(after(grown.clone()).limit() > 36, "answers that are a little slower");
        grown.extend([300; 400]);
        assert_eq!(after(grown).limit(), 16, "a queue");
    }

    #[test]
    fn refusals_halve_it_once_and_answers_bring_it_back() {
        let pace = after([50; 400]);
        for _ in 0..20 {
            pace.refused();
        }
        assert_eq!(pace.limit(), 64);
        let pace = Pace::default();
        pace.refused();
        assert_eq!((pace.limit(), pace.is_throttled()), (8, true));
        for _ in 0..200 {
            pace.answered(Duration::from_millis(10));
        }
        assert!(!pace.is_throttled());
    }
}
