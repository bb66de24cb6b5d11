//! The order of the phases, and what happens when one of them fails.

use std::path::PathBuf;
use std::time::Instant;

use capi::{Graph, ObjectId};
use futures::FutureExt as _;
use support::journal::{Event, RunEvent};
use support::panics;

use super::choice;
use super::classes::copy_classes;
use super::copy::{Copies, copy};
use super::delete::delete;
use super::directory::back_up;
use super::discover::MoveScope;
use super::error::{MoveError, PhaseError};
use super::findings::Findings;
use super::hand_over::hand_over_copies;
use super::hold::check_none_late;
use super::in_batches::{self, plan_batches};
use super::knowledge;
use super::lease_location::{locations, locked};
use super::ledger;
use super::lock::Lock;
use super::namespaces;
use super::own_pause;
use super::pause;
use super::preflight::{Preflight, check_labelled, check_objects, preflight};
use super::quiesce::{Pauses, quiesce, wait_until_unblocked};
use super::readiness::Readiness;
use super::record::{Operation, Phase, Role, Step};
use super::report::{BatchCourse, Explained, Outcome, PhaseTime, Report};
use super::resumed::check_resumed;
use super::run::Run;
use super::sides::clusters_in;
use super::undo::{Compared, Stray, undo};
use super::verify::{Verification, Verified, check_present, check_source, verify};

/// Rounds of copying what has appeared in the source while the rest was copied.
const LATE_ROUNDS: usize = 3;

/// Finds out what a move would do. Writes nothing.
///
/// # Errors
/// [`MoveError::Unprepared`] when a cluster cannot be read.
pub async fn plan(run: &Run) -> Result<(Preflight, Report), MoveError> {
    run.events.started("preflight", "Check both clusters");
    let begun = Instant::now();
    let mut preflight = preflight(run).await.map_err(|error| {
        run.events.send(Event::Failed);
        MoveError::Unprepared(error)
    })?;
    let batches = plan_batches(run, &preflight.graph, &mut preflight.findings);
    let mut report = Report::new(run, &preflight);
    let planned = batches.map(|batches| batches.courses(BatchCourse::ToCome));
    report.batches = planned.unwrap_or_default();
    report.phases.push(PhaseTime { phase: "preflight", seconds: begun.elapsed().as_secs_f64() });
    report.conclude();
    report.count_requests(&run.source, &run.target);
    run.events.finished(format!("{} clusters, {} objects", report.clusters, report.objects()));
    Ok((preflight, report))
}

/// Carries out a plan, under a lock on both clusters.
///
/// # Errors
/// [`MoveError::Refused`] when the plan has findings that stop it, [`MoveError::Locked`] when
/// another run has a cluster, [`MoveError::NotReady`] when probes do not hold. Before the commit,
/// which the first deletion follows, a failure is undone; after it the move only goes forward.
pub async fn execute(
    run: &Run,
    preflight: Preflight,
    report: &mut Report,
) -> Result<(), MoveError> {
    if preflight.findings.has_errors() {
        return Err(MoveError::Refused(preflight.findings));
    }
    if report.objects() == 0 {
        return Ok(());
    }
    let readiness = Readiness::prepare(run, &preflight.move_scope.providers).await?;
    readiness.before(run, report).await?;
    let run = &run.decided(preflight.move_scope.chosen.as_deref());
    let batches = plan_batches(run, &preflight.graph, &mut Findings::default());
    let run = &run.clone().holding(&preflight.holds);
    if let Some(batches) = batches {
        report.outcome = in_batches::execute(run, batches, report).await?;
        report.count_requests(&run.source, &run.target);
    } else {
        let lock = Lock::acquire(locations(run, None).await?, false, run).await.map_err(locked)?;
        execute_locked(run, lock, preflight, report).await?;
    }
    readiness.after(run, report).await;
    Ok(())
}

/// Carries out a plan under a lock that was taken before. Returns the lock while batches are left.
pub(super) async fn execute_locked(
    run: &Run,
    lock: Lock,
    preflight: Preflight,
    report: &mut Report,
) -> Result<Option<Lock>, MoveError> {
    run.begun(Operation::Move, run.source.server(), run.target.server());
    carry_out(run, lock, preflight, report).await
}

/// As [`execute_locked`], for a process whose journal has its beginning already.
pub(super) async fn carry_out(
    run: &Run,
    lock: Lock,
    preflight: Preflight,
    report: &mut Report,
) -> Result<Option<Lock>, MoveError> {
    run.sides.begin(&run.id, &preflight.graph);
    let move_scope = preflight.move_scope;
    let mut clock = Clock { run, report };
    let Verified { graph, copies, .. } =
        match prepare_caught(&mut clock, &lock, &move_scope, preflight.graph).await {
            Ok(prepared) => prepared,
            Err(failed) => return Err(put_back(run, lock, &move_scope, failed).await),
        };
    let lock = commit(run, lock, (&move_scope, &graph), report).await?;
    report.fill(&graph);
    report.outcome = if run.options.leave_source { Outcome::Replaced } else { Outcome::Moved };
    let is_reused = |node: &&capi::Node| copies.reused.contains(node.object.uid());
    let copied = graph.copied().map(|index| &graph[index]);
    report.reused = copied.filter(is_reused).map(|node| node.object.id()).collect();
    report.count_requests(&run.source, &run.target);
    Ok(lock)
}

/// Commits a run whose copies are handed over, and brings it to its end. Returns the lock while
/// batches are left.
pub(super) async fn commit(
    run: &Run,
    lock: Lock,
    what: (&MoveScope, &Graph),
    report: &mut Report,
) -> Result<Option<Lock>, MoveError> {
    let step = if run.options.leave_source { Step::SourceKept } else { Step::CopiesHandedOver };
    match lock.advance(step).await {
        Ok(phase) => {
            run.sides.committed(clusters_in(what.1));
            finish_from(run, lock, phase, what, report).await
        }
        Err(error) => {
            let (doing, source) = ("commit", Box::new(error).into());
            let is_lost = run.stop.is_lock_lost();
            lock.leave().await;
            Err(match is_lost {
                true => MoveError::LockLost { doing, source },
                false => MoveError::Unfinished { doing, source },
            })
        }
    }
}

/// The phases after the commit, from the one the run is in. Returns the lock while batches are
/// left.
pub(super) async fn finish_from(
    run: &Run,
    lock: Lock,
    phase: Phase,
    what: (&MoveScope, &Graph),
    report: &mut Report,
) -> Result<Option<Lock>, MoveError> {
    let mut clock = Clock { run, report };
    match finish(&mut clock, &lock, phase, what).await {
        Ok(()) if lock.record().await.is_between_batches() => {
            // The Clusters of other batches are not to wait for all of them.
            lock.give_controllers_back().await;
            Ok(Some(lock))
        }
        Ok(()) if lock.phase().await == Phase::Left => {
            lock.leave().await;
            Ok(None)
        }
        Ok(()) => lock.finish().await.map(|()| None).map_err(|error| MoveError::Unfinished {
            doing: "remove its record",
            source: Box::new(error).into(),
        }),
        Err((doing, source)) => {
            lock.leave().await;
            Err(MoveError::Unfinished { doing, source })
        }
    }
}

/// The work of a run when it failed, and the cause.
pub(super) type Failed = (&'static str, PhaseError);

/// As [`prepare`], but a panic between two phases is a failure too.
async fn prepare_caught(
    clock: &mut Clock<'_>,
    lock: &Lock,
    move_scope: &MoveScope,
    planned: Graph,
) -> Result<Verified, Failed> {
    let prepared = panics::caught(prepare(clock, lock, move_scope, planned)).await;
    prepared.unwrap_or_else(|panic| Err(("prepare the move", PhaseError::Panicked(panic))))
}

/// The phases up to the commit. What they have done can be undone.
async fn prepare(
    clock: &mut Clock<'_>,
    lock: &Lock,
    move_scope: &MoveScope,
    planned: Graph,
) -> Result<Verified, Failed> {
    let run = clock.run;
    let clusters = uids_of_clusters(&planned);
    let graph = Box::pin(quiet(clock, lock, move_scope, planned)).await?;
    check_again(run, move_scope, &clusters, &graph)
        .map_err(|error| ("check the source again", error))?;
    if let Some(folder) = &run.options.backups {
        let made = back_up(run, move_scope, &graph, folder);
        let made = clock.time("backup", "Back up the source", made).await;
        clock.backed_up(made.map_err(|error| ("back up the source", error))?);
    }
    let verified = Box::pin(copy_and_verify(clock, lock, move_scope, graph)).await?;
    clock.report.added_by_target.clone_from(&verified.added);
    run.stop.check().map_err(|error| ("verify the copies", error))?;
    let listed = write_down(run, lock, &verified).await;
    listed.map_err(|error| ("write down the copies", error))?;
    hand_over(clock, move_scope, (&verified.graph, &verified.copies)).await?;
    Ok(verified)
}

/// Lists the copies in the target, where they soon look like other objects.
async fn write_down(run: &Run, lock: &Lock, verified: &Verified) -> Result<(), PhaseError> {
    let location = (lock.namespace().await, lock.epoch());
    let copies = (&verified.graph, &verified.copies);
    let pages = ledger::write(run, (&location.0, location.1), copies).await?;
    lock.copies_verified(&pages, &verified.graph).await.map_err(Box::new)?;
    Ok(())
}

/// Gives the copies the field ownership of their sources, and looks at both clusters a last time.
pub(super) async fn hand_over(
    clock: &mut Clock<'_>,
    move_scope: &MoveScope,
    (graph, copies): (&Graph, &Copies),
) -> Result<(), Failed> {
    let run = clock.run;
    let handed_over = clock
        .time("handOver", "Hand over field ownership", hand_over_copies(run, graph, copies))
        .await;
    let warnings = handed_over.map_err(|error| ("hand over field ownership", error))?;
    clock.report.findings.extend(warnings.0);
    let looked = async {
        check_present(run, move_scope, graph, copies).await?;
        check_none_late(run, graph).await?;
        run.stop.check()
    };
    looked.await.map_err(|error| ("look at both clusters again", error))
}

/// Pauses what moves, waits for its controllers, and holds those of the source if that is wanted.
/// Returns what moves now.
async fn quiet(
    clock: &mut Clock<'_>,
    lock: &Lock,
    move_scope: &MoveScope,
    graph: Graph,
) -> Result<Graph, Failed> {
    let run = clock.run;
    let graph = clock.time("pause", "Pause the source", pause::pause(run, move_scope, graph)).await;
    let graph = graph.map_err(|error| ("pause the source", error))?;
    let marked = pause::marked(&run.id, &graph);
    let quiet = async {
        let (graph, silent) = rest(run, lock, move_scope, graph).await?;
        pause::check_kept(&run.id, &marked, &graph)?;
        check_knowledge(&graph).await?;
        Ok((graph, silent))
    };
    let quiet = clock.time("quiesce", "Wait for controllers", quiet).await;
    let (graph, silent) = quiet.map_err(|error| ("wait for controllers", error))?;
    clock.report.findings.extend(silent.0);
    Ok(graph)
}

/// Checks once more what plugins know of the kinds: their controllers have written until now.
async fn check_knowledge(graph: &Graph) -> Result<(), PhaseError> {
    let mut findings = Findings::default();
    knowledge::check(graph, &mut findings).await;
    if findings.has_errors() { Err(PhaseError::Unmovable(findings)) } else { Ok(()) }
}

/// Waits until controllers have come to rest. Those that are held already report nothing any more.
async fn rest(
    run: &Run,
    lock: &Lock,
    move_scope: &MoveScope,
    graph: Graph,
) -> Result<(Graph, Findings), PhaseError> {
    let (graph, findings) = match lock.holds(Role::Source).await {
        true => (graph, Findings::default()),
        false => quiesce(run, move_scope, graph, Pauses::OfEach).await?,
    };
    // A source that is left has only kinds whose controllers have reported that they stand still,
    // and is held once the target works.
    if !run.holds(Role::Source) || run.options.leave_source {
        return Ok((graph, findings));
    }
    lock.hold_controllers(run, &[Role::Source]).await?;
    Ok((look_again(run, move_scope, graph).await?, findings))
}

/// Pauses once more what moves: controllers have written until they were held.
async fn look_again(
    run: &Run,
    move_scope: &MoveScope,
    mut graph: Graph,
) -> Result<Graph, PhaseError> {
    let mut missed = None;
    for _ in 0..LATE_ROUNDS {
        graph = pause::pause(run, move_scope, graph).await?;
        wait_until_unblocked(run, &graph).await?;
        missed = own_pause::pause_each(run, &mut graph).await?;
        if missed.is_none() {
            return Ok(graph);
        }
    }
    let object = missed.expect("every round has missed an object");
    Err(PhaseError::Restless { rounds: LATE_ROUNDS, object })
}

/// Creates copies. The target's controllers are held once they have seen the ClusterClasses.
async fn create(
    run: &Run,
    lock: &Lock,
    graph: &Graph,
    copies: Copies,
) -> Result<(Copies, Findings), PhaseError> {
    let (copies, findings) = match lock.holds(Role::Target).await {
        true => (copies, Findings::default()),
        false => copy_classes(run, graph, copies).await?,
    };
    lock.hold_controllers(run, &[Role::Target]).await?;
    Ok((copy(run, graph, copies).await?, findings))
}

/// Copies and compares. What has appeared in the source meanwhile is paused and copied too.
async fn copy_and_verify(
    clock: &mut Clock<'_>,
    lock: &Lock,
    move_scope: &MoveScope,
    mut graph: Graph,
) -> Result<Verified, Failed> {
    let run = clock.run;
    let mut copies = Copies::default();
    for _ in 0..LATE_ROUNDS {
        let copied = create(run, lock, &graph, copies);
        let copied = clock.time("copy", "Create objects in the target", copied).await;
        let (now, warnings) = copied.map_err(|error| ("create objects in the target", error))?;
        clock.report.findings.extend(warnings.0);
        copies = now;
        let verified = verify(run, move_scope, &graph, &copies);
        let verified = clock.time("verify", "Verify the copies", verified).await;
        let late = match verified.map_err(|error| ("verify the copies", error))? {
            Verification::Equal(verified) => return Ok(verified),
            Verification::Late(late) => late,
        };
        let copied = std::mem::replace(&mut graph, quiet(clock, lock, move_scope, late).await?);
        check_again(run, move_scope, &[], &graph)
            .map_err(|error| ("check the source again", error))?;
        check_source(&run.id, &copied, &graph)
            .map_err(|error| ("check the source again", error))?;
    }
    let is_late = |node: &&capi::Node| !copies.uids.contains_key(node.object.uid());
    let object = graph.moving().find(is_late).or_else(|| graph.moving().next());
    let object = object.expect("a move without objects ends before it copies").object.id();
    Err(("verify the copies", PhaseError::Restless { rounds: LATE_ROUNDS, object }))
}

fn uids_of_clusters(graph: &Graph) -> Vec<(String, ObjectId)> {
    graph.clusters().map(|node| (node.object.uid().to_owned(), node.object.id())).collect()
}

/// Checks what was checked before the first write once more: minutes may have gone by since, with a
/// prompt, readiness probes, the lock and the controllers to wait for.
pub(super) fn check_again(
    run: &Run,
    move_scope: &MoveScope,
    planned: &[(String, ObjectId)],
    graph: &Graph,
) -> Result<(), PhaseError> {
    let gone = planned.iter().find(|(uid, _)| graph.clusters().all(|n| n.object.uid() != uid));
    if let Some((_, object)) = gone {
        return Err(PhaseError::Vanished { object: object.clone() });
    }
    let mut findings = Findings::default();
    check_objects(run, graph, &mut findings);
    if let Some(taken) = &move_scope.taken {
        check_labelled(graph, taken, &mut findings);
    }
    choice::check(graph, run.options.choice.fixed(), &mut findings);
    if let Some(batches) = &run.options.batches {
        batches.check(graph, &mut findings);
    }
    if findings.has_errors() { Err(PhaseError::Unmovable(findings)) } else { Ok(()) }
}

/// The phases after the commit. Each is written down before it begins.
async fn finish(
    clock: &mut Clock<'_>,
    lock: &Lock,
    mut phase: Phase,
    (move_scope, graph): (&MoveScope, &Graph),
) -> Result<(), Failed> {
    let run = clock.run;
    while !matches!(phase, Phase::Finished | Phase::Left) {
        let (doing, step, done) = match phase {
            // Before the commit there is nothing to finish: the lock refuses the step.
            Phase::Undoing | Phase::Preparing | Phase::HandingOver | Phase::Committed => {
                ("continue", Step::SourceDeleted, Ok(()))
            }
            Phase::Deleting => {
                let mut held = Vec::new();
                let deleted = delete_what_can_be(run, move_scope, graph, &mut held);
                let deleted = clock.time("delete", "Delete objects from the source", deleted).await;
                clock.report.held = held;
                ("delete objects from the source", Step::SourceDeleted, deleted)
            }
            Phase::Leaving | Phase::Left | Phase::Returning => {
                let resumed = resume_beside(run, move_scope, graph);
                let resumed = clock.time("resume", "Resume reconciliation", resumed).await;
                ("resume reconciliation", Step::Resumed, resumed)
            }
            Phase::Resuming | Phase::Finished => {
                let resumed = resume(run, move_scope, graph);
                let resumed = clock.time("resume", "Resume reconciliation", resumed).await;
                ("resume reconciliation", Step::Resumed, resumed)
            }
        };
        done.map_err(|error| (doing, error))?;
        phase = lock.advance(step).await.map_err(|error| (doing, Box::new(error).into()))?;
    }
    Ok(())
}

/// Deletes what moves; fails if some of it is held, and explains that.
async fn delete_what_can_be(
    run: &Run,
    move_scope: &MoveScope,
    graph: &Graph,
    explained: &mut Vec<Explained>,
) -> Result<(), PhaseError> {
    let held = delete(run, move_scope, graph).await?;
    *explained = held.explained();
    held.into_error().map_or(Ok(()), Err)
}

/// Resumes what was moved on the target, and classes that were kept in the source.
async fn resume(run: &Run, move_scope: &MoveScope, graph: &Graph) -> Result<(), PhaseError> {
    pause::restore_all(run, &run.target, &move_scope.kinds).await?;
    pause::restore_kept(run, &run.source, &move_scope.kinds).await?;
    own_pause::restore_staying(run, graph).await?;
    check_resumed(run, graph).await?;
    namespaces::unmark_or_warn(run).await;
    Ok(())
}

/// Resumes what was copied on the target, and in the source only what others use there.
async fn resume_beside(run: &Run, move_scope: &MoveScope, graph: &Graph) -> Result<(), PhaseError> {
    pause::restore_all(run, &run.target, &move_scope.kinds).await?;
    pause::restore_used(run, graph).await?;
    own_pause::restore_staying(run, graph).await?;
    check_resumed(run, graph).await?;
    namespaces::unmark_or_warn(run).await;
    Ok(())
}

/// Undoes what a run has done before its commit.
pub(super) async fn put_back(
    run: &Run,
    lock: Lock,
    move_scope: &MoveScope,
    (doing, source): Failed,
) -> MoveError {
    if run.stop.is_lock_lost() {
        return MoveError::LockLost { doing, source };
    }
    run.events.started("undo", "Roll back");
    let stray = if source.is_ambiguous() { Stray::Possible } else { Stray::No };
    if let Err(error) = caught(undo(run, &lock, move_scope, (stray, Compared::default()))).await {
        run.events.send(Event::Failed);
        lock.leave().await;
        if matches!(error, PhaseError::NoLedger) {
            // Nothing was undone: without the list the run can only go forward.
            return MoveError::Unfinished { doing, source };
        }
        return MoveError::HalfUndone { doing, undo: error.to_string(), source };
    }
    run.events.finished(put_back_summary(run));
    match lock.finish().await {
        Ok(()) => MoveError::Undone { doing, source },
        Err(error) => MoveError::HalfUndone { doing, undo: error.to_string(), source },
    }
}

/// Says that a rollback is over.
pub(super) fn put_back_summary(run: &Run) -> String {
    let paused = run.sides.summary();
    let separator = if paused.is_empty() { "" } else { "; " };
    format!("the source is as before{separator}{paused}")
}

/// Does work that writes; a panic in it is an error as any other, which is undone or can be
/// continued.
pub(super) async fn caught<T>(
    work: impl Future<Output = Result<T, PhaseError>>,
) -> Result<T, PhaseError> {
    panics::caught(work).await.unwrap_or_else(|panic| Err(PhaseError::Panicked(panic)))
}

/// Announces phases and keeps their times.
pub(super) struct Clock<'a> {
    pub(super) run: &'a Run,
    pub(super) report: &'a mut Report,
}

impl Clock<'_> {
    fn backed_up(&mut self, directory: PathBuf) {
        let directory = directory.display().to_string();
        self.run.events.note(format!("the backup is in {directory}"));
        self.run.events.record(RunEvent::BackedUp { directory: directory.clone() });
        self.report.backup = Some(directory);
    }

    pub(super) async fn time<T>(
        &mut self,
        phase: &'static str,
        title: &str,
        work: impl Future<Output = Result<T, PhaseError>>,
    ) -> Result<T, PhaseError> {
        let events = &self.run.events;
        events.started(phase, title);
        let begun = Instant::now();
        let work = work.inspect(|_| panics::on_purpose(phase));
        let result = self.run.recorded(phase, caught(work)).await;
        self.report.phases.push(PhaseTime { phase, seconds: begun.elapsed().as_secs_f64() });
        match &result {
            Ok(_) if phase == "resume" => events.finished(self.run.sides.summary()),
            Ok(_) => events.finished(""),
            Err(_) => events.send(Event::Failed),
        }
        result
    }
}
