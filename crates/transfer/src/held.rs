//! The objects that a move cannot delete now, while it continues with the rest.
//!
//! An object that cannot be deleted holds what it belongs to: its owners stay in the source, since
//! the garbage collector would delete it with them. All other objects are deleted nevertheless, so
//! that one run tells everything that has to be fixed, and little is left for the next. Nothing is
//! resumed before the source is empty.

use std::collections::HashSet;

use capi::{Graph, Object, is_cluster};
use support::causes::in_one_line;

use super::error::PhaseError;
use super::report::Explained;

/// Failures after which a move stops: so many are no matter of single objects, and each takes its
/// time.
pub(super) const MOST_FAILURES: usize = 16;

/// The objects that are held, and why.
pub(super) struct Held<'a> {
    graph: &'a Graph,
    nodes: HashSet<usize>,
    failures: Vec<(usize, PhaseError)>,
}

impl<'a> Held<'a> {
    /// Nothing is held.
    pub(super) fn none(graph: &'a Graph) -> Self {
        Self { graph, nodes: HashSet::new(), failures: Vec::new() }
    }

    /// Holds an object that could not be deleted, and what it belongs to.
    pub(super) fn add(&mut self, node: usize, error: PhaseError) {
        self.failures.push((node, error));
        self.nodes.extend(self.with_owners(node));
    }

    /// Returns whether an object stays in the source for now.
    pub(super) fn has(&self, node: usize) -> bool {
        self.nodes.contains(&node)
    }

    /// The node, its owners, their owners and so on.
    fn with_owners(&self, node: usize) -> HashSet<usize> {
        let mut found = HashSet::new();
        let mut next = vec![node];
        while let Some(node) = next.pop() {
            if found.insert(node) {
                next.extend(self.graph[node].known_owners());
            }
        }
        found
    }

    fn is(&self, node: usize, object: &Object) -> bool {
        self.graph[node].object.uid() == object.uid()
    }

    fn is_cluster(&self, node: usize) -> bool {
        is_cluster(&self.graph[node].object)
    }

    /// Returns why the move has not come to its end; `None` if it has.
    pub(super) fn into_error(mut self) -> Option<PhaseError> {
        self.failures.sort_by_key(|(node, _)| *node);
        let clusters = self.clusters().into_iter().map(Object::id).collect();
        let objects = match self.failures.len() {
            0 => return None,
            1 => "1 object".to_owned(),
            several => format!("{several} objects"),
        };
        let (_, first) = self.failures.swap_remove(0);
        Some(PhaseError::Held { clusters, objects, first: Box::new(first) })
    }

    /// Returns what is held, for the report: each object that could not be deleted, and the
    /// Clusters.
    pub(super) fn explained(&self) -> Vec<Explained> {
        let failures = self.failures.iter().map(|(node, error)| Explained {
            object: self.graph[*node].object.id(),
            reason: in_one_line(error),
        });
        let failed =
            |object: &&Object| self.failures.iter().any(|(node, _)| self.is(*node, object));
        let clusters = self.clusters().into_iter().filter(|cluster| !failed(cluster));
        let clusters = clusters.map(|object| Explained {
            object: object.id(),
            reason: "it has objects that could not be deleted".to_owned(),
        });
        failures.chain(clusters).collect()
    }

    fn clusters(&self) -> Vec<&Object> {
        let mut nodes: Vec<usize> =
            self.nodes.iter().copied().filter(|node| self.is_cluster(*node)).collect();
        nodes.sort_unstable();
        nodes.into_iter().map(|node| &self.graph[node].object).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use capi::{MoveKind, Node, Scope};

    const CORE: &str = "cluster.x-k8s.io/v1beta2";

    fn object(kind: &str, name: &str, owners: &[(&str, &str)], spec: &Value) -> Object {
        let owner = |(kind, name): &(&str, &str)| {
            json!({"apiVersion": CORE, "kind": kind, "name": name,
            "uid": format!("{kind}-{name}")})
        };
        let owners: Vec<Value> = owners.iter().map(owner).collect();
        Object::new(
            json!({"apiVersion": CORE, "kind": kind, "spec": spec, "metadata": {"namespace": "n",
            "name": name, "uid": format!("{kind}-{name}"), "ownerReferences": owners}}),
        )
    }

    /// Two Clusters of a class, each with a Machine and its Secret.
    fn graph() -> Graph {
        let kinds = ["ClusterClass", "Cluster", "Machine", "Secret"];
        let kinds = kinds.map(|kind| MoveKind::for_tests(CORE, kind));
        let mut objects = vec![(0, object("ClusterClass", "class", &[], &json!({})))];
        for name in ["a", "b"] {
            let topology = json!({"topology": {"classRef": {"name": "class"}}});
            objects.push((1, object("Cluster", name, &[], &topology)));
            objects.push((2, object("Machine", name, &[("Cluster", name)], &json!({}))));
            objects.push((3, object("Secret", name, &[("Machine", name)], &json!({}))));
        }
        Graph::build(Arc::new(kinds.to_vec()), objects, &Scope::default()).expect("no cycle")
    }

    fn node(graph: &Graph, kind: &str, name: &str) -> usize {
        let is_it = |node: &Node| node.object.kind() == kind && node.object.name() == name;
        graph.nodes.iter().position(is_it).expect("it is in the graph")
    }

    #[test]
    fn the_owners_of_an_object_are_held_with_it_and_its_neighbours_are_not() {
        let graph = graph();
        let mut held = Held::none(&graph);
        let machine = node(&graph, "Machine", "a");
        held.add(machine, PhaseError::SourceChanged { object: graph.nodes[machine].object.id() });
        let is_held = |kind: &str, name: &str| held.has(node(&graph, kind, name));
        assert!(is_held("Cluster", "a") && is_held("ClusterClass", "class"));
        assert!(!is_held("Secret", "a") && !is_held("Cluster", "b"));
    }

    #[test]
    fn the_error_counts_clusters_and_tells_of_the_first_failure() {
        let graph = graph();
        assert!(Held::none(&graph).into_error().is_none());
        let mut held = Held::none(&graph);
        for name in ["b", "a"] {
            let secret = node(&graph, "Secret", name);
            held.add(secret, PhaseError::SourceChanged { object: graph.nodes[secret].object.id() });
        }
        let explained = held.explained();
        assert_eq!(explained.len(), 4, "{explained:?}");
        let text = held.into_error().expect("two failures").to_string();
        let wanted = "2 objects could not be deleted, of Cluster n/a, Cluster n/b; all others are \
                      gone from the source. The first: Secret n/a changed";
        assert!(text.starts_with(wanted), "{text}");
    }
}
