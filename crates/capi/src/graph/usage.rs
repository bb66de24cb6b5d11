//! The Clusters that an object belongs to, and those that use it.
//!
//! An object *belongs* to the Clusters that it is below, by owner references and soft owners. One
//! that is below none belongs to the Clusters that it names. What belongs to no Cluster (classes,
//! templates, identities, sets, whatever a label moves) is *used*: by what hangs on it, by what
//! refers to it in its spec, and by the Clusters that it selects. Such objects that own each other
//! are one group, and have their users in common.
//!
//! Not every form of a reference is known. What a user has labelled to be moved, and nobody is
//! known to use, may therefore be used by any Cluster.

use std::collections::{BTreeSet, HashMap};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Selector, SelectorExt};
use serde::Deserialize;

use super::Node;
use crate::cluster::{clusters_named_by, is_cluster, is_cluster_class, is_resource_set};
use crate::names::{MOVE_HIERARCHY_LABEL, MOVE_LABEL};
use crate::object::Object;
use crate::references::{Reference, possible_references, references};

/// Namespace and name of a Cluster.
pub type ClusterName = (String, String);

/// The owners and users of the objects of a graph. Clusters are numbers here, of
/// [`Usage::cluster`].
#[derive(Clone, Debug, Default)]
pub struct Usage {
    clusters: Vec<ClusterName>,
    numbers: HashMap<ClusterName, usize>,
    /// By node: the Clusters that it belongs to.
    homes: Vec<Vec<usize>>,
    /// By node: further Clusters whose objects refer to it, although it belongs to one.
    borrowers: Vec<BTreeSet<usize>>,
    /// By node: the group of what belongs to no Cluster.
    groups: Vec<Option<usize>>,
    members: Vec<Vec<usize>>,
    users: Vec<BTreeSet<usize>>,
    /// By group: nobody is known to use it, so every Cluster counts as a user.
    is_assumed: Vec<bool>,
}

impl Usage {
    /// Finds out who has and uses what. Only objects that a move of everything would copy
    /// (`is_wanted`) can be used: the others stay anyway.
    pub fn of(nodes: &[Node], is_wanted: impl Fn(usize) -> bool) -> Self {
        let mut usage = Self {
            homes: vec![Vec::new(); nodes.len()],
            borrowers: vec![BTreeSet::new(); nodes.len()],
            groups: vec![None; nodes.len()],
            ..Self::default()
        };
        let dependents = dependents(nodes);
        usage.find_homes(nodes, &dependents, &is_wanted);
        usage.find_groups(nodes, &dependents, &is_wanted);
        usage.find_users(nodes);
        usage
    }

    /// Namespace and name of a Cluster.
    pub fn cluster(&self, number: usize) -> &ClusterName {
        &self.clusters[number]
    }

    /// The Clusters that a node belongs to.
    pub fn homes(&self, node: usize) -> &[usize] {
        &self.homes[node]
    }

    /// Clusters whose objects refer to a node, which belongs to others.
    pub fn borrowers(&self, node: usize) -> &BTreeSet<usize> {
        &self.borrowers[node]
    }

    /// The group of a node that belongs to no Cluster.
    pub fn group(&self, node: usize) -> Option<usize> {
        self.groups[node]
    }

    /// Returns the number of groups.
    pub fn groups(&self) -> usize {
        self.members.len()
    }

    /// The nodes of a group.
    pub fn members(&self, group: usize) -> &[usize] {
        &self.members[group]
    }

    /// The Clusters that use a group.
    pub fn users(&self, group: usize) -> &BTreeSet<usize> {
        &self.users[group]
    }

    /// Returns whether nobody is known to use a group, so that every Cluster counts as a user.
    pub fn is_assumed(&self, group: usize) -> bool {
        self.is_assumed[group]
    }

    /// Returns the number of Clusters.
    pub fn clusters(&self) -> usize {
        self.clusters.len()
    }

    /// Returns the name of a Cluster as `namespace/name`.
    pub fn name(&self, number: usize) -> String {
        let (namespace, name) = &self.clusters[number];
        format!("{namespace}/{name}")
    }

    fn number(&mut self, namespace: &str, name: &str) -> usize {
        let key = (namespace.to_owned(), name.to_owned());
        let next = self.clusters.len();
        let number = *self.numbers.entry(key.clone()).or_insert(next);
        if number == next {
            self.clusters.push(key);
        }
        number
    }

    fn find_homes(
        &mut self,
        nodes: &[Node],
        dependents: &[Vec<usize>],
        is_wanted: &impl Fn(usize) -> bool,
    ) {
        let namespace_of = |object: &Object| object.namespace().unwrap_or_default().to_owned();
        for (index, node) in nodes.iter().enumerate().filter(|(_, node)| is_cluster(&node.object)) {
            let number = self.number(&namespace_of(&node.object), node.object.name());
            self.settle(index, number, (nodes, dependents));
        }
        for (index, node) in nodes.iter().enumerate() {
            if !self.homes[index].is_empty() || !is_wanted(index) {
                continue;
            }
            for (namespace, name) in clusters_named_by(&node.object) {
                let number = self.number(namespace.unwrap_or_default(), name);
                self.settle(index, number, (nodes, dependents));
            }
        }
    }

    /// Notes that a node and all below it belong to a Cluster.
    fn settle(
        &mut self,
        index: usize,
        number: usize,
        (nodes, dependents): (&[Node], &[Vec<usize>]),
    ) {
        let mut stack = vec![index];
        while let Some(next) = stack.pop() {
            if self.homes[next].contains(&number) {
                continue;
            }
            self.homes[next].push(number);
            stack.extend(
                dependents[next].iter().filter(|below| !is_cluster(&nodes[**below].object)),
            );
        }
    }

    fn find_groups(
        &mut self,
        nodes: &[Node],
        dependents: &[Vec<usize>],
        is_wanted: &impl Fn(usize) -> bool,
    ) {
        let is_free =
            |usage: &Self, index: usize| is_wanted(index) && usage.homes[index].is_empty();
        for start in 0..nodes.len() {
            if self.groups[start].is_some() || !is_free(self, start) {
                continue;
            }
            let group = self.members.len();
            let mut members = Vec::new();
            let mut stack = vec![start];
            while let Some(next) = stack.pop() {
                if self.groups[next].is_some() || !is_free(self, next) {
                    continue;
                }
                self.groups[next] = Some(group);
                members.push(next);
                stack.extend(owners(&nodes[next]).chain(dependents[next].iter().copied()));
            }
            // What owns the others is named first.
            let is_owned = |index: &usize| owners(&nodes[*index]).next().is_some();
            members.sort_unstable_by_key(|index| (is_owned(index), *index));
            self.members.push(members);
        }
        self.users = vec![BTreeSet::new(); self.members.len()];
        self.is_assumed = vec![false; self.members.len()];
    }

    fn find_users(&mut self, nodes: &[Node]) {
        let by_name: HashMap<Reference, usize> = nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (Reference::to(&node.object), index))
            .collect();
        let mut between = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            if self.homes[index].is_empty() && self.groups[index].is_none() {
                continue;
            }
            for owner in owners(node) {
                self.use_it(index, owner, &mut between);
            }
            let possible = possible_references(&node.object);
            for reference in references(&node.object).into_iter().chain(possible) {
                if let Some(used) = find(&by_name, reference) {
                    self.use_it(index, used, &mut between);
                }
            }
            if let Some(group) = self.groups[index] {
                self.select(nodes, (&node.object, group));
            }
        }
        self.pass_on(&between);
        self.assume_users(nodes);
        self.pass_on(&between);
    }

    /// Counts every Cluster as a user of what any of them may use.
    fn assume_users(&mut self, nodes: &[Node]) {
        let clusters = nodes.iter().enumerate().filter(|(_, node)| is_cluster(&node.object));
        let clusters: BTreeSet<usize> =
            clusters.flat_map(|(index, _)| self.homes[index].iter().copied()).collect();
        for group in 0..self.members.len() {
            let serves_any = |index: &usize| self.may_serve_any(&nodes[*index]);
            if self.users[group].is_empty() && self.members[group].iter().any(serves_any) {
                self.users[group].clone_from(&clusters);
                self.is_assumed[group] = true;
            }
        }
    }

    /// Returns whether a label of its own moves an object that Clusters may use without a reference
    /// that is known.
    fn may_serve_any(&self, node: &Node) -> bool {
        let object = &node.object;
        let is_labelled =
            [MOVE_LABEL, MOVE_HIERARCHY_LABEL].iter().any(|label| object.label(label).is_some());
        let mut owners = node.owners.iter().map(|owner| owner.node);
        let moves = is_labelled
            && owners.all(|owner| owner.is_some_and(|owner| self.groups[owner].is_some()));
        let has_known_users = is_cluster_class(object)
            || object.kind().ends_with("Template")
            || !object.at("/spec/clusterSelector").is_null();
        moves && !has_known_users
    }

    fn use_it(&mut self, user: usize, used: usize, between: &mut Vec<(usize, usize)>) {
        let homes = self.homes[user].clone();
        match (self.groups[used], self.groups[user]) {
            (Some(used), Some(user)) if used != user => between.push((user, used)),
            (Some(used), None) => self.users[used].extend(homes),
            (None, None) => {
                let others = homes.into_iter().filter(|home| !self.homes[used].contains(home));
                let others: Vec<usize> = others.collect();
                self.borrowers[used].extend(others);
            }
            (Some(_) | None, Some(_)) => {}
        }
    }

    /// Notes the Clusters that an object selects by their labels.
    fn select(&mut self, nodes: &[Node], (object, group): (&Object, usize)) {
        let selector = object.at("/spec/clusterSelector");
        let Ok(selector) = LabelSelector::deserialize(selector) else { return };
        let Ok(selector) = Selector::try_from(selector) else { return };
        // The controller of ClusterResourceSets takes an empty selector for none.
        if selector.selects_all() && is_resource_set(object) {
            return;
        }
        for node in nodes.iter().filter(|node| is_cluster(&node.object)) {
            let cluster = &node.object;
            if cluster.namespace() == object.namespace() && selector.matches(&cluster.labels()) {
                let number = self.number(cluster.namespace().unwrap_or_default(), cluster.name());
                self.users[group].insert(number);
            }
        }
    }

    /// Passes users on from a group to those that it refers to.
    fn pass_on(&mut self, between: &[(usize, usize)]) {
        let mut used_by: HashMap<usize, BTreeSet<usize>> = HashMap::new();
        for (user, used) in between {
            used_by.entry(*user).or_default().insert(*used);
        }
        let mut stack: Vec<usize> = used_by.keys().copied().collect();
        while let Some(user) = stack.pop() {
            let users = self.users[user].clone();
            for used in used_by.get(&user).into_iter().flatten() {
                let before = self.users[*used].len();
                self.users[*used].extend(&users);
                if self.users[*used].len() > before {
                    stack.push(*used);
                }
            }
        }
    }
}

fn find(by_name: &HashMap<Reference, usize>, reference: Reference) -> Option<usize> {
    let found = by_name.get(&reference).copied();
    found.or_else(|| by_name.get(&Reference { namespace: None, ..reference }).copied())
}

fn owners(node: &Node) -> impl Iterator<Item = usize> {
    node.owners.iter().filter_map(|owner| owner.node).chain(node.soft_owners.iter().copied())
}

fn dependents(nodes: &[Node]) -> Vec<Vec<usize>> {
    let mut dependents = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        owners(node).for_each(|owner| dependents[owner].push(index));
    }
    dependents
}
