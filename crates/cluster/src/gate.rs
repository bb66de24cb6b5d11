//! A gate before the writes to a cluster: its holder says until when they may be sent.
//!
//! It knows nothing of Leases. Every attempt of a write passes it, also those inside of retries: a
//! request that waits for its turn while the lock is lost is not sent any more.

use std::time::Duration;

use tokio::sync::watch;

use super::clock::Moment;

/// Timers stand still while the machine sleeps, so nobody waits longer than this without a look at
/// the clock that does not.
const CLOCK_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Sleeps until a moment, by the clock that runs on while the machine sleeps.
pub async fn sleep_until(moment: Moment) {
    loop {
        let left = moment.left();
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(CLOCK_CHECK_INTERVAL)).await;
    }
}

/// Lets writes pass until a moment, which its holder moves on, or never again. Clones are the same
/// gate.
#[derive(Clone, Debug)]
pub struct Gate(watch::Sender<State>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    OpenUntil(Moment),
    Closed,
}

/// A gate that no write passes any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed;

impl Gate {
    /// A gate that is open until a moment.
    pub fn open_until(moment: Moment) -> Self {
        Self(watch::Sender::new(State::OpenUntil(moment)))
    }

    /// Moves the moment on, unless the gate was closed. Those who wait before it pass.
    pub fn extend_to(&self, moment: Moment) {
        self.0.send_if_modified(|state| {
            let is_open = *state != State::Closed;
            if is_open {
                *state = State::OpenUntil(moment);
            }
            is_open
        });
    }

    /// Closes the gate for good.
    pub fn close(&self) {
        self.0.send_replace(State::Closed);
    }

    /// Returns whether the gate was closed for good.
    pub fn is_closed(&self) -> bool {
        *self.0.borrow() == State::Closed
    }

    /// Waits until a write may be sent.
    pub(super) async fn pass(&self) -> Result<(), Closed> {
        let mut states = self.0.subscribe();
        loop {
            match *states.borrow_and_update() {
                State::Closed => return Err(Closed),
                State::OpenUntil(moment) if !moment.left().is_zero() => return Ok(()),
                State::OpenUntil(_) => {}
            }
            // The sender is `self`, so this ends with a change only.
            let _ = states.changed().await;
        }
    }

    /// Ends when the moment has passed, wherever it is moved meanwhile, or the gate is closed: an
    /// answer is not waited for any longer then.
    pub(super) async fn lapsed(&self) {
        let mut states = self.0.subscribe();
        loop {
            let moment = match *states.borrow_and_update() {
                State::OpenUntil(moment) if !moment.left().is_zero() => moment,
                _ => return,
            };
            tokio::select! {
                () = sleep_until(moment) => {}
                _ = states.changed() => {}
            }
        }
    }

    /// Ends when the gate is closed for good.
    pub(super) async fn closed(&self) {
        let mut states = self.0.subscribe();
        let _ = states.wait_for(|state| *state == State::Closed).await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const SHORT: Duration = Duration::from_millis(30);

    #[tokio::test]
    async fn a_lapsed_gate_holds_writes_until_it_is_extended() {
        let gate = Gate::open_until(Moment::now() + SHORT);
        assert_eq!(gate.pass().now_or_never(), Some(Ok(())));
        gate.lapsed().await;
        assert_eq!(gate.pass().now_or_never(), None);
        let other = gate.clone();
        let (passed, ()) = tokio::join!(gate.pass(), async {
            other.extend_to(Moment::now() + Duration::from_secs(60));
        });
        assert_eq!(passed, Ok(()));
        assert_eq!(gate.lapsed().now_or_never(), None, "extended, so open again");
    }

    #[tokio::test]
    async fn a_closed_gate_stays_closed() {
        let gate = Gate::open_until(Moment::now());
        let other = gate.clone();
        let (passed, ()) = tokio::join!(gate.pass(), async { other.close() });
        assert_eq!(passed, Err(Closed));
        gate.extend_to(Moment::now() + Duration::from_secs(60));
        assert!(gate.is_closed());
        assert_eq!(gate.pass().now_or_never(), Some(Err(Closed)));
        assert_eq!(gate.closed().now_or_never(), Some(()));
    }
}
