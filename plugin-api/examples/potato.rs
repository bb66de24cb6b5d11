//! A whole infrastructure plugin, for clusters of single-board computers. It is built with
//! `cargo build --example potato`, and needs no more than this file and a manifest.

use kubectl_pivot_plugin_api::capi::{
    Infrastructure, KubeadmCluster, common_variables, controller_available,
};
use kubectl_pivot_plugin_api::{
    ClusterRequest, InfrastructureProvider, Manifests, Maturity, PluginInfo, PluginResult, Probe,
    ProbesRequest, ProvidersToInit, Values, Variable, VariableType, export_plugin,
};
use serde_json::json;

struct Potato;

impl InfrastructureProvider for Potato {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            name: "potato".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            maturity: Maturity::Alpha,
            description: "Clusters of single-board computers".to_owned(),
            provider: "potato".to_owned(),
            ..PluginInfo::default()
        }
    }

    fn variables(&self) -> Vec<Variable> {
        let mut variables = common_variables();
        variables.push(
            Variable::new("potato-model", VariableType::String, "Model of the computers")
                .with_default("le-potato")
                .from_env("POTATO_MODEL"),
        );
        variables
    }

    fn providers(&self, _: &ClusterRequest) -> PluginResult<ProvidersToInit> {
        Ok(ProvidersToInit::kubeadm("potato"))
    }

    fn render(&self, cluster: &ClusterRequest) -> PluginResult<Manifests> {
        let values = Values::resolve(&self.variables(), &cluster.variables)?;
        let machine = json!({"model": values.text("potato-model")?});
        let objects = KubeadmCluster::new(cluster, &values)?.objects(&Infrastructure {
            cluster_kind: "PotatoCluster",
            cluster_spec: None,
            template_kind: "PotatoMachineTemplate",
            control_plane_machine: machine.clone(),
            worker_machine: machine,
        })?;
        Ok(objects.into())
    }

    fn probes(&self, _: &ProbesRequest) -> PluginResult<Vec<Probe>> {
        Ok(controller_available("potato", "potato-system", "potato-controller-manager").into())
    }
}

export_plugin!(infrastructure: Potato);
