//! Docker infrastructure plugin: clusters whose machines are containers, for laptops and CI.
//!
//! Renders `Docker*` kinds up to Cluster API 1.14 and `Dev*` kinds with the docker backend from
//! 1.15 on, in the versions that the management cluster serves.

mod bootstrap;
mod kinds;
mod kubelet;
mod probes;
mod reach;
mod registries;
mod render;
mod variables;

use kubectl_pivot_plugin_api::{
    BootstrapRequirements, ClusterRequest, CniChoice, InfrastructureProvider, Manifests, Maturity,
    PluginInfo, PluginResult, Probe, ProbesRequest, ProvidersToInit, Reach, Values, Variable,
    export_plugin,
};

/// The plugin.
#[derive(Clone, Copy, Debug, Default)]
pub struct Docker;

export_plugin!(infrastructure: Docker);

impl InfrastructureProvider for Docker {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            name: "docker".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            maturity: Maturity::Stable,
            description: "Clusters whose machines are Docker containers".to_owned(),
            home_page: "https://cluster-api.sigs.k8s.io/".to_owned(),
            provider: "docker".to_owned(),
            ..PluginInfo::default()
        }
    }

    fn variables(&self) -> Vec<Variable> {
        variables::all()
    }

    fn providers(&self, cluster: &ClusterRequest) -> PluginResult<ProvidersToInit> {
        let values = Values::resolve(&variables::all(), &cluster.variables)?;
        bootstrap::providers(&values)
    }

    fn bootstrap(&self, cluster: &ClusterRequest) -> PluginResult<BootstrapRequirements> {
        let values = Values::resolve(&variables::all(), &cluster.variables)?;
        bootstrap::requirements(&values)
    }

    fn render(&self, cluster: &ClusterRequest) -> PluginResult<Manifests> {
        let values = Values::resolve(&variables::all(), &cluster.variables)?;
        render::manifests(cluster, &values)
    }

    fn cni(&self, _: &ClusterRequest) -> PluginResult<CniChoice> {
        Ok(CniChoice::Plugin { name: "cilium".to_owned(), values: serde_json::Map::new() })
    }

    fn reach(&self, cluster: &ClusterRequest) -> PluginResult<Reach> {
        Ok(reach::reach(cluster))
    }

    fn probes(&self, request: &ProbesRequest) -> PluginResult<Vec<Probe>> {
        probes::all(request)
    }
}

#[cfg(test)]
mod tests {
    use super::Docker;

    #[test]
    fn conforms() {
        kubectl_pivot_plugin_api::testing::assert_infrastructure(&Docker);
    }
}
