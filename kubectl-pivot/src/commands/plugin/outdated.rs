//! `plugin outdated` and `upgrade`: newer versions of plugins that came from a registry.

use plugin_artifact::{Key, Registry, Source};
use plugin_host::{Lock, Pin};
use semver::Version;
use serde::Serialize;
use support::causes::in_one_line;

use super::artifact::{ArtifactChoice, PluginOffer, of_lock, plugin_install_artifact};
use super::change::{ChangedPlugin, home};
use crate::commands::CommandError;

/// The plugins that were installed from a registry.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OutdatedPlugins {
    /// Version of this document's schema.
    pub api_version: &'static str,
    /// `OutdatedPluginList`.
    pub kind: &'static str,
    /// By name.
    pub plugins: Vec<OutdatedPlugin>,
}

/// A plugin that was installed from a registry, and what is newer there.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OutdatedPlugin {
    /// Name of the plugin.
    pub name: String,
    /// Version that is installed.
    pub installed: String,
    /// Newest version; absent if none is newer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// Address without a version.
    pub source: String,
    /// The reason why nothing is known of newer versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Asks each registry for versions of the plugins that came from there. Runs no plugin.
///
/// # Errors
/// The user's lock cannot be used.
pub async fn plugin_outdated() -> Result<OutdatedPlugins, CommandError> {
    let mut plugins = Vec::new();
    for (name, pin) in Lock::read(&home()?)?.pins() {
        let (newest, problem) = match newest(pin).await {
            Ok(newest) => (newest, None),
            Err(error) => (None, Some(in_one_line(&error))),
        };
        let (name, installed, source) = (name.clone(), pin.version.clone(), pin.source.clone());
        plugins.push(OutdatedPlugin { name, installed, newest, source, problem });
    }
    let (api_version, kind) = ("kubectl-pivot.io/v1alpha1", "OutdatedPluginList");
    Ok(OutdatedPlugins { api_version, kind, plugins })
}

/// Installs the newest versions of these plugins, or of all that came from a registry. A plugin
/// whose publisher's key is known needs a signature by it, and no question.
///
/// # Errors
/// A plugin did not come from a registry, or its new version cannot be had; those before it are
/// upgraded.
pub async fn plugin_upgrade(
    names: &[String],
    mut agrees: impl FnMut(&PluginOffer) -> bool,
) -> Result<Vec<ChangedPlugin>, CommandError> {
    let lock = Lock::read(&home()?)?;
    let pins = lock.pins();
    if let Some(name) = names.iter().find(|name| !pins.contains_key(*name)) {
        return Err(CommandError::Usage(format!(
            "plugin `{name}` was not installed from a registry, so there is nothing to upgrade it \
             from"
        )));
    }
    let is_meant = |name: &String| names.is_empty() || names.contains(name);
    let mut done = Vec::new();
    for (name, pin) in pins.iter().filter(|(name, _)| is_meant(name)) {
        let Some(version) = newest(pin).await? else { continue };
        let source = Source::parse(&pin.source)?.at_version(&version);
        let key = pin.key.as_deref().map(|key| Key::parse(key, &of_lock(name))).transpose()?;
        let is_signed = key.is_some();
        let expected = Some((name.clone(), version));
        let choice = ArtifactChoice { key, expected, ..ArtifactChoice::default() };
        let agrees = |offer: &PluginOffer| is_signed || agrees(offer);
        done.extend(plugin_install_artifact(&source, &choice, agrees).await?);
    }
    Ok(done)
}

/// The tag of the newest version, if it is newer. Versions before a release are for those who have
/// one.
async fn newest(pin: &Pin) -> Result<Option<String>, CommandError> {
    let source = Source::parse(&pin.source)?;
    let installed = Version::parse(pin.version.trim_start_matches('v')).ok();
    let takes_any = installed.as_ref().is_some_and(|version| !version.pre.is_empty());
    let versions = Registry::new().versions(&source).await?;
    let newest =
        versions.into_iter().rev().find(|(version, _)| takes_any || version.pre.is_empty());
    let is_newer = |(version, _): &(Version, String)| {
        installed.as_ref().is_none_or(|installed| version > installed)
    };
    Ok(newest.filter(is_newer).map(|(_, tag)| tag))
}
