//! A move in batches: one transaction after the other, under one lock and one id.
//!
//! The record of the run names all batches from the first write on. Between two batches nothing is
//! in flight: the one is over, and the other has written nothing yet.

use std::time::Duration;

use capi::Graph;
use support::journal::RunEvent;

use super::available::wait_until_available;
use super::batches::{Batches, group};
use super::choice::Choice;
use super::error::{MoveError, PhaseError};
use super::findings::Findings;
use super::lease_location::{locations, locked};
use super::lock::Lock;
use super::mover::{carry_out, plan};
use super::record::Operation;
use super::report::{BatchCourse, Outcome, Report};
use super::run::Run;
use super::units::{Tied, units_for_batches};

/// Plans the batches of a move; `None` when one is enough, or the user wants no more.
pub(super) fn plan_batches(run: &Run, graph: &Graph, findings: &mut Findings) -> Option<Batches> {
    let size = run.options.batch_size?;
    let units = units_for_batches(graph);
    for unit in units.iter().filter(|unit| unit.clusters.len() > size) {
        warn_of_large(unit, size, findings);
    }
    let units = units.into_iter().map(|unit| unit.clusters).collect();
    let plan = group(units, size);
    let choice = run.options.choice.fixed();
    let batches = Batches {
        takes_rest: choice.is_none(),
        copy_shared: choice.is_some_and(|choice| choice.copy_shared),
        pause_seconds: run.options.pause_between.as_secs(),
        wait_available_seconds: run.options.wait_available.as_secs(),
        stop_after: run.options.stop_after,
        plan,
        ..Batches::default()
    };
    batches.has_next().then_some(batches)
}

fn warn_of_large(unit: &Tied, size: usize, findings: &mut Findings) {
    let ties = unit.by.iter().map(ToString::to_string).collect::<Vec<_>>();
    let message = format!(
        "{} Clusters have to move together, more than the {size} of a batch: {} ties them",
        unit.clusters.len(),
        super::findings::shortened(ties.into_iter(), 3)
    );
    let hint = "they are a batch of their own, and are paused for as long as it takes; `kubectl \
                pivot plan` shows them";
    findings.warning("UnitExceedsBatch", "source", message, hint);
}

/// Takes the lock of a run in batches and moves them. Returns whether all have moved.
pub(super) async fn execute(
    run: &Run,
    batches: Batches,
    report: &mut Report,
) -> Result<Outcome, MoveError> {
    report.begin_batches();
    let first = of_batch(run, &batches);
    let lock =
        Lock::acquire(locations(&first, None).await?, false, &first).await.map_err(locked)?;
    run.begun(Operation::Move, run.source.server(), run.target.server());
    let lock = one(run, lock, report).await?;
    continue_with_next(run, lock, report).await
}

/// Moves the batches after the one that is over, if there are any. Returns whether all have moved.
pub(super) async fn continue_with_next(
    run: &Run,
    mut lock: Option<Lock>,
    report: &mut Report,
) -> Result<Outcome, MoveError> {
    while let Some(mut held) = lock {
        let Some(batches) = held.record().await.batches else { return Ok(Outcome::Moved) };
        report.batches = batches.courses(BatchCourse::Moved);
        if batches.stops_now() {
            return stop(held).await;
        }
        if let Err(source) = wait_until_available(run, &batches).await
            && !run.stop.is_requested()
            && !run.stop.is_lock_lost()
            && let Some(next) = batches.next()
        {
            return Err(end(held, &next, ("wait for the Clusters that have moved", source)).await);
        }
        run.stop.wait(Duration::from_secs(batches.pause_seconds)).await;
        if run.stop.is_requested() && !run.stop.is_lock_lost() {
            let Some(next) = batches.next() else { return Ok(Outcome::Moved) };
            let failed = ("begin", PhaseError::Interrupted);
            return Err(end(held, &next, failed).await);
        }
        if let Some(next) = batches.next() {
            run.events.record(next.event());
        }
        if let Err(error) = held.next_batch().await {
            let (doing, source) = ("begin the next batch", PhaseError::from(Box::new(error)));
            let is_lost = run.stop.is_lock_lost();
            held.leave().await;
            return Err(match is_lost {
                true => MoveError::LockLost { doing, source },
                false => MoveError::Unfinished { doing, source },
            });
        }
        lock = one(run, held, report).await?;
    }
    Ok(Outcome::Moved)
}

/// Ends a run whose user wants no more batches for now.
async fn stop(lock: Lock) -> Result<Outcome, MoveError> {
    match lock.finish().await {
        Ok(()) => Ok(Outcome::PartlyMoved),
        Err(error) => Err(MoveError::Unfinished {
            doing: "remove its record",
            source: Box::new(error).into(),
        }),
    }
}

/// The run as it is about the batch in flight.
fn of_batch(run: &Run, batches: &Batches) -> Run {
    let mut run = run.clone();
    run.options.choice = batches.choice().map_or(Choice::All, Choice::Fixed);
    run.options.batches = Some(batches.clone());
    run.options.batch_size = None;
    run
}

/// Moves the batch in flight, of which nothing was written yet. Returns the lock as long as batches
/// are left.
async fn one(run: &Run, lock: Lock, report: &mut Report) -> Result<Option<Lock>, MoveError> {
    let batches = lock.record().await.batches.unwrap_or_default();
    let run = &of_batch(run, &batches);
    report.batches = batches.courses(BatchCourse::InFlight);
    run.events.note(batches.announcement());
    let (preflight, mut planned) = match plan(run).await {
        Ok((preflight, planned)) if preflight.findings.has_errors() => {
            report.absorb(planned);
            report.batches = batches.courses(BatchCourse::ToCome);
            let failed = ("check", PhaseError::Unmovable(preflight.findings));
            return Err(end(lock, &batches, failed).await);
        }
        Ok(planned) => planned,
        Err(MoveError::Unprepared(PhaseError::Interrupted)) if batches.current > 0 => {
            return Err(end(lock, &batches, ("check", PhaseError::Interrupted)).await);
        }
        // The cluster may be back soon.
        Err(MoveError::Unprepared(source)) if batches.current > 0 => {
            lock.leave().await;
            return Err(MoveError::Unfinished { doing: "check the next batch", source });
        }
        Err(error) => {
            let _ = lock.finish().await;
            return Err(error);
        }
    };
    let moved = carry_out(run, lock, preflight, &mut planned).await;
    report.absorb(planned);
    match moved {
        Ok(lock) => {
            report.batches = batches.courses(BatchCourse::Moved);
            Ok(lock)
        }
        Err(MoveError::Undone { doing, source }) => {
            report.batches = batches.courses(BatchCourse::RolledBack);
            Err(partly((doing, source), &batches))
        }
        Err(error) => Err(error),
    }
}

/// Ends a run before a batch that has written nothing.
async fn end(lock: Lock, batches: &Batches, failed: (&'static str, PhaseError)) -> MoveError {
    match lock.finish().await {
        Ok(()) => not_begun(failed, batches),
        Err(error) => {
            let source = Box::new(error).into();
            MoveError::Unfinished { doing: "remove its record", source }
        }
    }
}

/// The error of a batch that has not begun. The first one is refused as a move without batches is.
fn not_begun(failed: (&'static str, PhaseError), batches: &Batches) -> MoveError {
    match failed {
        (_, PhaseError::Unmovable(findings)) if batches.current == 0 => {
            MoveError::Refused(findings)
        }
        failed => partly(failed, batches),
    }
}

/// The error of a batch that was put back, or has not begun.
pub(super) fn partly((doing, source): (&'static str, PhaseError), batches: &Batches) -> MoveError {
    let count = |clusters: usize| u32::try_from(clusters).unwrap_or(u32::MAX);
    let moved = batches.moved().count();
    match source {
        source if moved == 0 => MoveError::Undone { doing, source },
        source => MoveError::PartlyMoved {
            moved: count(moved),
            left: count(batches.all().count() - moved),
            batch: batches.position().into(),
            doing,
            source,
        },
    }
}

impl Batches {
    fn event(&self) -> RunEvent {
        RunEvent::BatchStarted { batch: self.current + 1, batches: self.plan.len() }
    }

    fn announcement(&self) -> String {
        let (moved, all) = (self.moved().count(), self.all().count());
        let own = self.own().count();
        let to_come = all - moved - own;
        format!(
            "batch {}: {own} Clusters; {moved} have moved, {to_come} are to come",
            self.position()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_first_batch_that_has_written_nothing_is_refused() {
        let cluster = |name: &str| vec![("n".to_owned(), name.to_owned())];
        let first =
            Batches { plan: group(vec![cluster("a"), cluster("b")], 1), ..Batches::default() };
        let second = first.next().expect("two batches");
        let failed = || ("check", PhaseError::Unmovable(Findings::default()));
        assert!(matches!(not_begun(failed(), &first), MoveError::Refused(_)));
        assert!(matches!(partly(failed(), &first), MoveError::Undone { .. }), "it was paused");
        for error in [not_begun(failed(), &second), partly(failed(), &second)] {
            assert!(matches!(error, MoveError::PartlyMoved { moved: 1, left: 1, .. }), "{error}");
        }
    }
}
