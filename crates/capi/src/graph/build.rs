//! Building the graph: relations, what moves, what is kept, and the order.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use super::choose::{Shared, Side, divide};
use super::{Fate, KeepReason, MoveKind, Node, NotChosen, Owner, OwnerCycle, Scope, StayReason};
use crate::chosen::Chosen;
use crate::cluster::{
    cluster_class_of, is_cluster, is_cluster_class, is_pausable, is_resource_set_binding,
};
use crate::names::{MOVE_HIERARCHY_LABEL, MOVE_LABEL, clusters_of_secret_name};
use crate::object::Object;
use crate::references::{Reference, references};

/// A node while the graph is being built.
#[derive(Default)]
struct Marks {
    hard_dependents: Vec<usize>,
    soft_dependents: Vec<usize>,
    moves: bool,
    global_hierarchy: bool,
    used_outside: bool,
    shared: bool,
    referenced: bool,
    not_chosen: Option<NotChosen>,
    level: Option<usize>,
}

pub(super) struct Builder<'a> {
    kinds: &'a [MoveKind],
    nodes: Vec<Node>,
    marks: Vec<Marks>,
    levels: Vec<Vec<usize>>,
    /// Objects, each with a companion of it.
    companions: Vec<(usize, usize)>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(kinds: &'a [MoveKind], objects: Vec<(usize, Object)>) -> Self {
        let mut seen = HashMap::with_capacity(objects.len());
        let mut nodes: Vec<Node> = Vec::with_capacity(objects.len());
        for (kind, object) in objects {
            // A secret can be listed twice: a provider's namespace may be the one that moves.
            if let Entry::Vacant(entry) = seen.entry(object.uid().to_owned()) {
                entry.insert(nodes.len());
                let fate = Fate::Stay(StayReason::Unrelated);
                nodes.push(Node {
                    object,
                    kind,
                    owners: Vec::new(),
                    soft_owners: Vec::new(),
                    fate,
                });
            }
        }
        let mut marks: Vec<Marks> = nodes.iter().map(|_| Marks::default()).collect();
        for (index, node) in nodes.iter_mut().enumerate() {
            for reference in node.object.owner_references() {
                let owner = seen.get(&reference.uid).copied();
                if let Some(owner) = owner {
                    marks[owner].hard_dependents.push(index);
                }
                node.owners.push(Owner { reference, node: owner });
            }
        }
        Self { kinds, nodes, marks, levels: Vec::new(), companions: Vec::new() }
    }

    pub(super) fn add_soft_owners(&mut self) {
        let clusters = self.index_by_name(is_cluster);
        let classes = self.index_by_name(is_cluster_class);
        for index in 0..self.nodes.len() {
            for owner in soft_owners_of(&self.nodes[index], &clusters, &classes) {
                self.nodes[index].soft_owners.push(owner);
                self.marks[owner].soft_dependents.push(index);
            }
        }
    }

    /// Makes the companions of an object, of which its plugin knows, dependents of it.
    pub(super) fn add_companions(&mut self) {
        if self.kinds.iter().all(|kind| kind.knowledge.is_none()) {
            return;
        }
        let core = self.nodes.iter().enumerate().filter(|(_, node)| node.object.group().is_empty());
        let named: HashMap<Reference, usize> =
            core.map(|(index, node)| (Reference::to(&node.object), index)).collect();
        for owner in 0..self.nodes.len() {
            let node = &self.nodes[owner];
            for reference in self.kinds[node.kind].companions_of(&node.object) {
                let Some(&companion) = named.get(&reference) else { continue };
                if self.nodes[companion].known_owners().all(|known| known != owner) {
                    self.nodes[companion].soft_owners.push(owner);
                    self.marks[owner].soft_dependents.push(companion);
                }
                self.companions.push((owner, companion));
            }
        }
    }

    fn index_by_name(&self, is_kind: fn(&Object) -> bool) -> ByName {
        let named = self.nodes.iter().enumerate().filter(|(_, node)| is_kind(&node.object));
        named
            .map(|(index, node)| (name_key(node.object.namespace(), node.object.name()), index))
            .collect()
    }

    /// Marks what moves: the roots of hierarchies with everything below them, and what is labelled.
    pub(super) fn mark_hierarchies(&mut self) {
        let roots: Vec<usize> =
            (0..self.nodes.len()).filter(|index| self.is_root(*index)).collect();
        let global: Vec<usize> =
            roots.iter().copied().filter(|index| self.is_global(*index)).collect();
        for index in self.reach(roots, true) {
            self.marks[index].moves = true;
        }
        for index in self.reach(global, true) {
            self.marks[index].global_hierarchy = true;
        }
        for index in 0..self.nodes.len() {
            let node = &self.nodes[index];
            self.marks[index].moves |=
                self.kinds[node.kind].moves || node.object.label(MOVE_LABEL).is_some();
        }
        for &(owner, companion) in &self.companions {
            self.marks[companion].moves |= self.marks[owner].moves;
        }
    }

    fn is_root(&self, index: usize) -> bool {
        let node = &self.nodes[index];
        self.kinds[node.kind].moves_hierarchy || node.object.label(MOVE_HIERARCHY_LABEL).is_some()
    }

    fn is_global(&self, index: usize) -> bool {
        !self.kinds[self.nodes[index].kind].resource.namespaced
    }

    /// Takes the marks from what does not go with the chosen Clusters. Returns what both sides
    /// need.
    pub(super) fn choose(&mut self, chosen: &Chosen) -> Vec<Shared> {
        let is_wanted = |index: usize| self.marks[index].moves;
        let (sides, shared) = divide((&self.nodes, self.kinds), is_wanted, chosen);
        for (mark, side) in self.marks.iter_mut().zip(sides).filter(|(mark, _)| mark.moves) {
            match side {
                Side::AsBefore | Side::Goes => {}
                Side::Shared => mark.shared = true,
                Side::Stays(why) => {
                    mark.moves = false;
                    mark.not_chosen = Some(why);
                }
            }
        }
        shared
    }

    /// Marks the objects that moving ones refer to and that stay otherwise.
    pub(super) fn mark_referenced(&mut self) {
        let nodes = self.nodes.iter().enumerate();
        let by_name: HashMap<Reference, usize> =
            nodes.map(|(index, node)| (Reference::to(&node.object), index)).collect();
        let mut queue: VecDeque<usize> =
            (0..self.nodes.len()).filter(|index| self.marks[*index].moves).collect();
        while let Some(index) = queue.pop_front() {
            for reference in references(&self.nodes[index].object) {
                let global = Reference { namespace: None, ..reference.clone() };
                let found = by_name.get(&reference).or_else(|| by_name.get(&global));
                let Some(found) = found.copied().filter(|found| self.may_be_referenced(*found))
                else {
                    continue;
                };
                self.marks[found].moves = true;
                self.marks[found].referenced = true;
                queue.push_back(found);
            }
        }
    }

    /// Returns whether an object can be in two clusters because something refers to it: no
    /// controller works on it, and nothing else decides about it.
    fn may_be_referenced(&self, index: usize) -> bool {
        let (node, marks) = (&self.nodes[index], &self.marks[index]);
        let is_free = node.owners.is_empty() && node.object.finalizers().is_empty();
        let is_plain = node.object.group().is_empty()
            || node.object.kind().ends_with("Template")
            || !self.kinds[node.kind].has_status_subresource;
        let is_decided = marks.moves || marks.not_chosen.is_some();
        is_free && is_plain && !is_decided && !is_pausable(&node.object)
    }

    pub(super) fn mark_kept(&mut self, scope: &Scope) {
        let Some(namespaces) = &scope.namespaces else {
            return;
        };
        let is_used_outside = |object: &Object| {
            object.namespace().is_none_or(|namespace| !namespaces.contains(namespace))
                || scope.classes_used_outside.contains(&name_key(object.namespace(), object.name()))
        };
        let kept = (0..self.nodes.len()).filter(|index| {
            let object = &self.nodes[*index].object;
            is_cluster_class(object) && is_used_outside(object)
        });
        for index in self.reach(kept.collect(), false) {
            self.marks[index].used_outside = true;
        }
    }

    /// Everything reachable from `roots` through dependents, the roots included.
    fn reach(&self, roots: Vec<usize>, soft: bool) -> Vec<usize> {
        let mut reached = vec![false; self.nodes.len()];
        let mut queue = VecDeque::from(roots);
        let mut order = Vec::new();
        while let Some(index) = queue.pop_front() {
            if std::mem::replace(&mut reached[index], true) {
                continue;
            }
            order.push(index);
            queue.extend(&self.marks[index].hard_dependents);
            if soft {
                queue.extend(&self.marks[index].soft_dependents);
            }
        }
        order
    }

    /// Sorts what moves into levels; what has an owner that does not move gets no level.
    pub(super) fn sort(&mut self) -> Result<(), OwnerCycle> {
        let mut waiting: Vec<usize> =
            self.nodes.iter().map(|node| node.owners.len() + node.soft_owners.len()).collect();
        let mut level: Vec<usize> = (0..self.nodes.len())
            .filter(|index| self.marks[*index].moves && waiting[*index] == 0)
            .collect();
        while !level.is_empty() {
            let mut next = Vec::new();
            for &index in &level {
                self.marks[index].level = Some(self.levels.len());
                let marks = &self.marks[index];
                for &dependent in marks.hard_dependents.iter().chain(&marks.soft_dependents) {
                    waiting[dependent] -= 1;
                    if waiting[dependent] == 0 && self.marks[dependent].moves {
                        next.push(dependent);
                    }
                }
            }
            self.levels.push(std::mem::replace(&mut level, next));
        }
        self.find_cycle().map_or(Ok(()), Err)
    }

    /// Looks for a cycle among what should move but could not be sorted.
    fn find_cycle(&self) -> Option<OwnerCycle> {
        let unsorted = |index: usize| self.marks[index].moves && self.marks[index].level.is_none();
        let mut done = vec![false; self.nodes.len()];
        for start in (0..self.nodes.len()).filter(|index| unsorted(*index)) {
            let mut path: Vec<usize> = Vec::new();
            let mut position: HashMap<usize, usize> = HashMap::new();
            let mut stack = vec![(start, 0)];
            while let Some((index, depth)) = stack.pop() {
                for left in path.drain(depth..) {
                    position.remove(&left);
                    done[left] = true;
                }
                if done[index] {
                    continue;
                }
                path.push(index);
                position.insert(index, depth);
                for owner in self.owners(index).filter(|owner| unsorted(*owner)) {
                    if let Some(from) = position.get(&owner) {
                        return Some(OwnerCycle(
                            path[*from..].iter().map(|i| self.nodes[*i].object.id()).collect(),
                        ));
                    }
                    stack.push((owner, depth + 1));
                }
            }
            for left in path {
                done[left] = true;
            }
        }
        None
    }

    fn owners(&self, index: usize) -> impl Iterator<Item = usize> {
        self.nodes[index].known_owners()
    }

    pub(super) fn finish(mut self) -> (Vec<Node>, Vec<Vec<usize>>) {
        let fates: Vec<Fate> = (0..self.nodes.len()).map(|index| self.fate(index)).collect();
        for (node, fate) in self.nodes.iter_mut().zip(fates) {
            node.fate = fate;
        }
        (self.nodes, self.levels)
    }

    fn fate(&self, index: usize) -> Fate {
        let marks = &self.marks[index];
        if let Some(why) = &marks.not_chosen {
            return Fate::Stay(StayReason::NotChosen(why.clone()));
        }
        if !marks.moves {
            return Fate::Stay(StayReason::Unrelated);
        }
        if marks.level.is_none() {
            return Fate::Stay(self.missing_owner(index));
        }
        if self.is_global(index) {
            Fate::Keep(KeepReason::Global)
        } else if marks.global_hierarchy {
            Fate::Keep(KeepReason::BelongsToGlobal)
        } else if marks.used_outside {
            Fate::Keep(KeepReason::UsedOutside)
        } else if marks.shared {
            Fate::Keep(KeepReason::Shared)
        } else if marks.referenced {
            Fate::Keep(KeepReason::Referenced)
        } else {
            Fate::Move
        }
    }

    fn missing_owner(&self, index: usize) -> StayReason {
        let node = &self.nodes[index];
        if let Some(owner) = node.owners.iter().find(|owner| owner.node.is_none()) {
            return StayReason::OwnerUnknown(Box::new(owner.reference.clone()));
        }
        self.owners(index)
            .find(|owner| self.marks[*owner].level.is_none())
            .map_or(StayReason::Unrelated, |owner| {
                StayReason::OwnerStays(Box::new(self.nodes[owner].object.id()))
            })
    }
}

type ByName = HashMap<(String, String), usize>;

fn name_key(namespace: Option<&str>, name: &str) -> (String, String) {
    (namespace.unwrap_or_default().to_owned(), name.to_owned())
}

fn soft_owners_of(node: &Node, clusters: &ByName, classes: &ByName) -> Vec<usize> {
    let object = &node.object;
    let in_namespace = |name: &str| clusters.get(&name_key(object.namespace(), name)).copied();
    if object.kind() == "Secret" && object.group().is_empty() {
        let unowned = node.owners.is_empty();
        return clusters_of_secret_name(object.name())
            .filter(|_| unowned)
            .filter_map(in_namespace)
            .collect();
    }
    if is_cluster(object) {
        return cluster_class_of(object)
            .and_then(|class| classes.get(&class).copied())
            .into_iter()
            .collect();
    }
    if is_resource_set_binding(object) {
        let cluster = object.at("/spec/clusterName").as_str();
        return cluster.and_then(in_namespace).into_iter().collect();
    }
    Vec::new()
}
