//! Cluster API's CRDs: read from the Go modules once, labelled as in the released manifests, and
//! kept in the cache as JSON.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::error::PartsError;
use super::files::create_private_dir;
use super::module_files;
use super::part::{CLUSTER_API, CLUSTER_API_MODULE, pinned_version};
use super::parts::Search;
use crate::journal::Events;

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

/// The folder with the CRDs, filled from the Go modules if it is not there yet.
pub(super) async fn resolve(search: &Search, events: &Events) -> Result<PathBuf, PartsError> {
    let folder = format!("cluster-api-crds-{}-{FORMAT}", version());
    let what = format!("the CRDs of Cluster API {}", version());
    module_files::resolve(&folder, &what, search, events, |modules, new| {
        for source in &SOURCES {
            let module = modules.folder(source.in_test_module);
            convert(source, &module.join(source.path).join("config/crd/bases"), new)?;
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
            let text = fs::read(&path).map_err(PartsError::file("read", &path))?;
            let crd = serde_json::from_slice(&text)
                .map_err(|error| PartsError::Crd { path, message: error.to_string() })?;
            crds.push(crd);
        }
    }
    Ok(crds)
}

/// Writes one provider's CRDs as labelled JSON.
fn convert(source: &Source, from: &Path, to: &Path) -> Result<(), PartsError> {
    let folder = to.join(source.provider.unwrap_or("clusterctl"));
    create_private_dir(&folder).map_err(PartsError::file("create", &folder))?;
    for path in sorted_entries(from)? {
        let text = fs::read_to_string(&path).map_err(PartsError::file("read", &path))?;
        let not_a_crd = |message: String| PartsError::Crd { path: path.clone(), message };
        let mut crd: Value =
            serde_saphyr::from_str(&text).map_err(|error| not_a_crd(error.to_string()))?;
        let Some(name) = crd["metadata"]["name"].as_str().map(str::to_owned) else {
            return Err(not_a_crd("it has no name".into()));
        };
        // Generated for a configuration file that happens to look like a resource; never installed.
        if name == "metadata.clusterctl.cluster.x-k8s.io" || name.starts_with('.') {
            continue;
        }
        label(&mut crd, source.provider);
        let target = folder.join(format!("{name}.json"));
        fs::write(&target, crd.to_string()).map_err(PartsError::file("write", target))?;
    }
    Ok(())
}

/// Adds the labels that kustomize and clusterctl add to the released manifests.
fn label(crd: &mut Value, provider: Option<&str>) {
    let labels = match provider {
        Some(provider) => json!({
            "clusterctl.cluster.x-k8s.io": "",
            "cluster.x-k8s.io/provider": provider,
            "cluster.x-k8s.io/v1beta1": "v1beta1",
            "cluster.x-k8s.io/v1beta2": "v1beta2",
        }),
        None => json!({ "clusterctl.cluster.x-k8s.io/core": "inventory" }),
    };
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
    let mut entries = entries.map_err(PartsError::file("read", dir))?;
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_the_released_manifests() {
        let mut crd = json!({ "metadata": { "name": "a", "labels": { "own": "1" } } });
        label(&mut crd, Some("infrastructure-docker"));
        assert_eq!(
            crd["metadata"]["labels"],
            json!({
                "own": "1",
                "clusterctl.cluster.x-k8s.io": "",
                "cluster.x-k8s.io/provider": "infrastructure-docker",
                "cluster.x-k8s.io/v1beta1": "v1beta1",
                "cluster.x-k8s.io/v1beta2": "v1beta2",
            })
        );
    }

    #[test]
    fn the_inventory_is_not_labelled_as_something_to_move() {
        let mut crd = json!({ "metadata": { "name": "providers.clusterctl.cluster.x-k8s.io" } });
        label(&mut crd, None);
        assert_eq!(
            crd["metadata"]["labels"],
            json!({ "clusterctl.cluster.x-k8s.io/core": "inventory" })
        );
    }
}
