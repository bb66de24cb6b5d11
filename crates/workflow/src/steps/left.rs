//! A bootstrap cluster that keeps what has moved, paused: until it is deleted the move can be
//! rolled back, and nothing is deleted object by object.

use cluster::Client;
use transfer::{Found, Gone, Lease, MoveError, Phase, Record, Report, Role, Run, Sides};

use super::control_plane::the_cluster;
use super::delete_bootstrap::clusters_left;
use crate::context::Turn;
use crate::error::StepError;

/// The record of a move that has left its source as it is, in that source.
pub(crate) fn record_of(found: &Found) -> Option<&Record> {
    let record = found.source.as_ref().and_then(|lease: &Lease| lease.record.as_ref())?;
    (record.role == Role::Source && record.phase == Phase::Left).then_some(record)
}

/// Returns the Clusters of a bootstrap cluster that nobody else has: those that it keeps from a
/// move count only if the target does not have them.
pub(crate) async fn clusters_at_stake(
    turn: &Turn<'_>,
    bootstrap: &Client,
) -> Result<Vec<String>, StepError> {
    let held = clusters_left(bootstrap).await?;
    if held.is_empty() || turn.is_removal() {
        return Ok(held);
    }
    let found = transfer::find(bootstrap, bootstrap).await.map_err(StepError::Phase)?;
    let Some(record) = record_of(&found) else { return Ok(held) };
    let moved = clusters_left(&turn.target().await?).await?;
    let namespaces = record.namespaces();
    let is_of_move = |id: &str| {
        let namespace = id.split_once(' ').and_then(|(_, place)| place.split_once('/'));
        namespace.is_some_and(|(namespace, _)| namespaces.has(namespace))
    };
    Ok(held.into_iter().filter(|id| !is_of_move(id) || !moved.contains(id)).collect())
}

/// Ends the record of the move in the target once the bootstrap cluster is gone with what it kept:
/// there is no way back any more.
pub(crate) async fn end(turn: &Turn<'_>) -> Result<(), StepError> {
    if turn.is_removal() {
        return Ok(());
    }
    let target = turn.target().await?;
    let found = transfer::find(&target, &target).await.map_err(StepError::Phase)?;
    let waits = found.target.and_then(|lease| lease.record).is_some_and(|record| {
        record.role == Role::Target && record.leaves && record.phase.is_left()
    });
    if !waits || the_cluster(turn, &target).await?.is_none() {
        return Ok(());
    }
    let run = Run {
        events: support::journal::Events::none(),
        sides: Sides::default(),
        ..super::move_cluster::new_move(turn, &target, &target)
    };
    let mut report = Report::blank(&run);
    match transfer::resume_without_source(&run, false, Gone::Sure, &mut report).await {
        // Somebody has ended it meanwhile.
        Ok(()) | Err(MoveError::NoRun(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
