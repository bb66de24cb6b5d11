//! `plugin install`, `trust` and `remove`.

use std::path::{Path, PathBuf};

use plugin_host::{Installed, install, remove, trust_as, user_folder};
use serde::Serialize;

use super::check::absolute;
use super::list::{PluginPlaces, plugin_registry};
use crate::commands::CommandError;

/// A plugin that is now trusted.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedPlugin {
    /// Name of the plugin.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// Path of the plugin in the search path.
    pub path: PathBuf,
}

/// Copies libraries and programs into `folder`, or else the user's, and trusts them.
///
/// # Errors
/// One is no usable plugin, or the folder is not writable; those before it are installed.
pub fn plugin_install(
    libraries: &[PathBuf],
    folder: Option<&Path>,
) -> Result<Vec<ChangedPlugin>, CommandError> {
    let folder = match folder {
        Some(folder) => absolute(folder),
        None => home()?,
    };
    let install = |library: &PathBuf| Ok(changed(install(&absolute(library), &folder)?));
    libraries.iter().map(install).collect()
}

/// Trusts the plugin that is meant by `name`, where it is and as it is now.
///
/// # Errors
/// None is meant, or it is no usable plugin.
pub fn plugin_trust(name: &str, places: &PluginPlaces) -> Result<ChangedPlugin, CommandError> {
    let registry = plugin_registry(places)?;
    let found = registry.select(name)?;
    Ok(changed(trust_as(name, &found.path, &home()?)?))
}

/// Removes the plugin `name` of the user, and the trust in it. Loads nothing.
///
/// # Errors
/// The user has none of this name, or it cannot be removed.
pub fn plugin_remove(name: &str) -> Result<(), CommandError> {
    Ok(remove(name, &home()?)?)
}

pub(super) fn home() -> Result<PathBuf, CommandError> {
    user_folder().ok_or_else(|| {
        CommandError::Usage("there is no folder for plugins: $HOME is not set".to_owned())
    })
}

pub(super) fn changed(installed: Installed) -> ChangedPlugin {
    let info = installed.plugin.info();
    ChangedPlugin { name: info.name.clone(), version: info.version.clone(), path: installed.path }
}
