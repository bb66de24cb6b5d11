//! The batches of a move: which Clusters move when, and what is frozen in between.
//!
//! Each batch is a transaction of its own over a choice of Clusters. Units are never cut: see
//! [`super::units`]. What Clusters of several batches use is copied with the first of them and kept
//! in the source; the last batch that needs it takes it along. Until then nobody may change it in
//! the source: the Clusters of the target use its copy.

use std::collections::{BTreeMap, BTreeSet};

use capi::{Chosen, Fate, Graph, KeepReason, Object};
use serde::{Deserialize, Serialize};

use super::compare::digest;
use super::findings::Findings;
use super::record::Role;
use super::report::{BatchCourse, BatchState};

/// Clusters by namespace.
type Clusters = BTreeMap<String, BTreeSet<String>>;

/// The batches of a move, as its record has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Batches {
    /// The Clusters of each batch, in the order in which they move.
    pub plan: Vec<Clusters>,
    /// The batch in flight, as an index of the plan. Those before it have moved.
    pub current: usize,
    /// The last batch takes everything that is left in scope.
    pub takes_rest: bool,
    /// Copies and keeps what Clusters outside the plan use too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy_shared: bool,
    /// Seconds between two batches.
    #[serde(default)]
    pub pause_seconds: u64,
    /// Limits the wait, between two batches, until the Clusters that have moved are Available; zero
    /// does not wait.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub wait_available_seconds: u64,
    /// Number of batches after which the run ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_after: Option<usize>,
    /// Objects that were copied for several batches: digests of their contents by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub frozen: BTreeMap<String, String>,
}

fn is_zero(seconds: &u64) -> bool {
    *seconds == 0
}

impl Batches {
    /// Returns the number of the batch in flight, and of all: `2 of 5`.
    pub fn position(&self) -> String {
        format!("{} of {}", self.current + 1, self.plan.len())
    }

    /// Returns whether another batch follows.
    pub fn has_next(&self) -> bool {
        self.current + 1 < self.plan.len()
    }

    /// Returns whether the run ends after the batch in flight, although others would follow.
    pub fn stops_now(&self) -> bool {
        self.has_next() && self.stop_after.is_some_and(|wanted| self.current + 1 >= wanted)
    }

    /// Returns the batches once the next one is in flight; `None` after the last.
    #[must_use]
    pub fn next(&self) -> Option<Self> {
        self.has_next().then(|| Self { current: self.current + 1, ..self.clone() })
    }

    /// Returns the Clusters of the batch in flight; `None` when it takes everything that is left.
    pub fn choice(&self) -> Option<Chosen> {
        let is_last = !self.has_next();
        if is_last && self.takes_rest {
            return None;
        }
        let clusters = self.plan.get(self.current).cloned().unwrap_or_default();
        let copy_shared = !is_last || self.copy_shared;
        Some(Chosen { clusters, copy_shared, ..Chosen::default() })
    }

    /// Returns the Clusters of some batches, by namespace and name.
    fn clusters(&self, from: usize, to: usize) -> impl Iterator<Item = (String, String)> {
        let batches = self.plan.iter().take(to).skip(from);
        batches.flatten().flat_map(|(namespace, names)| {
            names.iter().map(move |name| (namespace.clone(), name.clone()))
        })
    }

    /// Returns the Clusters of all batches, by namespace and name.
    pub fn all(&self) -> impl Iterator<Item = (String, String)> {
        self.clusters(0, self.plan.len())
    }

    /// Returns the Clusters of the batches that have moved, by namespace and name.
    pub fn moved(&self) -> impl Iterator<Item = (String, String)> {
        self.clusters(0, self.current)
    }

    /// Returns the Clusters of the batch in flight, by namespace and name.
    pub fn own(&self) -> impl Iterator<Item = (String, String)> {
        self.clusters(self.current, self.current + 1)
    }

    /// Returns the side of a Cluster whose batch is not in flight; `None` for all others.
    pub fn side_of(&self, namespace: &str, name: &str) -> Option<Role> {
        let has = |clusters: &Clusters| clusters.get(namespace).is_some_and(|n| n.contains(name));
        match self.plan.iter().position(has)?.cmp(&self.current) {
            std::cmp::Ordering::Less => Some(Role::Target),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Role::Source),
        }
    }

    /// Returns all batches, with the state of the one in flight.
    pub fn courses(&self, current: BatchCourse) -> Vec<BatchState> {
        let state = |(index, clusters): (usize, &Clusters)| {
            let state = match index.cmp(&self.current) {
                std::cmp::Ordering::Less => BatchCourse::Moved,
                std::cmp::Ordering::Equal => current,
                std::cmp::Ordering::Greater => BatchCourse::ToCome,
            };
            let chosen = Chosen { clusters: clusters.clone(), ..Chosen::default() };
            BatchState { batch: index + 1, state, clusters: chosen.names().collect() }
        };
        self.plan.iter().enumerate().map(state).collect()
    }

    /// Notes what of a graph was copied and is kept for later batches. What goes away with the
    /// batch in flight is needed by none of them.
    #[must_use]
    pub fn freezing(mut self, graph: &Graph) -> Self {
        let shared = graph.moving().filter(|node| node.fate == Fate::Keep(KeepReason::Shared));
        for object in shared.map(|node| &node.object) {
            self.frozen.entry(key(object)).or_insert_with(|| digest(object));
        }
        for node in graph.moving().filter(|node| node.fate == Fate::Move) {
            self.frozen.remove(&key(&node.object));
        }
        self
    }

    /// Reports Clusters of the batch in flight that are not among those that are copied: the batch
    /// would end without them and count them as moved.
    pub(super) fn check_own(&self, graph: &Graph, findings: &mut Findings) {
        let there: BTreeSet<(&str, &str)> = graph
            .clusters()
            .map(|node| (node.object.namespace().unwrap_or_default(), node.object.name()))
            .collect();
        for (namespace, name) in self.own().filter(|(n, name)| !there.contains(&(n, name))) {
            let message = format!(
                "Cluster {namespace}/{name} is of batch {}, and is not among the Clusters that can \
                 move any more",
                self.position()
            );
            let hint = "find out who deleted it or takes it out of the move; then move the rest \
                        with another move";
            findings.error("NoSuchCluster", "source", message, hint);
        }
    }

    /// Reports what was copied for several batches, and has changed in the source since or is gone
    /// from it.
    pub(super) fn check(&self, graph: &Graph, findings: &mut Findings) {
        let now: BTreeMap<String, &Object> =
            graph.nodes.iter().map(|node| (key(&node.object), &node.object)).collect();
        for (key, copied) in &self.frozen {
            match now.get(key) {
                Some(object) if digest(object) == *copied => {}
                Some(object) => {
                    let problem = "it was copied for several batches, and has changed in the \
                                   source since; the Clusters that have moved use the copy";
                    let hint = "undo the change, or make it in the target too; then move the rest \
                                with another move";
                    findings.object_error("SharedChanged", "source", object.id(), problem, hint);
                }
                None => {
                    let message = format!(
                        "{key} was copied for several batches, and is gone from the source"
                    );
                    let hint = "create it again as it is in the target, then move the rest with \
                                another move";
                    findings.error("SharedChanged", "source", message, hint);
                }
            }
        }
    }
}

/// Names an object in whatever version.
fn key(object: &Object) -> String {
    let group = object.group();
    let dot = if group.is_empty() { "" } else { "." };
    let namespace = object.namespace().map_or_else(String::new, |name| format!("{name}/"));
    format!("{}{dot}{group} {namespace}{}", object.kind(), object.name())
}

/// Puts units into batches of at most `size` Clusters, in their order. A larger unit is a batch of
/// its own.
pub(super) fn group(units: Vec<Vec<(String, String)>>, size: usize) -> Vec<Clusters> {
    let mut batches: Vec<Vec<(String, String)>> = Vec::new();
    for unit in units {
        match batches.last_mut() {
            Some(batch) if batch.len() + unit.len() <= size => batch.extend(unit),
            _ => batches.push(unit),
        }
    }
    let clusters = |batch: Vec<(String, String)>| batch.into_iter().collect::<Chosen>().clusters;
    batches.into_iter().map(clusters).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn unit(names: &[&str]) -> Vec<(String, String)> {
        names.iter().map(|name| ("n".to_owned(), (*name).to_owned())).collect()
    }

    fn names(clusters: &Clusters) -> Vec<&str> {
        clusters.values().flatten().map(String::as_str).collect()
    }

    fn three() -> Batches {
        let plan = group(vec![unit(&["a"]), unit(&["b", "c"]), unit(&["d"])], 2);
        Batches { plan, takes_rest: true, ..Batches::default() }
    }

    #[test]
    fn a_run_stops_after_the_batch_that_is_wanted_if_others_would_follow() {
        let stops = |current, stop_after| Batches { current, stop_after, ..three() }.stops_now();
        assert!(!stops(0, None) && !stops(0, Some(2)) && stops(1, Some(2)));
        assert!(!stops(2, Some(3)), "it is the last one");
    }

    #[test]
    fn units_are_never_cut() {
        let units = || vec![unit(&["a"]), unit(&["b"]), unit(&["c", "d", "e"]), unit(&["f"])];
        for (size, batches) in [
            (1, vec![vec!["a"], vec!["b"], vec!["c", "d", "e"], vec!["f"]]),
            (2, vec![vec!["a", "b"], vec!["c", "d", "e"], vec!["f"]]),
            (4, vec![vec!["a", "b"], vec!["c", "d", "e", "f"]]),
            (9, vec![vec!["a", "b", "c", "d", "e", "f"]]),
        ] {
            let grouped = group(units(), size);
            assert_eq!(grouped.iter().map(names).collect::<Vec<_>>(), batches, "{size}");
        }
    }

    #[test]
    fn the_last_batch_takes_what_is_left_and_all_others_leave_what_is_shared() {
        let first = three();
        let choice = first.choice().expect("the first is a choice");
        assert!(choice.copy_shared && choice.has("n", "a") && !choice.has("n", "b"));
        let last = first.next().and_then(|second| second.next()).expect("three batches");
        assert_eq!((last.choice(), last.next()), (None, None));
        let chosen = Batches { takes_rest: false, ..last };
        let choice = chosen.choice().expect("the user has chosen");
        assert!(!choice.copy_shared && choice.has("n", "d"));
    }

    #[test]
    fn moved_clusters_are_in_the_target_and_the_others_in_the_source() {
        let second = three().next().expect("three batches");
        let side = |name| second.side_of("n", name);
        assert_eq!(side("a"), Some(Role::Target));
        assert_eq!((side("b"), side("unknown")), (None, None));
        assert_eq!(side("d"), Some(Role::Source));
        assert_eq!(second.moved().map(|(_, name)| name).collect::<Vec<_>>(), ["a"]);
        assert_eq!(second.position(), "2 of 3");
    }

    #[test]
    fn objects_of_two_batches_go_with_the_second_and_are_not_missed_by_the_third() {
        use capi::{MoveKind, Scope};
        let kinds = ["Cluster", "ClusterClass"]
            .map(|kind| MoveKind::for_tests("cluster.x-k8s.io/v1beta2", kind));
        let kinds = std::sync::Arc::new(kinds.to_vec());
        let object = |(kind, name): (usize, &str), spec: serde_json::Value| {
            let kinds = ["Cluster", "ClusterClass"];
            let metadata = json!({"namespace": "n", "name": name, "uid": name});
            let object = json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": kinds[kind],
                "metadata": metadata, "spec": spec});
            (kind, Object::new(object))
        };
        let graph = |batches: &Batches, names: &[(usize, &str)]| {
            let class = |name: &str| if name == "c" { "other" } else { "common" };
            let spec = |name: &str| json!({"topology": {"classRef": {"name": class(name)}}});
            let objects = names.iter().map(|name| object(*name, spec(name.1))).collect();
            let chosen = batches.choice().map(std::sync::Arc::new);
            let scope = Scope { chosen, ..Scope::default() };
            Graph::build(std::sync::Arc::clone(&kinds), objects, &scope).expect("no cycle")
        };
        let plan = group(vec![unit(&["a"]), unit(&["b"]), unit(&["c"])], 1);
        let first = Batches { plan, takes_rest: true, ..Batches::default() };
        let all = [(0, "a"), (0, "b"), (0, "c"), (1, "common"), (1, "other")];
        let first = first.clone().freezing(&graph(&first, &all));
        assert_eq!(first.frozen.len(), 1, "{first:?}");
        let second = first.next().expect("three batches");
        let left = graph(&second, &all[1..]);
        let second = second.freezing(&left);
        assert!(second.frozen.is_empty(), "{second:?}");
        let third = second.next().expect("three batches");
        let mut findings = Findings::default();
        third.check(&graph(&third, &[all[2], all[4]]), &mut findings);
        assert_eq!(findings, Findings::default());
    }

    #[test]
    fn a_batch_whose_clusters_are_gone_is_not_moved() {
        let kinds = vec![capi::MoveKind::for_tests("cluster.x-k8s.io/v1beta2", "Cluster")];
        let kinds = std::sync::Arc::new(kinds);
        let second = three().next().expect("three batches");
        let missed = |names: &[&str]| {
            let cluster = |name: &&str| {
                let metadata = json!({"namespace": "n", "name": name, "uid": name});
                let kind = json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
                    "metadata": metadata});
                (0, Object::new(kind))
            };
            let scope = capi::Scope::default();
            let objects = names.iter().map(cluster).collect();
            let graph = Graph::build(std::sync::Arc::clone(&kinds), objects, &scope);
            let mut findings = Findings::default();
            second.check_own(&graph.expect("no cycle"), &mut findings);
            findings.0.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
        };
        assert!(missed(&["b", "c", "d"]).is_empty());
        let gone = missed(&["b", "d"]);
        assert!(gone.len() == 1 && gone[0].contains("Cluster n/c is of batch 2 of 3"), "{gone:?}");
        assert_eq!(missed(&[]).len(), 2);
    }

    #[test]
    fn objects_that_batches_share_may_not_change_in_the_source() {
        let template = |size: u32| {
            Object::new(json!({"apiVersion": "g.io/v1", "kind": "Template", "spec": {"size": size},
                "metadata": {"namespace": "n", "name": "t", "uid": "t"}}))
        };
        let graph = |objects: Vec<Object>| {
            let kinds = vec![capi::MoveKind::for_tests("g.io/v1", "Template")];
            let objects = objects.into_iter().map(|object| (0, object)).collect();
            Graph::build(std::sync::Arc::new(kinds), objects, &capi::Scope::default())
                .expect("no cycle")
        };
        let frozen = BTreeMap::from([(key(&template(1)), digest(&template(1)))]);
        let batches = Batches { frozen, ..three() };
        let rules = |objects| {
            let mut findings = Findings::default();
            batches.check(&graph(objects), &mut findings);
            findings.0.into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
        };
        assert!(rules(vec![template(1)]).is_empty());
        assert_eq!(rules(vec![template(2)]), ["SharedChanged"]);
        assert_eq!(rules(vec![]), ["SharedChanged"]);
    }
}
