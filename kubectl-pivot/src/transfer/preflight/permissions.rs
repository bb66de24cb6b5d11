//! Whether both users may do everything the move will need, asked before the first write.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::super::error::PhaseError;
use super::super::findings::Findings;
use super::super::inventory;
use super::super::namespaces;
use super::super::places::lock_namespace;
use super::super::run::Run;
use crate::capi::{Fate, Graph, Object, ResourceType};
use crate::cluster::{ApiError, Client, WriteOptions};

const SOURCE_VERBS: [&str; 3] = ["list", "patch", "delete"];
/// An undo deletes.
const TARGET_VERBS: [&str; 5] = ["get", "list", "create", "patch", "delete"];

/// One thing a user has to be allowed to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    group: String,
    plural: String,
    namespace: Option<String>,
    verb: &'static str,
}

/// Asks both API servers (`SelfSubjectAccessReview`).
pub(super) async fn check(run: &Run, graph: &Graph) -> Result<Findings, PhaseError> {
    let mut findings = Findings::default();
    for (cluster, verbs, source) in
        [(&run.source, &SOURCE_VERBS[..], true), (&run.target, &TARGET_VERBS[..], false)]
    {
        let side = if source { "source" } else { "target" };
        let mut needs = needs(graph, verbs, source);
        needs.extend(lock_needs(cluster).await?);
        if !source {
            needs.extend(needed_namespaces(run, graph).await?);
        }
        for need in missing(cluster, needs).await? {
            let place = need
                .namespace
                .as_ref()
                .map_or_else(String::new, |namespace| format!(" in namespace {namespace}"));
            let group =
                if need.group.is_empty() { String::new() } else { format!(".{}", need.group) };
            let message = format!("its user may not {} {}{group}{place}", need.verb, need.plural);
            let hint = format!(
                "grant the user of the {side} kubeconfig this verb, or use another kubeconfig"
            );
            findings.error("Forbidden", side, message, hint);
        }
    }
    Ok(findings)
}

fn needs(graph: &Graph, verbs: &[&'static str], source: bool) -> BTreeSet<Need> {
    let mut needs = BTreeSet::new();
    for node in graph.copied().map(|index| &graph.nodes[index]) {
        let resource: &ResourceType = graph.resource(node);
        let deletes = node.fate == Fate::Move;
        for &verb in verbs.iter().filter(|verb| !source || deletes || **verb == "list") {
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

/// The lock of a run is a Lease.
async fn lock_needs(cluster: &Client) -> Result<Vec<Need>, ApiError> {
    let namespace = lock_namespace(&inventory::read(cluster).await?);
    let need = |verb| Need {
        group: "coordination.k8s.io".to_owned(),
        plural: "leases".to_owned(),
        namespace: Some(namespace.clone()),
        verb,
    };
    Ok(["get", "create", "update", "patch", "delete"].map(need).to_vec())
}

/// A namespace that the target lacks has to be created, and removed again by an undo.
async fn needed_namespaces(run: &Run, graph: &Graph) -> Result<Vec<Need>, PhaseError> {
    let need = |verb| Need {
        group: String::new(),
        plural: "namespaces".to_owned(),
        namespace: None,
        verb,
    };
    let is_needed = !namespaces::missing(run, graph).await?.is_empty();
    Ok(if is_needed { ["create", "patch", "delete"].map(need).to_vec() } else { Vec::new() })
}

async fn missing(cluster: &Client, needs: BTreeSet<Need>) -> Result<Vec<Need>, ApiError> {
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
    let review = Object::new(
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec":
        {"resourceAttributes": {"group": need.group, "resource": need.plural, "namespace": need.namespace, "verb": need.verb}}}),
    );
    let answer = cluster.create(&resource, &review, &WriteOptions::default()).await?;
    Ok(answer.value()["status"]["allowed"] == Value::Bool(true))
}
