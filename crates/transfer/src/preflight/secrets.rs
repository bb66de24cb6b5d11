//! Secrets without which nobody can manage a cluster. A move that does not see them would leave
//! them behind in the source, where the garbage collector deletes them, and the cluster without its
//! keys.
//!
//! The rule is that of KubeadmControlPlane in Cluster API 1.14: once the control plane is
//! initialised, `reconcileClusterCertificates` looks its certificates and keys up and makes none
//! anew. The kubeconfig is added, with which all controllers reach the cluster. Other control plane
//! providers have rules of their own, so nothing is expected of them.
//!
//! A Secret that is in the source and stays is not missing. Something else makes it there, such as
//! an ExternalSecret, a Certificate or a vault, and can make it in the target too; only the user
//! knows.

use std::cell::LazyCell;
use std::collections::HashMap;

use capi::names::{CLUSTER_NAME_LABEL, CORE_GROUP};
use capi::{Condition, Fate, Graph, Node, Object, OwnerReference, StayReason, at, group_of};

use super::ties;
use crate::findings::Findings;
use crate::run::Run;

/// Group and kind whose rule is known.
const CONTROL_PLANE: (&str, &str) = ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane");

/// Purposes of the Secrets of every cluster (`NewCertificatesForInitialControlPlane`, and the
/// kubeconfig with which all controllers reach the cluster).
const PURPOSES: [&str; 5] = ["ca", "etcd", "proxy", "sa", "kubeconfig"];

/// The purpose of one more Secret of a cluster whose etcd is elsewhere.
const EXTERNAL_ETCD: &str = "apiserver-etcd-client";

/// Refuses a move without Secrets that must be there; of a backup it is a warning.
pub(super) fn check(run: &Run, graph: &Graph, findings: &mut Findings) {
    look(graph, run.options.allow_missing_secrets || run.is_alone(), findings);
}

fn look(graph: &Graph, is_allowed: bool, findings: &mut Findings) {
    let is_secret = |node: &&Node| node.object.group().is_empty() && node.object.kind() == "Secret";
    let secrets: HashMap<_, _> = (graph.nodes.iter().filter(is_secret))
        .map(|node| ((node.object.namespace(), node.object.name()), node))
        .collect();
    let tied = LazyCell::new(|| ties::check(graph, &mut Findings::default()));
    for control_plane in graph.moving().map(|node| &node.object).filter(|o| is_initialized(o)) {
        let mut missing = Vec::new();
        for name in expected(control_plane) {
            let Some(secret) = secrets.get(&(control_plane.namespace(), name.as_str())) else {
                missing.push(name);
                continue;
            };
            if let Fate::Stay(reason) = &secret.fate
                && !tied.contains(secret.object.uid())
            {
                tell_of_one_that_stays(&secret.object, reason, findings);
            }
        }
        if !missing.is_empty() {
            tell_of_missing(control_plane, &missing, is_allowed, findings);
        }
    }
}

fn tell_of_one_that_stays(secret: &Object, reason: &StayReason, findings: &mut Findings) {
    let unseen = |owner: &OwnerReference| {
        format!("its owner {} {} is of no kind that moves, or is gone", owner.kind, owner.name)
    };
    let why = match reason {
        StayReason::OwnerStays(owner) => format!("its owner {owner} stays"),
        StayReason::OwnerUnknown(owner) => unseen(owner),
        StayReason::NotChosen(_) => "it does not go with the chosen Clusters".to_owned(),
        StayReason::Unrelated => secret
            .owner_references()
            .first()
            .map_or_else(|| "nothing that moves owns it".to_owned(), unseen),
    };
    let problem =
        format!("its cluster needs it; it is in the source and does not move, since {why}");
    let hint = "make sure that it is in the target before the move; GitOps or a secret store may \
                create it there";
    findings.object_warning("SecretStays", "source", secret.id(), &problem, hint);
}

fn tell_of_missing(
    control_plane: &Object,
    names: &[String],
    is_allowed: bool,
    findings: &mut Findings,
) {
    let problem = format!(
        "the source does not list Secrets that it needs to manage its cluster: {}",
        names.join(", ")
    );
    let (id, rule) = (control_plane.id(), "SecretMissing");
    if is_allowed {
        let hint = "put them back before this cluster is managed anywhere else";
        findings.object_warning(rule, "source", id, &problem, hint);
    } else {
        let hint = "put them back; if kubectl shows them in the source, find out what answers \
                    there in the place of its API server; --allow-missing-secrets moves the \
                    cluster without them";
        findings.object_error(rule, "source", id, &problem, hint);
    }
}

/// Returns whether this is a control plane that makes no certificates any more.
fn is_initialized(object: &Object) -> bool {
    if (object.group(), object.kind()) != CONTROL_PLANE {
        return false;
    }
    object.at("/status/initialized") == true
        || object.condition("Initialized").is_some_and(Condition::is_true)
}

/// Names of the Secrets that a control plane needs.
fn expected(control_plane: &Object) -> Vec<String> {
    let Some(cluster) = cluster_of(control_plane) else { return Vec::new() };
    let spec = control_plane.at("/spec/kubeadmConfigSpec/clusterConfiguration");
    let has_external_etcd = at(spec, "/etcd/external").is_object();
    let purposes = PURPOSES.into_iter().chain(has_external_etcd.then_some(EXTERNAL_ETCD));
    purposes.map(|purpose| format!("{cluster}-{purpose}")).collect()
}

/// The name of the Cluster that a control plane belongs to.
fn cluster_of(control_plane: &Object) -> Option<String> {
    let mut owners = control_plane.owner_references().into_iter();
    let cluster = |owner: &OwnerReference| {
        owner.kind == "Cluster" && group_of(&owner.api_version) == CORE_GROUP
    };
    let owner = owners.find(cluster).map(|owner| owner.name);
    owner.or_else(|| control_plane.label(CLUSTER_NAME_LABEL).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use capi::{MoveKind, Scope};
    use serde_json::{Value, json};

    use super::*;
    use crate::findings::Severity;

    fn control_plane(kind: &str, status: Value, etcd: Value) -> Object {
        Object::new(json!({"apiVersion": "controlplane.cluster.x-k8s.io/v1beta2", "kind": kind,
            "metadata": {"name": "c-kcp", "namespace": "n", "ownerReferences":
                [{"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "name": "c",
                    "uid": "u"}]},
            "spec": {"kubeadmConfigSpec": {"clusterConfiguration": {"etcd": etcd}}},
            "status": status}))
    }

    #[test]
    fn only_an_initialized_kubeadm_control_plane_needs_secrets() {
        let initialized = json!({"conditions": [{"type": "Initialized", "status": "True"}]});
        let of = |kind: &str, status: &Value| {
            is_initialized(&control_plane(kind, status.clone(), Value::Null))
        };
        assert!(of("KubeadmControlPlane", &initialized));
        assert!(of("KubeadmControlPlane", &json!({"v1beta2": initialized.clone()})));
        assert!(of("KubeadmControlPlane", &json!({"initialized": true})));
        assert!(!of(
            "KubeadmControlPlane",
            &json!({"conditions": [{"type": "Initialized", "status": "False"}]})
        ));
        assert!(!of("KubeadmControlPlane", &Value::Null));
        assert!(!of("RKE2ControlPlane", &initialized));
    }

    #[test]
    fn an_etcd_elsewhere_needs_one_secret_more() {
        let of = |etcd| expected(&control_plane("KubeadmControlPlane", Value::Null, etcd));
        assert_eq!(of(json!({"local": {}})), ["c-ca", "c-etcd", "c-proxy", "c-sa", "c-kubeconfig"]);
        assert_eq!(
            of(json!({"external": {"endpoints": []}})).last().map(String::as_str),
            Some("c-apiserver-etcd-client")
        );
    }

    const CORE: &str = "cluster.x-k8s.io/v1beta2";
    const KINDS: [(&str, &str); 3] = [
        (CORE, "Cluster"),
        ("controlplane.cluster.x-k8s.io/v1beta2", "KubeadmControlPlane"),
        ("v1", "Secret"),
    ];

    fn secret(name: &str, owner: &Value) -> (usize, Object) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata":
            {"name": name, "namespace": "n", "uid": name, "ownerReferences": [owner]}});
        (2, Object::new(secret))
    }

    /// Rules, severities and messages about a cluster `c` with these Secrets.
    fn found(secrets: Vec<(usize, Object)>) -> Vec<(&'static str, Severity, String)> {
        let kinds = KINDS.map(|(api_version, kind)| MoveKind::for_tests(api_version, kind));
        let cluster = json!({"apiVersion": CORE, "kind": "Cluster",
            "metadata": {"name": "c", "namespace": "n", "uid": "u"}});
        let kcp = control_plane("KubeadmControlPlane", json!({"initialized": true}), Value::Null);
        let mut objects = vec![(0, Object::new(cluster)), (1, kcp)];
        objects.extend(secrets);
        let graph = Graph::build(Arc::new(kinds.to_vec()), objects, &Scope::default());
        let mut findings = Findings::default();
        look(&graph.expect("no cycle"), false, &mut findings);
        let found = findings.0.into_iter();
        found.map(|finding| (finding.rule, finding.severity, finding.message)).collect()
    }

    #[test]
    fn a_secret_that_is_in_the_source_and_stays_is_not_missing() {
        let cluster = json!({"apiVersion": CORE, "kind": "Cluster", "name": "c", "uid": "u"});
        let store = json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
            "name": "e", "uid": "e"});
        let moving = |names: &[&str]| -> Vec<_> {
            names.iter().map(|name| secret(name, &cluster)).collect()
        };
        let four = ["c-etcd", "c-proxy", "c-sa", "c-kubeconfig"];
        let mut stays = moving(&four);
        stays.push(secret("c-ca", &store));
        let found_of_one = found(stays);
        let [(rule, severity, message)] = found_of_one.as_slice() else {
            panic!("{found_of_one:?}")
        };
        assert_eq!((*rule, *severity), ("SecretStays", Severity::Warning));
        assert!(message.contains("n/c-ca") && message.contains("ExternalSecret e"), "{message}");

        let missing = found(moving(&four));
        let [(rule, severity, message)] = missing.as_slice() else { panic!("{missing:?}") };
        assert_eq!((*rule, *severity), ("SecretMissing", Severity::Error));
        assert!(message.ends_with("c-ca"), "{message}");
    }

    #[test]
    fn a_secret_that_ties_report_gets_no_second_finding() {
        let cluster = json!({"apiVersion": CORE, "kind": "Cluster", "name": "c", "uid": "u"});
        let store = json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
            "name": "e", "uid": "e"});
        let mut secrets: Vec<_> = ["c-etcd", "c-proxy", "c-sa", "c-kubeconfig"]
            .iter()
            .map(|name| secret(name, &cluster))
            .collect();
        let (kind, mut torn) = secret("c-ca", &store);
        torn.metadata_mut().insert("ownerReferences".to_owned(), json!([cluster, store]));
        secrets.push((kind, torn));
        assert!(found(secrets).is_empty());
    }
}
