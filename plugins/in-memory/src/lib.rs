//! In-memory infrastructure plugin: clusters that exist only in the memory of their controller.
//!
//! The real controllers of Cluster API run against `Dev*` kinds with the backend `inMemory`, so
//! moves can be rehearsed without Docker. No pod ever runs in such a cluster.

mod machines;
mod variables;

use kubectl_pivot_plugin_api::capi::{
    Infrastructure, KubeadmCluster, controller_available, infrastructure_provisioned,
};
use kubectl_pivot_plugin_api::{
    Capabilities, ClusterRequest, CniChoice, InfrastructureProvider, Manifests, Maturity,
    PluginInfo, PluginResult, Probe, ProbesRequest, ProvidersToInit, Values, Variable,
    export_plugin,
};
use serde_json::json;

/// Annotation in which the provider keeps the name of a cluster's listener, which is the cluster's
/// own.
const LISTENER: &str = "inmemorycluster.infrastructure.cluster.x-k8s.io/listener";

/// The plugin.
#[derive(Clone, Copy, Debug, Default)]
pub struct InMemory;

export_plugin!(infrastructure: InMemory);

impl InfrastructureProvider for InMemory {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            name: "in-memory".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            maturity: Maturity::Stable,
            description: "Simulated clusters under real controllers, for rehearsals and tests"
                .to_owned(),
            home_page: "https://cluster-api.sigs.k8s.io/".to_owned(),
            provider: "docker".to_owned(),
            capabilities: Capabilities { workload_only: true, ..Capabilities::default() },
            ..PluginInfo::default()
        }
    }

    fn variables(&self) -> Vec<Variable> {
        variables::all()
    }

    /// The backend is part of the Docker provider.
    fn providers(&self, _: &ClusterRequest) -> PluginResult<ProvidersToInit> {
        Ok(ProvidersToInit::kubeadm("docker"))
    }

    fn render(&self, cluster: &ClusterRequest) -> PluginResult<Manifests> {
        let values = Values::resolve(&variables::all(), &cluster.variables)?;
        let mut objects = KubeadmCluster::new(cluster, &values)?.objects(&Infrastructure {
            cluster_kind: "DevCluster",
            cluster_spec: Some(json!({"backend": {"inMemory": {}}})),
            template_kind: "DevMachineTemplate",
            control_plane_machine: machines::control_plane(&values)?,
            worker_machine: machines::worker(&values)?,
        })?;
        // The provider of Cluster API 1.14 adds an annotation, and fails where there is none at
        // all.
        let listener = format!("{}/{}", cluster.namespace, cluster.name);
        for object in objects.iter_mut().filter(|object| object["kind"] == "DevCluster") {
            object["metadata"]["annotations"] = json!({LISTENER: listener});
        }
        Ok(objects.into())
    }

    /// Nodes are simulated as Ready, and no pod needs a network.
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

#[cfg(test)]
mod tests;
