//! MachinePools and MachineHealthChecks.

use serde_json::json;

use super::shapes::{BOOTSTRAP, CLUSTER_NAME, CORE, DOCKER, cluster, infrastructure_ref};
use super::{ObjectSpec, Population};

/// A cluster with a machine pool and a health check.
pub fn population(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    let owner = cluster(&mut population, "pooled");
    let pool = population.add(
        ObjectSpec::new(CORE, "MachinePool", "pool-0")
            .label(CLUSTER_NAME, "pooled")
            .finalizer("machinepool.cluster.x-k8s.io")
            .owned_by(owner)
            .spec(json!({
                "clusterName": "pooled",
                "replicas": 2,
                "providerIDList": ["docker:////pool-0-a", "docker:////pool-0-b"],
                "template": {"spec": {
                    "clusterName": "pooled",
                    "version": "v1.36.0",
                    "bootstrap": {"configRef": {"apiGroup": "bootstrap.cluster.x-k8s.io",
                        "kind": "KubeadmConfig", "name": "pool-0"}},
                    "infrastructureRef": infrastructure_ref("DockerMachinePool", "pool-0"),
                }},
            }))
            .status(json!({"phase": "Running", "replicas": 2})),
    );
    population.add(
        ObjectSpec::new(DOCKER, "DockerMachinePool", "pool-0")
            .label(CLUSTER_NAME, "pooled")
            .controlled_by(pool)
            .spec(json!({"template": {"customImage": "kindest/node:v1.36.0"},
                "providerIDList": ["docker:////pool-0-a"]})),
    );
    population.add(ObjectSpec::new(BOOTSTRAP, "KubeadmConfig", "pool-0").controlled_by(pool).spec(
        json!({"joinConfiguration": {"nodeRegistration": {"criSocket": "unix:///run/x.sock"}}}),
    ));
    population.add(
        ObjectSpec::new(CORE, "MachineHealthCheck", "workers")
            .label(CLUSTER_NAME, "pooled")
            .owned_by(owner)
            .spec(json!({
                "clusterName": "pooled",
                "selector": {"matchLabels": {"pool": "workers"}},
                "checks": {"unhealthyNodeConditions": [{"type": "Ready", "status": "Unknown",
                    "timeoutSeconds": 300}]},
            }))
            .status(json!({"currentHealthy": 2, "expectedMachines": 2})),
    );
    population
}
