//! `plugin package`: the files of one plugin as an artifact.

use std::path::PathBuf;

use plugin_artifact::{Registry, Source, pack};
use serde::Serialize;

use crate::commands::CommandError;

/// The files of a plugin, and the place of the artifact.
#[derive(Debug)]
pub struct PackageRequest {
    /// The libraries and programs, one for each platform.
    pub files: Vec<PathBuf>,
    /// Name of the publisher.
    pub publisher: Option<String>,
    /// Folder for the artifact.
    pub folder: Option<PathBuf>,
    /// Artifact of a registry; without a version it gets that of the plugin.
    pub push: Option<Source>,
}

/// An artifact that was made.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackagedPlugin {
    /// Version of this document's schema.
    pub api_version: &'static str,
    /// `PackagedPlugin`.
    pub kind: &'static str,
    /// Name of the plugin.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// Platforms, `any` for a script.
    pub platforms: Vec<String>,
    /// Digest of the artifact.
    pub digest: String,
    /// Folder that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Address that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Packs files, and writes the artifact into a folder or a registry. Runs the plugins of this
/// machine.
///
/// # Errors
/// The files are not those of one plugin, or the folder or the registry refuses.
pub async fn plugin_package(request: &PackageRequest) -> Result<PackagedPlugin, CommandError> {
    let package = pack(&request.files, request.publisher.as_deref())?;
    if let Some(folder) = &request.folder {
        package.write(folder)?;
    }
    let version = &package.info.version;
    let to = request.push.as_ref().map(|to| match to.has_version() {
        true => to.clone(),
        false => to.at_version(version),
    });
    if let Some(to) = &to {
        Registry::new().push(&package, to).await?;
    }
    Ok(PackagedPlugin {
        api_version: "kubectl-pivot.io/v1alpha1",
        kind: "PackagedPlugin",
        name: package.info.name.clone(),
        version: version.clone(),
        platforms: package.platforms.clone(),
        digest: package.digest.clone(),
        folder: request.folder.clone(),
        source: to.map(|to| to.to_string()),
    })
}
