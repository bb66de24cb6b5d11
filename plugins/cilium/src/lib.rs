//! Cilium plugin: the network of the nine steps.

mod probes;
mod values;
mod variables;

use kubectl_pivot_plugin_api::{
    CniInstall, CniPlan, CniProvider, CniRequest, Maturity, PluginInfo, PluginResult, Probe,
    Values, Variable, export_plugin,
};

/// The plugin.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cilium;

export_plugin!(cni: Cilium);

impl CniProvider for Cilium {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            name: "cilium".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            maturity: Maturity::Stable,
            description: "Cilium, from its Helm chart".to_owned(),
            home_page: "https://docs.cilium.io/".to_owned(),
            ..PluginInfo::default()
        }
    }

    fn variables(&self) -> Vec<Variable> {
        variables::all()
    }

    fn plan(&self, request: &CniRequest) -> PluginResult<CniInstall> {
        let values = Values::resolve(&variables::all(), &request.variables)?;
        let chart = values::chart(request, &values)?;
        let replaces_kube_proxy = values::replaces_kube_proxy(&chart.values);
        let plan = CniPlan::HelmChart(chart);
        Ok(CniInstall { plan, replaces_kube_proxy, ..CniInstall::default() })
    }

    fn probes(&self, _: &CniRequest) -> PluginResult<Vec<Probe>> {
        Ok(probes::all())
    }
}

#[cfg(test)]
mod tests;
