//! Kindnet plugin: the network of kind, for clusters whose machines are containers of one host.
//!
//! The lightest network that there is: one DaemonSet, routes between the machines, and no chart to
//! download. It needs machines that reach each other directly.

mod manifests;
mod variables;

use kubectl_pivot_plugin_api::{
    CniInstall, CniPlan, CniProvider, CniRequest, Maturity, PluginError, PluginInfo, PluginResult,
    Probe, ProbeStage, Values, Variable, export_plugin,
};

/// The plugin.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kindnet;

export_plugin!(cni: Kindnet);

impl CniProvider for Kindnet {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            name: "kindnet".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            maturity: Maturity::Beta,
            description: "Kindnet, the network of kind, without a chart".to_owned(),
            home_page: "https://kind.sigs.k8s.io/".to_owned(),
            ..PluginInfo::default()
        }
    }

    fn variables(&self) -> Vec<Variable> {
        variables::all()
    }

    fn plan(&self, request: &CniRequest) -> PluginResult<CniInstall> {
        let values = Values::resolve(&variables::all(), &request.variables)?;
        request.cluster.pod_ip_versions()?;
        if request.cluster.pod_cidrs.is_empty() {
            return Err(no_ranges());
        }
        let image = values.text(variables::IMAGE)?;
        let plan = CniPlan::Manifests { objects: manifests::all(image, &request.cluster) };
        Ok(CniInstall { plan, ..CniInstall::default() })
    }

    fn probes(&self, _: &CniRequest) -> PluginResult<Vec<Probe>> {
        let probes = [
            Probe::daemon_set_ready("kindnet-agents", manifests::NAMESPACE, manifests::NAME),
            Probe::nodes_ready(),
        ];
        Ok(probes.map(|probe| probe.at(&[ProbeStage::CniInstalled])).into())
    }
}

/// Kindnet masquerades what leaves these ranges, so it has to know them.
fn no_ranges() -> PluginError {
    PluginError::unsupported("Kindnet needs the ranges for pods, and the Cluster has none")
        .with_hint("set them with `--pod-cidr CIDR`, or choose another network with `--cni NAME`")
}

#[cfg(test)]
mod tests;
