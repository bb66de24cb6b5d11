//! ClusterResourceSet with bindings, Secrets and ConfigMaps.

use serde_json::json;

use super::shapes::{CORE, cluster};
use super::{ObjectSpec, Population};

const ADDONS: &str = "addons.cluster.x-k8s.io/v1beta2";

/// A set that has been applied to two clusters; one Secret and one ConfigMap belong to it, another
/// ConfigMap of the namespace belongs to nobody.
pub fn population(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    let clusters = ["addon-a", "addon-b"];
    for name in clusters {
        cluster(&mut population, name);
    }
    let set = population.add(
        ObjectSpec::new(ADDONS, "ClusterResourceSet", "addons")
            .finalizer("addons.cluster.x-k8s.io")
            .annotation("note", "kept")
            .spec(json!({
                "strategy": "ApplyOnce",
                "clusterSelector": {"matchLabels": {"environment": "proof"}},
                "resources": [{"kind": "Secret", "name": "addon-secret"},
                    {"kind": "ConfigMap", "name": "addon-config"}],
            })),
    );
    population.add(
        ObjectSpec::secret("addon-secret")
            .with("type", json!("addons.cluster.x-k8s.io/resource-set"))
            .owned_by(set),
    );
    population.add(ObjectSpec::config_map("addon-config").owned_by(set));
    population.add(ObjectSpec::config_map("nobodys-config"));
    for name in clusters {
        population.add(
            ObjectSpec::new(ADDONS, "ClusterResourceSetBinding", name).owned_by(set).spec(json!({
                "clusterName": name,
                "bindings": [{"clusterResourceSetName": "addons", "resources": [
                    {"kind": "Secret", "name": "addon-secret", "applied": true, "hash": "sha256:1",
                     "lastAppliedTime": "2026-01-01T00:00:00Z"},
                ]}],
            })),
        );
    }
    // Bound by name only.
    population.add(ObjectSpec::new(ADDONS, "ClusterResourceSetBinding", "by-name").spec(json!({
        "clusterName": "addon-a",
        "bindings": [{"clusterResourceSetName": "gone", "resources": [
            {"kind": "ConfigMap", "name": "x", "applied": true, "hash": "sha256:2",
                "lastAppliedTime": "2026-01-01T00:00:00Z"},
        ]}],
    })));
    population.add(ObjectSpec::new(CORE, "MachineDrainRule", "unowned").spec(json!({
        "drain": {"behavior": "Skip"}, "machines": [{"selector": {"matchLabels": {"drain": "no"}}}],
        "pods": [{"selector": {"matchLabels": {"app": "x"}}}],
    })));
    population
}
