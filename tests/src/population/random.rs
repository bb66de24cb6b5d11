//! Random owner graphs: whatever owns whatever, in every shape that discovery has to read.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::crds::{API_VERSION, GADGET, HOLDER, MOVE, MOVE_HIERARCHY, STRANGER, WIDGET};
use super::shapes::bare_cluster;
use super::{Handle, ObjectSpec, Population};

/// Kinds of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// A provisioned Cluster, whose name secrets may carry.
    Cluster,
    /// Moved with its hierarchy, by its CRD.
    Holder,
    /// Moved, by its CRD.
    Widget,
    /// Discovered only.
    Gadget,
    /// Of a CRD that is not discovered.
    RelatedObject,
    /// A Secret with a plain name.
    Secret,
    /// A Secret named after a cluster, which owns it softly if nobody else owns it.
    ClusterSecret,
    /// A ConfigMap.
    ConfigMap,
}

/// Label of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// None.
    None,
    /// `move`.
    Move,
    /// `move-hierarchy`.
    Hierarchy,
}

/// One node; its owners come before it.
#[derive(Clone, Debug)]
pub struct Node {
    shape: Shape,
    label: Label,
    owners: Vec<usize>,
    missing_owner: bool,
    finalizer: bool,
}

/// A graph without cycles.
#[derive(Clone, Debug)]
pub struct Graph(Vec<Node>);

/// Graphs of up to 14 nodes with up to three owners each.
pub fn graphs() -> impl Strategy<Value = Graph> {
    (2_usize..14).prop_flat_map(|size| (0..size).map(node).collect::<Vec<_>>()).prop_map(Graph::new)
}

fn node(index: usize) -> impl Strategy<Value = Node> {
    let owners = subsequence((0..index).collect::<Vec<_>>(), 0..=index.min(3));
    let label =
        prop_oneof![8 => Just(Label::None), 1 => Just(Label::Move), 1 => Just(Label::Hierarchy)];
    (shape(), label, owners, prop::bool::weighted(0.1), any::<bool>()).prop_map(
        |(shape, label, owners, missing_owner, finalizer)| Node {
            shape,
            label,
            owners,
            missing_owner,
            finalizer,
        },
    )
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        3 => Just(Shape::Cluster),
        1 => Just(Shape::Holder),
        1 => Just(Shape::Widget),
        3 => Just(Shape::Gadget),
        1 => Just(Shape::RelatedObject),
        2 => Just(Shape::Secret),
        2 => Just(Shape::ClusterSecret),
        2 => Just(Shape::ConfigMap),
    ]
}

impl Graph {
    /// Takes owners from Clusters that could keep them from moving: clusterctl pauses such a
    /// Cluster, does not move it, and then fails after minutes of trying to resume it on the
    /// target.
    ///
    /// The first is a Cluster, since we move nothing without any.
    fn new(nodes: Vec<Node>) -> Self {
        let mut graph = Self(nodes);
        graph.0[0].shape = Shape::Cluster;
        for index in 0..graph.0.len() {
            if graph.0[index].shape == Shape::Cluster {
                let mut owners = std::mem::take(&mut graph.0[index].owners);
                owners.retain(|owner| graph.surely_moves(*owner));
                graph.0[index].owners = owners;
                graph.0[index].missing_owner = false;
            }
        }
        graph
    }

    fn surely_moves(&self, index: usize) -> bool {
        let node = &self.0[index];
        let by_kind = matches!(node.shape, Shape::Cluster | Shape::Holder | Shape::Widget);
        (by_kind || (node.label != Label::None && node.shape != Shape::RelatedObject))
            && !node.missing_owner
            && node.owners.iter().all(|owner| self.surely_moves(*owner))
    }

    /// The graph as a population of one namespace.
    pub fn population(&self, namespace: &str) -> Population {
        let mut population = Population::new(namespace);
        let mut handles: Vec<Handle> = Vec::new();
        for (index, node) in self.0.iter().enumerate() {
            let object_spec =
                node.owners.iter().fold(self.object_spec(index), |object_spec, owner| {
                    object_spec.owned_by(handles[*owner])
                });
            handles.push(population.add(object_spec));
        }
        population
    }

    /// The graph without these objects, named as in its population, and without what has lost an
    /// owner.
    #[must_use]
    pub fn without(&self, names: &BTreeSet<String>) -> Self {
        let mut kept: Vec<Option<usize>> = Vec::new();
        let mut nodes = Vec::new();
        for (index, node) in self.0.iter().enumerate() {
            let owners: Option<Vec<usize>> = node.owners.iter().map(|owner| kept[*owner]).collect();
            let owners = owners.filter(|_| !names.contains(self.object_spec(index).name()));
            kept.push(owners.as_ref().map(|_| nodes.len()));
            nodes.extend(owners.map(|owners| Node { owners, ..node.clone() }));
        }
        Self(nodes)
    }

    /// The kinds of nodes in it, to see what was tried.
    pub fn shapes(&self) -> BTreeSet<Shape> {
        self.0.iter().map(|node| node.shape).collect()
    }

    fn object_spec(&self, index: usize) -> ObjectSpec {
        let node = &self.0[index];
        let name = format!("n{index}");
        let mut object_spec = match node.shape {
            Shape::Cluster => bare_cluster(&name),
            Shape::Holder => ObjectSpec::new(API_VERSION, HOLDER, &name),
            Shape::Widget => ObjectSpec::new(API_VERSION, WIDGET, &name),
            Shape::Gadget => ObjectSpec::new(API_VERSION, GADGET, &name),
            Shape::RelatedObject => ObjectSpec::new(API_VERSION, STRANGER, &name),
            Shape::Secret => ObjectSpec::secret(&name),
            Shape::ClusterSecret => ObjectSpec::cluster_secret(&self.cluster_secret_name(index)),
            Shape::ConfigMap => ObjectSpec::config_map(&name),
        };
        object_spec = match node.label {
            Label::None => object_spec,
            Label::Move => object_spec.label(MOVE, ""),
            Label::Hierarchy => object_spec.label(MOVE_HIERARCHY, ""),
        };
        if node.finalizer {
            object_spec = object_spec.finalizer("proof.kubectl-pivot.io/hold");
        }
        if node.missing_owner {
            object_spec =
                object_spec.owned_by_missing("proof.kubectl-pivot.io/v0", GADGET, "missing");
        }
        object_spec
    }

    /// Names the secret after the nearest cluster before or after it, or after no cluster at all.
    fn cluster_secret_name(&self, index: usize) -> String {
        let purposes = ["ca", "etcd", "kubeconfig", "proxy", "sa"];
        let purpose = purposes[index % purposes.len()];
        let is_cluster = |candidate: &usize| self.0[*candidate].shape == Shape::Cluster;
        let cluster = (0..index).rev().chain(index..self.0.len()).find(is_cluster).unwrap_or(99);
        // The same cluster may have several: keep the names apart without touching the purpose.
        let taken = (0..index).filter(|other| self.0[*other].shape == Shape::ClusterSecret).count();
        if taken < purposes.len() {
            format!("n{cluster}-{}", purposes[taken])
        } else {
            format!("n{cluster}-{index}-{purpose}")
        }
    }
}
