//! The objects whose controllers have not yet reported that they have stopped.

use std::collections::{BTreeMap, HashMap, HashSet};

use capi::names::PAUSED_ANNOTATION;
use capi::{Graph, Object, ObjectId, ResourceType, is_pausable, reports_pause};

use crate::error::PhaseError;
use crate::findings::Findings;
use crate::pause::paused_by;

/// Objects that are waited for, by kind.
#[derive(Debug, Default)]
pub(super) struct Pending {
    kinds: BTreeMap<usize, Kind>,
    /// API groups of which some object has reported: its controllers run.
    alive: HashSet<String>,
}

/// The silent objects of one kind, by uid.
#[derive(Debug)]
struct Kind {
    resource: ResourceType,
    silent: HashMap<String, ObjectId>,
}

impl Pending {
    /// Returns objects that this run has paused, by pausing the Cluster or ClusterClass, and that
    /// have a condition `Paused` at all. What its user had paused was reported long ago, or never
    /// will be; what was `given_up` in an earlier round is left out.
    pub(super) fn of(graph: &Graph, run: &str, given_up: &HashSet<String>) -> Self {
        let mut below: HashSet<usize> = HashSet::new();
        let mut pending = Self::default();
        for index in graph.copied() {
            let node = &graph[index];
            let owned = node.owners.iter().filter_map(|owner| owner.node);
            let is_top = is_pausable(&node.object) && paused_by(&node.object) == Some(run);
            if !is_top && !owned.into_iter().any(|o| below.contains(&o)) {
                continue;
            }
            below.insert(index);
            if is_paused_by_user(&node.object) || given_up.contains(node.object.uid()) {
                continue;
            }
            pending.add(node.kind, graph.resource(node), &node.object);
        }
        pending
    }

    fn add(&mut self, kind: usize, resource: &ResourceType, object: &Object) {
        match reports_pause(object) {
            None => {}
            Some(true) => {
                self.alive.insert(resource.group.clone());
            }
            Some(false) => {
                let empty = || Kind { resource: resource.clone(), silent: HashMap::new() };
                let silent = &mut self.kinds.entry(kind).or_insert_with(empty).silent;
                silent.insert(object.uid().to_owned(), object.id());
            }
        }
    }

    /// The kinds to list again, each with whether all its objects are in this namespace.
    pub(super) fn kinds(&self, namespace: Option<&str>) -> Vec<(usize, ResourceType, bool)> {
        let within = |id: &ObjectId| id.namespace.as_deref() == namespace;
        let listed = |(index, kind): (&usize, &Kind)| {
            (*index, kind.resource.clone(), kind.silent.values().all(within))
        };
        self.kinds.iter().map(listed).collect()
    }

    /// Takes over how the objects of a kind are now. What is gone is not waited for.
    pub(super) fn update(&mut self, kind: usize, now: &[Object]) {
        let Some(entry) = self.kinds.get_mut(&kind) else { return };
        let before = std::mem::take(&mut entry.silent);
        let known = now.iter().filter_map(|object| Some((object, before.get(object.uid())?)));
        for (object, known) in known {
            if reports_pause(object) == Some(false) {
                entry.silent.insert(object.uid().to_owned(), known.clone());
            } else {
                self.alive.insert(entry.resource.group.clone());
            }
        }
        if entry.silent.is_empty() {
            self.kinds.remove(&kind);
        }
    }

    /// The number of silent objects, and one of them.
    pub(super) fn first(&self) -> Option<(usize, &ObjectId)> {
        let first = self.kinds.values().flat_map(|kind| kind.silent.values()).min()?;
        Some((self.kinds.values().map(|kind| kind.silent.len()).sum(), first))
    }

    /// Uids of the silent objects.
    pub(super) fn silent(&self) -> HashSet<String> {
        self.kinds.values().flat_map(|kind| kind.silent.keys().cloned()).collect()
    }

    /// Judges the kinds that are silent when the time is over.
    ///
    /// Controllers come by API group. Where none of a group's objects has been reported, they do
    /// not run, and what does not run changes nothing. Where some have, they run and are busy.
    pub(super) fn judge(&self, seconds: u64) -> Result<Findings, PhaseError> {
        let mut findings = Findings::default();
        for kind in self.kinds.values() {
            let Some(first) = kind.silent.values().min() else { continue };
            if self.alive.contains(&kind.resource.group) {
                return Err(PhaseError::Busy { object: first.clone(), seconds });
            }
            let count = kind.silent.len();
            findings.warning(
                "ControllersSilent",
                "source",
                format!(
                    "no controller has reported within {seconds} s that {first} is paused ({count} \
                     of this kind)"
                ),
                format!(
                    "check that the controllers of {} run; --pause-timeout 0 leaves the wait out",
                    kind.resource.group
                ),
            );
        }
        Ok(findings)
    }
}

/// Returns whether a user has paused this very object: its controller has reported that before, if
/// ever.
fn is_paused_by_user(object: &Object) -> bool {
    paused_by(object).is_none() && object.annotation(PAUSED_ANNOTATION).is_some()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use capi::names::PAUSED_BY_ANNOTATION;
    use capi::{MoveKind, Scope};

    const CORE: &str = "cluster.x-k8s.io/v1beta2";
    const INFRASTRUCTURE: &str = "infrastructure.cluster.x-k8s.io/v1beta2";

    fn object(api_version: &str, kind: &str, name: &str, paused: Option<&str>) -> Value {
        let mut object = json!({"apiVersion": api_version, "kind": kind,
            "metadata": {"name": name, "namespace": "n", "uid": name, "generation": 2}});
        if let Some(status) = paused {
            object["status"]["conditions"] =
                json!([{"type": "Paused", "status": status, "observedGeneration": 2}]);
        }
        object
    }

    /// A Cluster that the run has paused, with a Machine and its infrastructure.
    fn objects(cluster: &str, machine: &str, infrastructure: &str) -> Vec<(usize, Object)> {
        let mut top = object(CORE, "Cluster", "c", Some(cluster));
        top["metadata"]["annotations"] = json!({PAUSED_BY_ANNOTATION: "run"});
        let mut below = object(CORE, "Machine", "m", Some(machine));
        below["metadata"]["ownerReferences"] =
            json!([{"apiVersion": CORE, "kind": "Cluster", "name": "c", "uid": "c"}]);
        let mut lowest = object(INFRASTRUCTURE, "DevMachine", "i", Some(infrastructure));
        lowest["metadata"]["ownerReferences"] =
            json!([{"apiVersion": CORE, "kind": "Machine", "name": "m", "uid": "m"}]);
        vec![(0, Object::new(top)), (1, Object::new(below)), (2, Object::new(lowest))]
    }

    fn pending(objects: Vec<(usize, Object)>) -> Pending {
        pending_but(objects, &HashSet::new())
    }

    fn pending_but(objects: Vec<(usize, Object)>, given_up: &HashSet<String>) -> Pending {
        let kinds = [(CORE, "Cluster"), (CORE, "Machine"), (INFRASTRUCTURE, "DevMachine")];
        let kinds = kinds.map(|(api_version, kind)| MoveKind {
            resource: ResourceType::new(api_version, kind, "plural", true),
            moves: false,
            moves_hierarchy: kind == "Cluster",
            has_status_subresource: true,
            converted_to: None,
            knowledge: None,
        });
        let graph = Graph::build(Arc::new(kinds.to_vec()), objects, &Scope::default());
        Pending::of(&graph.expect("no cycle"), "run", given_up)
    }

    #[test]
    fn objects_below_what_the_run_has_paused_are_waited_for() {
        let mut waiting = pending(objects("False", "False", "True"));
        assert_eq!(waiting.first().map(|(count, _)| count), Some(2));
        waiting.update(0, &[Object::new(object(CORE, "Cluster", "c", Some("True")))]);
        waiting.update(1, &[]);
        assert!(waiting.first().is_none());
        let mut foreign = objects("False", "False", "False");
        foreign[0].1.remove_annotation(PAUSED_BY_ANNOTATION);
        assert!(pending(foreign).first().is_none());
    }

    /// A Cluster that appears while a provider is silent is waited for nevertheless.
    #[test]
    fn only_objects_that_were_given_up_are_left_out_of_a_later_round() {
        let first = pending(objects("True", "True", "False"));
        let given_up = first.silent();
        assert_eq!(given_up, HashSet::from(["i".to_owned()]));
        let mut late = objects("True", "True", "False");
        let mut cluster = object(CORE, "Cluster", "late", Some("False"));
        cluster["metadata"]["annotations"] = json!({PAUSED_BY_ANNOTATION: "run"});
        late.push((0, Object::new(cluster)));
        let second = pending_but(late, &given_up);
        let (count, object) = second.first().expect("the Cluster that came late");
        assert_eq!((count, object.name.as_str()), (1, "late"));
    }

    #[test]
    fn controllers_that_run_are_distinguished_from_those_that_do_not() {
        let silent = pending(objects("True", "True", "False"));
        let findings = silent.judge(30).expect("the provider does not run");
        assert_eq!(findings.0.len(), 1);
        assert!(findings.0[0].message.contains("DevMachine n/i"), "{findings:?}");
        let busy = pending(objects("True", "False", "True"));
        let error = busy.judge(30).expect_err("the core controllers run");
        assert!(matches!(error, PhaseError::Busy { object, .. } if object.kind == "Machine"));
        let dead = pending(objects("False", "False", "False"));
        assert_eq!(dead.judge(30).expect("nothing runs").0.len(), 3);
    }
}
