//! Rolling back a move whose records are gone: somebody has removed the Leases, or restored an etcd
//! from before them.
//!
//! The marks on the objects suffice as long as nothing was deleted from the source. Once copies are
//! handed over, only the list of copies can prove that.

use std::collections::BTreeSet;

use capi::names::{COPIES_OF_LABEL, PAUSED_BY_ANNOTATION, RUN_ANNOTATION};

use super::controllers::held_by;
use super::discover::{MoveScope, list_everywhere_or_in};
use super::error::{MoveError, PhaseError};
use super::exposure;
use super::inventory;
use super::lease_location::{locations, lock_namespace, locked};
use super::ledger;
use super::lock::Lock;
use super::marks::{Mark, Unread, marks};
use super::preflight::survey;
use super::record::{Phase, Record, Role};
use super::recover::{as_recorded, find, put_back_locked};
use super::run::Run;

/// Tells how a run that has begun to delete comes to its end.
const FORWARD: &str = "finish the move by hand: check that the target holds every object; in the \
                       source, where all of them are paused, remove the finalizers of the \
                       remaining objects and delete them; then resume the Clusters of the target \
                       (spec.paused, annotation cluster.x-k8s.io/paused)";

/// Puts a move back that has left marks in both clusters and a record in neither.
///
/// # Errors
/// When there is a record or there are no marks, objects may have been deleted from the source, or
/// a request fails.
pub async fn rollback_from_marks(run: &Run, force: bool) -> Result<Record, MoveError> {
    let found = find(&run.source, &run.target).await.map_err(MoveError::Unprepared)?;
    if let Some(record) = found.record() {
        return Err(MoveError::NoRun(format!(
            "the record of the {} {} is still there: run the command without --from-marks",
            record.operation, record.run
        )));
    }
    exposure::warn(run);
    let record = record(run).await?;
    run.options.take_over.confirm(&record, run.server_of(record.role), None)?;
    let run = as_recorded(run, &record);
    let (move_scope, ..) = survey(&run).await.map_err(MoveError::Unprepared)?;
    refuse_if_deleted(&run, &move_scope, &record).await?;
    let locations = locations(&run, Some(&record)).await?;
    let lock = Lock::acquire(locations, force, &run).await.map_err(locked)?;
    put_back_locked(&run, lock, record, &move_scope).await
}

/// Returns the record of the run whose marks are in the two clusters, as far as they tell.
async fn record(run: &Run) -> Result<Record, MoveError> {
    let (source, target) =
        tokio::try_join!(marks(&run.source), marks(&run.target)).map_err(MoveError::Unprepared)?;
    refuse_if_unread(source.unread.iter().chain(&target.unread))?;
    let (source, mut target) = (source.found, target.found);
    drop_lists_of_others(&source, &mut target);
    let id = the_run(source.iter().chain(&target))?;
    let providers = inventory::read(&run.target).await.map_err(unprepared)?;
    let pages = ledger::find(&run.target, &lock_namespace(&providers), &id).await;
    let pages = pages.map_err(unprepared)?;
    if pages.is_empty() && is_handed_over(&target, &id) {
        return Err(MoveError::MarksDoNotSuffice {
            problem: format!(
                "the run {id} has handed copies over, and its list of them is gone: objects may \
                 have been deleted from the source"
            ),
            hint: FORWARD,
        });
    }
    let phase = match (pages.is_empty(), is_active(&target, &id)) {
        (true, _) => Phase::Preparing,
        (false, false) => Phase::HandingOver,
        // The target may have changed since: it is compared first.
        (false, true) => Phase::Left,
    };
    let new = Record::new(&id, Role::Target, &run.options.namespaces, run.source.server());
    // A request of a process that nobody knows of may be on its way: as after a take-over.
    let leaves = phase == Phase::Left;
    let holds = held_sides(run, &id).await;
    Ok(Record { phase, leaves, holds, copies: pages, epoch: 1, ..new })
}

/// Returns the sides whose controllers a run holds still. Where that cannot be read, their Leases
/// run out.
async fn held_sides(run: &Run, id: &str) -> Vec<Role> {
    let mut held = Vec::new();
    for (cluster, role) in [(&run.source, Role::Source), (&run.target, Role::Target)] {
        if held_by(cluster, id).await.is_ok_and(|leases| !leases.is_empty()) {
            held.push(role);
        }
    }
    held
}

/// Returns true if no copy in the target has a mark of the run: they work there, as after a
/// replacement.
fn is_active(target: &[Mark], run: &str) -> bool {
    let of_copies = |mark: &&Mark| mark.mark == RUN_ANNOTATION || mark.mark == PAUSED_BY_ANNOTATION;
    !target.iter().filter(of_copies).any(|mark| mark.run.as_deref() == Some(run))
}

/// Refuses to go by marks where some may be out of sight.
fn refuse_if_unread<'a>(mut unread: impl Iterator<Item = &'a Unread>) -> Result<(), MoveError> {
    let Some(first) = unread.next() else { return Ok(()) };
    Err(MoveError::MarksDoNotSuffice {
        problem: format!(
            "{} ({}) cannot be listed: {}",
            first.kind, first.api_version, first.problem
        ),
        hint: "there may be marks on objects of this kind; make them readable and try again",
    })
}

/// The lists of replacements from other sources into the same target are no concern of this source.
fn drop_lists_of_others(source: &[Mark], target: &mut Vec<Mark>) {
    let here: BTreeSet<&str> = source.iter().filter_map(|mark| mark.run.as_deref()).collect();
    let is_of_others = |mark: &Mark| {
        let is_here = mark.run.as_deref().is_none_or(|run| here.contains(run));
        mark.mark == COPIES_OF_LABEL && !is_here
    };
    target.retain(|mark| here.is_empty() || !is_of_others(mark));
}

/// Returns the one run that marks tell of.
fn the_run<'a>(marks: impl Iterator<Item = &'a Mark>) -> Result<String, MoveError> {
    let runs: BTreeSet<&str> = marks.filter_map(|mark| mark.run.as_deref()).collect();
    match runs.iter().copied().collect::<Vec<_>>()[..] {
        [run] => Ok(run.to_owned()),
        [] => Err(MoveError::NoRun("no mark of a move was found in these two clusters".to_owned())),
        ref several => Err(MoveError::MarksDoNotSuffice {
            problem: format!("there are marks of several runs: {}", several.join(", ")),
            hint: "find out which of them was interrupted; remove the marks of the others from the \
                   objects that `kubectl pivot status -o json` lists",
        }),
    }
}

/// Returns whether the target has an object that the run has paused and does not know as its copy
/// any more.
fn is_handed_over(target: &[Mark], run: &str) -> bool {
    let of_run = || target.iter().filter(|mark| mark.run.as_deref() == Some(run));
    let copies: BTreeSet<_> =
        of_run().filter(|mark| mark.mark == RUN_ANNOTATION).map(|mark| &mark.object).collect();
    of_run().any(|mark| mark.mark == PAUSED_BY_ANNOTATION && !copies.contains(&mark.object))
}

/// Refuses to roll a run back whose originals are not all there.
async fn refuse_if_deleted(
    run: &Run,
    move_scope: &MoveScope,
    record: &Record,
) -> Result<(), MoveError> {
    let kept = async {
        let providers = inventory::read(&run.target).await?;
        let namespace = lock_namespace(&providers);
        let ledger = ledger::read(&run.target, &namespace, &record.copies).await?;
        let ledger = ledger.ok_or(PhaseError::NoLedger)?;
        let listed = list_everywhere_or_in(&run.source, move_scope, &ledger.namespaces()).await?;
        Ok(ledger.removable(move_scope, &listed).kept)
    };
    match kept.await.map_err(MoveError::Unprepared)?.first() {
        None => Ok(()),
        Some(first) => Err(MoveError::MarksDoNotSuffice {
            problem: format!(
                "{first} was copied by the run {} and is gone from the source; the target may hold \
                 the last copies",
                record.run
            ),
            hint: FORWARD,
        }),
    }
}

fn unprepared(error: cluster::ApiError) -> MoveError {
    MoveError::Unprepared(error.into())
}

#[cfg(test)]
mod tests {
    use capi::ObjectId;

    use super::*;

    fn mark(name: &str, mark: &'static str, run: Option<&str>) -> Mark {
        let object = ObjectId {
            api_version: "g.io/v1".to_owned(),
            kind: "Thing".to_owned(),
            namespace: None,
            name: name.to_owned(),
        };
        Mark { object, mark, run: run.map(str::to_owned), is_being_deleted: false }
    }

    #[test]
    fn marks_tell_of_one_run_or_of_none() {
        let of = |runs: &[Option<&str>]| {
            let marks: Vec<Mark> = runs.iter().map(|run| mark("a", RUN_ANNOTATION, *run)).collect();
            the_run(marks.iter()).map_err(|error| error.to_string())
        };
        assert_eq!(of(&[Some("r"), None, Some("r")]), Ok("r".to_owned()));
        assert!(of(&[None]).expect_err("no run").contains("no mark"));
        assert!(of(&[Some("r"), Some("s")]).expect_err("two").contains("several runs: r, s"));
    }

    #[test]
    fn lists_of_replacements_from_other_sources_do_not_count() {
        let list = |run| mark("list", COPIES_OF_LABEL, Some(run));
        let left = |source: &[Mark]| {
            let mut target = vec![list("r"), list("s"), mark("a", RUN_ANNOTATION, Some("t"))];
            drop_lists_of_others(source, &mut target);
            target.into_iter().filter_map(|mark| mark.run).collect::<Vec<_>>()
        };
        assert_eq!(left(&[mark("a", PAUSED_BY_ANNOTATION, Some("r"))]), ["r", "t"]);
        assert_eq!(left(&[]), ["r", "s", "t"]);
    }

    #[test]
    fn copies_without_marks_work_in_the_target() {
        let listed = || mark("list", COPIES_OF_LABEL, Some("r"));
        assert!(is_active(&[listed(), mark("a", RUN_ANNOTATION, Some("other"))], "r"));
        for of_copy in [RUN_ANNOTATION, PAUSED_BY_ANNOTATION] {
            assert!(!is_active(&[listed(), mark("a", of_copy, Some("r"))], "r"), "{of_copy}");
        }
    }

    #[test]
    fn a_paused_object_that_is_no_copy_any_more_was_handed_over() {
        let copy = |name| mark(name, RUN_ANNOTATION, Some("r"));
        let paused = |name| mark(name, PAUSED_BY_ANNOTATION, Some("r"));
        assert!(!is_handed_over(&[copy("a"), paused("a"), copy("b")], "r"));
        assert!(is_handed_over(&[copy("a"), paused("a"), paused("b")], "r"));
        assert!(!is_handed_over(&[mark("b", PAUSED_BY_ANNOTATION, Some("other"))], "r"));
    }
}
