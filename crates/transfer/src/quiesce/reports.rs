//! Waiting until controllers have reported, in the condition `Paused`, that they have stopped.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use capi::{Graph, ObjectId};

use super::pending::Pending;
use crate::error::PhaseError;
use crate::findings::Findings;
use crate::run::Run;

/// Pauses between two looks: they grow from the first to the last.
const INTERVALS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// The result of a wait.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// One of the objects that the wait was for, if there was any.
    pub(super) waited_for: Option<ObjectId>,
    /// Uids of those that were silent to the end.
    pub(super) silent: HashSet<String>,
    /// Findings for the user.
    pub(crate) findings: Findings,
}

/// Waits until every object that this run has paused and that has a condition `Paused` says so.
/// Only kinds with silent objects are listed again. Those in `silent` are not waited for.
///
/// # Errors
/// [`PhaseError::Busy`] when controllers that run have not reported in time, or when a request fails.
pub(crate) async fn wait_for_reports(
    run: &Run,
    graph: &Graph,
    silent: &HashSet<String>,
) -> Result<Reports, PhaseError> {
    let begun = Instant::now();
    let patience = run.options.pause_timeout;
    let mut pending = Pending::of(graph, &run.id, silent);
    let waited_for = pending.first().map(|(_, object)| object.clone());
    if patience.is_zero() || waited_for.is_none() {
        return Ok(Reports::default());
    }
    let mut interval = INTERVALS[0];
    while let Some((count, first)) = pending.first() {
        run.stop.check()?;
        run.events.doing(format!("{count} objects not yet reported as paused, for one {first}"));
        tokio::time::sleep(interval.min(patience)).await;
        interval = (interval * 2).min(INTERVALS[1]);
        look_again(run, &mut pending).await?;
        if begun.elapsed() >= patience {
            let findings = pending.judge(begun.elapsed().as_secs())?;
            return Ok(Reports { waited_for, silent: pending.silent(), findings });
        }
    }
    Ok(Reports { waited_for, ..Reports::default() })
}

async fn look_again(run: &Run, pending: &mut Pending) -> Result<(), PhaseError> {
    let namespace = run.options.namespaces.selector();
    for (kind, resource, within) in pending.kinds(namespace) {
        let now = run.source.list(&resource, namespace.filter(|_| within)).await?;
        pending.update(kind, &now);
    }
    Ok(())
}
