//! `plugin check`: the conformance kit, on a library or a program.

use std::path::{Path, PathBuf};

use kubectl_pivot_plugin_api::{CniRequest, MoveRequest, MovedKind, Probe, ProbesRequest};
use plugin_host::{Plugin, PluginFile};
use probes::{lint, lint_rest};
use serde::Serialize;

use super::rendered::{self, RenderedChecks};
use crate::commands::CommandError;

/// The result of the conformance kit for a plugin.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PluginCheck {
    /// Version of this document's schema.
    pub api_version: &'static str,
    /// `PluginCheck`.
    pub kind: &'static str,
    /// The library or the program.
    pub file: PathBuf,
    /// Hash of the file.
    pub sha256: String,
    /// Name of the plugin.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// Version of the messages that it speaks.
    pub protocol: String,
    /// Problems, one sentence each; empty if the plugin conforms.
    pub findings: Vec<String>,
}

impl PluginCheck {
    /// Returns true if the plugin conforms.
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Runs a plugin, whether it is trusted or not, and checks it and what it renders.
///
/// # Errors
/// It is no plugin, or none that this program can use; or what it renders is to be held against
/// something that cannot be read.
pub async fn plugin_check(
    library: &Path,
    rendered: &RenderedChecks,
) -> Result<PluginCheck, CommandError> {
    let library = absolute(library);
    let file = PluginFile::inspect(&library)?;
    let plugin = Plugin::open(&file)?;
    let mut findings = findings(&plugin);
    findings.extend(rendered::findings(&plugin, rendered).await?);
    Ok(PluginCheck {
        api_version: "kubectl-pivot.io/v1alpha1",
        kind: "PluginCheck",
        sha256: file.hash.to_string(),
        name: plugin.info().name.clone(),
        version: plugin.info().version.clone(),
        protocol: plugin.info().protocol.to_string(),
        findings,
        file: library,
    })
}

/// Findings of the conformance kit, and problems of expressions: the kit does
/// without an interpreter of CEL, so that authors need not build one.
fn findings(plugin: &Plugin) -> Vec<String> {
    let mut findings = plugin.conformance();
    findings.extend(lint(&probes_of(plugin)));
    findings.extend(lint_rest(&kinds_of(plugin)));
    findings
}

/// The kinds that are not moved like all others.
fn kinds_of(plugin: &Plugin) -> Vec<MovedKind> {
    let infrastructure = plugin.infrastructure();
    let known = infrastructure.and_then(|plugin| plugin.moving(&MoveRequest::default()));
    known.unwrap_or_default().kinds
}

/// The probes for all clusters, for one, and of a network; of what a plugin refuses there are none.
fn probes_of(plugin: &Plugin) -> Vec<Probe> {
    let named = ProbesRequest {
        name: Some("check".to_owned()),
        namespace: Some("check".to_owned()),
        ..ProbesRequest::default()
    };
    let mut probes = Vec::new();
    if let Ok(plugin) = plugin.infrastructure() {
        for request in [ProbesRequest::default(), named] {
            probes.extend(plugin.probes(&request).unwrap_or_default());
        }
    }
    if let Ok(plugin) = plugin.cni() {
        probes.extend(plugin.probes(&CniRequest::default()).unwrap_or_default());
    }
    probes
}

/// A name without a slash would be looked up among the libraries of the system.
pub(super) fn absolute(library: &Path) -> PathBuf {
    std::path::absolute(library).unwrap_or_else(|_| library.to_owned())
}
