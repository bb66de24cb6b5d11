//! `restore` and `--from-directory`: the objects of the files into the target.

use std::collections::HashMap;

use capi::Object;
use support::panics;

use super::plan_load::{LoadPlan, list_target};
use crate::classes::copy_classes;
use crate::copy::{Copies, copy};
use crate::error::{MoveError, PhaseError};
use crate::hand_over::hand_over_copies;
use crate::lease_location::lock_single_cluster;
use crate::lock::Lock;
use crate::mover::{Clock, Failed, caught};
use crate::namespaces;
use crate::pause;
use crate::preflight::Preflight;
use crate::record::{Operation, Phase, Record, Role, Step};
use crate::report::{Outcome, Report};
use crate::run::Run;
use crate::undo::{Compared, Stray, undo};
use crate::verify::difference;

/// Creates the objects in the target, owners first, reads them back, and resumes the Clusters among
/// them. Objects that are there already are left as they are; a Cluster among those is paused
/// meanwhile.
///
/// # Errors
/// When another run has the target, or a request fails. What was created is removed again, unless
/// everything had been read back before.
pub async fn load(plan: LoadPlan, report: &mut Report) -> Result<(), MoveError> {
    let LoadPlan { run, directory, content, preflight, active } = plan;
    let directory = directory.display().to_string();
    let record = Record::new(&run.id, Role::Target, &run.options.namespaces, &directory);
    let record = record.choosing(run.options.choice.fixed()).accepting(&run.options.accept_loss);
    let record = record.of(Operation::Restore, Some(content));
    let lock = lock_single_cluster(&run, &run.target, record.clone(), false).await?;
    if lock.phase().await == Phase::Undoing {
        // A rollback has begun since the record was read.
        lock.leave().await;
        return Err(MoveError::BeingUndone(Box::new(Record { phase: Phase::Undoing, ..record })));
    }
    run.begun(Operation::Restore, &directory, run.target.server());
    let mut clock = Clock { run: &run, report };
    let created = panics::caught(create(&mut clock, &preflight, active)).await;
    let created =
        created.unwrap_or_else(|panic| Err(("restore the files", PhaseError::Panicked(panic))));
    let copies = match created {
        Ok(copies) => copies,
        Err(failed) => return Err(put_back(&run, lock, &preflight, failed).await),
    };
    if let Err((doing, source)) = finish(&mut clock, &lock, &preflight, &copies).await {
        lock.leave().await;
        return Err(MoveError::Unfinished { doing, source });
    }
    let doing = "remove its record";
    lock.finish()
        .await
        .map_err(|error| MoveError::Unfinished { doing, source: Box::new(error).into() })?;
    let copied = preflight.graph.copied().map(|index| &preflight.graph[index]);
    let reused = copied.filter(|node| copies.reused.contains(node.object.uid()));
    report.reused = reused.map(|node| node.object.id()).collect();
    report.outcome = Outcome::Restored;
    report.count_all_requests(&run);
    Ok(())
}

async fn create(
    clock: &mut Clock<'_>,
    preflight: &Preflight,
    active: Vec<(capi::ResourceType, Object)>,
) -> Result<Copies, Failed> {
    let run = clock.run;
    if !active.is_empty() {
        let doing = "pause the Clusters that are there already";
        let paused = pause::pause_objects(run, &run.target, active);
        let paused = clock.time("pause", "Pause the Clusters that are there already", paused).await;
        paused.map_err(|error| (doing, error))?;
    }
    let graph = &preflight.graph;
    let copies = async {
        let (copies, warnings) = copy_classes(run, graph, Copies::default()).await?;
        Ok((copy(run, graph, copies).await?, warnings))
    };
    let copies = clock.time("copy", "Create objects in the target", copies).await;
    let (copies, warnings) = copies.map_err(|error| ("create objects in the target", error))?;
    clock.report.findings.extend(warnings.0);
    let read = read_back(run, preflight, copies);
    let read = clock.time("verify", "Read the objects back", read).await;
    let (copies, added) = read.map_err(|error| ("read the objects back", error))?;
    clock.report.added_by_target = added;
    Ok(copies)
}

/// Compares what was created with the files. Returns the copies as they were read, and the fields
/// that the target has added.
async fn read_back(
    run: &Run,
    preflight: &Preflight,
    mut copies: Copies,
) -> Result<(Copies, Vec<String>), PhaseError> {
    let graph = &preflight.graph;
    let there = list_target(&run.target, &preflight.move_scope, graph).await?;
    let there: HashMap<String, Object> =
        there.into_iter().map(|(_, object)| (object.uid().to_owned(), object)).collect();
    let mut added = Vec::new();
    for node in graph.copied().map(|index| &graph[index]) {
        let uid = node.object.uid();
        if copies.reused.contains(uid) {
            continue;
        }
        let copy = copies.uids.get(uid).and_then(|uid| there.get(uid));
        let copy = copy.ok_or_else(|| PhaseError::CopyMissing { object: node.object.id() })?;
        let kind = graph.kind(node);
        let difference = difference(run, kind, node, (&copies, copy))?;
        if let Some(path) = difference.lost.into_iter().next() {
            return Err(PhaseError::CopyDiffers { object: node.object.id(), path });
        }
        copies.note_read(uid, copy);
        added.extend(difference.added.iter().map(|path| format!("{}: {path}", node.object.id())));
    }
    run.stop.check()?;
    Ok((copies, added))
}

/// Behind this point the objects are the user's; what is left to do can be repeated.
async fn finish(
    clock: &mut Clock<'_>,
    lock: &Lock,
    preflight: &Preflight,
    copies: &Copies,
) -> Result<(), Failed> {
    let run = clock.run;
    if lock.phase().await == Phase::Preparing {
        let advanced = lock.advance(Step::CopiesVerified).await;
        advanced.map_err(|error| ("commit", Box::new(error).into()))?;
    }
    let handed_over = hand_over_copies(run, &preflight.graph, copies);
    let handed_over = clock.time("handOver", "Hand over field ownership", handed_over).await;
    let warnings = handed_over.map_err(|error| ("hand over field ownership", error))?;
    clock.report.findings.extend(warnings.0);
    let resumed = async {
        pause::restore(run, &run.target, &preflight.move_scope.kinds).await?;
        namespaces::unmark_or_warn(run).await;
        Ok(())
    };
    let resumed = clock.time("resume", "Resume reconciliation", resumed).await;
    resumed.map_err(|error| ("resume reconciliation", error))
}

/// Removes what was created; behind the point of no return the run is left to `resume`.
async fn put_back(
    run: &Run,
    lock: Lock,
    preflight: &Preflight,
    (doing, source): Failed,
) -> MoveError {
    if run.stop.is_lock_lost() {
        return MoveError::LockLost { doing, source };
    }
    if !lock.record().await.can_be_rolled_back() {
        lock.leave().await;
        return MoveError::Unfinished { doing, source };
    }
    run.events.started("undo", "Roll back");
    let undone =
        match caught(undo(run, &lock, &preflight.move_scope, (Stray::No, Compared::default())))
            .await
        {
            Ok(()) => lock.finish().await.map_err(|error| error.to_string()),
            Err(error) => {
                lock.leave().await;
                Err(error.to_string())
            }
        };
    match undone {
        Ok(()) => {
            run.events.finished("all objects that it created are gone");
            MoveError::Undone { doing, source }
        }
        Err(undo) => {
            run.events.send(support::journal::Event::Failed);
            MoveError::HalfUndone { doing, undo, source }
        }
    }
}
