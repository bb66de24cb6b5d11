//! `clusterctl.yaml`, as far as it tells where providers and images come from.

use std::env;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::yaml;

use super::diagnosis::HealthCheck;

/// The parsed file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ClusterctlConfig {
    /// The file.
    pub(super) path: PathBuf,
    /// Name and address of each repository of a provider, cert-manager among them.
    pub(super) repositories: Vec<(String, String)>,
    /// Registries that images are taken from instead of the usual ones.
    pub(super) image_registries: Vec<String>,
}

/// Errors of the file.
#[derive(Debug, thiserror::Error)]
pub enum ClusterctlConfigError {
    /// It cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It is no YAML.
    #[error("{} is not valid YAML: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: yaml::YamlError,
    },
}

impl ClusterctlConfig {
    /// Returns true if all core providers come from this machine.
    pub(super) fn is_local(&self) -> bool {
        let is_local = |name| {
            self.repositories.iter().any(|(known, url)| known == name && local_path(url).is_some())
        };
        ["cluster-api", "kubeadm", "cert-manager"].into_iter().all(is_local)
    }
}

/// Reads the file that the user names, or the one that clusterctl would find. `None`: there is
/// none.
pub(super) fn read(
    given: Option<&Path>,
) -> Result<Option<ClusterctlConfig>, ClusterctlConfigError> {
    let Some(path) = given.map(Path::to_owned).or_else(default_path) else { return Ok(None) };
    let text = std::fs::read_to_string(&path)
        .map_err(|source| ClusterctlConfigError::Read { path: path.clone(), source })?;
    let documents = yaml::documents(&text)
        .map_err(|source| ClusterctlConfigError::Parse { path: path.clone(), source })?;
    Ok(Some(parse(path, documents.first().unwrap_or(&Value::Null))))
}

fn default_path() -> Option<PathBuf> {
    let xdg = env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = env::home_dir();
    let folders = [
        xdg.or_else(dirs::config_dir).map(|folder| folder.join("cluster-api")),
        home.map(|folder| folder.join(".cluster-api")),
    ];
    let files = folders.into_iter().flatten().map(|folder| folder.join("clusterctl.yaml"));
    files.into_iter().find(|path| path.exists())
}

fn parse(path: PathBuf, document: &Value) -> ClusterctlConfig {
    let mut repositories = Vec::new();
    for provider in document["providers"].as_array().into_iter().flatten() {
        if let (Some(name), Some(url)) = (provider["name"].as_str(), provider["url"].as_str()) {
            repositories.push((name.to_owned(), url.to_owned()));
        }
    }
    if let Some(url) = document["cert-manager"]["url"].as_str() {
        repositories.push(("cert-manager".to_owned(), url.to_owned()));
    }
    let images = document["images"].as_object().into_iter().flatten();
    let registries = images.filter_map(|(_, image)| image["repository"].as_str());
    let mut image_registries: Vec<_> =
        registries.filter_map(|path| path.split('/').next()).map(str::to_owned).collect();
    image_registries.sort();
    image_registries.dedup();
    ClusterctlConfig { path, repositories, image_registries }
}

/// The path of a repository on this machine, with what may be an environment variable in it.
pub(super) fn local_path(url: &str) -> Option<&str> {
    let path = url.strip_prefix("file://").unwrap_or(url);
    path.starts_with('/').then_some(path)
}

pub(super) fn judge(
    config: &Result<Option<ClusterctlConfig>, ClusterctlConfigError>,
) -> HealthCheck {
    const NAME: &str = "clusterctl-config";
    match config {
        Err(error) => HealthCheck::problem(
            NAME,
            error.to_string(),
            "fix the file, or name another one with --clusterctl-config",
        ),
        Ok(None) => HealthCheck::good(NAME, "no clusterctl.yaml; clusterctl's defaults apply"),
        Ok(Some(config)) => HealthCheck::good(NAME, format!("{} is used", config.path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::diagnosis::Health;

    #[test]
    fn repositories_and_images_are_read() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("clusterctl.yaml");
        let text = "providers:\n- name: cluster-api\n  url: /repo/cluster-api/v1/core.yaml\n  type: CoreProvider\n\
                    - {name: kubeadm, url: 'file:///repo/k.yaml', type: BootstrapProvider}\n\
                    cert-manager: {url: /repo/cert-manager.yaml, version: v1}\n\
                    images: {all: {repository: registry.example:5000/capi}}\nVARIABLE: x\n";
        std::fs::write(&path, text).expect("written");
        let config = read(Some(&path)).expect("valid").expect("there");
        assert_eq!(config.repositories.len(), 3);
        assert_eq!(config.image_registries, ["registry.example:5000"]);
        assert!(config.is_local());
        assert_eq!(judge(&Ok(Some(config))).health, Health::Good);
    }

    #[test]
    fn an_unreadable_configuration_is_a_problem_that_names_the_file() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("clusterctl.yaml");
        for text in [None, Some("providers: [")] {
            if let Some(text) = text {
                std::fs::write(&path, text).expect("written");
            }
            let check = judge(&read(Some(&path)));
            assert_eq!(check.health, Health::Problem);
            assert!(check.found.contains(&path.display().to_string()), "{}", check.found);
        }
    }

    #[test]
    fn remote_repositories_are_not_local() {
        assert_eq!(local_path("https://example.com/x.yaml"), None);
        assert_eq!(local_path("file:///x.yaml"), Some("/x.yaml"));
        assert!(!ClusterctlConfig::default().is_local());
    }
}
