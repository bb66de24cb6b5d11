//! Checks of the objects themselves, from what discovery has read.

use capi::names::{PAUSED_BY_ANNOTATION, RUN_ANNOTATION};
use capi::{
    Fate, Graph, KeepReason, Object, ResourceType, is_cluster_class, is_pausable,
    unprovisioned_reason,
};
use cluster::Client;
use support::visible::shell_word;

use super::secrets;
use crate::error::PhaseError;
use crate::findings::Findings;
use crate::namespaces::namespace_type;
use crate::reserved::{self, Use};
use crate::run::Run;

/// Refuses a move of a cluster onto itself, however it is addressed.
pub(super) async fn check_distinct(run: &Run, findings: &mut Findings) -> Result<(), PhaseError> {
    let (source, target) = tokio::try_join!(identity(&run.source), identity(&run.target))?;
    if source == target {
        let message = format!("it is the source cluster itself ({})", run.target.server());
        findings.error("SameCluster", "target", message, "check --to-kubeconfig and --to-context");
    }
    Ok(())
}

/// The uid of `kube-system`, which no two clusters share; the URL where that may not be read.
pub(crate) async fn identity(cluster: &Client) -> Result<String, PhaseError> {
    match cluster.get(&namespace_type(), None, "kube-system").await {
        Ok(Some(namespace)) => Ok(namespace.uid().to_owned()),
        Ok(None) => Ok(cluster.server().to_owned()),
        Err(error) if error.is_forbidden() => Ok(cluster.server().to_owned()),
        Err(error) => Err(error.into()),
    }
}

/// Objects that are not ready to be moved.
pub(crate) fn check(run: &Run, graph: &Graph, findings: &mut Findings) {
    for node in graph.copied().map(|index| &graph[index]) {
        let object = &node.object;
        if let Some(reason) = unprovisioned_reason(object) {
            let hint = "wait until it is provisioned, or delete it, then run the command again";
            findings.object_error("NotProvisioned", "source", object.id(), reason, hint);
        }
        let is_kept = matches!(node.fate, Fate::Keep(reason) if reason != KeepReason::Shared);
        if is_pausable(object) && !is_cluster_class(object) && is_kept {
            let problem = "it would be copied and stay in the source too, since it belongs to a \
                           cluster-scoped object: controllers of both clusters would work on it";
            let hint = "remove the owner reference or the label move-hierarchy that makes it \
                        belong to that object";
            findings.object_error("WouldBeActiveTwice", "source", object.id(), problem, hint);
        }
        if object.is_being_deleted() {
            let problem = "it is being deleted, and a move would bring it back";
            let hint = "wait until it is gone; if it does not go, look at its finalizers and its \
                        controller";
            findings.object_error("BeingDeleted", "source", object.id(), problem, hint);
        }
    }
    let copied = graph.copied().map(|index| &graph[index].object);
    let to = if run.is_alone() { Use::Saved } else { Use::Moved };
    reserved::check(to, copied, &run.options, findings);
    secrets::check(run, graph, findings);
}

/// Refuses objects with marks of other runs. A user who can write to an object can forge one: it
/// stops a run before it begins. Later the lock keeps true ones away, a copy gets none of them, and
/// one that takes the place of the mark of a pause is found before the commit (`verify`).
pub(crate) fn check_marks(run: &Run, graph: &Graph, findings: &mut Findings) {
    for node in graph.copied().map(|index| &graph[index]) {
        check_marks_of(&run.id, graph.resource(node), &node.object, findings);
    }
}

fn check_marks_of(run: &str, resource: &ResourceType, object: &Object, findings: &mut Findings) {
    // Read as it is: on a Secret it can only be forged, and `paused_by` looks at no Secret.
    let paused = object.annotation(PAUSED_BY_ANNOTATION).and_then(|mark| mark.split('/').next());
    let paused = paused.map(|by| (PAUSED_BY_ANNOTATION, "was paused", by));
    let created = object.annotation(RUN_ANNOTATION);
    let created = created.map(|by| (RUN_ANNOTATION, "is an unfinished copy", by));
    for (mark, state, other) in paused.into_iter().chain(created) {
        if other == run {
            continue;
        }
        let problem = format!(
            "it {state} by the mark {mark} of the move {other}, which is still at work or was \
             interrupted"
        );
        let hint = format!(
            "end that move with `kubectl pivot resume` or `kubectl pivot rollback`; if `kubectl \
             pivot status` shows none, the mark was left behind or forged: remove it with `{}`",
            removal(resource, object, mark)
        );
        findings.object_error("OtherRun", "source", object.id(), &problem, hint);
    }
}

/// The command that takes a mark off an object.
fn removal(resource: &ResourceType, object: &Object, mark: &str) -> String {
    let place = object.namespace().map(|namespace| format!(" -n {}", shell_word(namespace)));
    let (resource, name) = (resource.to_string(), shell_word(object.name()));
    format!(
        "kubectl annotate {} {name}{} {mark}-",
        shell_word(&resource),
        place.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mark_of_another_run_is_refused_on_a_secret_too() {
        let refused = |kind: &ResourceType, mark: &str| {
            let object = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata":
                {"name": "a", "namespace": "n", "annotations": {PAUSED_BY_ANNOTATION: mark}}});
            let mut findings = Findings::default();
            check_marks_of("r", kind, &Object::new(object), &mut findings);
            findings.errors().map(|finding| finding.rule).collect::<Vec<_>>()
        };
        let cluster = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
        for kind in [cluster, ResourceType::core("Secret", "secrets")] {
            assert_eq!(refused(&kind, "zzz/reported"), ["OtherRun"]);
            assert!(refused(&kind, "r/reported").is_empty());
        }
    }

    #[test]
    fn the_command_that_removes_a_mark_can_be_pasted() {
        let kind = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
        let object = |name: &str| {
            Object::new(json!({"kind": "Cluster", "metadata": {"name": name, "namespace": "n"}}))
        };
        assert_eq!(
            removal(&kind, &object("a"), RUN_ANNOTATION),
            "kubectl annotate clusters.cluster.x-k8s.io a -n n kubectl-pivot.io/run-"
        );
        let foreign = removal(&kind, &object("a; id"), RUN_ANNOTATION);
        assert!(foreign.contains("'a; id'"), "{foreign}");
    }
}
