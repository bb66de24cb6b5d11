//! A plugin for the provider `docker` whose probes are those that the environment variable
//! `PROBING_PROBES` holds, as JSON, for the tests of hosts. A real plugin reads no environment.

use kubectl_pivot_plugin_api::{
    ClusterRequest, InfrastructureProvider, Manifests, PluginError, PluginInfo, PluginResult,
    Probe, ProbesRequest, ProvidersToInit, Variable, export_plugin,
};

struct Probing;

export_plugin!(infrastructure: Probing);

impl InfrastructureProvider for Probing {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            name: "probing".to_owned(),
            version: "0.0.0".to_owned(),
            description: "Declares the probes that its environment holds".to_owned(),
            provider: "docker".to_owned(),
            ..PluginInfo::default()
        }
    }

    fn variables(&self) -> Vec<Variable> {
        Vec::new()
    }

    fn providers(&self, _: &ClusterRequest) -> PluginResult<ProvidersToInit> {
        Ok(ProvidersToInit::kubeadm("docker"))
    }

    fn render(&self, _: &ClusterRequest) -> PluginResult<Manifests> {
        Err(PluginError::internal("it declares probes and nothing else"))
    }

    fn probes(&self, _: &ProbesRequest) -> PluginResult<Vec<Probe>> {
        let text = std::env::var("PROBING_PROBES").unwrap_or_else(|_| "[]".to_owned());
        serde_json::from_str(&text).map_err(|error| PluginError::internal(error.to_string()))
    }
}
