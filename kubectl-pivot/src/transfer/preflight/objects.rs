//! Checks of the objects themselves, from what discovery has read.

use super::super::error::PhaseError;
use super::super::findings::Findings;
use super::super::pause::paused_by;
use super::super::run::Run;
use crate::capi::{Fate, Graph, KeepReason, is_cluster_class, is_pausable, unprovisioned_reason};
use crate::cluster::Client;

use super::super::namespaces::namespace_type;

/// Refuses a move of a cluster onto itself, however it is addressed.
pub(super) async fn check_distinct(run: &Run, findings: &mut Findings) -> Result<(), PhaseError> {
    let (source, target) = tokio::try_join!(identity(&run.source), identity(&run.target))?;
    if source == target {
        let message = format!("it is the source cluster itself ({})", run.target.server());
        findings.error(
            "SameCluster",
            "target",
            message,
            "check --to-kubeconfig and --to-kubeconfig-context",
        );
    }
    Ok(())
}

/// The uid of `kube-system`, which no two clusters share; the URL where that may not be read.
pub(in crate::transfer) async fn identity(cluster: &Client) -> Result<String, PhaseError> {
    match cluster.get(&namespace_type(), None, "kube-system").await {
        Ok(Some(namespace)) => Ok(namespace.uid().to_owned()),
        Ok(None) => Ok(cluster.server().to_owned()),
        Err(error) if error.is_forbidden() => Ok(cluster.server().to_owned()),
        Err(error) => Err(error.into()),
    }
}

/// Objects that are not ready to be moved.
pub(in crate::transfer) fn check(run: &Run, graph: &Graph, findings: &mut Findings) {
    for node in graph.copied().map(|index| &graph.nodes[index]) {
        let object = &node.object;
        if let Some(reason) = unprovisioned_reason(object) {
            let hint = "wait until it is provisioned, or delete it, then run the command again";
            findings.object_error("NotProvisioned", "source", object.id(), reason, hint);
        }
        let is_kept = matches!(node.fate, Fate::Keep(reason) if reason != KeepReason::Shared);
        if is_pausable(object) && !is_cluster_class(object) && is_kept {
            let problem = "it would be copied and stay in the source too, since it belongs to a cluster-scoped object: controllers of both clusters would work on it";
            let hint = "remove the owner reference or the label move-hierarchy that makes it belong to that object";
            findings.object_error("WouldBeActiveTwice", "source", object.id(), problem, hint);
        }
        if object.is_being_deleted() {
            let problem = "it is being deleted, and a move would bring it back";
            let hint = "wait until it is gone; if it does not go, look at its finalizers and its controller";
            findings.object_error("BeingDeleted", "source", object.id(), problem, hint);
        }
        if let Some(other) = paused_by(object).filter(|other| *other != run.id) {
            let problem = format!(
                "it was paused by the move {other}, which is still going on or was interrupted"
            );
            let hint =
                "`kubectl pivot status` tells; `kubectl pivot resume` or `rollback` ends that move";
            findings.object_error("OtherRun", "source", object.id(), &problem, hint);
        }
    }
}
