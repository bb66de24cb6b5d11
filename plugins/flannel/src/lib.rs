//! Flannel plugin.

mod probes;
mod values;
mod variables;

use kubectl_pivot_plugin_api::{
    CniInstall, CniPlan, CniProvider, CniRequest, Maturity, PluginError, PluginInfo, PluginResult,
    Probe, Values, Variable, export_plugin,
};

/// The infrastructures whose machines run the images of kind's nodes, which have only the CNI
/// binaries `host-local`, `loopback`, `portmap` and `ptp`.
const WITHOUT_BRIDGE: [&str; 1] = ["docker"];

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
        let is_without = WITHOUT_BRIDGE.contains(&request.cluster.infrastructure.as_str());
        if is_without && !values.boolean(variables::BRIDGE_INSTALLED)? {
            return Err(no_bridge());
        }
        let plan = CniPlan::HelmChart(values::chart(request, &values)?);
        Ok(CniInstall { plan, ..CniInstall::default() })
    }

    fn probes(&self, _: &CniRequest) -> PluginResult<Vec<Probe>> {
        Ok(probes::all())
    }
}

fn no_bridge() -> PluginError {
    PluginError::unsupported(
        "Flannel needs the CNI binary `bridge` in /opt/cni/bin of every machine, and the \
         kindest/node images do not have it",
    )
    .with_variable(variables::BRIDGE_INSTALLED)
    .with_hint(
        "choose another network, for example `--cni kindnet`, or give the machines an image that \
         has it (`--set custom-image=IMAGE`) and say so with `--set bridge-installed=true`",
    )
}

#[cfg(test)]
mod tests;
