//! Permissions of both users for everything that the move will need, asked before the first write.

use std::collections::{BTreeMap, BTreeSet};

use capi::{Fate, Graph, Object, ResourceType, is_pausable};
use cluster::{ApiError, Client, WriteOptions};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::error::PhaseError;
use crate::findings::{Findings, shortened};
use crate::inventory;
use crate::lease_location::lock_namespace;
use crate::namespaces;
use crate::run::Run;

/// Verbs on what moves.
pub(crate) const SOURCE_VERBS: [&str; 3] = ["list", "patch", "delete"];
/// Verbs on what is copied: a copy of an interrupted attempt is updated, and an undo deletes.
pub(crate) const TARGET_VERBS: [&str; 6] = ["get", "list", "create", "update", "patch", "delete"];
/// Verbs on the Lease that is the lock of a run.
pub(crate) const LOCK_VERBS: [&str; 5] = ["get", "create", "update", "patch", "delete"];
/// Verbs on the ConfigMaps beside the target's Lease in which a run lists its copies.
pub(crate) const LEDGER_VERBS: [&str; 5] = ["get", "list", "create", "patch", "delete"];
/// Verbs on namespaces of the target: those that a run creates carry its mark for a while.
pub(crate) const NAMESPACE_VERBS: [&str; 2] = ["create", "patch"];

/// Names of needs in a message; the rest is counted.
const SHOWN: usize = 12;

/// One thing a user has to be allowed to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    pub(super) group: String,
    /// Plural of the resource, with a subresource behind a slash.
    pub(super) plural: String,
    pub(super) namespace: Option<String>,
    pub(super) verb: &'static str,
}

/// Asks both API servers (`SelfSubjectAccessReview`).
pub(super) async fn check(run: &Run, graph: &Graph) -> Result<Findings, PhaseError> {
    let mut findings = Findings::default();
    for (cluster, verbs, source) in
        [(&run.source, &SOURCE_VERBS[..], true), (&run.target, &TARGET_VERBS[..], false)]
    {
        let side = if source { "source" } else { "target" };
        let mut needs = needs(graph, verbs, source);
        needs.extend(lock_needs(cluster, source).await?);
        if !source {
            needs.extend(needed_namespaces(run, graph).await?);
        }
        let missing = missing(cluster, needs).await?;
        if !missing.is_empty() {
            let hint = format!(
                "grant the user of the {side} kubeconfig these verbs (`kubectl pivot rbac {side}` \
                 prints roles with them), or use another kubeconfig"
            );
            let message = format!("its user {}", describe(&missing));
            findings.error("Forbidden", side, message, hint);
        }
    }
    Ok(findings)
}

fn needs(graph: &Graph, verbs: &[&'static str], source: bool) -> BTreeSet<Need> {
    let mut needs = BTreeSet::new();
    for node in graph.copied().map(|index| &graph[index]) {
        let resource: &ResourceType = graph.resource(node);
        if !source && graph.kind(node).carries_status() {
            needs.insert(Need {
                group: resource.group.clone(),
                plural: format!("{}/status", resource.plural),
                namespace: node.object.namespace().map(str::to_owned),
                verb: "update",
            });
        }
        let is_needed = |verb: &str| match verb {
            "list" => true,
            // What a run pauses it resumes too, also if it is kept.
            "patch" => !source || node.fate == Fate::Move || is_pausable(&node.object),
            _ => !source || node.fate == Fate::Move,
        };
        for &verb in verbs.iter().filter(|verb| is_needed(verb)) {
            needs.insert(Need {
                group: resource.group.clone(),
                plural: resource.plural.clone(),
                namespace: node.object.namespace().map(str::to_owned),
                verb,
            });
        }
    }
    needs
}

/// The lock of a run is a Lease; beside that of the target are the lists of copies.
async fn lock_needs(cluster: &Client, source: bool) -> Result<Vec<Need>, ApiError> {
    let namespace = lock_namespace(&inventory::read(cluster).await?);
    let need = |group: &str, plural: &str, verb| Need {
        group: group.to_owned(),
        plural: plural.to_owned(),
        namespace: Some(namespace.clone()),
        verb,
    };
    let mut needs = LOCK_VERBS.map(|verb| need("coordination.k8s.io", "leases", verb)).to_vec();
    if !source {
        needs.extend(LEDGER_VERBS.map(|verb| need("", "configmaps", verb)));
    }
    Ok(needs)
}

/// A namespace that the target lacks has to be created, with a mark that is removed later.
async fn needed_namespaces(run: &Run, graph: &Graph) -> Result<Vec<Need>, PhaseError> {
    let need = |verb| Need {
        group: String::new(),
        plural: "namespaces".to_owned(),
        namespace: None,
        verb,
    };
    let is_needed = !namespaces::missing(run, graph).await?.is_empty();
    Ok(if is_needed { NAMESPACE_VERBS.map(need).to_vec() } else { Vec::new() })
}

/// Describes missing permissions, by resource and namespace.
pub(super) fn describe(missing: &[Need]) -> String {
    let mut by_place: BTreeMap<(String, Option<&str>), Vec<&str>> = BTreeMap::new();
    for need in missing {
        let resource = if need.group.is_empty() {
            need.plural.clone()
        } else {
            format!("{}.{}", need.plural, need.group)
        };
        by_place.entry((resource, need.namespace.as_deref())).or_default().push(need.verb);
    }
    let texts = by_place.into_iter().map(|((resource, namespace), verbs)| {
        let place = namespace.map_or_else(String::new, |name| format!(" in namespace {name}"));
        format!("may not {} {resource}{place}", verbs.join(", "))
    });
    shortened(texts.collect::<Vec<_>>().into_iter(), SHOWN)
}

/// Returns what of this a user of a cluster may not do.
pub(super) async fn missing(
    cluster: &Client,
    needs: BTreeSet<Need>,
) -> Result<Vec<Need>, ApiError> {
    let everything =
        Need { group: "*".to_owned(), plural: "*".to_owned(), namespace: None, verb: "*" };
    if needs.is_empty() || is_allowed(cluster, &everything).await? {
        return Ok(Vec::new());
    }
    let answers: Vec<(Need, bool)> = futures::stream::iter(needs)
        .map(|need| async move {
            let allowed = is_allowed(cluster, &need).await?;
            Ok::<_, ApiError>((need, allowed))
        })
        .buffered(16)
        .try_collect()
        .await?;
    Ok(answers.into_iter().filter(|(_, allowed)| !allowed).map(|(need, _)| need).collect())
}

async fn is_allowed(cluster: &Client, need: &Need) -> Result<bool, ApiError> {
    let resource = ResourceType::new(
        "authorization.k8s.io/v1",
        "SelfSubjectAccessReview",
        "selfsubjectaccessreviews",
        false,
    );
    let (plural, subresource) = need.plural.split_once('/').unwrap_or((&need.plural, ""));
    let review = Object::new(
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec":
        {"resourceAttributes": {"group": need.group, "resource": plural,
            "subresource": subresource, "namespace": need.namespace, "verb": need.verb}}}),
    );
    let answer = cluster.create(&resource, &review, &WriteOptions::default()).await?;
    Ok(*answer.at("/status/allowed") == Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_permissions_are_reported_in_one_sentence() {
        let need = |plural: &str, namespace: Option<&str>, verb| Need {
            group: "g.io".to_owned(),
            plural: plural.to_owned(),
            namespace: namespace.map(str::to_owned),
            verb,
        };
        let missing = [
            need("things", Some("a"), "delete"),
            need("things", Some("a"), "patch"),
            need("things", Some("b"), "patch"),
            need("globals", None, "create"),
        ];
        assert_eq!(
            describe(&missing),
            "may not create globals.g.io, may not delete, patch things.g.io in namespace a, \
             may not patch things.g.io in namespace b"
        );
    }
}
