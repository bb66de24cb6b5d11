//! Flannel plugin.

mod probes;
mod values;
mod variables;

use kubectl_pivot_plugin_api::{
    CniInstall, CniPlan, CniProvider, CniRequest, Maturity, PluginInfo, PluginResult, Probe,
    Values, Variable, export_plugin,
};

/// The images of kind's nodes have only `host-local`, `loopback`, `portmap` and `ptp`.
const NO_BRIDGE: &str = "Flannel needs the CNI binary `bridge` in /opt/cni/bin of every machine, \
                         and the kindest/node images do not have it: use a custom image or \
                         another network";

/// The plugin.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flannel;

export_plugin!(cni: Flannel);

impl CniProvider for Flannel {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            name: "flannel".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            maturity: Maturity::Beta,
            description: "Flannel, from its Helm chart".to_owned(),
            home_page: "https://github.com/flannel-io/flannel".to_owned(),
            ..PluginInfo::default()
        }
    }

    fn variables(&self) -> Vec<Variable> {
        variables::all()
    }

    fn plan(&self, request: &CniRequest) -> PluginResult<CniInstall> {
        let values = Values::resolve(&variables::all(), &request.variables)?;
        let plan = CniPlan::HelmChart(values::chart(request, &values)?);
        let on_docker = request.cluster.infrastructure == "docker";
        Ok(CniInstall {
            plan,
            notes: on_docker.then(|| NO_BRIDGE.to_owned()).into_iter().collect(),
        })
    }

    fn probes(&self, _: &CniRequest) -> PluginResult<Vec<Probe>> {
        Ok(probes::all())
    }
}

#[cfg(test)]
mod tests;
