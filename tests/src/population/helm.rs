//! A network that the Helm add-on provider keeps in a cluster.

use serde_json::json;

use super::{Handle, ObjectSpec, Population};
use crate::addon::API_VERSION;

/// A chart for clusters, and its release in one of them.
pub(super) fn release(population: &mut Population, cluster: &str) -> Handle {
    let chart = json!({"repoURL": "https://charts.invalid", "chartName": "network"});
    let mut spec = chart.clone();
    spec["clusterSelector"] = json!({"matchLabels": {"network": "proof"}});
    let proxy = population.add(
        ObjectSpec::new(API_VERSION, "HelmChartProxy", "network")
            .finalizer("helmchartproxy.addons.cluster.x-k8s.io")
            .spec(spec),
    );
    let mut spec = chart;
    spec["clusterRef"] = json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
        "name": cluster, "namespace": population.namespace()});
    population.add(
        ObjectSpec::new(API_VERSION, "HelmReleaseProxy", "network-release")
            .label("cluster.x-k8s.io/cluster-name", cluster)
            .label("helmreleaseproxy.addons.cluster.x-k8s.io/helmchartproxy-name", "network")
            .finalizer("helmreleaseproxy.addons.cluster.x-k8s.io")
            .controlled_by(proxy)
            .spec(spec),
    )
}
