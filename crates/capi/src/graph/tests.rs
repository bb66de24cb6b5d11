//! The rules of the graph, by table.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Fate, Graph, KeepReason, MoveKind, Scope, StayReason};
use crate::{Object, ResourceType, moves_its_hierarchy};

const CORE: &str = "cluster.x-k8s.io/v1beta2";

/// `(apiVersion, kind, namespaced, moves_hierarchy by its CRD)`.
fn kinds() -> Arc<Vec<MoveKind>> {
    let table = [
        (CORE, "Cluster", true, false),
        (CORE, "ClusterClass", true, false),
        (CORE, "Machine", true, false),
        ("addons.cluster.x-k8s.io/v1beta2", "ClusterResourceSetBinding", true, false),
        ("infra.io/v1", "Identity", false, true),
        ("infra.io/v1", "Thing", true, false),
        ("v1", "Secret", true, false),
    ];
    let kinds = table.into_iter().map(|(api_version, kind, namespaced, hierarchy)| {
        let resource =
            ResourceType::new(api_version, kind, &format!("{}s", kind.to_lowercase()), namespaced);
        let moves_hierarchy = hierarchy || moves_its_hierarchy(&resource.group, kind);
        MoveKind {
            resource,
            moves: moves_hierarchy,
            moves_hierarchy,
            has_status_subresource: true,
            converted_to: None,
            knowledge: None,
        }
    });
    Arc::new(kinds.collect())
}

/// An object named `name` of uid `name`, owned by the objects named `owners`.
fn object(kind: &str, name: &str, owners: &[&str], extra: Value) -> (usize, Object) {
    let index = kinds().iter().position(|k| k.resource.kind == kind).expect("a kind of the table");
    let mut value = json!({"apiVersion": kinds()[index].resource.api_version(), "kind": kind,
        "metadata": {
        "name": name, "uid": name, "ownerReferences": owners.iter().map(|owner| json!(
            {"apiVersion": "v1", "kind": "Owner", "name": owner,
                "uid": owner})).collect::<Vec<_>>()}});
    if kinds()[index].resource.namespaced {
        value["metadata"]["namespace"] = json!("ns");
    }
    for (key, part) in extra.as_object().into_iter().flatten() {
        match (key.as_str(), part) {
            ("metadata", Value::Object(fields)) => {
                fields.iter().for_each(|(k, v)| value["metadata"][k] = v.clone())
            }
            _ => value[key] = part.clone(),
        }
    }
    (index, Object::new(value))
}

fn plain(kind: &str, name: &str, owners: &[&str]) -> (usize, Object) {
    object(kind, name, owners, Value::Null)
}

fn graph(objects: Vec<(usize, Object)>) -> Graph {
    Graph::build(kinds(), objects, &Scope::default()).expect("no cycle")
}

fn fate<'a>(graph: &'a Graph, name: &str) -> &'a Fate {
    &graph.nodes.iter().find(|node| node.object.name() == name).expect("in the graph").fate
}

fn levels(graph: &Graph) -> Vec<Vec<&str>> {
    let name = |index: &usize| graph.nodes[*index].object.name();
    graph.levels.iter().map(|level| level.iter().map(name).collect()).collect()
}

#[test]
fn owners_come_before_dependents_and_strangers_stay() {
    let graph = graph(vec![
        plain("Secret", "boot", &["m"]),
        plain("Machine", "m", &["c"]),
        plain("Cluster", "c", &[]),
        plain("Secret", "c-ca", &[]),
        plain("Secret", "other", &[]),
        plain("Secret", "d-ca", &[]),
    ]);
    assert_eq!(levels(&graph), [vec!["c"], vec!["m", "c-ca"], vec!["boot"]]);
    assert_eq!(*fate(&graph, "boot"), Fate::Move);
    assert_eq!(*fate(&graph, "other"), Fate::Stay(StayReason::Unrelated));
    assert_eq!(*fate(&graph, "d-ca"), Fate::Stay(StayReason::Unrelated));
}

#[test]
fn a_secret_with_an_owner_is_not_claimed_by_its_name() {
    let graph = graph(vec![plain("Cluster", "c", &[]), plain("Secret", "c-ca", &["gone"])]);
    assert_eq!(*fate(&graph, "c-ca"), Fate::Stay(StayReason::Unrelated));
}

#[test]
fn an_unknown_owner_holds_back_the_object_and_what_is_below() {
    let graph = graph(vec![
        plain("Cluster", "c", &[]),
        plain("Machine", "m", &["c", "gone"]),
        plain("Secret", "boot", &["m"]),
    ]);
    assert!(matches!(fate(&graph, "m"), Fate::Stay(StayReason::OwnerUnknown(owner))
            if owner.name == "gone"));
    assert!(matches!(fate(&graph, "boot"), Fate::Stay(StayReason::OwnerStays(owner))
            if owner.name == "m"));
}

#[test]
fn classes_and_bindings_are_tied_by_reference() {
    let graph = graph(vec![
        object("Cluster", "c", &[], json!({"spec": {"topology": {"classRef": {"name": "class"}}}})),
        plain("ClusterClass", "class", &[]),
        object("ClusterResourceSetBinding", "b", &[], json!({"spec": {"clusterName": "c"}})),
    ]);
    assert_eq!(levels(&graph), [vec!["class"], vec!["c"], vec!["b"]]);
}

#[test]
fn global_objects_and_their_hierarchy_are_kept() {
    let graph = graph(vec![
        plain("Identity", "id", &[]),
        plain("Secret", "credentials", &["id"]),
        object(
            "Thing",
            "labelled",
            &[],
            json!({"metadata": {"labels": {"clusterctl.cluster.x-k8s.io/move": ""}}}),
        ),
    ]);
    assert_eq!(*fate(&graph, "id"), Fate::Keep(KeepReason::Global));
    assert_eq!(*fate(&graph, "credentials"), Fate::Keep(KeepReason::BelongsToGlobal));
    assert_eq!(*fate(&graph, "labelled"), Fate::Move);
}

#[test]
fn classes_shared_with_other_namespaces_are_kept_with_their_templates() {
    let objects = || {
        vec![
            plain("ClusterClass", "shared", &[]),
            plain("Thing", "template", &["shared"]),
            plain("ClusterClass", "own", &[]),
            object("ClusterClass", "outside", &[], json!({"metadata": {"namespace": "elsewhere"}})),
        ]
    };
    let scope = Scope {
        namespaces: Some(BTreeSet::from(["ns".to_owned()])),
        classes_used_outside: HashSet::from([("ns".to_owned(), "shared".to_owned())]),
        ..Scope::default()
    };
    let graph = Graph::build(kinds(), objects(), &scope).expect("no cycle");
    for name in ["shared", "template", "outside"] {
        assert_eq!(*fate(&graph, name), Fate::Keep(KeepReason::UsedOutside), "{name}");
    }
    assert_eq!(*fate(&graph, "own"), Fate::Move);
    let everything = Graph::build(kinds(), objects(), &Scope::default()).expect("no cycle");
    assert_eq!(*fate(&everything, "shared"), Fate::Move);
}

#[test]
fn what_moving_objects_refer_to_is_copied_and_kept_on_request() {
    let names = |kind: &str, name: &str| {
        json!({"spec": {"xRef": {"apiGroup": "", "kind": kind,
        "name": name}}})
    };
    let objects = || {
        vec![
            object("Cluster", "c", &[], names("Secret", "credentials")),
            object("Machine", "m", &["c"], names("Secret", "owned")),
            plain("Secret", "credentials", &[]),
            plain("Secret", "owned", &["elsewhere"]),
            plain("Secret", "other", &[]),
        ]
    };
    let graph = |copies_referenced| {
        let scope = Scope { copies_referenced, ..Scope::default() };
        Graph::build(kinds(), objects(), &scope).expect("no cycle")
    };
    assert_eq!(*fate(&graph(true), "credentials"), Fate::Keep(KeepReason::Referenced));
    assert_eq!(*fate(&graph(false), "credentials"), Fate::Stay(StayReason::Unrelated));
    for name in ["owned", "other"] {
        assert_eq!(fate(&graph(true), name), fate(&graph(false), name), "{name}");
    }
}

#[test]
fn cycles_are_refused_and_shown() {
    let objects = vec![
        plain("Cluster", "c", &[]),
        plain("Machine", "a", &["c", "b"]),
        plain("Thing", "b", &["d"]),
        plain("Thing", "d", &["a"]),
        plain("Secret", "below", &["a"]),
    ];
    let cycle = Graph::build(kinds(), objects, &Scope::default()).expect_err("a cycle");
    let text = cycle.to_string();
    assert_eq!(cycle.0.len(), 3, "{text}");
    assert!(
        text.starts_with("owner references form a cycle: ")
            && text.contains("Machine ns/a -> Thing ns/b"),
        "{text}"
    );
}

#[test]
fn an_object_listed_twice_counts_once() {
    let graph = graph(vec![
        plain("Cluster", "c", &[]),
        plain("Secret", "c-ca", &[]),
        plain("Secret", "c-ca", &[]),
    ]);
    assert_eq!(graph.nodes.len(), 2);
}

#[test]
fn ten_thousand_objects_under_one_owner_are_no_problem() {
    let mut objects = vec![plain("Cluster", "c", &[])];
    objects.extend((0..10_000).map(|i| plain("Machine", &format!("m{i}"), &["c"])));
    assert_eq!(graph(objects).levels[1].len(), 10_000);
}
