//! The rules of a choice, by table. Every object is named by its uid.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Fate, Graph, KeepReason, MoveKind, NotChosen, Scope, Sharing, StayReason};
use crate::{Chosen, Object};

const KINDS: [(&str, &str); 8] = [
    ("cluster.x-k8s.io/v1beta2", "Cluster"),
    ("cluster.x-k8s.io/v1beta2", "ClusterClass"),
    ("cluster.x-k8s.io/v1beta2", "Machine"),
    ("addons.cluster.x-k8s.io/v1beta2", "ClusterResourceSet"),
    ("addons.cluster.x-k8s.io/v1beta2", "ClusterResourceSetBinding"),
    ("infrastructure.cluster.x-k8s.io/v1beta2", "FooTemplate"),
    ("ipam.cluster.x-k8s.io/v1beta2", "Pool"),
    ("v1", "Secret"),
];

fn kinds() -> Arc<Vec<MoveKind>> {
    let kinds = KINDS.into_iter().map(|(api_version, kind)| {
        let known = MoveKind::for_tests(api_version, kind);
        MoveKind { moves: known.moves || kind == "Pool", ..known }
    });
    Arc::new(kinds.collect())
}

fn object(kind: &str, name: &str, owners: &[&str], spec: Value) -> (usize, Object) {
    let index = KINDS.iter().position(|known| known.1 == kind).expect("a kind of the table");
    let owners: Vec<Value> = owners
        .iter()
        .map(|owner| json!({"apiVersion": "v1", "kind": "Owner", "name": owner, "uid": owner}))
        .collect();
    let object = json!({"apiVersion": KINDS[index].0, "kind": kind, "spec": spec, "metadata": {
        "name": name, "namespace": "ns", "uid": name, "ownerReferences": owners}});
    (index, Object::new(object))
}

fn labelled((kind, mut object): (usize, Object), label: &str) -> (usize, Object) {
    object.set_field(&["metadata", "labels", label], json!(""));
    (kind, object)
}

fn cluster(name: &str, class: Option<&str>) -> (usize, Object) {
    let spec = class.map_or(json!({}), |class| json!({"topology": {"classRef": {"name": class}}}));
    object("Cluster", name, &[], spec)
}

/// The graph of a choice of Clusters.
fn graph(objects: Vec<(usize, Object)>, chosen: &[&str]) -> Graph {
    let chosen = chosen.iter().map(|name| ("ns".to_owned(), (*name).to_owned())).collect();
    with(objects, chosen)
}

fn with(objects: Vec<(usize, Object)>, chosen: Chosen) -> Graph {
    let scope = Scope { chosen: Some(Arc::new(chosen)), ..Scope::default() };
    Graph::build(kinds(), objects, &scope).expect("no cycle")
}

/// Returns what becomes of each object, by name: `moves`, `kept` or why it stays.
fn fates(graph: &Graph) -> BTreeMap<&str, String> {
    let fate = |fate: &Fate| match fate {
        Fate::Move => "moves".to_owned(),
        Fate::Keep(KeepReason::Shared) => "kept".to_owned(),
        Fate::Stay(StayReason::NotChosen(NotChosen::Itself)) => "is not chosen".to_owned(),
        Fate::Stay(StayReason::NotChosen(NotChosen::Belongs(to))) => format!("belongs to {to}"),
        Fate::Stay(StayReason::NotChosen(NotChosen::Used(by))) => format!("used by {by}"),
        Fate::Stay(StayReason::NotChosen(NotChosen::Unused)) => "unused".to_owned(),
        other => format!("{other:?}"),
    };
    graph.nodes.iter().map(|node| (node.object.name(), fate(&node.fate))).collect()
}

fn check(graph: &Graph, expected: &[(&str, &str)]) {
    let expected = expected.iter().map(|(name, fate)| (*name, (*fate).to_owned())).collect();
    assert_eq!(fates(graph), expected);
}

/// The names of what is shared, and how.
fn shared(graph: &Graph) -> Vec<(Vec<&str>, Sharing)> {
    let names = |nodes: &[usize]| -> Vec<&str> {
        nodes.iter().map(|index| graph.nodes[*index].object.name()).collect()
    };
    graph.shared.iter().map(|shared| (names(&shared.nodes), shared.sharing)).collect()
}

#[test]
fn objects_below_a_cluster_go_or_stay_with_it() {
    let graph = graph(
        vec![
            cluster("a", None),
            cluster("b", None),
            object("Machine", "ma", &["a"], Value::Null),
            object("Machine", "mb", &["b"], Value::Null),
            object("Secret", "a-kubeconfig", &[], Value::Null),
            object("Secret", "b-kubeconfig", &[], Value::Null),
            object("Secret", "sa", &["ma"], Value::Null),
        ],
        &["a"],
    );
    check(
        &graph,
        &[
            ("a", "moves"),
            ("b", "is not chosen"),
            ("ma", "moves"),
            ("mb", "belongs to ns/b"),
            ("a-kubeconfig", "moves"),
            ("b-kubeconfig", "belongs to ns/b"),
            ("sa", "moves"),
        ],
    );
    assert_eq!(shared(&graph), []);
}

#[test]
fn a_class_goes_with_its_only_users_and_is_shared_otherwise() {
    let objects = || {
        vec![
            cluster("a", Some("class")),
            cluster("b", Some("class")),
            cluster("c", Some("other")),
            object("ClusterClass", "class", &[], Value::Null),
            object("FooTemplate", "template", &["class"], Value::Null),
            object("ClusterClass", "other", &[], Value::Null),
            object("ClusterClass", "unused", &[], Value::Null),
        ]
    };
    let one = graph(objects(), &["a"]);
    check(
        &one,
        &[
            ("a", "moves"),
            ("b", "is not chosen"),
            ("c", "is not chosen"),
            ("class", "kept"),
            ("template", "kept"),
            ("other", "used by ns/c"),
            ("unused", "unused"),
        ],
    );
    assert_eq!(shared(&one), [(vec!["class", "template"], Sharing::Copyable)]);
    let both = graph(objects(), &["a", "b"]);
    assert_eq!(fates(&both)["class"], "moves");
    assert_eq!(fates(&both)["template"], "moves");
    assert_eq!(shared(&both), []);
}

#[test]
fn users_of_what_refers_to_an_object_use_it_too() {
    let refer = |kind: &str, name: &str| {
        let group = KINDS.iter().find(|known| known.1 == kind).expect("a kind of the table").0;
        json!({"someRef": {"apiVersion": group, "kind": kind, "name": name}})
    };
    let moved = |kind: &str, name: &str, spec: Value| {
        labelled(object(kind, name, &[], spec), "clusterctl.cluster.x-k8s.io/move")
    };
    let graph = graph(
        vec![
            cluster("a", None),
            cluster("b", None),
            object("Machine", "ma", &["a"], refer("FooTemplate", "template")),
            object("Machine", "mb", &["b"], refer("Pool", "pool")),
            object("Machine", "ma2", &["a"], refer("Pool", "pool")),
            moved("FooTemplate", "template", json!({"identitySecretRef": {"name": "login"}})),
            moved("Secret", "login", Value::Null),
            moved("Secret", "alone", Value::Null),
            object("Pool", "pool", &[], Value::Null),
        ],
        &["a"],
    );
    let fates = fates(&graph);
    assert_eq!((fates["template"].as_str(), fates["login"].as_str()), ("moves", "moves"));
    assert_eq!(fates["alone"], "kept");
    let pool = (vec!["pool"], Sharing::Allocates);
    assert_eq!(shared(&graph), [(vec!["alone"], Sharing::Copyable), pool]);
}

#[test]
fn an_object_that_a_label_moves_and_nobody_is_known_to_use_may_be_used_by_any_cluster() {
    for label in ["clusterctl.cluster.x-k8s.io/move", "clusterctl.cluster.x-k8s.io/move-hierarchy"]
    {
        let objects = || {
            vec![
                cluster("a", None),
                cluster("b", None),
                labelled(
                    object("Secret", "login", &[], json!({"peerSecret": {"name": "peer"}})),
                    label,
                ),
                object("Secret", "below", &["login"], Value::Null),
                labelled(object("Secret", "peer", &[], Value::Null), label),
                labelled(object("Secret", "lost", &["nobody"], Value::Null), label),
                labelled(object("ClusterClass", "class", &[], Value::Null), label),
                labelled(object("FooTemplate", "template", &[], Value::Null), label),
            ]
        };
        let one = graph(objects(), &["a"]);
        assert!(one.shared.iter().all(|shared| shared.is_assumed), "{:?}", one.shared);
        assert_eq!(shared(&one).len(), 2, "{:?}", one.shared);
        let of_one = fates(&one);
        assert_eq!((of_one["login"].as_str(), of_one["peer"].as_str()), ("kept", "kept"));
        assert_eq!((of_one["class"].as_str(), of_one["template"].as_str()), ("unused", "unused"));
        assert_eq!(of_one["lost"], "unused");
        let all = graph(objects(), &["a", "b"]);
        assert_eq!((fates(&all)["login"].as_str(), shared(&all)), ("moves", vec![]));
        assert_eq!(fates(&all)["peer"], "moves");
    }
}

#[test]
fn a_secret_that_is_named_without_its_kind_goes_with_who_names_it() {
    let credentials = |name: &str| {
        let secret = object("Secret", name, &[], Value::Null);
        labelled(secret, "clusterctl.cluster.x-k8s.io/move")
    };
    let identity = |name: &str| json!({"identityRef": {"name": name, "cloudName": "cloud"}});
    let client = |name: &str| json!({"clientSecret": {"name": name, "namespace": "ns"}});
    let graph = graph(
        vec![
            cluster("a", None),
            cluster("b", None),
            object("Machine", "ma", &["a"], identity("of-a")),
            object("Machine", "mb", &["b"], client("of-b")),
            credentials("of-a"),
            credentials("of-b"),
        ],
        &["a"],
    );
    let fates = fates(&graph);
    assert_eq!((fates["of-a"].as_str(), fates["of-b"].as_str()), ("moves", "used by ns/b"));
    assert_eq!(shared(&graph), []);
}

#[test]
fn a_set_is_used_by_the_clusters_that_it_selects_or_has_been_applied_to() {
    let labels = |label: &str| json!({"clusterSelector": {"matchLabels": {label: ""}}});
    let objects = |label: &str| {
        vec![
            labelled(cluster("a", None), "both"),
            labelled(labelled(cluster("b", None), "both"), "only-b"),
            object("ClusterResourceSet", "set", &[], labels(label)),
            object("Secret", "resource", &["set"], Value::Null),
        ]
    };
    let shared_set = graph(objects("both"), &["a"]);
    assert_eq!(shared(&shared_set), [(vec!["set", "resource"], Sharing::Copyable)]);
    let other_set = graph(objects("only-b"), &["a"]);
    assert_eq!(fates(&other_set)["resource"], "used by ns/b");
    let mut applied = objects("only-b");
    let binding = json!({"clusterName": "a"});
    applied.push(object("ClusterResourceSetBinding", "binding", &["set"], binding));
    let applied = graph(applied, &["a"]);
    assert_eq!(fates(&applied)["binding"], "moves");
    assert_eq!(fates(&applied)["set"], "kept");
}

#[test]
fn an_object_of_both_sides_cannot_be_shared() {
    let owned = graph(
        vec![
            cluster("a", None),
            cluster("b", None),
            object("Secret", "of-both", &["a", "b"], Value::Null),
        ],
        &["a"],
    );
    assert_eq!(shared(&owned), [(vec!["of-both"], Sharing::Owned)]);
    let reference = json!({"someSecretRef": {"name": "of-a"}});
    let lent = |chosen: &str| {
        graph(
            vec![
                cluster("a", None),
                cluster("b", None),
                object("Secret", "of-a", &["a"], Value::Null),
                object("Machine", "mb", &["b"], reference.clone()),
            ],
            &[chosen],
        )
    };
    assert_eq!(shared(&lent("a")), [(vec!["of-a"], Sharing::Owned)]);
    assert_eq!(shared(&lent("b")), [], "it stays, which is a matter of references");
}

#[test]
fn a_recorded_object_moves_when_its_clusters_are_gone_and_nobody_else_has_come() {
    let objects = |user: Option<&str>| {
        let mut objects = vec![
            object("ClusterClass", "class", &[], Value::Null),
            object("ClusterClass", "unused", &[], Value::Null),
            cluster("b", user),
        ];
        objects.push(labelled(
            object("Secret", "late", &[], json!({"clusterName": "a"})),
            "clusterctl.cluster.x-k8s.io/move",
        ));
        objects
    };
    let whole = vec![cluster("a", Some("class")), objects(None)[0].clone()];
    let first = graph(whole, &["a"]);
    let chosen: Chosen = [("ns".to_owned(), "a".to_owned())].into_iter().collect();
    let recorded = chosen.with_along(first.along());
    let later = with(objects(None), recorded.clone());
    check(
        &later,
        &[("b", "is not chosen"), ("class", "moves"), ("late", "moves"), ("unused", "unused")],
    );
    let used_since = with(objects(Some("class")), recorded);
    assert_eq!(fates(&used_since)["class"], "used by ns/b");
}

#[test]
fn a_recorded_object_moves_although_a_cluster_has_come_that_may_use_it() {
    let lost = || {
        let secret = object("Secret", "lost", &[], Value::Null);
        labelled(secret, "clusterctl.cluster.x-k8s.io/move")
    };
    let first = graph(vec![cluster("a", None), lost()], &["a"]);
    let chosen: Chosen = [("ns".to_owned(), "a".to_owned())].into_iter().collect();
    let recorded = chosen.with_along(first.along());
    let later = with(vec![cluster("x", None), lost()], recorded);
    check(&later, &[("x", "is not chosen"), ("lost", "moves")]);
}

#[test]
fn a_choice_of_everything_moves_what_a_move_of_everything_does_but_what_nobody_uses() {
    let objects = || {
        vec![
            cluster("a", Some("class")),
            cluster("b", None),
            object("ClusterClass", "class", &[], Value::Null),
            object("FooTemplate", "template", &["class"], Value::Null),
            object("Machine", "ma", &["a"], Value::Null),
            object("Secret", "unrelated", &[], Value::Null),
        ]
    };
    let all = graph(objects(), &["a", "b"]);
    let plain = Graph::build(kinds(), objects(), &Scope::default()).expect("no cycle");
    assert_eq!(fates(&all), fates(&plain));
    assert_eq!(all.levels, plain.levels);
}
