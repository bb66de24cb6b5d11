//! Carrying on an interrupted run from the two clusters alone, or putting it back.

use std::collections::{HashMap, HashSet};

use capi::names::RUN_ANNOTATION;
use capi::{Fate, Graph, Node, Object};
use cluster::Client;
use support::journal::RunEvent;

use super::batches::Batches;
use super::choice::Choice;
use super::compare::{being_deleted, is_finalizer};
use super::copy::Copies;
use super::discover::{MoveScope, discover, list_everywhere};
use super::error::{BATCH_AGAIN, MOVE_AGAIN, MoveError, PhaseError};
use super::exposure;
use super::findings::Findings;
use super::in_batches::{continue_with_next, partly};
use super::inventory;
use super::knowledge::Learned;
use super::lease_location::{locations, lock_namespace, lock_single_cluster, locked, same_part};
use super::ledger;
use super::lock::{self, Holder, Lease, Lock};
use super::mover::{
    Clock, commit, execute_locked, finish_from, hand_over, plan, put_back, put_back_summary,
};
use super::options::{HoldControllers, Unheld};
use super::preflight::{Preflight, check_health, survey};
use super::readiness::Readiness;
use super::record::{OnResume, Operation, Phase, Record, Role, Step};
use super::report::{BatchCourse, Outcome, Report};
use super::returning::{compare_what_remains, go_on, pause_and_compare, refuse_return};
use super::run::Run;
use super::sides::clusters_of;
use super::undo::{Compared, Stray, undo};
use super::verify::{Verification, Verified, check_changed, check_present, lost, verify};

/// Both sides, in the order in which their controllers are held.
const BOTH: [Role; 2] = [Role::Source, Role::Target];

/// The leases of both clusters.
#[derive(Clone, Debug)]
pub struct Found {
    /// The source's.
    pub source: Option<Lease>,
    /// The target's.
    pub target: Option<Lease>,
}

impl Found {
    /// The record that decides: the target's, or the source's if the run never got to the target.
    ///
    /// Other replacements may rest in either cluster; they decide only where there is nothing else.
    pub fn record(&self) -> Option<&Record> {
        let leases = self.source.iter().chain(&self.target);
        let mut records = leases.filter_map(|lease| lease.record.as_ref());
        let in_the_way = records.clone().find(|record| record.is_in_the_way());
        let run = &in_the_way.or_else(|| records.next_back())?.run;
        let mut leases = self.target.iter().chain(&self.source);
        leases.find_map(|lease| lease.record_of(run))
    }

    /// Returns the last holder of the lock.
    fn holder(&self) -> Option<Holder> {
        self.target.iter().chain(&self.source).find_map(Lease::holder)
    }
}

/// Looks for the records of runs in both clusters.
///
/// # Errors
/// When a cluster cannot be read.
pub async fn find(source: &Client, target: &Client) -> Result<Found, PhaseError> {
    tokio::try_join!(check_health(source), check_health(target))?;
    let (source, target) = tokio::try_join!(find_one(source), find_one(target))?;
    Ok(Found { source, target })
}

/// Looks for the record of a run in one cluster.
pub(super) async fn find_one(cluster: &Client) -> Result<Option<Lease>, PhaseError> {
    let providers = inventory::read(cluster).await?;
    let lease = lock::read(cluster, &lock_namespace(&providers)).await.map_err(Box::new)?;
    Ok(lease.filter(|lease| lease.record.is_some()))
}

/// The interrupted run.
enum Interrupted {
    /// A move between the two clusters.
    Move(Run, Record),
    /// A backup or restore of one of them, which stands for both.
    OfFiles(Run, Record),
}

/// Returns the run to resume or roll back; the clusters of a move have to be the right way round.
async fn interrupted(run: &Run) -> Result<(Interrupted, Option<Holder>), MoveError> {
    exposure::warn(run);
    let found = find(&run.source, &run.target).await.map_err(MoveError::Unprepared)?;
    for (cluster, lease) in [(&run.source, &found.source), (&run.target, &found.target)] {
        let record = lease.as_ref().and_then(|lease| lease.record.as_ref());
        if let Some(record) = record.filter(|record| record.operation != Operation::Move) {
            let (source, target) = (cluster.clone(), cluster.clone());
            let alone = Run { source, target, ..as_recorded(run, record) };
            let holder = lease.as_ref().and_then(Lease::holder);
            return Ok((Interrupted::OfFiles(alone, record.clone()), holder));
        }
    }
    Ok((interrupted_move(run, &found)?, found.holder()))
}

/// The run under the id and with the scope of a record, and with the losses that were accepted
/// before.
pub(super) fn as_recorded(run: &Run, record: &Record) -> Run {
    let mut run = run.clone();
    run.id.clone_from(&record.run);
    run.options.namespaces = record.namespaces();
    run.options.choice = record.choice.clone().map_or(Choice::All, Choice::Fixed);
    run.options.batches.clone_from(&record.batches);
    run.options.hold_controllers = HoldControllers::Never;
    run.options.held_sides.clone_from(&record.holds);
    run.options.hold_is_optional = record.hold_is_optional;
    run.options.unheld = Unheld::default();
    run.options.copy_referenced = record.copy_referenced;
    run.options.leave_source = record.leaves;
    run.options.trust_pause.extend(record.trust_pause.iter().cloned());
    run.options.knowledge = Learned::recorded(&record.knowledge);
    run.options.accept_loss = record.clone().accepting(&run.options.accept_loss).accept_loss;
    run
}

fn interrupted_move(run: &Run, found: &Found) -> Result<Interrupted, MoveError> {
    let Some(record) = found.record().cloned() else {
        return Err(MoveError::NoRun(
            "no interrupted move was found in these two clusters".to_owned(),
        ));
    };
    if run.is_alone() {
        return Err(MoveError::NoRun(format!(
            "this cluster is the {} of the move {}; name the other one too, with --to-kubeconfig \
             (it is {})",
            record.role, record.run, record.peer
        )));
    }
    for (lease, role) in [(&found.source, Role::Source), (&found.target, Role::Target)] {
        let Some(lease) = lease else { continue };
        let Some(other) = lease.record_of(&record.run).or(lease.record.as_ref()) else { continue };
        // Another replacement may rest where the run has not come to yet.
        let is_beside = other.run != record.run && !other.is_in_the_way();
        if is_beside && record.phase == Phase::Preparing {
            continue;
        }
        if other.run != record.run || other.role != role {
            return Err(MoveError::NoRun(format!(
                "these two clusters are not the source and target of one run: the {role} of this \
                 command is the {} of the move {} (the other cluster of it: {})",
                other.role, other.run, other.peer
            )));
        }
    }
    Ok(Interrupted::Move(as_recorded(run, &record), record))
}

/// Continues an interrupted run to its end.
///
/// # Errors
/// When there is none, its holder is still alive, or it fails again.
pub async fn resume(run: &Run, force: bool, report: &mut Report) -> Result<(), MoveError> {
    let (found, holder) = interrupted(run).await?;
    let (run, record) = match found {
        Interrupted::Move(run, record) => (run, record),
        Interrupted::OfFiles(_, record) => return Err(MoveError::OfFiles(Box::new(record))),
    };
    if record.phase == Phase::Undoing {
        return Err(MoveError::BeingUndone(Box::new(record)));
    }
    if record.phase == Phase::Left {
        refuse_without_source(&run, &record).await?;
    }
    run.options.take_over.confirm(&record, run.server_of(record.role), holder)?;
    report.run.clone_from(&run.id);
    run.events.note(format!(
        "resuming the move {}, started {} (phase: {})",
        record.run, record.started, record.phase
    ));
    let (move_scope, ..) = survey(&run).await.map_err(MoveError::Unprepared)?;
    let readiness = Readiness::prepare(&run, &move_scope.providers).await?;
    let locations = locations(&run, Some(&record)).await?;
    let lock = Lock::acquire(locations, force, &run).await.map_err(locked)?;
    let lock = same_part(lock, &record).await?;
    let moved = resume_locked(&run, lock, (record, move_scope), report).await;
    if let Some(batches) = &run.options.batches {
        report.batches = batches.courses(course(&moved));
    }
    let lock = moved?;
    if lock.is_some() {
        report.outcome = continue_with_next(&run, lock, report).await?;
        report.count_requests(&run.source, &run.target);
    }
    readiness.after(&run, report).await;
    Ok(())
}

/// Refuses a replacement that only its target tells of: its source was resumed without the target,
/// or is another one.
async fn refuse_without_source(run: &Run, record: &Record) -> Result<(), MoveError> {
    let source = find_one(&run.source).await.map_err(MoveError::Unprepared)?;
    match source.as_ref().and_then(|lease| lease.record_of(&record.run)) {
        Some(_) => Ok(()),
        None => Err(MoveError::NoRun(format!(
            "the source has no record of the replacement {} any more: it was rolled back without \
             its target",
            record.run
        ))),
    }
}

/// Continues under the lock, from the phase that the run is in.
async fn resume_locked(
    run: &Run,
    lock: Lock,
    (record, move_scope): (Record, MoveScope),
    report: &mut Report,
) -> Result<Option<Lock>, MoveError> {
    match lock.phase().await.on_resume() {
        OnResume::Prepare => match plan_again(run, report).await {
            Ok((preflight, planned)) => {
                let (doing, move_scope) = ("find out how far it had come", &preflight.move_scope);
                if let Err(error) = check_originals(run, &preflight).await {
                    if error.is_about_objects() {
                        return Err(of_batch(
                            put_back(run, lock, move_scope, (doing, error)).await,
                            run,
                        ));
                    }
                    lock.leave().await;
                    return Err(MoveError::Unfinished { doing, source: error });
                }
                *report = planned;
                let moved = execute_locked(run, lock, preflight, report).await;
                moved.map_err(|error| of_batch(error, run))
            }
            Err(error) => {
                lock.leave().await;
                Err(error)
            }
        },
        OnResume::Rest if run.options.delete_left => {
            delete_left(run, lock, move_scope, report).await
        }
        OnResume::Rest => {
            // Only for the report.
            if let Ok(graph) = discover(&run.source, &move_scope).await {
                report.fill(&graph);
            }
            lock.leave().await;
            report.outcome = Outcome::Replaced;
            Ok(None)
        }
        // A rollback has begun since the record was read.
        OnResume::Refuse(_) => {
            lock.leave().await;
            Err(MoveError::BeingUndone(Box::new(record)))
        }
        OnResume::HandOver
        | OnResume::Delete
        | OnResume::ResumeClusters
        | OnResume::ResumeTarget
        | OnResume::RemoveRecords => carry_on(run, lock, move_scope, report).await,
    }
}

/// Returns the state of the batch that was in flight.
fn course(moved: &Result<Option<Lock>, MoveError>) -> BatchCourse {
    match moved {
        Ok(_) => BatchCourse::Moved,
        Err(MoveError::Undone { .. } | MoveError::PartlyMoved { .. }) => BatchCourse::RolledBack,
        Err(_) => BatchCourse::InFlight,
    }
}

/// Makes an error of the batch in flight one of the run.
fn of_batch(error: MoveError, run: &Run) -> MoveError {
    match (error, &run.options.batches) {
        (MoveError::Undone { doing, source }, Some(batches)) => partly((doing, source), batches),
        (error, _) => error,
    }
}

/// Checks that an earlier attempt has made no copy whose original is gone by now: it would be
/// active in the target after the move, although somebody has deleted it.
async fn check_originals(run: &Run, preflight: &Preflight) -> Result<(), PhaseError> {
    let Preflight { move_scope, graph, .. } = preflight;
    let originals: HashSet<_> = graph
        .copied()
        .map(|index| &graph[index])
        .map(|node| key(node.kind, &node.object))
        .collect();
    let listed = list_everywhere(&run.target, move_scope).await?;
    let is_marked = |object: &Object| object.annotation(RUN_ANNOTATION) == Some(&run.id);
    let mut marked = listed.into_iter().filter(|(_, object)| is_marked(object));
    match marked.find(|(kind, object)| !originals.contains(&key(*kind, object))) {
        Some((_, copy)) => Err(PhaseError::OriginalGone { object: copy.id().to_string() }),
        None => Ok(()),
    }
}

/// Kind, namespace and name of an object, by which it is the same in both clusters.
fn key(kind: usize, object: &Object) -> (usize, Option<String>, String) {
    (kind, object.namespace().map(str::to_owned), object.name().to_owned())
}

async fn plan_again(run: &Run, report: &mut Report) -> Result<(Preflight, Report), MoveError> {
    match plan(run).await {
        Ok((preflight, planned)) if preflight.findings.has_errors() => {
            *report = planned;
            Err(not_again(run, PhaseError::Unmovable(preflight.findings)))
        }
        Err(MoveError::Unprepared(source)) => Err(not_again(run, source)),
        planned => planned,
    }
}

/// The error of a run that preflight does not let through when it is resumed. It has changed
/// something before: the source may be paused, and other batches may have moved.
fn not_again(run: &Run, source: PhaseError) -> MoveError {
    let doing = match run.options.batches {
        Some(_) => BATCH_AGAIN,
        None => MOVE_AGAIN,
    };
    MoveError::Unfinished { doing, source }
}

/// Deletes what a replacement has left in its source, once both clusters are what they were.
async fn delete_left(
    run: &Run,
    lock: Lock,
    move_scope: MoveScope,
    report: &mut Report,
) -> Result<Option<Lock>, MoveError> {
    if let Err(source) = look(run, &lock, &move_scope).await {
        let is_lost = run.stop.is_lock_lost();
        lock.leave().await;
        return Err(match is_lost {
            true => MoveError::LockLost { doing: "check what was left", source },
            false => MoveError::NotDeleted { source },
        });
    }
    if let Err(error) = lock.advance(Step::DeletionStarted).await {
        lock.leave().await;
        let (doing, source) = ("start the deletion", Box::new(error).into());
        return Err(MoveError::Unfinished { doing, source });
    }
    carry_on(run, lock, move_scope, report).await
}

/// Continues with copies that are complete.
async fn carry_on(
    run: &Run,
    lock: Lock,
    move_scope: MoveScope,
    report: &mut Report,
) -> Result<Option<Lock>, MoveError> {
    run.begun(Operation::Move, run.source.server(), run.target.server());
    let (mut phase, doing) = (lock.phase().await, "find out how far it had come");
    // What is left is held by its pauses, and once the source is empty there is nothing left that its
    // controllers could do.
    let is_leaving = matches!(phase, Phase::Leaving | Phase::Left)
        || (run.options.leave_source && phase == Phase::HandingOver);
    if !is_leaving
        && !matches!(phase, Phase::Resuming | Phase::Finished)
        && let Err(source) = lock.hold_controllers(run, &BOTH).await
    {
        lock.leave().await;
        return Err(MoveError::Unfinished { doing: "hold the controllers", source });
    }
    if phase == Phase::Returning {
        phase = match refuse_return(run, &lock, &move_scope).await {
            Ok(phase) => phase,
            Err(source) => {
                lock.leave().await;
                return Err(MoveError::Unfinished { doing, source });
            }
        };
    }
    let stays = phase.is_left() || (run.options.leave_source && phase == Phase::HandingOver);
    let found = match look(run, &lock, &move_scope).await {
        Ok(found) => found,
        Err(error) if phase.can_roll_back() && error.is_about_objects() => {
            return Err(of_batch(put_back(run, lock, &move_scope, (doing, error)).await, run));
        }
        Err(source) => {
            lock.leave().await;
            return Err(MoveError::Unfinished { doing, source });
        }
    };
    let preflight = Preflight {
        move_scope,
        graph: found.graph,
        related_objects: Vec::new(),
        conversions: Vec::new(),
        holds: Vec::new(),
        findings: Findings::default(),
    };
    *report = Report::new(run, &preflight);
    let what = (&preflight.move_scope, &preflight.graph);
    let lock = if phase.on_resume() == OnResume::HandOver {
        let mut clock = Clock { run, report };
        let copies = (&preflight.graph, &found.copies);
        match hand_over(&mut clock, &preflight.move_scope, copies).await {
            Ok(()) => {}
            Err(failed) if phase.can_roll_back() && failed.1.is_about_objects() => {
                return Err(of_batch(
                    put_back(run, lock, &preflight.move_scope, failed).await,
                    run,
                ));
            }
            Err((doing, source)) => {
                lock.leave().await;
                return Err(MoveError::Unfinished { doing, source });
            }
        }
        commit(run, lock, what, report).await?
    } else {
        finish_from(run, lock, phase, what, report).await?
    };
    report.outcome = if stays { Outcome::Replaced } else { Outcome::Moved };
    report.count_requests(&run.source, &run.target);
    Ok(lock)
}

/// The objects of an interrupted run.
struct Left {
    /// Objects in the source.
    graph: Graph,
    /// The copies of that.
    copies: Copies,
}

/// Looks at both clusters: nothing is deleted whose copy the target does not hold.
async fn look(run: &Run, lock: &Lock, move_scope: &MoveScope) -> Result<Left, PhaseError> {
    let record = lock.record().await;
    let graph = discover(&run.source, move_scope).await?;
    let ledger = match record.copies.as_slice() {
        [] => None,
        pages => ledger::read(&run.target, &lock.namespace().await, pages).await?,
    };
    run.sides.begin(&run.id, &graph);
    if record.phase.is_committed() || record.phase.is_left() {
        let copied = ledger.as_ref().map_or_else(Vec::new, |ledger| ledger.created(move_scope));
        run.sides.committed(clusters_of(&copied));
    }
    let copies = match (record.phase, ledger) {
        (Phase::Finished | Phase::Leaving | Phase::Returning, _) => Copies::default(),
        (Phase::Left | Phase::Deleting, ledger) if record.leaves => {
            let ledger = ledger.ok_or(PhaseError::TargetReset)?;
            let copies = ledger.copies_of(&graph)?;
            // The target may have deleted copies since: it is the truth.
            check_changed(run, move_scope, (&graph, &copies), ledger.changed(&graph)).await?;
            copies
        }
        (Phase::HandingOver, Some(ledger)) => {
            ledger.check_complete(&graph)?;
            let copies = ledger.copies_of(&graph)?;
            return match verify(run, move_scope, &graph, &copies).await? {
                Verification::Equal(Verified { graph, copies, .. }) => Ok(Left { graph, copies }),
                Verification::Late(graph) => Err(late(&graph, &copies)),
            };
        }
        (Phase::Resuming, Some(ledger)) => {
            ledger.check_none_came_back(&graph)?;
            Copies::default()
        }
        (_, Some(ledger)) => {
            let copies = ledger.copies_of(&graph)?;
            check_present(run, move_scope, &graph, &copies).await?;
            let changed = ledger.changed(&graph);
            check_changed(run, move_scope, (&graph, &copies), changed).await?;
            copies
        }
        // A record of an older program, or somebody has removed the list.
        (phase, None) => find_copies(run, move_scope, &graph, phase).await?,
    };
    Ok(Left { graph, copies })
}

fn late(graph: &Graph, copies: &Copies) -> PhaseError {
    let is_late = |node: &&Node| !copies.uids.contains_key(node.object.uid());
    let object = graph.moving().find(is_late).expect("the graph has a late object").object.id();
    PhaseError::Late { object }
}

/// Finds the copies of what is left in the source by their names. Each has to be there, with the
/// same content.
async fn find_copies(
    run: &Run,
    move_scope: &MoveScope,
    graph: &Graph,
    phase: Phase,
) -> Result<Copies, PhaseError> {
    let listed = list_everywhere(&run.target, move_scope).await?;
    let by_name: HashMap<_, _> =
        listed.into_iter().map(|(kind, object)| (key(kind, &object), object)).collect();
    let is_handing_over = phase.on_resume() == OnResume::HandOver;
    let mut copies = Copies::default();
    for node in graph.copied().map(|index| &graph[index]) {
        let object = &node.object;
        let copy = by_name.get(&key(node.kind, object));
        let copy = copy.ok_or_else(|| PhaseError::CopyMissing { object: object.id() })?;
        // The finalizers are off where this run was deleting already.
        let lost = lost(run, graph.kind(node), object, copy);
        let lost = lost.into_iter().find(|path| !is_finalizer(path));
        let lost = lost.or_else(|| being_deleted(copy));
        if let Some(path) = lost.filter(|_| node.fate == Fate::Move) {
            return Err(PhaseError::CopyDiffers { object: object.id(), path });
        }
        copies.uids.insert(object.uid().to_owned(), copy.uid().to_owned());
        copies.note_read(object.uid(), copy);
        if !is_handing_over || copy.annotation(RUN_ANNOTATION) != Some(&run.id) {
            copies.reused.insert(object.uid().to_owned());
        }
    }
    Ok(copies)
}

/// Puts an interrupted run back, if that is still possible.
///
/// # Errors
/// When there is none, its holder is still alive, it is past its point of no return, or a request
/// fails.
pub async fn rollback(run: &Run, force: bool) -> Result<Record, MoveError> {
    let (found, holder) = interrupted(run).await?;
    let (Interrupted::Move(run, record) | Interrupted::OfFiles(run, record)) = found;
    let too_late = |phase| Err(MoveError::TooLate { record: Box::new(record.clone()), phase });
    if !record.can_be_rolled_back() && !record.is_between_batches() {
        return too_late(record.phase);
    }
    run.options.take_over.confirm(&record, run.server_of(record.role), holder)?;
    let (move_scope, ..) = survey(&run).await.map_err(MoveError::Unprepared)?;
    let lock = if record.operation == Operation::Move {
        let locations = locations(&run, Some(&record)).await?;
        Lock::acquire(locations, force, &run).await.map_err(locked)?
    } else {
        lock_single_cluster(&run, &run.source, record.clone(), force).await?
    };
    let lock = same_part(lock, &record).await?;
    let now = lock.record().await;
    if now.is_between_batches() {
        return end_between_batches(&run, lock, now).await;
    }
    if !now.can_be_rolled_back() {
        lock.leave().await;
        return too_late(now.phase);
    }
    put_back_locked(&run, lock, record, &move_scope).await
}

/// Ends a run of which nothing is in flight. Returns its record, as of the batch that would have
/// been the next.
async fn end_between_batches(run: &Run, lock: Lock, record: Record) -> Result<Record, MoveError> {
    run.begun("rollback", run.source.server(), run.target.server());
    if let Err(error) = lock.finish().await {
        let undo = error.to_string();
        let source = PhaseError::Lock(Box::new(error));
        return Err(MoveError::HalfUndone { doing: "remove its record", undo, source });
    }
    run.events.record(RunEvent::Ended { outcome: Outcome::Undone.to_string(), error: None });
    let batches = record.batches.as_ref().and_then(Batches::next);
    Ok(Record { batches, ..record })
}

/// Holds the controllers as the run has done that is rolled back. A rollback does without, if it
/// has to: it takes the finalizers off each copy before it deletes it.
async fn hold_or_warn(run: &Run, lock: &Lock) {
    for side in BOTH {
        if let Err(error) = lock.hold_controllers(run, &[side]).await {
            run.events.warning(format!("{error}; the rollback continues without"));
            run.gives_up_hold(side);
        }
    }
}

/// Puts a run back under its lock. Returns its record.
pub(super) async fn put_back_locked(
    run: &Run,
    lock: Lock,
    record: Record,
    move_scope: &MoveScope,
) -> Result<Record, MoveError> {
    run.begun("rollback", run.source.server(), run.target.server());
    run.events.started("undo", "Roll back");
    let doing = "roll back";
    hold_or_warn(run, &lock).await;
    let compared = match lock.phase().await {
        phase if phase.is_left() => match pause_and_compare(run, &lock, move_scope).await {
            Ok(compared) => Ok(compared),
            Err(source) => {
                run.events.send(support::journal::Event::Failed);
                return Err(go_on(run, lock, move_scope, source).await);
            }
        },
        Phase::Undoing if record.leaves => compare_what_remains(run, &lock, move_scope).await,
        _ => Ok(Compared::default()),
    };
    let undone = async { undo(run, &lock, move_scope, (Stray::No, compared?)).await };
    if let Err(source) = undone.await {
        run.events.send(support::journal::Event::Failed);
        // Nothing was undone yet.
        if lock.phase().await == Phase::Returning
            && matches!(source, PhaseError::CopyChanged { .. })
        {
            return Err(go_on(run, lock, move_scope, source).await);
        }
        lock.leave().await;
        return Err(MoveError::HalfUndone { doing, undo: source.to_string(), source });
    }
    run.events.finished(put_back_summary(run));
    if let Err(error) = lock.finish().await {
        let undo = error.to_string();
        let source = PhaseError::Lock(Box::new(error));
        return Err(MoveError::HalfUndone { doing: "remove its record", undo, source });
    }
    let outcome = Outcome::Undone.to_string();
    run.events.record(RunEvent::Ended { outcome, error: None });
    Ok(record)
}
