//! A clock that nobody sets and that runs on while the machine sleeps.
//!
//! `std::time::Instant` stands still in a suspended laptop, while the Leases on the API servers
//! grow old.

use std::ops::Add;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
/// On macOS this clock runs on; the one of `Instant` there is `CLOCK_UPTIME_RAW`.
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// A moment on that clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// Reads the clock.
    pub fn now() -> Self {
        let time = clock_gettime(CLOCK);
        let seconds = Duration::from_secs(time.tv_sec.try_into().unwrap_or_default());
        Self(seconds + Duration::from_nanos(time.tv_nsec.try_into().unwrap_or_default()))
    }

    /// Returns the time from now to this moment; nothing when it has passed.
    pub fn left(self) -> Duration {
        self.0.saturating_sub(Self::now().0)
    }

    /// Returns the time that has passed since this moment.
    pub fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_runs_and_moments_pass() {
        let before = Moment::now();
        let soon = before + Duration::from_millis(20);
        assert!(soon > before && soon.left() <= Duration::from_millis(20));
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(soon.left(), Duration::ZERO);
        assert!(before.elapsed() >= Duration::from_millis(30));
    }
}
