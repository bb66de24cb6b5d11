//! When a request is sent again, and after how long.
//!
//! kube's own retry is off: it re-sends a POST blindly and keeps silent for minutes.

use std::time::Duration;

use super::error::ApiErrorCause;

/// An attempt that takes longer has met a network or a server that keeps silent, and refuses
/// nothing.
const SILENT_ATTEMPT_DURATION: Duration = Duration::from_secs(10);

/// Bounds of the retries of one request.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts in all, the first included; an attempt that took long is not the last by their
    /// number.
    pub attempts: u32,
    /// Pause after the first failure; doubles each time.
    pub first_pause: Duration,
    /// Longest pause, also for a server's `Retry-After`.
    pub longest_pause: Duration,
    /// No attempt is begun after so much time of attempts and pauses: an API server that sends its
    /// answers byte by byte would use up the time-out of each.
    ///
    /// Longer than the five minutes for which a run waits for a Lease that it cannot renew
    /// (`Terms::patience`). In a network that swallows everything, as while a VPN reconnects, an
    /// attempt ends after 30 s (no connection) or 60 s (no answer): what the lock survives is not
    /// to fail on one request.
    pub patience: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 8,
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(10),
            patience: Duration::from_secs(330),
        }
    }
}

impl RetryPolicy {
    /// For a caller that decides about each further attempt.
    pub fn once() -> Self {
        Self { attempts: 1, patience: Duration::ZERO, ..Self::default() }
    }

    /// For the first contact with a cluster, where a user waits for a wrong address to be reported.
    pub fn brief() -> Self {
        Self { attempts: 3, patience: Duration::from_secs(90), ..Self::default() }
    }

    /// Returns whether this attempt, which took this time, is the last after so much time of
    /// attempts and pauses.
    pub(super) fn is_over(&self, attempt: u32, took: Duration, spent: Duration) -> bool {
        let is_last = attempt >= self.attempts && took < SILENT_ATTEMPT_DURATION;
        is_last || spent >= self.patience
    }

    /// The pause before attempt `attempt + 1`, with full jitter above half of it.
    pub fn pause(&self, attempt: u32, retry_after: Option<Duration>) -> Duration {
        if let Some(asked) = retry_after {
            return asked.min(self.longest_pause) + self.first_pause.mul_f64(rand::random());
        }
        let doubled = self.first_pause.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        doubled.min(self.longest_pause).mul_f64(0.5 + rand::random::<f64>() / 2.0)
    }
}

/// Returns whether sending the request again can do no harm and may help.
///
/// A request that is not `repeatable` (a create) is sent again only if it cannot have been carried
/// out; the caller finds out about the other cases by reading.
pub(super) fn is_retryable(cause: &ApiErrorCause, repeatable: bool) -> bool {
    match cause {
        cause if cause.is_of_wrong_type() => false,
        ApiErrorCause::Status { code: 429, .. } | ApiErrorCause::Connect(_) => true,
        ApiErrorCause::Status { code: 500 | 502 | 503 | 504, .. } => repeatable,
        ApiErrorCause::Timeout(_) | ApiErrorCause::Broken(_) | ApiErrorCause::Malformed(_) => {
            repeatable
        }
        // What was too long once would cost as much again.
        ApiErrorCause::Status { .. }
        | ApiErrorCause::Credentials(_)
        | ApiErrorCause::TooLong { .. }
        | ApiErrorCause::LockLost => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16) -> ApiErrorCause {
        ApiErrorCause::Status { code, reason: String::new(), message: String::new() }
    }

    #[test]
    fn a_permanent_error_is_not_retried() {
        let message = "failed to create typed patch object (default/a; v1, Kind=A): .spec.b: \
                       expected numeric";
        let status = |message: &str| ApiErrorCause::Status {
            code: 500,
            reason: String::new(),
            message: message.to_owned(),
        };
        assert!(!is_retryable(&status(message), true));
        assert!(is_retryable(&status("etcdserver: leader changed"), true));
    }

    #[test]
    fn an_outage_that_the_lock_survives_is_survived() {
        let (policy, outage) = (RetryPolicy::default(), Duration::from_secs(300));
        // Until there is a connection, and until there is an answer.
        for took in [Duration::from_secs(30), Duration::from_secs(60)] {
            let (mut spent, mut attempt) = (Duration::ZERO, 1);
            while !policy.is_over(attempt, took, spent + took) {
                spent += took;
                attempt += 1;
            }
            assert!(spent >= outage, "the last attempt of {took:?} begins after {spent:?}");
        }
    }

    #[test]
    fn attempts_and_their_time_are_bounded() {
        let (policy, quick) = (RetryPolicy::default(), Duration::from_millis(1));
        assert!(!policy.is_over(policy.attempts - 1, quick, quick));
        assert!(policy.is_over(policy.attempts, quick, quick));
        assert!(policy.is_over(1, policy.patience, policy.patience));
        assert!(RetryPolicy::once().is_over(1, SILENT_ATTEMPT_DURATION, SILENT_ATTEMPT_DURATION));
        let took = Duration::from_secs(30);
        assert!(
            RetryPolicy::brief().is_over(3, took, 3 * took),
            "a wrong address is reported soon"
        );
    }

    #[test]
    fn a_create_is_never_repeated_blindly() {
        for cause in [status(500), status(503), status(504), ApiErrorCause::Broken(String::new())] {
            assert!(!is_retryable(&cause, false), "{cause:?}");
            assert!(is_retryable(&cause, true), "{cause:?}");
        }
        assert!(is_retryable(&status(429), false));
        assert!(is_retryable(&ApiErrorCause::Connect(String::new()), false));
        assert!(!is_retryable(&status(422), true));
    }

    #[test]
    fn pauses_grow_are_bounded_and_honour_the_server() {
        let policy = RetryPolicy::default();
        for attempt in 1..40 {
            let pause = policy.pause(attempt, None);
            assert!(
                pause >= policy.first_pause / 2 && pause <= policy.longest_pause,
                "{attempt}: {pause:?}"
            );
        }
        assert!(policy.pause(1, Some(Duration::from_secs(2))) >= Duration::from_secs(2));
        assert!(policy.pause(1, Some(Duration::from_secs(3600))) <= Duration::from_secs(11));
    }
}
