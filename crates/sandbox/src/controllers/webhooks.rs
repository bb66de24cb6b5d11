//! The webhook configurations of the managers: read from the Go modules once, kept in the cache as
//! JSON, and directed to wherever the managers listen.

use std::fs;
use std::path::{Path, PathBuf};

use capi::ResourceType;
use capi::names::PROVIDER_LABEL;
use serde_json::Value;
use support::journal::Events;
use support::yaml;

use super::endpoint::Endpoint;
use super::manager::{self, Manager};
use crate::error::{FileError, PartsError};
use crate::module_files;
use crate::parts::Search;
use crate::release::Release;

/// Part of the folder's name; to be raised when what is written there changes.
const FORMAT: u32 = 1;

/// The folder with the configurations of a release, filled from the Go modules if it is not there
/// yet. The Docker provider's are the pinned ones.
pub(super) async fn resolve(
    release: &Release,
    search: &Search,
    events: &Events,
) -> Result<PathBuf, PartsError> {
    let folder = format!("cluster-api-webhooks-{release}-{FORMAT}");
    let what = format!("the webhook configurations of Cluster API {release}");
    module_files::resolve((&folder, &what), release, search, events, |modules, new| {
        for manager in manager::all() {
            let module = modules.folder(manager.in_test_module);
            let manifest =
                module.join(manager.path_in(release)).join("config/webhook/manifests.yaml");
            let configurations = Value::from(parse(&manifest, manager)?);
            let path = file(new, manager);
            fs::write(&path, configurations.to_string()).map_err(FileError::of("write", path))?;
        }
        Ok(())
    })
    .await
}

/// A manager's configurations, directed to it.
pub(super) fn read(
    dir: &Path,
    manager: &Manager,
    endpoint: &Endpoint,
) -> Result<Vec<Value>, PartsError> {
    let path = file(dir, manager);
    let text = fs::read(&path).map_err(FileError::of("read", &path))?;
    let mut configurations: Vec<Value> = serde_json::from_slice(&text)
        .map_err(|error| PartsError::Manifest { path, message: error.to_string() })?;
    configurations.iter_mut().for_each(|configuration| direct(configuration, endpoint));
    Ok(configurations)
}

/// The kind of webhook configurations of this name.
pub(super) fn resource(kind: &str) -> ResourceType {
    let plural = format!("{}s", kind.to_lowercase());
    ResourceType::new("admissionregistration.k8s.io/v1", kind, &plural, false)
}

fn file(dir: &Path, manager: &Manager) -> PathBuf {
    dir.join(format!("{}.json", manager.provider))
}

/// Reads a manifest, and names and labels its objects as in released manifests.
fn parse(path: &Path, manager: &Manager) -> Result<Vec<Value>, PartsError> {
    let unusable = |message: String| PartsError::Manifest { path: path.to_owned(), message };
    let text = fs::read_to_string(path).map_err(FileError::of("read", path))?;
    let mut objects = yaml::documents(&text).map_err(|error| unusable(error.to_string()))?;
    for object in &mut objects {
        let name = object["metadata"]["name"].as_str();
        let name = name.ok_or_else(|| unusable("an object has no name".to_owned()))?;
        let name = format!("{}-{name}", manager.prefix);
        object["metadata"]["name"] = name.into();
        object["metadata"]["labels"][PROVIDER_LABEL] = manager.provider.into();
    }
    Ok(objects)
}

/// Replaces the Service of each webhook by the address of the manager.
fn direct(configuration: &mut Value, endpoint: &Endpoint) {
    for webhook in configuration["webhooks"].as_array_mut().into_iter().flatten() {
        let path = webhook["clientConfig"]["service"]["path"].as_str().unwrap_or("/").to_owned();
        webhook["clientConfig"] = endpoint.client_config(&path);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controllers::manager::STATELESS;

    #[test]
    fn named_as_released_and_directed_to_the_manager() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("manifests.yaml");
        let text = "kind: MutatingWebhookConfiguration\nmetadata:\n  name: mutating\nwebhooks:\n- \
                    clientConfig:\n    service: {name: s, namespace: n, path: /mutate}\n  name: \
                    w\n";
        fs::write(&path, format!("---\n{text}---\n{text}")).expect("write");
        let mut found = parse(&path, &STATELESS[1]).expect("parse");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0]["metadata"]["name"], "capi-kubeadm-bootstrap-mutating");
        direct(&mut found[0], &Endpoint { port: 7, ca: "A".into() });
        assert_eq!(
            found[0]["webhooks"][0]["clientConfig"],
            json!({"url": "https://127.0.0.1:7/mutate", "caBundle": "QQ=="})
        );
    }
}
