//! Cluster API's CRDs: read from the Go modules once, or out of released manifests, labelled as in
//! these, and kept in the cache as JSON.

use std::fs;
use std::path::{Path, PathBuf};

use capi::names::{CLUSTERCTL_LABEL, PROVIDER_LABEL};
use serde_json::{Value, json};
use support::journal::Events;
use support::yaml;

use super::error::{FileError, PartsError};
use super::module_files;
use super::part::{CLUSTER_API, CLUSTER_API_MODULE, CLUSTER_API_TEST_MODULE, pinned_version};
use super::parts::Search;
use super::release::Release;
use own_files::private;

/// Part of the folder's name; to be raised when what is written there changes.
const FORMAT: u32 = 1;

/// The CRDs of one provider.
struct Source {
    /// Value of the provider label, and name of the folder in the cache; clusterctl's own inventory
    /// has none.
    provider: Option<&'static str>,
    /// True if they are in the test module rather than in the main one.
    in_test_module: bool,
    /// Folder in the module.
    path: &'static str,
}

const SOURCES: [Source; 5] = [
    Source { provider: Some("cluster-api"), in_test_module: false, path: "core" },
    Source {
        provider: Some("bootstrap-kubeadm"),
        in_test_module: false,
        path: "bootstrap/kubeadm",
    },
    Source {
        provider: Some("control-plane-kubeadm"),
        in_test_module: false,
        path: "controlplane/kubeadm",
    },
    Source {
        provider: Some("infrastructure-docker"),
        in_test_module: true,
        path: "infrastructure/docker",
    },
    Source { provider: None, in_test_module: false, path: "cmd/clusterctl" },
];

/// The version of Cluster API whose CRDs are installed, for example `v1.14.2`.
pub(super) fn version() -> &'static str {
    pinned_version(CLUSTER_API.go_mod, CLUSTER_API_MODULE)
}

/// The version of the release that has a provider's CRDs.
pub(super) fn version_of(provider: Option<&str>) -> &'static str {
    let is_in_test =
        SOURCES.iter().any(|source| source.in_test_module && source.provider == provider);
    let module = if is_in_test { CLUSTER_API_TEST_MODULE } else { CLUSTER_API_MODULE };
    pinned_version(CLUSTER_API.go_mod, module)
}

/// Name of a provider's folder; clusterctl's inventory is of no provider.
pub(super) fn folder_of(provider: Option<&'static str>) -> &'static str {
    provider.unwrap_or("clusterctl")
}

/// Name of the folder with all CRDs of a release in the cache.
pub(super) fn folder(release: &Release) -> String {
    format!("cluster-api-crds-{release}-{FORMAT}")
}

/// The folder with the CRDs of a release, filled from the Go modules if it is not there yet. The
/// Docker provider's are always the pinned ones, since few of its releases are served as modules.
pub(super) async fn resolve(
    release: &Release,
    search: &Search,
    events: &Events,
) -> Result<PathBuf, PartsError> {
    let folder = folder(release);
    let what = format!("the CRDs of Cluster API {release}");
    module_files::resolve((&folder, &what), release, search, events, |modules, new| {
        for source in &SOURCES {
            let module = modules.folder(source.in_test_module);
            let path = release.folder(source.path);
            convert((source, release), &module.join(path).join("config/crd/bases"), new)?;
        }
        Ok(())
    })
    .await
}

/// The CRDs in the cache folder, in the order of their file names.
pub(super) fn read(dir: &Path) -> Result<Vec<Value>, PartsError> {
    let mut crds = Vec::new();
    for provider in sorted_entries(dir)? {
        for path in sorted_entries(&provider)? {
            let text = fs::read(&path).map_err(FileError::of("read", &path))?;
            let crd = serde_json::from_slice(&text)
                .map_err(|error| PartsError::Crd { path, message: error.to_string() })?;
            crds.push(crd);
        }
    }
    Ok(crds)
}

/// Writes one provider's CRDs as labelled JSON.
fn convert(
    (source, release): (&Source, &Release),
    from: &Path,
    to: &Path,
) -> Result<(), PartsError> {
    let folder = to.join(folder_of(source.provider));
    private::create_folder(&folder).map_err(FileError::of("create", &folder))?;
    for path in sorted_entries(from)? {
        let text = fs::read_to_string(&path).map_err(FileError::of("read", &path))?;
        let not_a_crd = |message: String| PartsError::Crd { path: path.clone(), message };
        let mut crd = yaml::first_document(&text).map_err(|error| not_a_crd(error.to_string()))?;
        if !crd["metadata"]["name"].is_string() {
            return Err(not_a_crd("it has no name".into()));
        }
        if source.in_test_module && !release.has_v1beta2() && !keep_v1beta1(&mut crd) {
            continue;
        }
        let labelled = labelled(crd, source.provider, release);
        let Some(Labelled { name, text }) = labelled else { continue };
        let target = folder.join(format!("{name}.json"));
        fs::write(&target, text).map_err(FileError::of("write", target))?;
    }
    Ok(())
}

/// A CRD as it is kept in the cache.
pub(super) struct Labelled {
    /// The name.
    pub(super) name: String,
    /// The JSON.
    pub(super) text: String,
}

/// The CRD with the labels of released manifests; none of what is never installed.
pub(super) fn labelled(
    mut crd: Value,
    provider: Option<&str>,
    release: &Release,
) -> Option<Labelled> {
    let name = crd["metadata"]["name"].as_str()?.to_owned();
    // Generated for a configuration file that happens to look like a resource.
    if name == "metadata.clusterctl.cluster.x-k8s.io" || name.starts_with('.') {
        return None;
    }
    label(&mut crd, provider, release);
    Some(Labelled { name, text: crd.to_string() })
}

/// Leaves `v1beta1` as the only version, and returns true if there is one.
fn keep_v1beta1(crd: &mut Value) -> bool {
    let Some(versions) = crd["spec"]["versions"].as_array_mut() else { return false };
    versions.retain(|version| version["name"] == "v1beta1");
    for version in versions.iter_mut() {
        version["storage"] = true.into();
        version["served"] = true.into();
    }
    !versions.is_empty()
}

/// Adds the labels that kustomize and clusterctl add to the released manifests.
fn label(crd: &mut Value, provider: Option<&str>, release: &Release) {
    let mut labels = match provider {
        Some(provider) => json!({
            CLUSTERCTL_LABEL: "",
            PROVIDER_LABEL: provider,
            "cluster.x-k8s.io/v1beta1": "v1beta1",
        }),
        None => json!({ "clusterctl.cluster.x-k8s.io/core": "inventory" }),
    };
    if provider.is_some() && release.has_v1beta2() {
        labels["cluster.x-k8s.io/v1beta2"] = "v1beta2".into();
    }
    let Value::Object(labels) = labels else { return };
    let present = &mut crd["metadata"]["labels"];
    match present.as_object_mut() {
        Some(present) => present.extend(labels),
        None => *present = Value::Object(labels),
    }
}

fn sorted_entries(dir: &Path) -> Result<Vec<PathBuf>, PartsError> {
    let entries = fs::read_dir(dir).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    let mut entries = entries.map_err(FileError::of("read", dir))?;
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_the_released_manifests() {
        let mut crd = json!({ "metadata": { "name": "a", "labels": { "own": "1" } } });
        label(&mut crd, Some("infrastructure-docker"), &Release::pinned());
        assert_eq!(
            crd["metadata"]["labels"],
            json!({
                "own": "1",
                CLUSTERCTL_LABEL: "",
                PROVIDER_LABEL: "infrastructure-docker",
                "cluster.x-k8s.io/v1beta1": "v1beta1",
                "cluster.x-k8s.io/v1beta2": "v1beta2",
            })
        );
    }

    #[test]
    fn an_older_provider_has_the_older_version_only() {
        let older: Release = "1.10.4".parse().expect("known");
        let mut crd = json!({"metadata": {"name": "a"}, "spec": {"versions": [
            {"name": "v1beta1", "served": true, "storage": false},
            {"name": "v1beta2", "served": true, "storage": true}]}});
        assert!(keep_v1beta1(&mut crd));
        label(&mut crd, Some("infrastructure-docker"), &older);
        let versions = json!([{"name": "v1beta1", "served": true, "storage": true}]);
        assert_eq!(crd["spec"]["versions"], versions);
        assert_eq!(crd["metadata"]["labels"]["cluster.x-k8s.io/v1beta2"], Value::Null);
        let mut newer = json!({"spec": {"versions": [{"name": "v1beta2"}]}});
        assert!(!keep_v1beta1(&mut newer));
    }

    #[test]
    fn the_inventory_is_not_labelled_as_something_to_move() {
        let mut crd = json!({ "metadata": { "name": "providers.clusterctl.cluster.x-k8s.io" } });
        label(&mut crd, None, &Release::pinned());
        assert_eq!(
            crd["metadata"]["labels"],
            json!({ "clusterctl.cluster.x-k8s.io/core": "inventory" })
        );
    }
}
