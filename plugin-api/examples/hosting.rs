//! The plugin `in-memory` without its limit: its clusters could host a management cluster. For tests
//! of hosts, which have an API server in the place of such a cluster.

use kubectl_pivot_plugin_api::capi::{
    Infrastructure, KubeadmCluster, common_variables, controller_available,
    infrastructure_provisioned,
};
use kubectl_pivot_plugin_api::{
    Capabilities, ClusterRequest, CniChoice, InfrastructureProvider, Manifests, PluginInfo,
    PluginResult, Probe, ProbesRequest, ProvidersToInit, Values, Variable, VersionRange,
    export_plugin,
};
use serde_json::{Value, json};

struct Hosting;

export_plugin!(infrastructure: Hosting);

impl InfrastructureProvider for Hosting {
    fn info(&self) -> PluginInfo {
        // A real plugin reads no environment.
        let below = std::env::var("HOSTING_CLUSTER_API_BELOW").unwrap_or_default();
        PluginInfo {
            name: "in-memory".to_owned(),
            version: "0.0.0".to_owned(),
            description: "Simulated clusters that are said to host a management cluster".to_owned(),
            provider: "docker".to_owned(),
            capabilities: Capabilities {
                kubernetes: VersionRange::new("1.20", ""),
                cluster_api: VersionRange::new("", &below),
                ..Capabilities::default()
            },
            ..PluginInfo::default()
        }
    }

    fn variables(&self) -> Vec<Variable> {
        common_variables()
    }

    fn providers(&self, _: &ClusterRequest) -> PluginResult<ProvidersToInit> {
        Ok(ProvidersToInit::kubeadm("docker"))
    }

    fn render(&self, cluster: &ClusterRequest) -> PluginResult<Manifests> {
        let values = Values::resolve(&self.variables(), &cluster.variables)?;
        let mut objects = KubeadmCluster::new(cluster, &values)?.objects(&Infrastructure {
            cluster_kind: "DevCluster",
            cluster_spec: Some(json!({"backend": {"inMemory": {}}})),
            template_kind: "DevMachineTemplate",
            control_plane_machine: machine(&["vm", "node", "apiServer", "etcd"]),
            worker_machine: machine(&["vm", "node"]),
        })?;
        let listener = format!("{}/{}", cluster.namespace, cluster.name);
        for object in objects.iter_mut().filter(|object| object["kind"] == "DevCluster") {
            object["metadata"]["annotations"] =
                json!({"inmemorycluster.infrastructure.cluster.x-k8s.io/listener": listener});
        }
        Ok(objects.into())
    }

    fn cni(&self, _: &ClusterRequest) -> PluginResult<CniChoice> {
        Ok(CniChoice::NotNeeded)
    }

    fn probes(&self, request: &ProbesRequest) -> PluginResult<Vec<Probe>> {
        let controller =
            controller_available("in-memory", "capd-system", "capd-controller-manager");
        let clusters = infrastructure_provisioned("DevCluster", request);
        Ok(controller.into_iter().chain(clusters).collect())
    }
}

fn machine(parts: &[&str]) -> Value {
    let part =
        |part: &&str| ((*part).to_owned(), json!({"provisioning": {"startupDuration": "1s"}}));
    let parts: serde_json::Map<_, _> = parts.iter().map(part).collect();
    json!({"backend": {"inMemory": parts}})
}
