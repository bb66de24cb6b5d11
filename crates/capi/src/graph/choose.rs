//! Divides a graph for chosen Clusters: what goes with them, what stays, and what both sides need.
//!
//! An object that belongs to Clusters goes with them if all are chosen, and stays if none is. If
//! only some are, or if a Cluster that stays refers to it, it is shared and cannot be divided.
//!
//! An object that belongs to no Cluster goes if only chosen ones use it, and stays if none of them
//! does. If both sides use it, it is shared.

use std::collections::BTreeSet;

use super::usage::{ClusterName, Usage};
use super::{MoveKind, Node, NotChosen};
use crate::chosen::Chosen;
use crate::cluster::{is_cluster, is_cluster_class, is_resource_set};
use crate::object::Object;

/// Objects that Clusters on both sides of a choice need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Their nodes.
    pub nodes: Vec<usize>,
    /// Chosen Clusters that need them.
    pub chosen: Vec<ClusterName>,
    /// Clusters that stay and need them.
    pub others: Vec<ClusterName>,
    /// True if a copy would do.
    pub sharing: Sharing,
    /// Nobody is known to use them, so every Cluster counts.
    pub is_assumed: bool,
}

/// True if something can be in two clusters at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody but its users changes it, so both sides can have it.
    Copyable,
    /// It is not known to be safe in two clusters. A pool of addresses, for example, would give out
    /// the same twice.
    Allocates,
    /// It belongs to Clusters of one side or both, so its owners part.
    Owned,
}

/// The fate of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// As without a choice.
    AsBefore,
    /// It goes with chosen Clusters.
    Goes,
    /// It is copied, and kept.
    Shared,
    /// It stays.
    Stays(NotChosen),
}

/// Divides the nodes of a graph.
pub(super) fn divide(
    (nodes, kinds): (&[Node], &[MoveKind]),
    is_wanted: impl Fn(usize) -> bool,
    chosen: &Chosen,
) -> (Vec<Side>, Vec<Shared>) {
    let usage = Usage::of(nodes, is_wanted);
    let division = Division { nodes, kinds, chosen, usage: &usage };
    let mut sides: Vec<Side> = (0..nodes.len()).map(|index| division.side_of_own(index)).collect();
    let mut shared = Vec::new();
    for index in 0..nodes.len() {
        shared.extend(division.torn(index));
    }
    for group in 0..usage.groups() {
        let (side, both) = division.side_of_group(group);
        usage.members(group).iter().for_each(|index| sides[*index] = side.clone());
        shared.extend(both);
    }
    (sides, shared)
}

struct Division<'a> {
    nodes: &'a [Node],
    kinds: &'a [MoveKind],
    chosen: &'a Chosen,
    usage: &'a Usage,
}

impl Division<'_> {
    fn is_chosen(&self, cluster: usize) -> bool {
        let (namespace, name) = self.usage.cluster(cluster);
        self.chosen.has(namespace, name)
    }

    fn side_of_own(&self, index: usize) -> Side {
        let homes = self.usage.homes(index);
        match homes.iter().find(|home| !self.is_chosen(**home)) {
            _ if homes.is_empty() => Side::AsBefore,
            None => Side::Goes,
            Some(_) if is_cluster(&self.nodes[index].object) => Side::Stays(NotChosen::Itself),
            Some(other) => Side::Stays(NotChosen::Belongs(self.usage.name(*other))),
        }
    }

    /// An object of Clusters of both sides, or of a chosen one that a Cluster which stays refers
    /// to.
    fn torn(&self, index: usize) -> Option<Shared> {
        let homes = self.usage.homes(index);
        if is_cluster(&self.nodes[index].object) || !homes.iter().any(|home| self.is_chosen(*home))
        {
            return None;
        }
        let users = homes.iter().chain(self.usage.borrowers(index)).copied().collect();
        self.shared(vec![index], &users, Sharing::Owned)
    }

    fn side_of_group(&self, group: usize) -> (Side, Option<Shared>) {
        let (users, members) = (self.usage.users(group), self.usage.members(group));
        let sharing = sharing(self.nodes, self.kinds, members);
        let is_recorded = |index: &usize| self.chosen.takes_along(&self.nodes[*index].object);
        // Nobody is known to use it still: a Cluster that was created since changes nothing.
        if self.usage.is_assumed(group) && members.iter().any(is_recorded) {
            return (Side::Goes, None);
        }
        if let Some(shared) = self.shared(members.to_vec(), users, sharing) {
            let is_assumed = self.usage.is_assumed(group);
            return (Side::Shared, Some(Shared { is_assumed, ..shared }));
        }
        let side = match users.first() {
            Some(user) if self.is_chosen(*user) => Side::Goes,
            Some(user) => Side::Stays(NotChosen::Used(self.usage.name(*user))),
            None if members.iter().any(is_recorded) => Side::Goes,
            None => Side::Stays(NotChosen::Unused),
        };
        (side, None)
    }

    fn shared(
        &self,
        nodes: Vec<usize>,
        users: &BTreeSet<usize>,
        sharing: Sharing,
    ) -> Option<Shared> {
        let (chosen, others): (Vec<usize>, Vec<usize>) =
            users.iter().partition(|user| self.is_chosen(**user));
        let named = |clusters: Vec<usize>| -> Vec<ClusterName> {
            clusters.into_iter().map(|cluster| self.usage.cluster(cluster).clone()).collect()
        };
        let is_both = !chosen.is_empty() && !others.is_empty();
        let (chosen, others) = (named(chosen), named(others));
        is_both.then_some(Shared { nodes, chosen, others, sharing, is_assumed: false })
    }
}

/// Returns whether objects that belong to no Cluster can be in two clusters at once.
pub(super) fn sharing(nodes: &[Node], kinds: &[MoveKind], members: &[usize]) -> Sharing {
    let is_copyable = |index: &usize| {
        let Node { object, kind, .. } = &nodes[*index];
        let is_namespaced = kinds[*kind].resource.namespaced;
        is_stateless(object) && (is_namespaced || object.kind().ends_with("Identity"))
    };
    match members.iter().all(is_copyable) {
        true => Sharing::Copyable,
        false => Sharing::Allocates,
    }
}

/// Returns whether an object is known to be read only by controllers that use it. Of any other it
/// is unknown, as of a pool of addresses.
fn is_stateless(object: &Object) -> bool {
    let is_read_only = ["Template", "Identity"].iter().any(|end| object.kind().ends_with(end));
    object.group().is_empty() || is_cluster_class(object) || is_resource_set(object) || is_read_only
}
