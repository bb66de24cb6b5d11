//! Objects created through `v1beta1`, which the move meets at the storage version.

use serde_json::json;

use super::shapes::{CLUSTER_NAME, provisioned};
use super::{ObjectSpec, Population};

const CORE: &str = "cluster.x-k8s.io/v1beta1";
const DOCKER: &str = "infrastructure.cluster.x-k8s.io/v1beta1";

/// A cluster with fields that both versions know; the sandbox's CRDs convert nothing.
pub fn population(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    let cluster = population.add(
        ObjectSpec::new(CORE, "Cluster", "veteran")
            .finalizer("cluster.cluster.x-k8s.io")
            .manager("kubectl-client-side-apply")
            .spec(json!({
                "clusterNetwork": {"services": {"cidrBlocks": ["10.96.0.0/12"]}},
                "controlPlaneEndpoint": {"host": "172.18.0.3", "port": 6443},
            }))
            .status_at(super::shapes::CORE, provisioned()),
    );
    population.add(ObjectSpec::config_map("owned-through-v1beta1").owned_by(cluster));
    population.add(
        ObjectSpec::new(DOCKER, "DockerCluster", "veteran")
            .label(CLUSTER_NAME, "veteran")
            .owned_by(cluster)
            .spec(json!({"controlPlaneEndpoint": {"host": "172.18.0.3", "port": 6443}}))
            .applied(
                "capi-topology",
                json!({"metadata": {"name": "veteran", "labels": {"applied": "yes"}}}),
            ),
    );
    population.add(ObjectSpec::cluster_secret("veteran-kubeconfig").controlled_by(cluster));
    population
}
