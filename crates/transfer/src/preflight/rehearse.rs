//! Rehearsal: server-side dry-run creates, which surface webhooks, policies, quotas and schemas.

use std::collections::{BTreeSet, HashMap, HashSet};

use capi::{Fate, Graph, Node, Object, OwnerReference, group_of};
use cluster::{ApiErrorCause, WriteOptions};

use super::references::references;
use crate::conversion::{Converted, ConvertedKind, judge};
use crate::copy::body;
use crate::error::PhaseError;
use crate::findings::Findings;
use crate::namespaces;
use crate::options::Rehearsal;
use crate::run::{Progress, Run};

/// In what the admission plugin `OwnerReferencesPermissionEnforcement` of Kubernetes says.
const BLOCKED_OWNER: &str = "you can't set finalizers on";

/// Creates one object of each kind (or all) with dry-run, and reports what the target refuses. Of
/// kinds that the target converts it creates all, and returns what the conversions do.
///
/// Objects whose namespace is not there yet are rehearsed in `default`.
pub(super) async fn check(
    run: &Run,
    graph: &Graph,
    findings: &mut Findings,
) -> Result<Vec<ConvertedKind>, PhaseError> {
    let nodes = sample(run.options.rehearsal, graph);
    let missing = namespaces::missing(run, graph).await?;
    let missing: HashSet<&str> = missing.iter().map(|wanted| wanted.name.as_str()).collect();
    let progress = Progress::of(nodes.len());
    let answers = run.each(nodes, &progress, |node| answer(run, graph, node, &missing)).await?;
    let mut converted = Converted::default();
    for (node, answer) in answers {
        match answer {
            Answer::Refused(message) => report(node, &message, findings),
            Answer::Accepted(answer) => {
                let kind = graph.kind(node);
                if let Some(to) = &kind.converted_to {
                    let pair = (&node.object, &*answer);
                    let judgement = judge(pair, to, &run.options.accept_loss);
                    converted.add((kind, to), node.object.id(), judgement, findings);
                }
            }
            Answer::Exists => {}
        }
    }
    Ok(converted.finish(findings))
}

/// Reports what the target says against an object.
fn report(node: &Node, message: &str, findings: &mut Findings) {
    if depends_on_others(node) && is_denied_by_webhook(message) {
        let problem = format!("a webhook of the target would refuse it now: {message}");
        let hint = "if the webhook looks for other objects of this move, which are not there yet, \
                    there is nothing to do; otherwise fix the object, or the move will be rolled \
                    back";
        findings.object_warning("RefusedAlone", "target", node.object.id(), &problem, hint);
        return;
    }
    let problem = format!("the target would refuse it: {message}");
    findings.object_error("Refused", "target", node.object.id(), &problem, hint(node, message));
}

/// In what an API server says when it cannot convert an object.
const CONVERSION: &str = "conversion webhook for ";

/// Returns the hint about an object that the target would refuse.
fn hint(node: &Node, message: &str) -> String {
    if message.contains(CONVERSION) {
        return "the target stores this kind at another version, and its conversion webhook fails: \
                look at the provider that serves it, and whether the provider of each object that \
                this one refers to is installed in the target"
            .to_owned();
    }
    if !message.contains(BLOCKED_OWNER) {
        return "look at the webhook, policy, quota or schema named here in the target cluster; \
                --preflight=off leaves the rehearsal out"
            .to_owned();
    }
    let kinds: Vec<String> = blocking_owners(node).into_iter().collect();
    format!(
        "the target has the admission plugin OwnerReferencesPermissionEnforcement: grant the user \
         of the target kubeconfig the verb update on the subresource finalizers of {}",
        kinds.join(", ")
    )
}

/// Kinds of the owners whose deletion an object holds up, with their groups.
fn blocking_owners(node: &Node) -> BTreeSet<String> {
    let references = node.owners.iter().map(|owner| &owner.reference);
    let blocking = references.filter(|reference| reference.block_owner_deletion == Some(true));
    let name = |reference: &OwnerReference| match group_of(&reference.api_version) {
        "" => reference.kind.clone(),
        group => format!("{}.{group}", reference.kind),
    };
    blocking.map(name).collect()
}

/// Returns whether a webhook may look for other objects, which a rehearsal lacks: owners, or what
/// the spec names.
fn depends_on_others(node: &Node) -> bool {
    !node.owners.is_empty() || !references(&node.object).is_empty()
}

/// The text is that of `k8s.io/apiserver/pkg/admission/plugin/webhook`. A webhook that cannot be
/// called refuses everything, and a policy or quota does not look at other objects of the move.
fn is_denied_by_webhook(message: &str) -> bool {
    message.contains("admission webhook \"") && message.contains("denied the request")
}

/// One object of each kind and each kind of owners: what its API server asks about an owner depends
/// on both. All whose kind the target converts, also those that stay in the source too: their
/// copies must not lose anything either.
fn sample(rehearsal: Rehearsal, graph: &Graph) -> Vec<&Node> {
    let mut seen = HashSet::new();
    let is_wanted = |node: &&Node| {
        graph.kind(node).converted_to.is_some()
            || node.fate == Fate::Move
                && (rehearsal == Rehearsal::Full || seen.insert((node.kind, blocking_owners(node))))
    };
    graph.moving().filter(is_wanted).collect()
}

/// The answer of the target to an object.
enum Answer {
    /// It would store it so.
    Accepted(Box<Object>),
    /// It has an object of that name.
    Exists,
    /// It would not, and says why.
    Refused(String),
}

async fn answer<'a>(
    run: &Run,
    graph: &Graph,
    node: &'a Node,
    missing: &HashSet<&str>,
) -> Result<(&'a Node, Answer), PhaseError> {
    // The owners are those of the source: an API server asks whether the user may block the
    // deletion of such a kind, and nobody looks for the owner of an object that is not stored.
    let mut object = body(node, graph.kind(node), &run.id, &HashMap::new());
    if object.namespace().is_some_and(|namespace| missing.contains(namespace)) {
        object.metadata_mut().insert("namespace".to_owned(), "default".into());
    }
    match run.target.create(graph.resource(node), &object, &WriteOptions::dry_run()).await {
        Ok(answer) => Ok((node, Answer::Accepted(Box::new(answer)))),
        Err(error) if error.is_already_exists() => Ok((node, Answer::Exists)),
        Err(error) => match error.cause {
            ApiErrorCause::Status { code, message, .. }
                if code < 500 || message.contains("webhook") =>
            {
                Ok((node, Answer::Refused(message)))
            }
            _ => Err(error.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use capi::{KeepReason, MoveKind, ResourceType, Scope};

    fn kind(name: &str, converted_to: Option<&str>) -> MoveKind {
        MoveKind {
            resource: ResourceType::new("g.io/v1", name, "things", true),
            moves: true,
            moves_hierarchy: false,
            has_status_subresource: true,
            converted_to: converted_to.map(str::to_owned),
            knowledge: None,
        }
    }

    #[test]
    fn all_of_a_converted_kind_are_rehearsed_also_what_the_source_keeps() {
        let kinds = Arc::new(vec![kind("Plain", None), kind("Converted", Some("v2"))]);
        let objects = [0, 0, 0, 1, 1, 1].iter().zip("abcdef".chars()).map(|(kind, name)| {
            let name = name.to_string();
            let metadata = json!({"name": name, "namespace": "n", "uid": name});
            (*kind, Object::new(json!({"kind": kinds[*kind].resource.kind, "metadata": metadata})))
        });
        let objects = objects.collect();
        let mut graph = Graph::build(kinds, objects, &Scope::default()).expect("no cycle");
        for kept in ["c", "f"] {
            let mut nodes = graph.nodes.iter_mut();
            let node = nodes.find(|node| node.object.name() == kept).expect("in the graph");
            node.fate = Fate::Keep(KeepReason::Shared);
        }
        for (rehearsal, wanted) in [(Rehearsal::Sample, "adef"), (Rehearsal::Full, "abdef")] {
            let mut names: Vec<&str> =
                sample(rehearsal, &graph).iter().map(|node| node.object.name()).collect();
            names.sort_unstable();
            assert_eq!(names.concat(), wanted);
        }
    }

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
