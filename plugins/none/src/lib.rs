//! The plugin `none`: the user brings the network.
//!
//! A host of today applies the manifests of `--cni-manifest` itself; an older one leaves them to
//! this plugin.

use kubectl_pivot_plugin_api::{
    CniInstall, CniPlan, CniProvider, CniRequest, Maturity, PluginInfo, PluginResult, Probe,
    ProbeStage, Values, export_plugin,
};

const NOTHING: &str = "no network is installed: nodes stay NotReady until there is one; \
                       to bring manifests, give `--cni-manifest FILE` instead";

/// The plugin.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCni;

export_plugin!(cni: NoCni);

impl CniProvider for NoCni {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            name: "none".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            maturity: Maturity::Stable,
            description: "No network: you install one yourself".to_owned(),
            ..PluginInfo::default()
        }
    }

    fn plan(&self, request: &CniRequest) -> PluginResult<CniInstall> {
        Values::resolve(&self.variables(), &request.variables)?;
        let notes = match request.manifests.is_empty() {
            true => vec![NOTHING.to_owned()],
            false => Vec::new(),
        };
        let plan = CniPlan::Manifests { objects: request.manifests.clone() };
        Ok(CniInstall { plan, notes, ..CniInstall::default() })
    }

    /// Whatever the network is, Ready nodes show that it works. Without one there is nothing to
    /// wait for.
    fn probes(&self, request: &CniRequest) -> PluginResult<Vec<Probe>> {
        Ok(match request.manifests.is_empty() {
            true => Vec::new(),
            false => vec![Probe::nodes_ready().at(&[ProbeStage::CniInstalled])],
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn installs_what_the_user_brings() {
        let manifest = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "my-network"},
        });
        let request = CniRequest { manifests: vec![manifest.clone()], ..CniRequest::default() };
        let install = NoCni.plan(&request).expect("it never refuses");
        assert_eq!(install.plan, CniPlan::Manifests { objects: vec![manifest] });
        assert_eq!(NoCni.probes(&request).map(|probes| probes.len()), Ok(1));
    }

    #[test]
    fn says_what_happens_without_manifests() {
        let install = NoCni.plan(&CniRequest::default()).expect("it never refuses");
        assert_eq!(install.plan, CniPlan::Manifests { objects: Vec::new() });
        assert!(install.notes[0].contains("--cni-manifest FILE"));
        assert_eq!(NoCni.probes(&CniRequest::default()), Ok(Vec::new()));
    }

    #[test]
    fn conforms() {
        kubectl_pivot_plugin_api::testing::assert_cni(&NoCni);
    }
}
