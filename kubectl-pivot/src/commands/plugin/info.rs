//! `plugin info`: all that can be known of one plugin.

use kubectl_pivot_plugin_api::{
    Capabilities, ClusterRequest, CniChoice, CniRequest, Credential, MoveRequest, MovedKind,
    PluginInfo, Probe, ProbeStage, ProbesRequest, ProvidersToInit, Tool, Variable,
};
use plugin_host::{CallError, Plugin, Trust};
use serde::Serialize;

use super::list::{PluginPlaces, PluginSummary, plugin_registry, summary};
use crate::commands::CommandError;

/// One plugin. What only the plugin itself can tell is absent if it may not be loaded.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PluginDetails {
    /// Version of this document's schema.
    pub api_version: &'static str,
    /// `Plugin`.
    pub kind: &'static str,
    /// The summary from the plugin's files.
    pub plugin: PluginSummary,
    /// Page with more about the plugin.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub home_page: String,
    /// Limits of the plugin; absent if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// Variables of the plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<Vec<Variable>>,
    /// The providers that a management cluster needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub providers: Option<ProvidersToInit>,
    /// The network that its clusters get unless `--cni` names another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<CniChoice>,
    /// Readiness probes, as `--skip-probes` takes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<PluginProbe>,
    /// Kinds that a move treats in a way of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved_kinds: Vec<MovedKind>,
    /// Programs that it needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Credentials that its controllers need.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
}

/// A readiness probe of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PluginProbe {
    /// Name of the probe.
    pub name: String,
    /// The moments at which it is awaited.
    pub stages: Vec<ProbeStage>,
    /// The sentence that is shown meanwhile.
    pub waiting: String,
}

/// Describes the plugin that is meant by `name`; loads it only if it is trusted.
///
/// # Errors
/// None is meant, or it is trusted and cannot be used all the same.
pub fn plugin_info(name: &str, places: &PluginPlaces) -> Result<PluginDetails, CommandError> {
    let registry = plugin_registry(places)?;
    let found = registry.select(name)?;
    let mut details = PluginDetails {
        api_version: "kubectl-pivot.io/v1alpha1",
        kind: "Plugin",
        plugin: summary(found, &registry),
        home_page: found.sidecar.as_ref().map(|s| s.info.home_page.clone()).unwrap_or_default(),
        capabilities: found.sidecar.as_ref().ok().and_then(|s| limits(&s.info.capabilities)),
        variables: None,
        providers: None,
        network: None,
        probes: Vec::new(),
        moved_kinds: Vec::new(),
        tools: Vec::new(),
        credentials: Vec::new(),
    };
    if matches!(found.trust, Trust::Trusted(_)) {
        details.ask(&found.load()?)?;
    }
    Ok(details)
}

fn limits(capabilities: &Capabilities) -> Option<Capabilities> {
    (*capabilities != Capabilities::default()).then(|| capabilities.clone())
}

impl PluginDetails {
    fn ask(&mut self, plugin: &Plugin) -> Result<(), CommandError> {
        let info = plugin.info();
        let PluginInfo { kind, version, maturity, description, home_page, .. } = info;
        self.plugin.kind = Some(kind.as_str().to_owned());
        self.plugin.version = Some(version.clone());
        self.plugin.maturity = Some(maturity.as_str().to_owned());
        self.plugin.description = Some(description.clone());
        self.plugin.protocol = Some(info.protocol.to_string());
        self.home_page.clone_from(home_page);
        self.capabilities = limits(&info.capabilities);
        self.variables = Some(plugin.variables()?);
        if let Ok(infrastructure) = plugin.infrastructure() {
            // Both may depend on variables that must be set; then there is nothing to tell yet.
            let any = ClusterRequest::named("any");
            self.providers = infrastructure.providers(&any).ok();
            self.network = infrastructure.cni(&any).ok();
            let about = ProbesRequest { name: Some(any.name.clone()), ..ProbesRequest::default() };
            self.set_probes(infrastructure.probes(&about));
            let moving = infrastructure.moving(&MoveRequest::default());
            self.moved_kinds = moving.unwrap_or_default().kinds;
            let requirements = infrastructure.bootstrap(&any).unwrap_or_default();
            (self.tools, self.credentials) = (requirements.tools, requirements.credentials);
        }
        if let Ok(network) = plugin.cni() {
            self.set_probes(network.probes(&CniRequest::default()));
        }
        Ok(())
    }

    /// Without values of required variables there may be none to tell of.
    fn set_probes(&mut self, probes: Result<Vec<Probe>, CallError>) {
        let probe = |Probe { name, stages, waiting, .. }| PluginProbe { name, stages, waiting };
        self.probes = probes.unwrap_or_default().into_iter().map(probe).collect();
    }
}
