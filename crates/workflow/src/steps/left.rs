//! A bootstrap cluster that keeps what has moved, paused: until it is deleted the move can be
//! rolled back, and nothing is deleted object by object.

use std::future::Future;

use cluster::Client;
use support::causes::in_one_line;
use support::journal::Events;
use transfer::{Found, Gone, MoveError, Namespaces, Phase, Record, Report, Role, Run, Sides, Stop};

use super::control_plane::the_cluster;
use super::delete_bootstrap::clusters_left;
use super::move_cluster::new_move;
use crate::context::StepContext;
use crate::error::StepError;

/// The record of a move that has left its source as it is, in that source.
pub(crate) fn record_of(found: &Found) -> Option<&Record> {
    let record = found.source.as_ref()?.record.as_ref()?;
    (record.role == Role::Source && record.phase == Phase::Left).then_some(record)
}

/// Returns the Clusters of a bootstrap cluster that nobody else has: those that it keeps from a
/// move count only if the target does not have them.
pub(crate) async fn clusters_at_stake(
    step_context: &StepContext<'_>,
    bootstrap: &Client,
) -> Result<Vec<String>, StepError> {
    let held = clusters_left(bootstrap).await?;
    if held.is_empty() || step_context.is_removal() {
        return Ok(held);
    }
    let found = transfer::find(bootstrap, bootstrap).await.map_err(StepError::Phase)?;
    let Some(record) = record_of(&found) else { return Ok(held) };
    let moved = clusters_left(&step_context.target().await?).await?;
    let namespaces = record.namespaces();
    let is_of_move = |id: &str| {
        let namespace = id.split_once(' ').and_then(|(_, place)| place.split_once('/'));
        namespace.is_some_and(|(namespace, _)| namespaces.has(namespace))
    };
    Ok(held.into_iter().filter(|id| !is_of_move(id) || !moved.contains(id)).collect())
}

/// Fails unless the target has what a bootstrap cluster that does not answer has kept: a rollback
/// may have brought it back since the deletion was begun.
///
/// # Errors
/// The target does not have it, or does not answer either.
pub(crate) async fn refuse_if_back(step_context: &StepContext<'_>) -> Result<(), StepError> {
    let target = step_context.target().await?;
    let found = transfer::find(&target, &target).await.map_err(StepError::Phase)?;
    let is_over = |record: &Record| matches!(record.phase, Phase::Left | Phase::Finished);
    let is_there = the_cluster(step_context, &target).await?.is_some();
    if is_there && found.record().is_none_or(is_over) {
        return Ok(());
    }
    let name = &step_context.spec().bootstrap_name;
    Err(StepError::refused(
        format!(
            "the bootstrap cluster `{name}` does not answer, and the target does not have the \
             Cluster: a rollback may have brought it back"
        ),
        format!("start it (docker start {name}-control-plane), then run the command again"),
    ))
}

/// Does work, and meanwhile takes the leader Leases of the controllers of a bootstrap cluster that
/// keeps what has moved. The pauses hold without them too.
pub(crate) async fn held_during<T>(
    step_context: &StepContext<'_>,
    work: impl Future<Output = T>,
) -> T {
    let stop = Stop::default();
    let working = async {
        let done = work.await;
        stop.request();
        done
    };
    let (done, ()) = futures::join!(working, hold(step_context, &stop));
    done
}

async fn hold(step_context: &StepContext<'_>, stop: &Stop) {
    let held = async {
        let (source, target) = (step_context.bootstrap().await?, step_context.target().await?);
        let new = new_move(step_context, &source, &target);
        Ok::<_, StepError>(transfer::hold_left(&Run { stop: stop.clone(), ..new }).await?)
    };
    match held.await {
        Err(error) if !stop.is_requested() => {
            let why = in_one_line(&error);
            step_context.events.note(format!(
                "the controllers of the bootstrap cluster run on, and the pauses hold: {why}"
            ));
        }
        _ => {}
    }
}

/// Ends the record of the move in the target once the bootstrap cluster is gone with what it kept:
/// there is no way back any more.
pub(crate) async fn end(step_context: &StepContext<'_>) -> Result<(), StepError> {
    if step_context.is_removal() {
        return Ok(());
    }
    let target = step_context.target().await?;
    let found = transfer::find(&target, &target).await.map_err(StepError::Phase)?;
    let rests = found.target.and_then(|lease| lease.record).is_some_and(|record| {
        record.role == Role::Target
            && record.leaves
            && record.phase == Phase::Left
            && record.namespaces() == Namespaces::One(step_context.spec().namespace.clone())
    });
    if !rests || the_cluster(step_context, &target).await?.is_none() {
        return Ok(());
    }
    let run = Run {
        events: Events::none(),
        sides: Sides::default(),
        ..new_move(step_context, &target, &target)
    };
    let mut report = Report::blank(&run);
    // A source that answers is that of another run.
    match transfer::resume_without_source(&run, false, Gone::Checked, &mut report).await {
        // Somebody has ended it meanwhile.
        Ok(()) | Err(MoveError::NoRun(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
