//! Faults, and the requests that they meet.

use std::fmt;
use std::time::Duration;

use super::call::Call;
use super::hostile::Hostility;

/// Faults of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is kept, and not forwarded before it is released.
    HoldBefore,
    /// It is forwarded; its answer is kept until it is released.
    HoldAfter,
    /// It is forwarded, then the connection is closed without an answer.
    LoseAnswer,
    /// It is not forwarded but answered with this status.
    Answer {
        /// HTTP status.
        status: u16,
        /// Seconds in `Retry-After`.
        retry_after: Option<u32>,
    },
    /// It is not forwarded but answered, with 200, by the log-in page of a proxy.
    LogInPage,
    /// It is answered by somebody who means harm.
    Hostile(Hostility),
    /// It is not forwarded; the connection is reset.
    Reset,
    /// It is forwarded after a while.
    Delay(Duration),
    /// It is not forwarded, and the connection stays open and silent.
    Silence,
}

impl Fault {
    /// An error status without advice.
    pub fn status(status: u16) -> Self {
        Self::Answer { status, retry_after: None }
    }
}

/// When a fault happens.
pub struct Rule {
    pub(super) fault: Fault,
    applies: Applies,
    skip: usize,
    times: usize,
    chance: f64,
    /// Not before this has come.
    after: Option<Condition>,
}

/// A condition on a request.
struct Condition(Box<dyn Fn(&Call) -> bool + Send + Sync>);

enum Applies {
    Write(usize),
    Call(Condition),
}

impl Rule {
    /// At the write of this number, from 1 on.
    pub fn at_write(number: usize, fault: Fault) -> Self {
        Self { fault, applies: Applies::Write(number), skip: 0, times: 1, chance: 1.0, after: None }
    }

    /// At every request for which `applies` holds.
    pub fn when(applies: impl Fn(&Call) -> bool + Send + Sync + 'static, fault: Fault) -> Self {
        let applies = Applies::Call(Condition(Box::new(applies)));
        Self { fault, applies, skip: 0, times: usize::MAX, chance: 1.0, after: None }
    }

    /// Not before such a request has come, and not at it.
    #[must_use]
    pub fn after(mut self, begins: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Self {
        self.after = Some(Condition(Box::new(begins)));
        self
    }

    /// Not at the first `count` of them.
    #[must_use]
    pub fn skip(mut self, count: usize) -> Self {
        self.skip = count;
        self
    }

    /// At most so many times.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Each time with this probability.
    #[must_use]
    pub fn chance(mut self, chance: f64) -> Self {
        self.chance = chance;
        self
    }

    /// The fault for a request, `dice` being a number from 0 to 1.
    pub(super) fn fault(&mut self, call: &Call, number: Option<usize>, dice: f64) -> Option<Fault> {
        if let Some(Condition(begins)) = &self.after {
            if begins(call) {
                self.after = None;
            }
            return None;
        }
        let applies = match &self.applies {
            Applies::Write(wanted) => number == Some(*wanted),
            Applies::Call(Condition(applies)) => applies(call),
        };
        if !applies || dice >= self.chance || self.times == 0 {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.fault)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("fault", &self.fault).finish_non_exhaustive()
    }
}
