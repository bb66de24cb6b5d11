//! Rehearsal: server-side dry-run creates, which surface webhooks, policies, quotas and schemas.

use std::collections::{HashMap, HashSet};

use super::super::copy::body;
use super::super::error::PhaseError;
use super::super::findings::Findings;
use super::super::namespaces;
use super::super::options::Rehearsal;
use super::super::run::{Progress, Run};
use super::references::references;
use crate::capi::{Fate, Graph, Node};
use crate::cluster::{ApiErrorCause, WriteOptions};

/// Creates one object of each kind (or all) with dry-run, and reports what the target refuses.
///
/// Objects whose namespace is not there yet are rehearsed in `default`.
pub(super) async fn check(
    run: &Run,
    graph: &Graph,
    findings: &mut Findings,
) -> Result<(), PhaseError> {
    let nodes = sample(run, graph);
    let missing = namespaces::missing(run, graph).await?;
    let missing: HashSet<&str> = missing.iter().map(|wanted| wanted.name.as_str()).collect();
    let progress = Progress::of(nodes.len());
    let refusals = run.each(nodes, &progress, |node| refusal(run, graph, node, &missing)).await?;
    for (node, message) in refusals.into_iter().flatten() {
        if depends_on_others(node) && is_denied_by_webhook(&message) {
            let problem = format!("a webhook of the target would refuse it now: {message}");
            let hint = "if the webhook looks for other objects of this move, which are not there yet, there \
                        is nothing to do; otherwise fix the object, or the move will be rolled back";
            findings.object_warning("RefusedAlone", "target", node.object.id(), &problem, hint);
            continue;
        }
        let hint = "look at the webhook, policy, quota or schema named here in the target cluster; \
                    --preflight=off leaves the rehearsal out";
        findings.object_error(
            "Refused",
            "target",
            node.object.id(),
            &format!("the target would refuse it: {message}"),
            hint,
        );
    }
    Ok(())
}

/// Whether a webhook may look for other objects, which a rehearsal lacks: owners, or what the spec names.
fn depends_on_others(node: &Node) -> bool {
    !node.owners.is_empty() || !references(&node.object).is_empty()
}

/// The text is that of `k8s.io/apiserver/pkg/admission/plugin/webhook`. A webhook that cannot be called
/// refuses everything, and a policy or quota does not look at other objects of the move.
fn is_denied_by_webhook(message: &str) -> bool {
    message.contains("admission webhook \"") && message.contains("denied the request")
}

fn sample<'a>(run: &Run, graph: &'a Graph) -> Vec<&'a Node> {
    let mut seen = HashSet::new();
    let nodes = graph
        .copied()
        .map(|index| &graph.nodes[index])
        .filter(|node| matches!(node.fate, Fate::Move));
    nodes
        .filter(|node| run.options.rehearsal == Rehearsal::Full || seen.insert(node.kind))
        .collect()
}

/// What the target says against an object; `None` when it would accept it.
async fn refusal<'a>(
    run: &Run,
    graph: &Graph,
    node: &'a Node,
    missing: &HashSet<&str>,
) -> Result<Option<(&'a Node, String)>, PhaseError> {
    let mut object = body(node, &graph.kinds[node.kind], &run.id, &HashMap::new());
    object.metadata_mut().remove("ownerReferences");
    if object.namespace().is_some_and(|namespace| missing.contains(namespace)) {
        object.metadata_mut().insert("namespace".to_owned(), "default".into());
    }
    match run.target.create(graph.resource(node), &object, &WriteOptions::dry_run()).await {
        Ok(_) => Ok(None),
        Err(error) if error.is_already_exists() => Ok(None),
        Err(error) => match error.cause {
            ApiErrorCause::Status { code, message, .. }
                if code < 500 || message.contains("webhook") =>
            {
                Ok(Some((node, message)))
            }
            _ => Err(error.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_webhook_denies_may_be_for_lack_of_other_objects() {
        for (message, wanted) in [
            ("admission webhook \"a.b.io\" denied the request: MachinePool not found", true),
            (
                "Internal error occurred: failed calling webhook \"a.b.io\": connection refused",
                false,
            ),
            ("secrets \"a\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: no", false),
            ("exceeded quota: q", false),
        ] {
            assert_eq!(is_denied_by_webhook(message), wanted, "{message}");
        }
    }
}
