//! Calico plugin: Calico through its operator.

mod probes;
mod values;
mod variables;

use kubectl_pivot_plugin_api::{
    CniInstall, CniPlan, CniProvider, CniRequest, Maturity, PluginInfo, PluginResult, Probe,
    Values, Variable, export_plugin,
};

/// The plugin.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calico;

export_plugin!(cni: Calico);

impl CniProvider for Calico {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            name: "calico".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            maturity: Maturity::Beta,
            description: "Calico, from the Helm chart of its operator".to_owned(),
            home_page: "https://docs.tigera.io/calico/latest/".to_owned(),
            ..PluginInfo::default()
        }
    }

    fn variables(&self) -> Vec<Variable> {
        variables::all()
    }

    fn plan(&self, request: &CniRequest) -> PluginResult<CniInstall> {
        let values = Values::resolve(&variables::all(), &request.variables)?;
        let plan = CniPlan::HelmChart(values::chart(request, &values)?);
        Ok(CniInstall { plan, ..CniInstall::default() })
    }

    fn probes(&self, _: &CniRequest) -> PluginResult<Vec<Probe>> {
        Ok(probes::all())
    }
}

#[cfg(test)]
mod tests;
