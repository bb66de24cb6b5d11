//! The managers of providers and the Leases by which they elect a leader, as values.
//!
//! A manager is a Deployment that clusterctl has installed. Its leader is the pod that its Lease
//! names: client-go writes the name of the host, which is that of the pod, then `_` and a random
//! end. So a Lease belongs to a manager if its holder is one of the manager's pods; names of Leases
//! and flags differ between providers.

use std::collections::{BTreeMap, BTreeSet};

use capi::names::{CLUSTERCTL_LABEL, PROVIDER_LABEL};
use capi::{Condition, Object, ObjectId, at};
use serde_json::Value;

/// Begins the identity under which runs hold the Leases of controllers.
pub(super) const HOLDER_PREFIX: &str = "kubectl-pivot/";
/// Annotation of a Lease that a run holds: the Deployment whose leader it was taken from, and the
/// uid of that pod.
pub(super) const HELD_FROM_ANNOTATION: &str = "kubectl-pivot.io/held-from";
/// Flags that make managers elect a leader.
const ELECTION_FLAGS: [&str; 4] =
    ["leader-elect", "enable-leader-election", "leader-election", "leader-elect-enabled"];

/// The objects that were read in the namespace of a provider.
#[derive(Clone, Debug, Default)]
pub(super) struct Observation {
    /// Deployments.
    pub(super) deployments: Vec<Object>,
    /// Pods.
    pub(super) pods: Vec<Object>,
    /// Leases.
    pub(super) leases: Vec<Object>,
}

/// A Deployment of a provider, with its pods and how it elects a leader.
#[derive(Clone, Debug)]
pub(crate) struct Manager {
    /// The Deployment.
    pub(crate) id: ObjectId,
    /// The pods of the Deployment.
    pub(super) pods: Vec<Object>,
    /// The election of its leader.
    pub(crate) election: Election,
}

/// The ways in which managers elect a leader.
#[derive(Clone, Debug)]
pub(crate) enum Election {
    /// By these Leases, which a pod of its, or a run, holds.
    By(Vec<Object>),
    /// It should, but none of its pods leads now.
    Pending,
    /// Not at all, as far as can be seen.
    None,
}

impl Manager {
    /// Returns the uid of the pod that holds a Lease, or has held it until a run took it.
    pub(super) fn leader<'a>(&'a self, lease: &'a Object) -> Option<&'a str> {
        let holder = holder_of(lease)?;
        if holder.starts_with(HOLDER_PREFIX) {
            return held_from(lease)?.1;
        }
        self.pods.iter().find(|pod| is_held_by(holder, pod)).map(Object::uid)
    }

    /// Returns whether a pod that has not led is ready, if one is needed.
    pub(super) fn has_successor(&self, led: &BTreeSet<String>) -> bool {
        self.pods.iter().any(|pod| is_ready(pod) && !led.contains(pod.uid()))
    }

    /// Returns the Leases by which its pods elect a leader.
    pub(super) fn leases(&self) -> &[Object] {
        match &self.election {
            Election::By(leases) => leases,
            Election::Pending | Election::None => &[],
        }
    }
}

/// Finds the managers of a namespace that have pods, in the order of their names. Deployments that
/// no provider has installed are left out.
pub(super) fn managers(seen: &Observation) -> Vec<Manager> {
    let is_provider = |deployment: &&Object| {
        [PROVIDER_LABEL, CLUSTERCTL_LABEL].iter().any(|label| deployment.label(label).is_some())
    };
    let managers = seen.deployments.iter().filter(is_provider).map(|deployment| {
        let pods: Vec<Object> =
            seen.pods.iter().filter(|pod| selects(deployment, pod)).cloned().collect();
        let election = election(deployment, &pods, &seen.leases);
        Manager { id: deployment.id(), pods, election }
    });
    let mut managers: Vec<Manager> = managers.filter(|manager| !manager.pods.is_empty()).collect();
    managers.sort_by(|a, b| a.id.cmp(&b.id));
    managers
}

fn election(deployment: &Object, pods: &[Object], leases: &[Object]) -> Election {
    let is_its = |lease: &&Object| {
        let Some(holder) = holder_of(lease) else { return false };
        let is_held = holder.starts_with(HOLDER_PREFIX)
            && held_from(lease).is_some_and(|(name, _)| name == deployment.name());
        is_held || pods.iter().any(|pod| is_held_by(holder, pod))
    };
    let its: Vec<Object> = leases.iter().filter(is_its).cloned().collect();
    match its.is_empty() {
        false => Election::By(its),
        true if elects_leaders(deployment) => Election::Pending,
        true => Election::None,
    }
}

/// Returns the mark of a Lease that is taken from the leader of a manager.
pub(super) fn mark(manager: &Manager, leader: Option<&str>) -> String {
    format!("{}/{}", manager.id.name, leader.unwrap_or_default())
}

/// Name of a Deployment and uid of a pod, as a mark tells them.
fn held_from(lease: &Object) -> Option<(&str, Option<&str>)> {
    let (name, uid) = lease.annotation(HELD_FROM_ANNOTATION)?.split_once('/')?;
    Some((name, Some(uid).filter(|uid| !uid.is_empty())))
}

/// Returns the holder of a Lease, if there is one.
pub(super) fn holder_of(lease: &Object) -> Option<&str> {
    at(lease.value(), "/spec/holderIdentity").as_str().filter(|holder| !holder.is_empty())
}

fn is_held_by(holder: &str, pod: &Object) -> bool {
    holder.split_once('_').map_or(holder, |(host, _)| host) == pod.name()
}

/// Returns whether a pod is ready, and nobody deletes it.
pub(super) fn is_ready(pod: &Object) -> bool {
    !pod.is_being_deleted() && pod.condition("Ready").is_some_and(Condition::is_true)
}

/// Returns whether the selector of a Deployment is about a pod. Expressions are not read: released
/// manifests have labels only, and a pod too many is one of the same namespace that is named in no
/// Lease.
fn selects(deployment: &Object, pod: &Object) -> bool {
    let labels = at(deployment.value(), "/spec/selector/matchLabels").as_object();
    let has = |(key, value): (&String, &Value)| pod.label(key) == value.as_str();
    labels.is_some_and(|labels| !labels.is_empty() && labels.iter().all(has))
}

fn elects_leaders(deployment: &Object) -> bool {
    let containers = at(deployment.value(), "/spec/template/spec/containers");
    let args = containers.as_array().into_iter().flatten();
    let args = args.flat_map(|container| at(container, "/args").as_array().into_iter().flatten());
    let flags: BTreeMap<&str, &str> = args.filter_map(Value::as_str).filter_map(flag).collect();
    ELECTION_FLAGS.iter().any(|name| flags.get(name).is_some_and(|value| *value != "false"))
}

/// Name and value of a flag; a flag alone is true.
fn flag(arg: &str) -> Option<(&str, &str)> {
    let name = arg.strip_prefix('-')?.trim_start_matches('-');
    Some(name.split_once('=').unwrap_or((name, "true")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(name: &str, args: &[&str]) -> Object {
        Object::new(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name,
            "namespace": "capi-system", "labels": {PROVIDER_LABEL: "cluster-api"}}, "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"spec": {"containers": [{"name": "manager", "args": args}]}}}}),
        )
    }

    fn pod(name: &str, of: &str) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name,
            "namespace": "capi-system", "uid": name, "labels": {"app": of, "hash": "1"}}}))
    }

    fn lease(name: &str, holder: Value) -> Object {
        Object::new(json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata":
            {"name": name, "namespace": "capi-system"}, "spec": {"holderIdentity": holder}}))
    }

    /// By Deployment: the names of the Leases, or how it elects otherwise.
    fn found(seen: &Observation) -> Vec<(String, Vec<String>)> {
        let names = |manager: &Manager| match &manager.election {
            Election::By(leases) => leases.iter().map(|lease| lease.name().to_owned()).collect(),
            other => vec![format!("{other:?}")],
        };
        managers(seen).iter().map(|one| (one.id.name.clone(), names(one))).collect()
    }

    fn of(name: &str, leases: &[&str]) -> (String, Vec<String>) {
        (name.to_owned(), leases.iter().map(|lease| (*lease).to_owned()).collect())
    }

    #[test]
    fn a_lease_belongs_to_the_manager_whose_pod_holds_it() {
        let seen = Observation {
            deployments: vec![deployment("core", &["--leader-elect"]), deployment("addon", &[])],
            pods: vec![pod("core-1", "core"), pod("core-10", "core"), pod("addon-1", "addon")],
            leases: vec![
                lease("capi", json!("core-10_0a-0b")),
                lease("addon", json!("addon-1")),
                lease("of-nobody", json!("core_1")),
                lease("free", json!("")),
                lease("never-held", Value::Null),
            ],
        };
        assert_eq!(found(&seen), [of("addon", &["addon"]), of("core", &["capi"])]);
        let all = managers(&seen);
        let core = all.last().expect("two were found");
        let leader = core.leases().first().and_then(|lease| core.leader(lease));
        assert_eq!(leader, Some("core-10"));
    }

    #[test]
    fn a_manager_that_elects_nobody_is_distinguished_from_one_that_elects_right_now() {
        for (args, election) in [
            (["--leader-elect"], "Pending"),
            (["--leader-elect=true"], "Pending"),
            (["-enable-leader-election"], "Pending"),
            (["--leader-elect=false"], "None"),
            (["--leader-elect-lease-duration=15s"], "None"),
            (["leader-elect"], "None"),
        ] {
            let seen = Observation {
                deployments: vec![deployment("core", &args)],
                pods: vec![pod("core-1", "core")],
                leases: vec![lease("capi", json!("core-0_gone"))],
            };
            assert_eq!(found(&seen), [of("core", &[election])], "{args:?}");
        }
    }

    #[test]
    fn only_deployments_of_providers_with_pods_are_managers() {
        let mut foreign = deployment("foreign", &[]);
        foreign.value_mut()["metadata"]["labels"] = json!({"app": "foreign"});
        let mut anything = deployment("anything", &[]);
        anything.value_mut()["spec"]["selector"] = json!({});
        let seen = Observation {
            deployments: vec![foreign, anything, deployment("scaled-down", &["--leader-elect"])],
            pods: vec![pod("foreign-1", "foreign")],
            leases: vec![lease("foreign", json!("foreign-1_a"))],
        };
        assert_eq!(found(&seen), []);
    }

    #[test]
    fn a_lease_that_a_run_holds_still_belongs_to_its_manager() {
        let mut held = lease("capi", json!("kubectl-pivot/r"));
        held.set_annotation(HELD_FROM_ANNOTATION, "core/core-0");
        let mut taken_back = held.clone();
        taken_back.value_mut()["spec"]["holderIdentity"] = json!("somebody_1");
        let seen = |lease| Observation {
            deployments: vec![deployment("core", &[])],
            pods: vec![pod("core-1", "core")],
            leases: vec![lease],
        };
        assert_eq!(found(&seen(held.clone())), [of("core", &["capi"])]);
        let manager = managers(&seen(held.clone())).pop().expect("it was found");
        assert_eq!(manager.leader(&held), Some("core-0"));
        assert_eq!(mark(&manager, Some("core-0")), "core/core-0");
        assert_eq!(found(&seen(taken_back)), [of("core", &["None"])]);
    }

    #[test]
    fn a_pod_in_deletion_is_not_ready() {
        let mut ready = pod("core-1", "core");
        assert!(!is_ready(&ready));
        ready.value_mut()["status"] = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        assert!(is_ready(&ready));
        ready.value_mut()["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(!is_ready(&ready));
    }
}
