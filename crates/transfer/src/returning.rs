//! Going back to the source of a replacement: the target is paused again, and each copy has to be
//! as it was made.
//!
//! Machines that the target has made since exist nowhere else, and the source knows nothing of what
//! was changed or deleted there. So a target that has gone on continues, and nothing is rolled back
//! by halves.

use std::collections::HashMap;
use std::sync::Arc;

use capi::{Chosen, Fate, Graph, KeepReason, MoveKind, Node, NotChosen, Object, StayReason};

use super::compare::{body_digest, compare, is_finalizer};
use super::discover::{MoveScope, discover, list_everywhere_or_in};
use super::error::{MoveError, PhaseError};
use super::ledger::{self, Ledger, Made};
use super::lock::Lock;
use super::mover::finish_from;
use super::pause::{self, pause};
use super::quiesce::{Pauses, quiesce};
use super::record::{Phase, Step};
use super::report::Report;
use super::run::Run;
use super::undo::Compared;
use super::verify::lost;

/// Changes in a message; the rest is counted.
const SHOWN: usize = 5;

/// Pauses the target, waits for its controllers and compares it with the source. Returns the copies
/// as they were compared.
///
/// # Errors
/// [`PhaseError::GoneOn`] where they differ, [`PhaseError::TargetReset`] without the list of copies; or a request fails.
pub(super) async fn pause_and_compare(
    run: &Run,
    lock: &Lock,
    move_scope: &MoveScope,
) -> Result<Compared, PhaseError> {
    let ledger = ledger::of_run(run, lock).await?;
    let ledger = ledger.ok_or(PhaseError::TargetReset)?;
    lock.advance(Step::ReturnStarted).await.map_err(Box::new)?;
    run.events.doing("pausing the target and comparing it with the source");
    let compared = async {
        let target = pause_target(run, (move_scope, lock.epoch()), &ledger).await?;
        let source = discover(&run.source, move_scope).await?;
        ledger.check_complete(&source)?;
        match changes(run, &ledger, (&source, &target)) {
            changes if changes.is_empty() => {
                let copies = target.nodes.iter().map(|node| &node.object);
                Ok(Compared::of(copies.filter(|copy| ledger.has_copy(copy.uid()))))
            }
            changes => Err(PhaseError::GoneOn(shortened_list(changes))),
        }
    };
    run.recorded("return", compared).await
}

/// Looks at the copies that a rollback has not removed yet. Somebody may have changed one since the
/// rollback was interrupted, and nobody has compared it since then. Returns the copies as they are.
///
/// # Errors
/// [`PhaseError::CopyChanged`] with the first that has changed, or a request fails.
pub(super) async fn compare_what_remains(
    run: &Run,
    lock: &Lock,
    move_scope: &MoveScope,
) -> Result<Compared, PhaseError> {
    let ledger = ledger::of_run(run, lock).await?;
    // The rollback itself says that the list is missing.
    let Some(ledger) = ledger else { return Ok(Compared::default()) };
    let namespaces = ledger.namespaces();
    let source = list_everywhere_or_in(&run.source, move_scope, &namespaces).await?;
    let target = list_everywhere_or_in(&run.target, move_scope, &namespaces).await?;
    let originals = listed_by_uid(&source);
    let copies = listed_by_uid(&target);
    for made in ledger.made() {
        let Some((kind, copy)) = copies.get(made.copy_uid) else { continue };
        let Some((_, original)) = originals.get(made.source_uid) else { continue };
        let is_known = made.body.is_none_or(|body| body == body_digest(copy));
        if !is_known && body_differs(run, move_scope.kind(*kind), (original, copy)) {
            return Err(PhaseError::CopyChanged { object: copy.id() });
        }
    }
    let remaining = copies.into_values().map(|(_, copy)| copy);
    Ok(Compared::of(remaining.filter(|copy| ledger.has_copy(copy.uid()))))
}

fn listed_by_uid(listed: &[(usize, Object)]) -> HashMap<&str, (usize, &Object)> {
    listed.iter().map(|(kind, object)| (object.uid(), (*kind, object))).collect()
}

/// Returns whether a copy differs from its original, but for its metadata: those of a copy that is
/// being removed have changed.
fn body_differs(run: &Run, kind: &MoveKind, (original, copy): (&Object, &Object)) -> bool {
    let is_of_body = |path: &String| !path.starts_with("metadata");
    lost(run, kind, original, copy).iter().any(is_of_body)
        || compare(original, copy).added.iter().any(is_of_body)
}

/// Writes down that the target continues. A pause that is still on its way must not arrive later.
pub(super) async fn refuse_return(
    run: &Run,
    lock: &Lock,
    move_scope: &MoveScope,
) -> Result<Phase, PhaseError> {
    pause::fence(run, (&run.target, lock.epoch()), move_scope).await?;
    Ok(lock.advance(Step::ReturnRefused).await.map_err(Box::new)?)
}

/// Lets the target continue after a rollback that was refused. Returns the reason as an error.
pub(super) async fn go_on(
    run: &Run,
    lock: Lock,
    move_scope: &MoveScope,
    source: PhaseError,
) -> MoveError {
    let doing = "let the target continue";
    if run.stop.is_lock_lost() {
        return MoveError::LockLost { doing, source };
    }
    if lock.phase().await == Phase::Left {
        lock.leave().await;
        return MoveError::NoReturn { source };
    }
    let graph = async {
        if lock.phase().await == Phase::Returning {
            refuse_return(run, &lock, move_scope).await?;
        }
        discover(&run.source, move_scope).await
    };
    match graph.await {
        Ok(graph) => {
            let (what, mut report) = ((move_scope, &graph), Report::blank(run));
            let finished = finish_from(run, lock, Phase::Leaving, what, &mut report).await;
            finished.err().unwrap_or(MoveError::NoReturn { source })
        }
        Err(source) => {
            lock.leave().await;
            MoveError::Unfinished { doing, source }
        }
    }
}

/// Pauses the Clusters of the list in the target. Returns what there is of them and what belongs to
/// them.
async fn pause_target(
    run: &Run,
    (move_scope, epoch): (&MoveScope, u64),
    ledger: &Ledger,
) -> Result<Graph, PhaseError> {
    // Once the target is paused, a request to stop is answered when it works again, or is rolled
    // back.
    let (source, stop) = (run.target.clone(), run.stop.lock_only());
    let turned = Run { source, stop, ..run.clone() };
    let clusters = ledger.created(move_scope).into_iter().filter(|id| id.kind == "Cluster");
    let names = clusters.filter_map(|id| Some((id.namespace?, id.name)));
    let chosen = Some(Arc::new(names.collect::<Chosen>()));
    let there = MoveScope { chosen, ..move_scope.clone() };
    pause::fence_resumes(&turned, (&turned.source, epoch), &there.kinds).await?;
    let graph = discover(&turned.source, &there).await?;
    let graph = pause(&turned, &there, graph).await?;
    let (graph, silent) = quiesce(&turned, &there, graph, Pauses::OfEach).await?;
    silent.0.into_iter().for_each(|silent| run.events.warning(silent.message));
    Ok(graph)
}

/// Lists what the source does not have, or has otherwise than the target.
fn changes(run: &Run, ledger: &Ledger, (source, target): (&Graph, &Graph)) -> Vec<String> {
    let by_uid = |graph: &'_ Graph| -> HashMap<String, usize> {
        let nodes = graph.nodes.iter().enumerate();
        nodes.map(|(index, node)| (node.object.uid().to_owned(), index)).collect()
    };
    let (originals, copies) = (by_uid(source), by_uid(target));
    let mut changes = Vec::new();
    for made in ledger.made() {
        let original = originals.get(made.source_uid).map(|index| &source[*index]);
        let copy = copies.get(made.copy_uid).map(|index| &target[*index]);
        let change = match (original, copy) {
            (Some(original), Some(copy)) => difference(run, source, (original, copy), &made),
            (Some(_), None) => Some("is gone from the target".to_owned()),
            // What is nowhere any more needs no way back.
            (None, _) => None,
        };
        changes.extend(change.map(|change| format!("{} {change}", made.id)));
    }
    let moves = target.moving().filter(|node| node.fate == Fate::Move);
    let come = moves.filter(|node| !ledger.has_copy(node.object.uid()));
    changes.extend(come.map(|node| format!("{} has come in the target", node.object.id())));
    changes
}

fn difference(
    run: &Run,
    graph: &Graph,
    (original, copy): (&Node, &Node),
    made: &Made<'_>,
) -> Option<String> {
    if copy.object.is_being_deleted() {
        return Some("is being deleted in the target".to_owned());
    }
    let is_used = matches!(
        copy.fate,
        Fate::Keep(KeepReason::Shared) | Fate::Stay(StayReason::NotChosen(NotChosen::Used(_)))
    );
    if is_used {
        return Some("is used by other Clusters of the target".to_owned());
    }
    let lost = lost(run, graph.kind(original), &original.object, &copy.object);
    if let Some(path) = lost.into_iter().find(|path| !is_finalizer(path)) {
        return Some(format!("differs at {path}"));
    }
    if made.body.is_none_or(|body| body == body_digest(&copy.object)) {
        return None;
    }
    // Somebody has made the same change on both sides, or the target has more.
    let added = compare(&original.object, &copy.object).added;
    let path = added.into_iter().find(|path| !path.starts_with("metadata"))?;
    Some(format!("differs at {path}"))
}

/// The first changes, and how many there are beside them.
fn shortened_list(changes: Vec<String>) -> Vec<String> {
    let more = changes.len().saturating_sub(SHOWN);
    let mut shown: Vec<String> = changes.into_iter().take(SHOWN).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown
}
