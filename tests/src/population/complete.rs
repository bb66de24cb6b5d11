//! One of everything that a move treats in its own way, small enough to be moved a thousand times.

use serde_json::json;

use super::class::{class, topology_cluster};
use super::crds::{API_VERSION, GLOBAL_IDENTITY, WIDGET};
use super::helm::release;
use super::shapes::{CORE, bare_cluster, cluster, machine};
use super::{ObjectSpec, Population};

const ADDONS: &str = "addons.cluster.x-k8s.io/v1beta2";

/// Namespaces of the shared object_specs of a [`population`].
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The namespace that moves; also part of the names of what lives elsewhere.
    pub namespace: &'a str,
    /// A namespace that stays, with a ClusterClass.
    pub home: &'a str,
    /// The infrastructure provider's namespace.
    pub provider: &'a str,
}

/// A cluster with a machine, one paused by its user, one explicitly not paused, one whose user has
/// put the annotation of a pause on it, one of a class here and one of a class elsewhere, a
/// resource set, a Helm release, a global identity, and a kind that moves by itself.
pub fn population(places: &Places<'_>) -> Population {
    let mut population = Population::new(places.namespace);
    let plain = cluster(&mut population, "plain");
    machine(&mut population, "plain", "plain-worker", plain);
    population.add(paused("resting", true));
    population.add(paused("awake", false));
    population.add(bare_cluster("held").annotation("cluster.x-k8s.io/paused", ""));
    class(&mut population, "local-class", places.namespace);
    topology_cluster(&mut population, "managed", ("local-class", None));
    class(&mut population, "distant-class", places.home);
    topology_cluster(&mut population, "remote", ("distant-class", Some(places.home)));
    resource_set(&mut population);
    release(&mut population, "plain");
    identity(&mut population, places);
    let widget = ObjectSpec::new(API_VERSION, WIDGET, "widget").spec(json!({"size": 1}));
    population.add(widget.finalizer("proof.kubectl-pivot.io/widget"));
    population
}

fn paused(name: &str, paused: bool) -> ObjectSpec {
    let mut spec = json!({"controlPlaneEndpoint": {"host": "172.18.0.4", "port": 6443}});
    spec["paused"] = paused.into();
    bare_cluster(name).spec(spec)
}

fn resource_set(population: &mut Population) {
    let set = population.add(
        ObjectSpec::new(ADDONS, "ClusterResourceSet", "addons")
            .finalizer("addons.cluster.x-k8s.io")
            .spec(json!({
                "strategy": "ApplyOnce",
                "clusterSelector": {"matchLabels": {"environment": "proof"}},
                "resources": [{"kind": "ConfigMap", "name": "addon-config"}],
            })),
    );
    population.add(ObjectSpec::config_map("addon-config").owned_by(set));
    let binding = ObjectSpec::new(ADDONS, "ClusterResourceSetBinding", "plain").owned_by(set);
    population.add(binding.spec(json!({
        "clusterName": "plain",
        "bindings": [{"clusterResourceSetName": "addons", "resources": [
            {"kind": "ConfigMap", "name": "addon-config", "applied": true, "hash": "sha256:1",
             "lastAppliedTime": "2026-01-01T00:00:00Z"},
        ]}],
    })));
    population.add(ObjectSpec::new(CORE, "MachineDrainRule", "unowned").spec(json!({
        "drain": {"behavior": "Skip"}, "machines": [{"selector": {}}],
    })));
}

fn identity(population: &mut Population, places: &Places<'_>) {
    let name = format!("identity-{}", places.namespace);
    let identity = population.add(
        ObjectSpec::new(API_VERSION, GLOBAL_IDENTITY, &name)
            .global()
            .finalizer("proof.kubectl-pivot.io/identity")
            .spec(json!({"secretRef": name})),
    );
    let secret = ObjectSpec::secret(&name).with("stringData", json!({"value": "credentials"}));
    population.add(secret.in_namespace(places.provider).controlled_by(identity));
}
