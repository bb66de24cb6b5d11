//! Keeping the Leases of both clusters for as long as a run lasts.

#![expect(
    clippy::indexing_slicing,
    reason = "Leases are known by their place in the list that was taken"
)]
//!
//! Each Lease is renewed by a task of its own, so that one API server that is away does not starve
//! the other Lease. Together they move on the gate that every write of the run passes: it is open
//! as long as both Leases last, by a clock that runs on while the machine sleeps, counted from
//! before the renewal was sent.
//!
//! ```text
//!            renewed                    renewed
//!   open ──────────────▶ open … lapsed ─────────▶ open      writers wait while it is lapsed
//!     │                           │
//!     └── another holder ─────────┴── another holder, or not renewed for `patience` ──▶ closed
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use capi::{Chosen, Graph};
use cluster::{Client, Gate, Moment, RetryPolicy, sleep_until};
use support::journal::Events;
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinSet;

use super::lease::{self, Lease, LockError};
use super::terms::Terms;
use crate::batches::Batches;
use crate::controllers::{Hold, give_back_all};
use crate::error::PhaseError;
use crate::ledger::{self, Page};
use crate::record::{IllegalStep, Operation, Phase, Record, Role, Step};
use crate::run::{Run, Stop};

/// Pause after a renewal that failed.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The lock of a run on all its clusters. Renewed in the background until it is let go; if it is
/// dropped before that, its clusters take no more writes.
pub struct Lock {
    kept: Arc<Kept>,
    renewals: JoinSet<()>,
    epoch: u64,
    /// The leader Leases of controllers that the run holds.
    holds: Mutex<Vec<Hold>>,
    /// Set when those of the target are to run out, and are not given back.
    target_runs_out: AtomicBool,
}

/// A moment until which the gate of a lock is open at most, beside the times of its Leases. It
/// counts until it is dropped.
pub(crate) struct Condition {
    kept: Arc<Kept>,
    index: usize,
}

impl Condition {
    /// Moves the moment on.
    pub(crate) fn extend_to(&self, until: Moment) {
        self.kept.set_condition(self.index, Some(until));
    }

    /// The condition has failed: the run writes nothing more.
    pub(crate) fn lose(&self) {
        self.kept.lose();
    }
}

impl Drop for Condition {
    fn drop(&mut self) {
        self.kept.set_condition(self.index, None);
    }
}

/// One Lease of a run.
pub(super) struct Held {
    /// The cluster as the run writes to it.
    pub(super) guarded: Client,
    /// The same for the Lease, past the gate.
    pub(super) cluster: Client,
    pub(super) lease: Lease,
    pub(super) record: Record,
    /// True if the Lease had no record of this run before.
    pub(super) is_new: bool,
    /// When the last renewal that succeeded was sent.
    pub(super) renewed: Moment,
}

impl Held {
    /// Renews the Lease with a record.
    pub(super) async fn write(&mut self, record: Record) -> Result<(), LockError> {
        let cluster = self.cluster.clone();
        self.write_over(&cluster, record).await
    }

    fn namespace(&self) -> String {
        self.lease.object.namespace().unwrap_or_default().to_owned()
    }

    /// Removes the list of the copies. A rollback that is over says first that it needs the list no
    /// more, so that a missing list never passes for one without copies.
    async fn forget_copies(&mut self) -> Result<(), LockError> {
        if self.record.role != Role::Target || self.record.operation != Operation::Move {
            return Ok(());
        }
        let is_listed = !self.record.copies.is_empty();
        if is_listed && self.record.phase != Phase::Finished {
            self.write(Record { copies: Vec::new(), ..self.record.clone() }).await?;
        }
        match ledger::remove(&self.cluster, &self.namespace(), &self.record.run).await {
            // Runs of older programs have no list, and their users may have no right to look for
            // one.
            Err(error) if error.is_forbidden() && !is_listed => Ok(()),
            other => Ok(other?),
        }
    }

    async fn write_over(&mut self, cluster: &Client, record: Record) -> Result<(), LockError> {
        let begun = Moment::now();
        self.lease = lease::renew(cluster, &self.lease, &record).await?;
        self.record = record;
        self.renewed = begun;
        Ok(())
    }
}

/// State that the tasks share.
struct Kept {
    /// The target last.
    leases: Vec<Mutex<Held>>,
    /// When each was renewed, to be read while a renewal is under way.
    renewed: std::sync::Mutex<Vec<Moment>>,
    /// Until when other conditions keep the gate open; `None` for what counts no more.
    conditions: std::sync::Mutex<Vec<Option<Moment>>>,
    gate: Gate,
    terms: Terms,
    stop: Stop,
    events: Events,
}

impl Lock {
    /// Renews Leases that were taken, and puts the gate before the writes to their clusters.
    pub(super) fn keep(held: Vec<Held>, terms: Terms, run: &Run) -> Self {
        let renewed: Vec<Moment> = held.iter().map(|one| one.renewed).collect();
        let first = renewed.iter().min().copied().unwrap_or_else(Moment::now);
        let gate = Gate::open_until(terms.deadline(first));
        for one in &held {
            one.guarded.guard(Some(gate.clone()));
        }
        let epoch = held.iter().map(|one| one.record.epoch).max().unwrap_or_default();
        let kept = Arc::new(Kept {
            renewed: std::sync::Mutex::new(renewed),
            conditions: std::sync::Mutex::default(),
            leases: held.into_iter().map(Mutex::new).collect(),
            gate,
            terms,
            stop: run.stop.clone(),
            events: run.events.clone(),
        });
        let mut renewals = JoinSet::new();
        for index in 0..kept.leases.len() {
            let kept = Arc::clone(&kept);
            renewals.spawn(async move { kept.renew(index).await });
        }
        let (holds, target_runs_out) = (Mutex::default(), AtomicBool::new(false));
        Self { kept, renewals, epoch, holds, target_runs_out }
    }

    /// The times of its Leases.
    pub(crate) fn terms(&self) -> Terms {
        self.kept.terms
    }

    /// From now on the gate is open until this moment at most.
    pub(crate) fn condition(&self, until: Moment) -> Condition {
        let index = {
            let mut all = self.kept.conditions.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(None);
            all.len() - 1
        };
        let condition = Condition { kept: Arc::clone(&self.kept), index };
        condition.extend_to(until);
        condition
    }

    /// Holds the controllers of those of these sides that the run is to hold, one after the other,
    /// unless it does already.
    ///
    /// A hold may be given up only while the run is preparing: what comes later was planned for
    /// controllers that stand still.
    ///
    /// # Errors
    /// When a side cannot be held, and the run may not continue without.
    pub(crate) async fn hold_controllers(
        &self,
        run: &Run,
        sides: &[Role],
    ) -> Result<(), PhaseError> {
        let mut holds = self.holds.lock().await;
        for role in sides.iter().copied() {
            if !run.holds(role) || holds.iter().any(|one| one.role == role) {
                continue;
            }
            match Hold::take(run, self, role).await {
                Ok(hold) => {
                    run.events.note(format!(
                        "holds {} leader Leases of controllers in the {role} until the run ends",
                        hold.count()
                    ));
                    holds.push(hold);
                }
                Err(error) if run.options.hold_is_optional && is_of_hold(&error) => {
                    if self.phase().await != Phase::Preparing {
                        return Err(error);
                    }
                    run.events.warning(format!("{error}; the move continues without"));
                    run.gives_up_hold(role);
                    self.record_unheld(role).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A process that resumes the run continues without that hold, too.
    async fn record_unheld(&self, role: Role) -> Result<(), PhaseError> {
        for index in 0..self.kept.leases.len() {
            let written = self.kept.write(index, |record| record.clone().without_hold(role)).await;
            written.map_err(Box::new)?;
        }
        Ok(())
    }

    /// Returns whether the controllers of a side are held now.
    pub(crate) async fn holds(&self, role: Role) -> bool {
        self.holds.lock().await.iter().any(|hold| hold.role == role)
    }

    /// A create may be on its way to the target yet, whose controllers would act on the copy: they
    /// stay away until their Leases have run out.
    pub(crate) fn let_target_run_out(&self) {
        self.target_runs_out.store(true, Ordering::Relaxed);
    }

    /// Gives the controllers their Leases back, those of the target last; also what an earlier
    /// process of the run has taken, and this one did not need.
    pub(crate) async fn give_controllers_back(&self) {
        let mut holds: Vec<Hold> = self.holds.lock().await.drain(..).collect();
        for one in &self.kept.leases {
            let (cluster, record) = {
                let one = one.lock().await;
                (one.guarded.clone(), one.record.clone())
            };
            let own = holds.iter().position(|hold| hold.role == record.role);
            let own = own.map(|index| holds.swap_remove(index));
            if own.is_none() && !record.holds.contains(&record.role) {
                continue;
            }
            if record.role == Role::Target && self.target_runs_out.load(Ordering::Relaxed) {
                self.tell_of_held(&[Role::Target], "a copy may still be on its way to the target");
                continue;
            }
            match own {
                Some(hold) => hold.give_back().await,
                None => give_back_all(&cluster, &record.run).await,
            }
        }
    }

    /// Says that controllers stand still after the end of this process.
    fn tell_of_held(&self, sides: &[Role], reason: &str) {
        let sides: Vec<String> = sides.iter().map(ToString::to_string).collect();
        if !sides.is_empty() {
            self.kept.events.warning(format!(
                "the controllers of the {} stand still until their leader Leases run out, for at \
                 most {} s: {reason}",
                sides.join(" and of the "),
                self.kept.terms.hold().as_secs()
            ));
        }
    }

    /// Returns the number of times that a process has taken the lock for this run: higher than for
    /// every process before.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The record that decides: the target's.
    pub async fn record(&self) -> Record {
        self.deciding().await.record.clone()
    }

    /// The phase the run is in, by the record that decides.
    pub async fn phase(&self) -> Phase {
        self.deciding().await.record.phase
    }

    /// The namespace of the Lease whose record decides.
    pub async fn namespace(&self) -> String {
        self.deciding().await.namespace()
    }

    async fn deciding(&self) -> MutexGuard<'_, Held> {
        let target = self.kept.leases.last().expect("a lock has at least one Lease");
        target.lock().await
    }

    /// Writes the phase after a step to every cluster. The record of the target decides: forward it
    /// is written last, when all is done; a rollback writes it first, so that nobody can carry the
    /// move on any more.
    ///
    /// # Errors
    /// When the step is out of order, or a lease is lost.
    pub async fn advance(&self, step: Step) -> Result<Phase, AdvanceError> {
        self.advance_with(step, |record| record).await
    }

    /// Continues with the hand-over, with the list of the copies.
    ///
    /// # Errors
    /// As [`Lock::advance`].
    pub async fn copies_verified(
        &self,
        copies: &[Page],
        graph: &Graph,
    ) -> Result<Phase, AdvanceError> {
        let choice = |chosen: Chosen| chosen.with_along(graph.along());
        let listed = |record: Record| Record {
            copies: copies.to_vec(),
            choice: record.choice.clone().map(choice),
            batches: record.batches.clone().map(|batches| batches.freezing(graph)),
            ..record
        };
        self.advance_with(Step::CopiesVerified, listed).await
    }

    /// Begins the next batch of a run: nothing of the one that is over is left to do. Its number is
    /// written with its Clusters, the target's record last, and under an epoch of its own, so that
    /// what is still on its way is known to be of before.
    ///
    /// # Errors
    /// When no batch is over, a request fails, or a lease is lost.
    pub async fn next_batch(&mut self) -> Result<(), AdvanceError> {
        let record = self.record().await;
        let phase = record.phase.next_batch()?;
        let Some(next) = record.batches.as_ref().and_then(Batches::next) else { return Ok(()) };
        for one in &self.kept.leases {
            one.lock().await.forget_copies().await?;
        }
        self.epoch = record.epoch + 1;
        let epoch = self.epoch;
        for index in 0..self.kept.leases.len() {
            let change = |record: &Record| Record {
                phase,
                epoch,
                choice: next.choice(),
                batches: Some(next.clone()),
                copies: Vec::new(),
                ..record.clone()
            };
            self.kept.write(index, change).await?;
        }
        Ok(())
    }

    async fn advance_with(
        &self,
        step: Step,
        change: impl Fn(Record) -> Record,
    ) -> Result<Phase, AdvanceError> {
        let phase = self.phase().await.after(step)?;
        let mut order: Vec<usize> = (0..self.kept.leases.len()).collect();
        if step == Step::RollbackStarted {
            order.reverse();
        }
        for index in order {
            self.kept.write(index, |record| Record { phase, ..change(record.clone()) }).await?;
        }
        Ok(phase)
    }

    /// Ends the run: the leases and their records are removed, the target's last, after the list of
    /// copies.
    ///
    /// # Errors
    /// When a request fails.
    pub async fn finish(self) -> Result<(), LockError> {
        self.give_controllers_back().await;
        let mut held = self.into_held().await;
        for one in &mut held {
            one.forget_copies().await?;
        }
        for one in held {
            lease::remove(&one.cluster, &one.lease).await?;
        }
        Ok(())
    }

    /// Lets the leases go and leaves the records, so that the run can be resumed at once. The
    /// Leases of controllers run out: given back now, controllers that ignore a pause would work
    /// on objects that are in both clusters. Until then a process that resumes the run finds them
    /// as they are.
    pub async fn leave(self) {
        let sides: Vec<Role> = self.holds.lock().await.iter().map(|hold| hold.role).collect();
        self.tell_of_held(&sides, "`resume` or `rollback` gives them back");
        for one in self.into_held().await {
            // Failing that, the lease runs out.
            let _ = lease::let_go(&one.cluster, &one.lease, &one.record).await;
        }
    }

    /// Ends the renewals and takes the gate away, unless it was closed: what lost its lock writes
    /// nothing more.
    pub(super) async fn into_held(mut self) -> Vec<Held> {
        self.renewals.shutdown().await;
        let mut held = Vec::new();
        for one in &self.kept.leases {
            let one = one.lock().await;
            if !self.kept.gate.is_closed() {
                one.guarded.guard(None);
            }
            held.push(Held {
                guarded: one.guarded.clone(),
                cluster: one.cluster.clone(),
                lease: one.lease.clone(),
                record: one.record.clone(),
                ..*one
            });
        }
        held
    }
}

/// Returns whether an error is about the controllers, and not about the run.
fn is_of_hold(error: &PhaseError) -> bool {
    matches!(error, PhaseError::NotHeld { .. } | PhaseError::Api(_))
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nobody renews any more. A run that ends in order takes the gate away before.
        self.kept.gate.close();
    }
}

/// Errors of the step to the next phase.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// The step is out of order.
    #[error(transparent)]
    Illegal(#[from] IllegalStep),
    /// The lock.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// The result of one attempt at a renewal.
enum Renewal {
    Done,
    /// The Lease has another holder, or is gone.
    Lost,
    /// It may be renewed yet.
    Failed,
}

impl Kept {
    /// Renews one Lease until the lock is lost.
    async fn renew(&self, index: usize) {
        // Since when the gate waits for this Lease. By the clock that stands still in a sleep, so
        // that a machine that wakes up has its whole patience left.
        let mut waiting: Option<Instant> = None;
        loop {
            let due = self.leases[index].lock().await.renewed + self.terms.renew_interval();
            sleep_until(due).await;
            match self.renew_once(index).await {
                Renewal::Done => {
                    waiting = None;
                    continue;
                }
                Renewal::Lost => return self.lose(),
                Renewal::Failed => {}
            }
            if self.deadline(index).left().is_zero() {
                if waiting.is_none() {
                    self.warn(index).await;
                }
                if waiting.get_or_insert_with(Instant::now).elapsed() >= self.terms.patience() {
                    return self.lose();
                }
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Sends one renewal; a run that was suspended sees by it whether the Lease is still its own.
    async fn renew_once(&self, index: usize) -> Renewal {
        let mut held = self.leases[index].lock().await;
        let once = RetryPolicy::once();
        let cluster = held.cluster.clone().with_retry(once);
        let record = held.record.clone();
        // Credentials may be read again on the way, by a program that does not end.
        let written = held.write_over(&cluster, record);
        match tokio::time::timeout(self.terms.lasts, written).await {
            Ok(Ok(())) => {
                self.note_renewal(index, held.renewed);
                Renewal::Done
            }
            Ok(Err(LockError::Lost { .. })) => Renewal::Lost,
            Ok(Err(_)) | Err(_) => Renewal::Failed,
        }
    }

    async fn warn(&self, index: usize) {
        let held = self.leases[index].lock().await;
        self.events.warning(format!(
            "the lock on the {} cluster could not be renewed in time; nothing is written until it \
             is, for up to {} s",
            held.cluster.name(),
            self.terms.patience().as_secs()
        ));
    }

    /// Writes a changed record.
    async fn write(
        &self,
        index: usize,
        change: impl Fn(&Record) -> Record,
    ) -> Result<(), LockError> {
        let mut held = self.leases[index].lock().await;
        let record = change(&held.record);
        let written = held.write(record).await;
        match written {
            Ok(()) => self.note_renewal(index, held.renewed),
            Err(LockError::Lost { .. }) => self.lose(),
            Err(_) => {}
        }
        written
    }

    /// Keeps the gate open until the first of the Leases is about to expire.
    fn note_renewal(&self, index: usize, renewed: Moment) {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner)[index] = renewed;
        self.open();
    }

    fn set_condition(&self, index: usize, until: Option<Moment>) {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner)[index] = until;
        self.open();
    }

    /// Opens the gate until the first of all moments. One after the other, so that no older moment
    /// comes last.
    fn open(&self) {
        let renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        let conditions = self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        let leases = renewed.iter().map(|renewed| self.terms.deadline(*renewed));
        if let Some(first) = leases.chain(conditions.iter().copied().flatten()).min() {
            self.gate.extend_to(first);
        }
    }

    /// Until when a Lease allows writes.
    fn deadline(&self, index: usize) -> Moment {
        let all = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        self.terms.deadline(all[index])
    }

    /// From now on nothing is written: another run may have begun.
    fn lose(&self) {
        self.stop.lose_lock();
        self.gate.close();
    }
}
