//! The owner graph: which objects move, in which order, and why the others do not.
//!
//! The rules are those of `clusterctl move` (`objectgraph.go` and `mover.go` of Cluster API), in
//! time linear in objects and edges. Nothing is left out silently: every object has a [`Fate`].

#![expect(clippy::indexing_slicing, reason = "nodes refer to each other by their indices")]

mod build;
mod choose;
#[cfg(test)]
mod choose_tests;
#[cfg(test)]
mod tests;
mod usage;

use std::collections::{BTreeSet, HashSet};
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use self::build::Builder;
pub use self::choose::{Shared, Sharing};
pub use self::usage::{ClusterName, Usage};
use super::chosen::Chosen;
use super::cluster::{is_cluster, is_pausable};
use super::knowledge::KindKnowledge;
use super::object::{Object, ObjectId, OwnerReference};
use super::resource::ResourceType;

/// A kind that discovery lists, with what its CRD says about moving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveKind {
    /// The resource at which the API server serves it.
    pub resource: ResourceType,
    /// Every object of the kind moves.
    pub moves: bool,
    /// Every object of the kind moves with everything below it.
    pub moves_hierarchy: bool,
    /// The status is a subresource, so that a create does not store it.
    pub has_status_subresource: bool,
    /// The version to which the target converts objects of this kind, if it stores another one.
    pub converted_to: Option<String>,
    /// Facts that a plugin knows about the kind.
    pub knowledge: Option<Arc<KindKnowledge>>,
}

#[cfg(any(test, feature = "testing"))]
impl MoveKind {
    /// Returns a namespaced kind that moves its hierarchy if Cluster API's kind of this name does.
    pub fn for_tests(api_version: &str, kind: &str) -> Self {
        let plural = format!("{}s", kind.to_lowercase());
        let resource = ResourceType::new(api_version, kind, &plural, true);
        let moves_hierarchy = super::moves_its_hierarchy(&resource.group, kind);
        Self {
            resource,
            moves: moves_hierarchy,
            moves_hierarchy,
            has_status_subresource: true,
            converted_to: None,
            knowledge: None,
        }
    }
}

/// The objects that a graph is made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The namespaces that move; all of them when `None`.
    pub namespaces: Option<BTreeSet<String>>,
    /// ClusterClasses (namespace, name) that Clusters outside the namespace use.
    pub classes_used_outside: HashSet<(String, String)>,
    /// The Clusters that move; all of them when `None`.
    pub chosen: Option<Arc<Chosen>>,
    /// True if objects that moving ones refer to are copied too, and kept.
    pub copies_referenced: bool,
}

/// One entry of an object's owner references, resolved.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The entry.
    pub reference: OwnerReference,
    /// The owner's node; `None` when discovery has not seen it.
    pub node: Option<usize>,
}

/// The fate of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Copied to the target, then deleted from the source.
    Move,
    /// Copied to the target, and kept in the source too.
    Keep(KeepReason),
    /// Neither copied nor deleted.
    Stay(StayReason),
}

/// The reason why a copied object stays in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepReason {
    /// It is cluster-scoped, so others may use it.
    Global,
    /// It belongs to a cluster-scoped object.
    BelongsToGlobal,
    /// Clusters outside the namespace that moves use it, or it lies outside.
    UsedOutside,
    /// Clusters that were not chosen use it too.
    Shared,
    /// Something that moves refers to it, and nothing else asks for it.
    Referenced,
}

/// The reason why an object is not copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StayReason {
    /// Nothing that moves owns it, and no label asks for it.
    Unrelated,
    /// An owner was not seen: gone, or of a kind that does not move.
    OwnerUnknown(Box<OwnerReference>),
    /// An owner does not move.
    OwnerStays(Box<ObjectId>),
    /// It does not go with the Clusters that were chosen.
    NotChosen(NotChosen),
}

/// The reason why an object does not go with the Clusters that were chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotChosen {
    /// It is a Cluster that was not chosen.
    Itself,
    /// It belongs to this Cluster, which was not chosen.
    Belongs(String),
    /// It belongs to no Cluster; this one, which was not chosen, uses it, and no chosen one does.
    Used(String),
    /// It belongs to no Cluster, and no Cluster uses it.
    Unused,
}

/// An object and its place in the graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// The object.
    pub object: Object,
    /// Index of its kind in [`Graph::kinds`].
    pub kind: usize,
    /// The owners, in the order of the object's owner references.
    pub owners: Vec<Owner>,
    /// Owners by convention (names, class references), which no owner reference states.
    pub soft_owners: Vec<usize>,
    /// The fate of it.
    pub fate: Fate,
}

impl Node {
    /// Returns the nodes of its owners, stated or by convention.
    pub fn known_owners(&self) -> impl Iterator<Item = usize> {
        let stated = self.owners.iter().filter_map(|owner| owner.node);
        stated.chain(self.soft_owners.iter().copied())
    }
}

/// An owner cycle: each object is owned by the next, the last by the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("owner references form a cycle: {}", self.describe())]
pub struct OwnerCycle(pub Vec<ObjectId>);

impl OwnerCycle {
    fn describe(&self) -> String {
        let mut names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        names.extend(names.first().cloned());
        names.join(" -> ")
    }
}

/// The objects of a scope with their relations.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The kinds listed.
    pub kinds: Arc<Vec<MoveKind>>,
    /// All objects seen.
    pub nodes: Vec<Node>,
    /// The objects to copy, owners before dependents: each level depends on earlier levels only.
    pub levels: Vec<Vec<usize>>,
    /// Objects that Clusters on both sides of a choice need.
    pub shared: Vec<Shared>,
}

/// Nodes by the indices that the graph itself gives.
impl Index<usize> for Graph {
    type Output = Node;

    fn index(&self, node: usize) -> &Node {
        &self.nodes[node]
    }
}

impl IndexMut<usize> for Graph {
    fn index_mut(&mut self, node: usize) -> &mut Node {
        &mut self.nodes[node]
    }
}

impl Graph {
    /// Builds the graph of the listed objects, each with the index of its kind.
    ///
    /// # Errors
    /// When objects to be moved own each other in a cycle.
    pub fn build(
        kinds: Arc<Vec<MoveKind>>,
        objects: Vec<(usize, Object)>,
        scope: &Scope,
    ) -> Result<Self, OwnerCycle> {
        let mut builder = Builder::new(&kinds, objects);
        builder.add_soft_owners();
        builder.add_companions();
        builder.mark_hierarchies();
        let shared = scope.chosen.as_ref().map(|chosen| builder.choose(chosen));
        if scope.copies_referenced {
            builder.mark_referenced();
        }
        builder.mark_kept(scope);
        builder.sort()?;
        let (nodes, levels) = builder.finish();
        Ok(Self { kinds, nodes, levels, shared: shared.unwrap_or_default() })
    }

    /// Returns the kind of a node.
    pub fn kind(&self, node: &Node) -> &MoveKind {
        self.kind_at(node.kind)
    }

    /// Returns the kind of this index, as nodes have it.
    pub fn kind_at(&self, index: usize) -> &MoveKind {
        &self.kinds[index]
    }

    /// Returns how the API server serves a node.
    pub fn resource(&self, node: &Node) -> &ResourceType {
        &self.kind(node).resource
    }

    /// Returns who has and uses the objects, of which a move of everything copies some.
    pub fn usage(&self) -> Usage {
        let is_wanted = |index: usize| {
            let fate = &self.nodes[index].fate;
            !matches!(fate, Fate::Stay(_)) || matches!(fate, Fate::Stay(StayReason::NotChosen(_)))
        };
        Usage::of(&self.nodes, is_wanted)
    }

    /// Returns whether nodes that belong to no Cluster can be in two clusters at once.
    pub fn sharing(&self, members: &[usize]) -> Sharing {
        choose::sharing(&self.nodes, &self.kinds, members)
    }

    /// Returns what moves and belongs to no Cluster: only chosen Clusters use it.
    pub fn along(&self) -> impl Iterator<Item = &Object> {
        let usage = self.usage();
        let moves = |index: &usize| self.nodes[*index].fate == Fate::Move;
        let along = self.copied().filter(moves).filter(move |index| usage.group(*index).is_some());
        along.map(|index| &self.nodes[index].object)
    }

    /// Indices of all nodes that are copied, owners first.
    pub fn copied(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.levels.iter().flatten().copied()
    }

    /// Returns the nodes that are copied, owners first.
    pub fn moving(&self) -> impl DoubleEndedIterator<Item = &Node> {
        self.copied().map(|index| &self.nodes[index])
    }

    /// The Clusters that are copied.
    pub fn clusters(&self) -> impl Iterator<Item = &Node> {
        self.moving().filter(|node| is_cluster(&node.object))
    }

    /// Returns the nodes that are copied and that a run pauses itself.
    pub fn pausable(&self) -> impl Iterator<Item = &Node> {
        self.moving().filter(|node| is_pausable(&node.object))
    }
}
