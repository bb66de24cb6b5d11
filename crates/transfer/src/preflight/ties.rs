//! Objects that belong to something that moves and would stay: by an owner reference that names no
//! object any more, by a second owner that stays, or by a field or label that names a Cluster.

use std::collections::{BTreeMap, HashMap, HashSet};

use capi::names::{CLUSTER_NAME_LABEL, MOVE_LABEL};
use capi::{Fate, Graph, Node, Object, ObjectId, StayReason, clusters_named_by};

use crate::findings::Findings;

/// Reports each such object once, and returns their uids.
pub(crate) fn check(graph: &Graph, findings: &mut Findings) -> HashSet<String> {
    let ties = Ties::new(graph);
    let mut reported = HashSet::new();
    let mut left: BTreeMap<(&str, String), Vec<ObjectId>> = BTreeMap::new();
    for node in &graph.nodes {
        let Fate::Stay(reason) = &node.fate else { continue };
        let object = &node.object;
        let cluster = ties.cluster_of(object);
        // What belongs to the Clusters that were not chosen is none of a run's business.
        if matches!(reason, StayReason::NotChosen(_)) && cluster.is_none() {
            continue;
        }
        if let Some(problem) = ties.stale_owner(node, cluster.is_some()) {
            let hint = "set the uid of this owner reference to that of the object (`kubectl \
                        edit`), or remove the reference; backup tools restore objects under new \
                        uids";
            findings.object_error("StaleOwner", "source", object.id(), &problem, hint);
        } else if let Some(problem) = ties.torn(node, reason) {
            let hint = "remove one of the two owner references, or give the owner that stays the \
                        label `clusterctl.cluster.x-k8s.io/move` (its CRD needs the label \
                        `clusterctl.cluster.x-k8s.io`)";
            findings.object_error("TornHierarchy", "source", object.id(), &problem, hint);
        } else if let Some(cluster) = cluster {
            left.entry((object.kind(), cluster)).or_default().push(object.id());
        } else {
            continue;
        }
        reported.insert(object.uid().to_owned());
    }
    for ((_, cluster), objects) in left {
        let problem = format!(
            "Cluster {cluster} moves and would leave {} behind, since no owner that moves leads to \
             {0}",
            if objects.len() == 1 { "it" } else { "them" }
        );
        let hint = format!(
            "add an owner reference to the Cluster or to what it belongs to, or the label \
             `{MOVE_LABEL}`; or remove what names the Cluster (label `{CLUSTER_NAME_LABEL}`, \
             spec.clusterName, spec.clusterRef)"
        );
        findings.group_error("LeftBehind", "source", objects, &problem, hint);
    }
    reported
}

/// Group, kind, namespace and name.
type Name<'a> = (&'a str, &'a str, Option<&'a str>, &'a str);

struct Ties<'a> {
    graph: &'a Graph,
    by_name: HashMap<Name<'a>, &'a Node>,
    clusters: HashSet<(Option<&'a str>, &'a str)>,
}

impl<'a> Ties<'a> {
    fn new(graph: &'a Graph) -> Self {
        let name =
            |object: &'a Object| (object.group(), object.kind(), object.namespace(), object.name());
        Self {
            graph,
            by_name: graph.nodes.iter().map(|node| (name(&node.object), node)).collect(),
            clusters: graph.clusters().map(|n| (n.object.namespace(), n.object.name())).collect(),
        }
    }

    /// The Cluster that moves and that an object names.
    fn cluster_of(&self, object: &Object) -> Option<String> {
        let named = clusters_named_by(object).into_iter();
        let mut moving = named.filter(|cluster| self.clusters.contains(cluster));
        moving.next().map(|(_, name)| name.to_owned())
    }

    /// An owner reference whose uid no object has, although there is an object of its kind and
    /// name; if the object belongs to something that moves.
    fn stale_owner(&self, node: &Node, names_cluster: bool) -> Option<String> {
        let object = &node.object;
        let belongs = names_cluster || self.copied_owner(node).is_some();
        node.owners.iter().filter(|owner| owner.node.is_none()).find_map(|owner| {
            let reference = &owner.reference;
            let group = capi::group_of(&reference.api_version);
            let places = [object.namespace(), None];
            let mut namesakes = places.into_iter().filter_map(|place| {
                self.by_name.get(&(group, reference.kind.as_str(), place, reference.name.as_str()))
            });
            let namesake = namesakes.next()?;
            (belongs || is_copied(namesake)).then(|| {
                format!(
                    "its owner reference names {} {} with the uid {}, but that object has the uid \
                     {}",
                    reference.kind,
                    reference.name,
                    reference.uid,
                    namesake.object.uid()
                )
            })
        })
    }

    fn torn(&self, node: &Node, reason: &StayReason) -> Option<String> {
        let other = match reason {
            StayReason::Unrelated | StayReason::NotChosen(_) => return None,
            StayReason::OwnerStays(owner) => format!("its owner {owner} stays"),
            StayReason::OwnerUnknown(owner) => format!(
                "its owner {} {} is gone, or of a kind that does not move",
                owner.kind, owner.name
            ),
        };
        let owner = self.copied_owner(node)?.object.id();
        Some(format!(
            "its owner {owner} moves, but {other}; it would stay behind without its owner"
        ))
    }

    fn copied_owner(&self, node: &Node) -> Option<&'a Node> {
        let owners = node.owners.iter().filter_map(|owner| owner.node);
        let mut owners = owners.chain(node.soft_owners.iter().copied());
        owners.find_map(|owner| Some(&self.graph[owner]).filter(|owner| is_copied(owner)))
    }
}

fn is_copied(node: &Node) -> bool {
    !matches!(node.fate, Fate::Stay(_))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use capi::{MoveKind, Scope};

    const KINDS: [(&str, &str); 3] = [
        ("cluster.x-k8s.io/v1beta2", "Cluster"),
        ("cluster.x-k8s.io/v1beta2", "Machine"),
        ("v1", "Secret"),
    ];

    /// An object whose uid is `uid of NAME`.
    fn object(kind: &str, name: &str, owners: Value, spec: Value) -> (usize, Object) {
        let index = KINDS.iter().position(|known| known.1 == kind).expect("a kind of the table");
        let object = json!({"apiVersion": KINDS[index].0, "kind": kind, "spec": spec, "metadata":
            {"name": name, "namespace": "ns", "uid": format!("uid of {name}"),
                "ownerReferences": owners}});
        (index, Object::new(object))
    }

    fn owner(kind: &str, name: &str, uid: &str) -> Value {
        let known = KINDS.iter().find(|known| known.1 == kind);
        json!({"apiVersion": known.map_or("g.io/v1", |known| known.0), "kind": kind, "name": name,
            "uid": uid})
    }

    fn found(objects: Vec<(usize, Object)>) -> Vec<(&'static str, String)> {
        let kinds =
            KINDS.into_iter().map(|(api_version, kind)| MoveKind::for_tests(api_version, kind));
        let graph = Graph::build(Arc::new(kinds.collect()), objects, &Scope::default());
        let mut findings = Findings::default();
        check(&graph.expect("no cycle"), &mut findings);
        findings.0.into_iter().map(|finding| (finding.rule, finding.message)).collect()
    }

    fn cluster() -> (usize, Object) {
        object("Cluster", "c", json!([]), Value::Null)
    }

    fn rules(objects: Vec<(usize, Object)>) -> Vec<&'static str> {
        found(objects).into_iter().map(|(rule, _)| rule).collect()
    }

    #[test]
    fn an_owner_under_a_new_uid_is_named_with_both_uids() {
        let machine = object(
            "Machine",
            "m",
            json!([owner("Cluster", "c", "old")]),
            json!({"clusterName": "c"}),
        );
        let found = found(vec![cluster(), machine]);
        let [(rule, message)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(*rule, "StaleOwner");
        for text in ["Machine ns/m", "Cluster c", "uid old", "uid of c"] {
            assert!(message.contains(text), "{message}");
        }
    }

    #[test]
    fn an_object_below_a_stale_reference_is_left_behind_if_it_names_the_cluster() {
        let machine = |name| {
            object(
                "Machine",
                name,
                json!([owner("Machine", "m", "uid of m")]),
                json!({"clusterName": "c"}),
            )
        };
        let stale = object("Machine", "m", json!([owner("Cluster", "c", "old")]), Value::Null);
        let secret = object("Secret", "s", json!([owner("Machine", "a", "uid of a")]), Value::Null);
        let found = found(vec![cluster(), stale, machine("a"), machine("b"), secret]);
        let rules: Vec<_> = found.iter().map(|(rule, _)| *rule).collect();
        assert_eq!(rules, ["StaleOwner", "LeftBehind"]);
        assert!(found[1].1.starts_with("Machine ns/a, Machine ns/b: Cluster c moves"), "{found:?}");
    }

    #[test]
    fn an_object_with_an_owner_that_moves_and_one_that_stays_is_torn() {
        let torn = |other: Value| {
            let owners = json!([owner("Cluster", "c", "uid of c"), other]);
            found(vec![
                cluster(),
                object("Machine", "alone", json!([]), Value::Null),
                object("Secret", "s", owners, Value::Null),
            ])
        };
        for (other, says) in [
            (owner("Machine", "alone", "uid of alone"), "Machine ns/alone stays"),
            (owner("Pool", "p", "unknown"), "Pool p is gone, or of a kind that does not move"),
        ] {
            let found = torn(other);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].0, "TornHierarchy");
            assert!(
                found[0].1.contains("Cluster ns/c moves") && found[0].1.contains(says),
                "{found:?}"
            );
        }
        assert_eq!(torn(owner("Cluster", "c", "uid of c")), []);
    }

    #[test]
    fn labels_fields_and_references_name_a_cluster() {
        let by_field =
            |spec: Value| rules(vec![cluster(), object("Machine", "m", json!([]), spec)]);
        assert_eq!(by_field(json!({"clusterName": "c"})), ["LeftBehind"]);
        assert_eq!(by_field(json!({"clusterName": "other"})), [] as [&str; 0]);
        assert_eq!(by_field(json!({"clusterRef": {"name": "c"}})), ["LeftBehind"]);
        let elsewhere = json!({"clusterRef": {"name": "c", "namespace": "elsewhere"}});
        assert_eq!(by_field(elsewhere), [] as [&str; 0]);
        let (kind, mut labelled) = object("Secret", "s", json!([]), Value::Null);
        labelled.value_mut()["metadata"]["labels"] = json!({CLUSTER_NAME_LABEL: "c"});
        assert_eq!(rules(vec![cluster(), (kind, labelled)]), ["LeftBehind"]);
    }

    #[test]
    fn an_object_that_names_nothing_that_moves_is_left_alone() {
        let unrelated =
            object("Secret", "s", json!([owner("Cluster", "gone", "old")]), Value::Null);
        assert_eq!(rules(vec![cluster(), unrelated]), [] as [&str; 0]);
    }
}
