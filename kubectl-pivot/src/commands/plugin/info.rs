//! `plugin info`: all that can be known of one plugin.

use std::path::PathBuf;

use kubectl_pivot_plugin_api::{
    ClusterRequest, Credential, PluginInfo, ProvidersToInit, Tool, Variable,
};
use serde::Serialize;

use super::list::{PluginSummary, plugin_registry, summary};
use crate::commands::CommandError;
use kubectl_pivot_plugin_host::{Plugin, Trust};

/// One plugin. What only the plugin itself can tell is absent if it may not be loaded.
#[derive(Clone, Debug, Serialize)]
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
    /// Variables of the plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<Vec<Variable>>,
    /// The providers that a management cluster needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub providers: Option<ProvidersToInit>,
    /// Programs that it needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Credentials that its controllers need.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
}

/// Describes the plugin that is meant by `name`; loads it only if it is trusted.
///
/// # Errors
/// None is meant, or it is trusted and cannot be used all the same.
pub fn plugin_info(name: &str, folders: &[PathBuf]) -> Result<PluginDetails, CommandError> {
    let registry = plugin_registry(folders)?;
    let found = registry.select(name)?;
    let mut details = PluginDetails {
        api_version: "kubectl-pivot.io/v1alpha1",
        kind: "Plugin",
        plugin: summary(found, &registry),
        home_page: found.sidecar.as_ref().map(|s| s.info.home_page.clone()).unwrap_or_default(),
        variables: None,
        providers: None,
        tools: Vec::new(),
        credentials: Vec::new(),
    };
    if matches!(found.trust, Trust::Trusted(_)) {
        details.ask(&found.load()?)?;
    }
    Ok(details)
}

impl PluginDetails {
    fn ask(&mut self, plugin: &Plugin) -> Result<(), CommandError> {
        let PluginInfo { kind, version, maturity, description, home_page, .. } = plugin.info();
        self.plugin.kind = Some(kind.as_str().to_owned());
        self.plugin.version = Some(version.clone());
        self.plugin.maturity = Some(maturity.as_str().to_owned());
        self.plugin.description = Some(description.clone());
        self.home_page.clone_from(home_page);
        self.variables = Some(plugin.variables()?);
        if let Ok(infrastructure) = plugin.infrastructure() {
            // Both may depend on variables that must be set; then there is nothing to tell yet.
            let any = ClusterRequest::named("any");
            self.providers = infrastructure.providers(&any).ok();
            let requirements = infrastructure.bootstrap(&any).unwrap_or_default();
            (self.tools, self.credentials) = (requirements.tools, requirements.credentials);
        }
        Ok(())
    }
}
