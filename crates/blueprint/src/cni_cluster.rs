//! The cluster as a CNI plugin has to know it, read from its objects as they will be.

use capi::group_of;
use kubectl_pivot_plugin_api::{ClusterRequest, CniCluster};
use serde_json::Value;

pub(super) fn cni_cluster(
    objects: &[Value],
    request: &ClusterRequest,
    infrastructure: &str,
) -> CniCluster {
    let cluster = objects.iter().find(|object| {
        object["kind"] == "Cluster"
            && group_of(object["apiVersion"].as_str().unwrap_or_default()) == "cluster.x-k8s.io"
    });
    let spec = cluster.map_or(&Value::Null, |cluster| &cluster["spec"]);
    let ranges = |field: &str| {
        let ranges = spec["clusterNetwork"][field]["cidrBlocks"].as_array();
        let ranges = ranges.into_iter().flatten().filter_map(Value::as_str);
        ranges.map(str::to_owned).collect()
    };
    let control_plane = objects.iter().find(|object| {
        object["kind"] == spec["controlPlaneRef"]["kind"]
            && object["metadata"]["name"] == spec["controlPlaneRef"]["name"]
    });
    let version = control_plane
        .map_or(&spec["topology"]["version"], |object| &object["spec"]["version"])
        .as_str();
    CniCluster {
        name: request.name.clone(),
        namespace: request.namespace.clone(),
        infrastructure: infrastructure.to_owned(),
        pod_cidrs: ranges("pods"),
        service_cidrs: ranges("services"),
        kubernetes_version: version
            .map(str::to_owned)
            .or_else(|| request.kubernetes_version.clone()),
        api_endpoint: None,
    }
}
