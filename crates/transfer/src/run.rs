//! State that all phases of one run share.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use capi::Chosen;
use cluster::Client;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use support::journal::{Events, RunEvent};
use tokio_util::sync::CancellationToken;

use super::choice::Choice;
use super::error::PhaseError;
use super::options::{HoldControllers, MoveOptions, Unheld};
use super::record::Role;
use super::sides::Sides;

/// Set when the user asks to stop, or the lock is lost; looked at between requests.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    requested: CancellationToken,
    lock_lost: CancellationToken,
}

impl Stop {
    /// Asks the run to stop at the next safe point.
    pub fn request(&self) {
        self.requested.cancel();
    }

    /// The request alone, for what runs beside a move and knows no lock.
    pub fn token(&self) -> &CancellationToken {
        &self.requested
    }

    /// From now on nothing may be written any more: another run may have begun.
    pub(super) fn lose_lock(&self) {
        self.lock_lost.cancel();
    }

    /// For what a request to stop does not end, only the loss of the lock.
    pub(super) fn lock_only(&self) -> Self {
        Self { requested: CancellationToken::new(), lock_lost: self.lock_lost.clone() }
    }

    /// Returns whether the lock was lost.
    pub fn is_lock_lost(&self) -> bool {
        self.lock_lost.is_cancelled()
    }

    /// Returns whether a stop was asked for.
    pub fn is_requested(&self) -> bool {
        self.requested.is_cancelled()
    }

    /// Ends when a stop was asked for, or the lock was lost; for waits that are to end then.
    pub async fn requested(&self) {
        tokio::select! {
            () = self.requested.cancelled() => {}
            () = self.lock_lost.cancelled() => {}
        }
    }

    /// Waits so long, or until a stop is asked for, or the lock is lost.
    pub async fn wait(&self, pause: Duration) {
        let _ = tokio::time::timeout(pause, self.requested()).await;
    }

    /// # Errors
    /// [`PhaseError::Interrupted`] when a stop was asked for, [`PhaseError::LockLost`] without lock.
    pub fn check(&self) -> Result<(), PhaseError> {
        self.check_lock()?;
        if self.is_requested() { Err(PhaseError::Interrupted) } else { Ok(()) }
    }

    /// # Errors
    /// [`PhaseError::LockLost`] when the lock was lost.
    pub fn check_lock(&self) -> Result<(), PhaseError> {
        if self.is_lock_lost() { Err(PhaseError::LockLost) } else { Ok(()) }
    }
}

/// One run of a move between two clusters.
#[derive(Clone)]
pub struct Run {
    /// Identifies the run in annotations.
    pub id: String,
    /// The cluster to move from.
    pub source: Client,
    /// The cluster to move to.
    pub target: Client,
    /// Options of the user.
    pub options: MoveOptions,
    /// Receive the progress.
    pub events: Events,
    /// The request to stop.
    pub stop: Stop,
    /// Sides of its Clusters.
    pub sides: Sides,
}

impl Run {
    /// The number of writes that may be under way now.
    pub(super) fn in_flight(&self) -> usize {
        let paces = [self.source.pace(), self.target.pace()];
        let limits = paces.map(|pace| pace.limit());
        let learnt = match paces.iter().any(|pace| pace.is_throttled()) {
            true => limits.into_iter().min(),
            false => limits.into_iter().max(),
        };
        self.options.max_in_flight.or(learnt).unwrap_or(1).max(1)
    }

    /// Returns whether one cluster stands for both, since the other end is files.
    pub fn is_alone(&self) -> bool {
        self.source.name() == self.target.name()
    }

    /// The run once it is decided which Clusters it is about.
    #[must_use]
    pub(super) fn decided(&self, chosen: Option<&Chosen>) -> Self {
        let mut run = self.clone();
        run.options.choice = chosen.cloned().map_or(Choice::All, Choice::Fixed);
        run
    }

    /// The role of a cluster. One that stands for both has the role that it is called by.
    pub(super) fn role_of(&self, cluster: &Client) -> Role {
        if cluster.name() == "target" { Role::Target } else { Role::Source }
    }

    /// The run once it is decided whose controllers it holds.
    #[must_use]
    pub(super) fn holding(mut self, sides: &[Role]) -> Self {
        self.options.held_sides = sides.to_vec();
        let is_auto = self.options.hold_controllers == HoldControllers::Auto;
        self.options.hold_is_optional = is_auto && !sides.is_empty();
        self.options.unheld = Unheld::default();
        self
    }

    /// Returns whether the run holds the controllers of a side, or is still to hold them.
    pub(super) fn holds(&self, role: Role) -> bool {
        self.options.held_sides.contains(&role) && !self.options.unheld.contains(role)
    }

    /// The run continues without holding the controllers of a side.
    pub(super) fn gives_up_hold(&self, role: Role) {
        self.options.unheld.insert(role);
    }

    /// The API server of the cluster in this role.
    pub(super) fn server_of(&self, role: Role) -> &str {
        match role {
            Role::Source => self.source.server(),
            Role::Target => self.target.server(),
        }
    }

    /// Tells the journal that the lock was taken.
    pub(super) fn begun(&self, operation: impl ToString, source: &str, target: &str) {
        self.events.record(RunEvent::Begun {
            run: self.id.clone(),
            operation: operation.to_string(),
            source: source.to_owned(),
            target: target.to_owned(),
        });
    }

    /// Does work of a phase, and tells the journal of its beginning and its end.
    pub(super) async fn recorded<T, E>(
        &self,
        phase: &'static str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.events.record(RunEvent::PhaseStarted { phase: phase.to_owned() });
        let result = work.await;
        let (phase, failed) = (phase.to_owned(), result.is_err());
        self.events.record(RunEvent::PhaseEnded { phase, failed });
        result
    }

    /// Calls `work` for every item, several at once, and reports progress as `done` of `total`.
    ///
    /// After a failure or a request to stop nothing new is begun, and what is under way is awaited.
    ///
    /// # Errors
    /// The only failure, or [`PhaseError::Several`]; [`PhaseError::Interrupted`] when stopped.
    pub async fn each<T, R, F, Fut>(
        &self,
        items: Vec<T>,
        progress: &Progress,
        work: F,
    ) -> Result<Vec<R>, PhaseError>
    where
        F: Fn(T) -> Fut,
        Fut: Future<Output = Result<R, PhaseError>>,
    {
        let failed = AtomicBool::new(false);
        let stopped = || {
            failed.load(Ordering::Relaxed)
                || self.stop.is_lock_lost()
                || (progress.interruptible && self.stop.is_requested())
        };
        let one = async |item| {
            let outcome = work(item).await;
            match &outcome {
                Ok(_) => progress.step(&self.events),
                Err(_) => failed.store(true, Ordering::Relaxed),
            }
            outcome
        };
        let mut items = items.into_iter();
        let mut under_way = FuturesUnordered::new();
        let mut outcomes: Vec<Result<R, PhaseError>> = Vec::new();
        loop {
            let room = self.in_flight().saturating_sub(under_way.len());
            let next = items.by_ref().take(room).take_while(|_| !stopped());
            under_way.extend(next.map(&one));
            match under_way.next().await {
                Some(outcome) => outcomes.push(outcome),
                None => break,
            }
        }
        let (results, errors): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        if let Some(error) = summarise(errors.into_iter().filter_map(Result::err).collect()) {
            return Err(error);
        }
        if progress.interruptible {
            self.stop.check()?
        } else {
            self.stop.check_lock()?
        }
        Ok(results.into_iter().filter_map(Result::ok).collect())
    }
}

fn summarise(mut errors: Vec<PhaseError>) -> Option<PhaseError> {
    let others = errors.len().checked_sub(1)?;
    match errors.swap_remove(0) {
        PhaseError::Api(source) if others > 0 => Some(PhaseError::Several {
            others,
            first: source.to_string(),
            source: Box::new(source),
        }),
        first => Some(first),
    }
}

/// Progress of a phase over several calls of [`Run::each`].
#[derive(Debug)]
pub struct Progress {
    done: AtomicUsize,
    total: usize,
    interruptible: bool,
}

impl Progress {
    /// For `total` items; a request to stop is honoured.
    pub fn of(total: usize) -> Self {
        Self { done: AtomicUsize::new(0), total, interruptible: true }
    }

    /// For a phase that must be carried through, whatever the user asks for.
    #[must_use]
    pub fn carried_through(mut self) -> Self {
        self.interruptible = false;
        self
    }

    fn step(&self, events: &Events) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        events.progress(done, self.total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_side_that_could_not_be_held_is_not_held_in_any_clone_of_the_run() {
        let run = crate::panic_tests::run().await.holding(&[Role::Source, Role::Target]);
        let clone = run.clone();
        assert!(clone.holds(Role::Source));
        run.gives_up_hold(Role::Source);
        assert!(!clone.holds(Role::Source) && clone.holds(Role::Target));
        assert!(clone.holding(&[Role::Source]).holds(Role::Source), "it is another hold");
    }
}
