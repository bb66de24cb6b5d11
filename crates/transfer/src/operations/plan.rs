//! Planning: stages of operations, by what there is.
//!
//! Every function is pure: a graph and what is known of it in, nodes out. What a phase carries out,
//! and what a dry-run lists, comes from here.

use std::collections::{BTreeSet, HashSet};

use capi::{
    Fate, Graph, MoveKind, Object, PAUSABLE, has_paused_annotation, is_cluster, is_cluster_class,
    is_custom_resource, is_pausable, is_paused, reports_pause,
};

use super::operation::{Action, ObjectOperation, Stage};

/// Lists what a move of a graph does, in its order, as far as its beginning tells. Controllers have
/// yet to report which kinds honour the pause of their Cluster; those count that have ever
/// reported a pause.
pub fn operations(graph: &Graph, leaves_source: bool) -> Vec<ObjectOperation> {
    let reporting = ever_reporting(graph);
    let first = classes(graph);
    let mut stages = vec![pauses(graph), own_pauses(graph, &reporting)];
    stages.extend(creations(graph, |node| first.contains(&node)));
    stages.extend(creations(graph, |node| !first.contains(&node)));
    stages.push(hand_overs(graph, &BTreeSet::new()));
    if !leaves_source {
        stages.extend(deletions(graph));
    }
    stages.extend(resumptions(graph, &reporting));
    stages.retain(|stage| !stage.nodes.is_empty());
    let numbered = stages.iter().enumerate();
    numbered.flat_map(|(index, stage)| stage.operations(index + 1, graph)).collect()
}

/// Plans the pauses of what a move pauses as a whole and nobody has paused.
pub(crate) fn pauses(graph: &Graph) -> Stage {
    let is_active = |node: &usize| {
        let object = &graph[*node].object;
        is_pausable(object) && !is_paused(object)
    };
    Stage { action: Action::Pause, nodes: graph.copied().filter(is_active).collect() }
}

/// Plans the pauses of single objects: of those with finalizers, and of kinds of which no object
/// reports that it honours the pause of its Cluster.
pub(crate) fn own_pauses(graph: &Graph, reporting: &HashSet<usize>) -> Stage {
    let needs_it = |index: &usize| {
        let node = &graph[*index];
        let is_held = !node.object.finalizers().is_empty();
        node.fate == Fate::Move
            && !has_paused_annotation(&node.object)
            && may_need_own_pause(graph.kind(node), &node.object)
            && (is_held || !reporting.contains(&node.kind))
    };
    Stage { action: Action::PauseItself, nodes: graph.copied().filter(needs_it).collect() }
}

/// Returns whether controllers could do harm to an object without a pause of its own, by its
/// metadata and kind. A kind without a status, like a template, has none that would report
/// anything.
pub(crate) fn may_need_own_pause(kind: &MoveKind, object: &Object) -> bool {
    is_custom_resource(object)
        && !is_pausable(object)
        && (kind.has_status_subresource || !object.finalizers().is_empty())
}

/// Plans the creation of the copies that are wanted, owners before dependents.
pub(crate) fn creations(graph: &Graph, is_wanted: impl Fn(usize) -> bool) -> Vec<Stage> {
    let wanted =
        |level: &Vec<usize>| level.iter().copied().filter(|node| is_wanted(*node)).collect();
    let levels = graph.levels.iter().map(wanted);
    levels.map(|nodes| Stage { action: Action::Create, nodes }).collect()
}

/// Returns the ClusterClasses that are copied, and what only they own: it comes before all else.
pub(crate) fn classes(graph: &Graph) -> HashSet<usize> {
    let mut first = HashSet::new();
    for index in graph.copied() {
        let node = &graph[index];
        let mut owners = node.known_owners().peekable();
        let has_owners = owners.peek().is_some();
        let is_below = has_owners && owners.all(|owner| first.contains(&owner));
        let is_class = is_cluster_class(&node.object) && !has_owners;
        if is_class || (is_below && !is_cluster(&node.object)) {
            first.insert(index);
        }
    }
    first
}

/// Plans the hand-over of the copies, but for objects that the target had before.
pub(crate) fn hand_overs(graph: &Graph, reused: &BTreeSet<String>) -> Stage {
    let is_new = |node: &usize| !reused.contains(graph[*node].object.uid());
    Stage { action: Action::HandOver, nodes: graph.copied().filter(is_new).collect() }
}

/// Plans the deletion of what moves, dependents before owners.
pub(crate) fn deletions(graph: &Graph) -> Vec<Stage> {
    let moved = |level: &Vec<usize>| {
        level.iter().copied().filter(|node| graph[*node].fate == Fate::Move).collect()
    };
    let levels = graph.levels.iter().rev().map(moved);
    let stages = levels.map(|nodes| Stage { action: Action::Delete, nodes });
    stages.filter(|stage| !stage.nodes.is_empty()).collect()
}

/// Plans the resumption of the copies of what a move pauses: objects that have a pause of their own
/// before the Clusters, and what selects Clusters last.
fn resumptions(graph: &Graph, reporting: &HashSet<usize>) -> Vec<Stage> {
    let silent = |node: &usize| !reporting.contains(&graph[*node].kind);
    let own = own_pauses(graph, reporting).nodes.into_iter().filter(silent).collect();
    let of_kind = |(group, kind): (&str, &str)| {
        let is_it = |node: &usize| {
            let object = &graph[*node].object;
            (object.group(), object.kind()) == (group, kind) && !is_cluster_class(object)
        };
        pauses(graph).nodes.into_iter().filter(is_it).collect()
    };
    let nodes = std::iter::once(own).chain(PAUSABLE.into_iter().map(of_kind));
    nodes.map(|nodes| Stage { action: Action::Resume, nodes }).collect()
}

/// Returns the kinds of which some object has the condition `Paused`.
fn ever_reporting(graph: &Graph) -> HashSet<usize> {
    let reporting = graph.nodes.iter().filter(|node| reports_pause(&node.object).is_some());
    let needs_no_more = |kind: &usize| graph.kind_at(*kind).own_pause().is_none();
    reporting.map(|node| node.kind).filter(needs_no_more).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::operations::Precondition;
    use capi::Scope;

    const CORE: &str = "cluster.x-k8s.io/v1beta2";

    fn object(kind: &str, owner: Option<&str>, spec: &Value) -> Object {
        let owners = owner.map(|owner| {
            json!({"apiVersion": CORE, "kind": owner, "name": "a",
            "uid": owner})
        });
        let owners: Vec<Value> = owners.into_iter().collect();
        Object::new(json!({"apiVersion": CORE, "kind": kind, "spec": spec, "metadata":
            {"namespace": "n", "name": "a", "uid": kind, "resourceVersion": "7",
             "ownerReferences": owners}}))
    }

    /// A Cluster of a class, a Machine that reports its pauses and has a finalizer, and one of a
    /// kind that reports none.
    fn graph(is_paused: bool) -> Graph {
        let kinds = ["ClusterClass", "Template", "Cluster", "Machine", "Silent"];
        let kinds = kinds.map(|kind| MoveKind {
            has_status_subresource: kind != "Template",
            ..MoveKind::for_tests(CORE, kind)
        });
        let topology = json!({"paused": is_paused, "topology": {"classRef": {"name": "a"}}});
        let mut machine = object("Machine", Some("Cluster"), &json!({}));
        machine.metadata_mut().insert("finalizers".to_owned(), json!(["f"]));
        machine.value_mut()["status"] =
            json!({"conditions": [{"type": "Paused", "status": "False"}]});
        let objects = vec![
            (0, object("ClusterClass", None, &json!({}))),
            (1, object("Template", Some("ClusterClass"), &json!({}))),
            (2, object("Cluster", None, &topology)),
            (3, machine),
            (4, object("Silent", Some("Cluster"), &json!({}))),
        ];
        Graph::build(Arc::new(kinds.to_vec()), objects, &Scope::default()).expect("no cycle")
    }

    fn lines(operations: &[ObjectOperation]) -> Vec<String> {
        let mut lines: Vec<String> = operations
            .iter()
            .map(|one| format!("{} {:?} {}", one.stage, one.action, one.object.kind))
            .collect();
        lines.sort_by_key(|line| line.split(' ').next().and_then(|n| n.parse::<usize>().ok()));
        lines
    }

    #[test]
    fn a_move_is_planned_from_the_first_pause_to_the_last_resumption() {
        let operations = operations(&graph(false), false);
        for (line, expected) in lines(&operations).iter().zip([
            "1 Pause ClusterClass",
            "1 Pause Cluster",
            "2 PauseItself Machine",
            "2 PauseItself Silent",
            "3 Create ClusterClass",
            "4 Create Template",
            "5 Create Cluster",
            "6 Create Machine",
            "6 Create Silent",
        ]) {
            assert_eq!(line, expected);
        }
        let rest = &lines(&operations)[14..];
        assert_eq!(
            rest,
            [
                "8 Delete Machine",
                "8 Delete Silent",
                "9 Delete Template",
                "9 Delete Cluster",
                "10 Delete ClusterClass",
                "11 Resume Silent",
                "12 Resume Cluster",
            ]
        );
    }

    #[test]
    fn what_a_user_has_paused_is_neither_paused_nor_resumed() {
        let operations = operations(&graph(true), false);
        let is_of_cluster = |one: &&ObjectOperation| one.object.kind == "Cluster";
        let actions: Vec<Action> =
            operations.iter().filter(is_of_cluster).map(|one| one.action).collect();
        assert_eq!(actions, [Action::Create, Action::HandOver, Action::Delete]);
    }

    #[test]
    fn a_source_that_is_left_loses_nothing() {
        let operations = operations(&graph(false), true);
        assert!(operations.iter().all(|one| one.action != Action::Delete));
    }

    #[test]
    fn every_write_to_an_object_that_is_there_has_a_precondition() {
        let unchanged =
            Precondition::Unchanged { uid: "Cluster".into(), resource_version: "7".into() };
        for one in operations(&graph(false), false) {
            match one.action {
                Action::Create => assert_eq!(one.precondition, Precondition::Absent),
                Action::HandOver | Action::Resume => {
                    assert_eq!(one.precondition, Precondition::CopyUnchanged);
                }
                _ if one.object.kind == "Cluster" => assert_eq!(one.precondition, unchanged),
                _ => {}
            }
        }
    }
}
