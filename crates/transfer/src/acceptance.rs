//! Checks of two clusters after a move: Cluster API's own acceptance list of a pivot.
//!
//! Reads only. Works for any pair of clusters, also after a move by another tool.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capi::names::{
    COPIES_OF_LABEL, DELETE_FOR_MOVE_ANNOTATION, PAUSED_BY_ANNOTATION, RUN_ANNOTATION,
};
use capi::{
    Chosen, Fate, Graph, MoveKind, Node, StayReason, at, has_paused_annotation, is_cluster,
    is_machine, is_paused, unprovisioned_reason,
};
use cluster::{Client, FIELD_MANAGER};
use serde::Serialize;
use support::journal::Events;

use super::choice::{self, Choice};
use super::discover::{MoveScope, discover};
use super::error::PhaseError;
use super::findings::Findings;
use super::inventory::{self, Provider};
use super::kinds;
use super::options::Namespaces;
use super::preflight::check_health;
use super::record::Role;
use super::recover::find_one;
use super::run::Stop;

/// Between two looks.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// One thing that has to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Stable name, for example `SourceEmpty`.
    pub rule: &'static str,
    /// The condition, as a sentence.
    pub says: &'static str,
    /// A text for each object that violates it; the check passes when there is none.
    pub violations: Vec<String>,
}

impl Check {
    fn new(rule: &'static str, says: &'static str, violations: Vec<String>) -> Self {
        Self { rule, says, violations }
    }

    /// Returns whether it holds.
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.violations.as_slice() {
            [] => write!(f, "{} holds", self.rule),
            [first] => write!(f, "{} fails: {first}", self.rule),
            [first, others @ ..] => {
                write!(f, "{} fails: {first} (and {} more)", self.rule, others.len())
            }
        }
    }
}

/// The scope of a verification.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// Namespaces of the objects that were moved.
    pub namespaces: Namespaces,
    /// The chosen Clusters in them.
    pub choice: Choice,
    /// Time during which Machines have to stay the same.
    pub settle: Duration,
}

/// Limits of a wait for checks that fail.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    /// For how long; zero looks once.
    pub timeout: Duration,
    /// Ends it at once.
    pub stop: &'a Stop,
}

/// Verifies a move. Right after one controllers may not have written the status anew; so it is
/// looked again, as `waiting` says, and Machines are watched when all else holds, or the time is
/// over.
///
/// A Machine that was replaced is not waited for: that does not come right again.
///
/// # Errors
/// When a cluster cannot be read, or the user stops; what does not hold is no error here.
pub async fn accept(
    source: &Client,
    target: &Client,
    acceptance: &Acceptance,
    (waiting, events): (&Waiting<'_>, &Events),
) -> Result<Vec<Check>, PhaseError> {
    let began = Instant::now();
    loop {
        let (chosen, unknown) = decide(source, target, acceptance).await?;
        let look = |cluster| look(cluster, acceptance, chosen.clone());
        let (left, moved, stays) =
            tokio::try_join!(look(source), look(target), is_replaced(source))?;
        waiting.stop.check()?;
        let mut has_clusters = target_has_clusters(&moved, chosen.as_deref());
        has_clusters.violations.extend(unknown);
        let of_source = if stays { source_paused(&left) } else { source_empty(&left) };
        let mut checks = vec![of_source, has_clusters];
        checks.extend(of_target(&moved));
        let remaining = waiting.timeout.saturating_sub(began.elapsed());
        let broken = checks.iter().find(|check| !check.holds());
        if let Some(broken) = broken.filter(|_| !remaining.is_zero()) {
            events.doing(broken.to_string());
            waiting.stop.wait(CHECK_INTERVAL.min(remaining)).await;
            waiting.stop.check()?;
            continue;
        }
        if !acceptance.settle.is_zero() {
            let seconds = acceptance.settle.as_secs();
            events.doing(format!("watching for replaced Machines for {seconds} s"));
            waiting.stop.wait(acceptance.settle).await;
            waiting.stop.check()?;
            checks.push(machines_unchanged(&moved, &look(target).await?));
        }
        return Ok(checks);
    }
}

/// The chosen Clusters, of both clusters, and the names that neither has.
async fn decide(
    source: &Client,
    target: &Client,
    acceptance: &Acceptance,
) -> Result<(Option<Arc<Chosen>>, Vec<String>), PhaseError> {
    if acceptance.choice == Choice::All {
        return Ok((None, Vec::new()));
    }
    let mut both = Chosen::default();
    let mut unknown: Option<BTreeSet<String>> = None;
    for (cluster, role) in [(source, "source"), (target, "target")] {
        check_health(cluster).await?;
        let (kinds, providers) = (kinds::read(cluster).await?, Vec::new());
        let namespaces = acceptance.namespaces.clone();
        let move_scope = scope(kinds, providers, namespaces, None);
        let mut findings = Findings::default();
        let choice = (&acceptance.choice, &mut findings);
        let chosen = choice::decide((cluster, role), &move_scope, choice).await?;
        for (namespace, names) in chosen.unwrap_or_default().clusters {
            both.clusters.entry(namespace).or_default().extend(names);
        }
        let here = findings.0.into_iter().map(|finding| finding.message).collect();
        unknown = Some(match unknown {
            Some(there) => &there & &here,
            None => here,
        });
    }
    Ok((Some(Arc::new(both)), unknown.into_iter().flatten().collect()))
}

async fn look(
    cluster: &Client,
    acceptance: &Acceptance,
    chosen: Option<Arc<Chosen>>,
) -> Result<Graph, PhaseError> {
    check_health(cluster).await?;
    let (kinds, providers) = tokio::try_join!(kinds::read(cluster), inventory::read(cluster))?;
    let namespaces = acceptance.namespaces.clone();
    discover(cluster, &scope(kinds, providers, namespaces, chosen)).await
}

fn scope(
    kinds: Arc<Vec<MoveKind>>,
    providers: Vec<Provider>,
    namespaces: Namespaces,
    chosen: Option<Arc<Chosen>>,
) -> MoveScope {
    MoveScope { kinds, providers, namespaces, chosen, copies_referenced: false, taken: None }
}

fn source_empty(source: &Graph) -> Check {
    let left = source.copied().map(|index| &source[index]);
    let left = left.filter(|node| node.fate == capi::Fate::Move);
    let violations = left.map(|node| format!("{} is still there", node.object.id())).collect();
    Check::new("SourceEmpty", "nothing of what moves is left in the source", violations)
}

/// Returns true if a replacement has left everything in the source.
async fn is_replaced(source: &Client) -> Result<bool, PhaseError> {
    let record = find_one(source).await?.and_then(|lease| lease.record);
    Ok(record.is_some_and(|record| record.role == Role::Source && record.phase.is_left()))
}

fn source_paused(source: &Graph) -> Check {
    let moved = source.pausable().filter(|node| node.fate == Fate::Move);
    let active = moved.filter(|node| !is_paused(&node.object));
    let violations = active.map(|node| format!("{} is active", node.object.id())).collect();
    Check::new("SourcePaused", "everything that was left in the source is paused", violations)
}

fn target_has_clusters(target: &Graph, chosen: Option<&Chosen>) -> Check {
    let none = target.clusters().next().is_none();
    let there: BTreeSet<String> = target
        .clusters()
        .map(|node| format!("{}/{}", node.object.namespace().unwrap_or("-"), node.object.name()))
        .collect();
    let chosen = chosen.into_iter().flat_map(Chosen::names);
    let missing = chosen.filter(|name| !there.contains(name));
    let missing = missing.map(|name| format!("Cluster {name} is not there"));
    let none = none.then(|| "there is no Cluster in scope".to_owned());
    let violations = none.into_iter().chain(missing).collect();
    Check::new("TargetHasClusters", "the target has Clusters", violations)
}

/// Everything that one look at the target shows.
fn of_target(target: &Graph) -> Vec<Check> {
    let every = |rule, says, violation: fn(&Node) -> Option<String>| {
        let described =
            |node: &Node| violation(node).map(|what| format!("{}: {what}", node.object.id()));
        let nodes = target.nodes.iter().filter(|node| is_in_question(node));
        Check::new(rule, says, nodes.filter_map(described).collect())
    };
    vec![
        every("OwnersExist", "every owner reference names an object that exists", dangling),
        every("Provisioned", "Clusters are provisioned and Machines have their Node", |node| {
            unprovisioned_reason(&node.object).map(str::to_owned)
        }),
        every("Available", "every Cluster is Available", unavailable),
        every("NotPaused", "no Cluster is paused", |node| {
            let is_held = is_paused(&node.object) || has_paused_annotation(&node.object);
            (is_cluster(&node.object) && is_held).then(|| "it is paused".to_owned())
        }),
        every("NoMarks", "no mark of a move is left", mark),
        every("NoForeignManagers", "no tool that moves objects owns a field", manager),
    ]
}

/// Returns whether an object is none of Clusters that were not chosen, and not the list of copies,
/// which a replacement needs as long as it can be rolled back.
fn is_in_question(node: &Node) -> bool {
    let is_list = node.object.label(COPIES_OF_LABEL).is_some();
    !is_list && !matches!(node.fate, Fate::Stay(StayReason::NotChosen(_)))
}

fn dangling(node: &Node) -> Option<String> {
    if matches!(node.fate, capi::Fate::Stay(capi::StayReason::Unrelated)) {
        return None;
    }
    let missing = node.owners.iter().find(|owner| owner.node.is_none())?;
    Some(format!("its owner {} {} does not exist", missing.reference.kind, missing.reference.name))
}

fn unavailable(node: &Node) -> Option<String> {
    if !is_cluster(&node.object) {
        return None;
    }
    match node.object.condition("Available") {
        Some(condition) if condition.is_true() => None,
        Some(condition) => Some(format!("it is not Available: {}", condition.message())),
        None => Some("it has no condition Available yet".to_owned()),
    }
}

fn mark(node: &Node) -> Option<String> {
    [PAUSED_BY_ANNOTATION, RUN_ANNOTATION, DELETE_FOR_MOVE_ANNOTATION]
        .into_iter()
        .find(|mark| node.object.annotation(mark).is_some())
        .map(|mark| format!("annotation {mark}"))
}

fn manager(node: &Node) -> Option<String> {
    let managers =
        node.object.managed_fields().iter().filter_map(|entry| at(entry, "/manager").as_str());
    managers
        .into_iter()
        .find(|name| [FIELD_MANAGER, "clusterctl"].contains(name))
        .map(|name| format!("manager {name}"))
}

fn machines_unchanged(before: &Graph, after: &Graph) -> Check {
    let machines = |graph: &Graph| -> BTreeSet<(String, String)> {
        let nodes = graph.nodes.iter().filter(|node| is_in_question(node));
        let machines = nodes.filter(|node| is_machine(&node.object));
        machines.map(|node| (node.object.id().to_string(), node.object.uid().to_owned())).collect()
    };
    let (before, after) = (machines(before), machines(after));
    let gone = before.difference(&after).map(|(name, _)| format!("{name} is gone"));
    let new = after.difference(&before).map(|(name, _)| format!("{name} is new"));
    Check::new(
        "MachinesUnchanged",
        "no Machine was created or deleted meanwhile",
        gone.chain(new).collect(),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use capi::{MoveKind, Object, ResourceType, Scope};

    fn graph(objects: Vec<Value>) -> Graph {
        let kind = |kind: &str, moves| MoveKind {
            resource: ResourceType::new("cluster.x-k8s.io/v1beta2", kind, "x", true),
            moves,
            moves_hierarchy: moves,
            has_status_subresource: true,
            converted_to: None,
            knowledge: None,
        };
        let kinds = Arc::new(vec![kind("Cluster", true), kind("Machine", false)]);
        let objects = objects.into_iter().map(|mut value| {
            value["apiVersion"] = json!("cluster.x-k8s.io/v1beta2");
            value["metadata"]["uid"] = value["metadata"]["name"].clone();
            (usize::from(value["kind"] == "Machine"), Object::new(value))
        });
        Graph::build(kinds, objects.collect(), &Scope::default()).expect("no cycle")
    }

    fn broken(objects: Vec<Value>) -> Vec<&'static str> {
        of_target(&graph(objects))
            .into_iter()
            .filter(|check| !check.holds())
            .map(|check| check.rule)
            .collect()
    }

    fn cluster(metadata: Value, paused: bool) -> Value {
        let mut value = json!({"kind": "Cluster", "metadata": {"name": "c"},
            "spec": {"paused": paused}, "status":
            {"initialization": {"infrastructureProvisioned": true}, "conditions":
            [{"type": "ControlPlaneInitialized", "status": "True"},
                {"type": "Available", "status": "True"}]}});
        metadata
            .as_object()
            .into_iter()
            .flatten()
            .for_each(|(k, v)| value["metadata"][k] = v.clone());
        value
    }

    #[test]
    fn a_cluster_of_v1beta1_says_in_its_v1beta2_status_that_it_is_available() {
        let mut value = cluster(json!({}), false);
        value["status"]["v1beta2"]["conditions"] = value["status"]["conditions"].take();
        value["status"]["conditions"] =
            json!([{"type": "ControlPlaneInitialized", "status": "True"}]);
        assert_eq!(broken(vec![value.clone()]), Vec::<&str>::new());
        value["status"]["v1beta2"]["conditions"][1]["status"] = json!("False");
        assert_eq!(broken(vec![value]), ["Available"]);
    }

    #[test]
    fn each_rule_notices_its_violation() {
        assert_eq!(broken(vec![cluster(json!({}), false)]), Vec::<&str>::new());
        assert_eq!(broken(vec![cluster(json!({}), true)]), ["NotPaused"]);
        assert_eq!(
            broken(vec![cluster(json!({"annotations": {RUN_ANNOTATION: "r"}}), false)]),
            ["NoMarks"]
        );
        let managed = json!({"managedFields": [{"manager": "clusterctl"}]});
        assert_eq!(broken(vec![cluster(managed, false)]), ["NoForeignManagers"]);
        let machine = json!({"kind": "Machine", "metadata": {"name": "m", "ownerReferences": [
            {"apiVersion": "a/v1", "kind": "Cluster", "name": "c", "uid": "c"},
            {"apiVersion": "a/v1", "kind": "Gone", "name": "g", "uid": "g"}]}});
        assert_eq!(
            broken(vec![cluster(json!({}), false), machine]),
            ["OwnersExist", "Provisioned"]
        );
    }

    #[test]
    fn replaced_machines_are_noticed() {
        let machine = |name: &str| json!({"kind": "Machine", "metadata": {"name": name}});
        let check = machines_unchanged(&graph(vec![machine("a")]), &graph(vec![machine("b")]));
        assert_eq!(check.violations, ["Machine a is gone", "Machine b is new"]);
    }
}
