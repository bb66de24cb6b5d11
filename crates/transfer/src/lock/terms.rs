//! The times of a Lease.

use std::time::Duration;

use cluster::Moment;

/// Duration of a Lease, in seconds. For tests only; the others of a run learn it from the Lease.
const LASTS_VARIABLE: &str = "KUBECTL_PIVOT_TEST_LEASE_SECONDS";

/// Duration of a Lease if nothing else is said.
const LEASE_DURATION: Duration = Duration::from_secs(30);

/// Limits the duration of a Lease in tests.
const LEASE_DURATIONS_IN_TESTS: std::ops::RangeInclusive<u64> = 3..=300;

/// The longest time that a Lease of others is believed to last.
const LEASE_DURATION_LIMIT: Duration = Duration::from_secs(*LEASE_DURATIONS_IN_TESTS.end());

/// The times of a Lease; all of them follow from how long it lasts without a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Duration of the Lease.
    pub(super) lasts: Duration,
}

impl Terms {
    /// The terms of this process.
    pub(super) fn of_process() -> Self {
        let seconds = std::env::var(LASTS_VARIABLE).ok().and_then(|text| text.parse().ok());
        let seconds = seconds.filter(|seconds| LEASE_DURATIONS_IN_TESTS.contains(seconds));
        Self { lasts: seconds.map_or(LEASE_DURATION, Duration::from_secs) }
    }

    /// Time from one renewal to the next: 8 of 30 seconds.
    pub(crate) fn renew_interval(self) -> Duration {
        self.lasts * 4 / 15
    }

    /// No write is sent, and no answer waited for, in this last part of its time: 2 of 30 seconds.
    fn margin(self) -> Duration {
        self.lasts / 15
    }

    /// Duration of a leader Lease of controllers that a run holds: 5 minutes. Controllers that
    /// ignore a pause stay still for so long after the run has died, which is the time to resume
    /// it.
    pub(crate) fn hold(self) -> Duration {
        self.patience()
    }

    /// For how long after its renewal such a Lease allows writes.
    pub(crate) fn hold_deadline(self) -> Duration {
        self.hold() - self.margin()
    }

    /// Until when a Lease allows writes that was renewed at this moment.
    pub(super) fn deadline(self, renewed: Moment) -> Moment {
        renewed + (self.lasts - self.margin())
    }

    /// Time-out of one attempt at a renewal: half of its time, so that there is time for another.
    pub(super) fn request_timeout(self) -> Duration {
        self.lasts / 2
    }

    /// Limits the wait of a run that may not write for a cluster whose Lease it cannot renew: 5
    /// minutes.
    pub(super) fn patience(self) -> Duration {
        self.lasts * 10
    }
}

/// Returns the duration that a Lease of others names. No program writes a longer time than
/// [`LONGEST`].
pub(super) fn lasts_of(seconds: Option<i64>) -> Duration {
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let lasts = seconds.filter(|seconds| *seconds > 0).map_or(LEASE_DURATION, Duration::from_secs);
    lasts.min(LEASE_DURATION_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_that_fails_once_can_be_repeated_in_time() {
        let terms = Terms { lasts: LEASE_DURATION };
        assert_eq!(terms.renew_interval(), Duration::from_secs(8));
        assert_eq!(terms.margin(), Duration::from_secs(2));
        assert_eq!(terms.patience(), Duration::from_secs(300));
        assert!(terms.renew_interval() + terms.request_timeout() < terms.lasts - terms.margin());
    }

    #[test]
    fn a_lease_without_a_duration_lasts_as_long_as_ours() {
        assert_eq!(lasts_of(Some(7)), Duration::from_secs(7));
        for odd in [None, Some(0), Some(-1)] {
            assert_eq!(lasts_of(odd), LEASE_DURATION);
        }
    }
}
