//! CRDs out of released manifests. What is kept of them has to be what the Go modules have, byte
//! for byte: the manifests are published without checksums, and a mirror is somebody else's.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::journal::Events;

use super::download::Wanted;
use super::error::DownloadError;
use super::places::Places;
use crate::crds::{self, Labelled};
use crate::release::Release;

/// sha256 and file of each CRD, as they come out of the Go modules.
const PINS: &str = include_str!("../../parts/cluster-api/crds.sha256");

/// The most bytes of a manifest.
const LONGEST_MANIFEST: u64 = 32 << 20;

/// A manifest of a release.
struct Manifest {
    /// The provider; clusterctl's inventory has none.
    provider: Option<&'static str>,
    file: &'static str,
}

const MANIFESTS: [Manifest; 5] = [
    Manifest { provider: Some("cluster-api"), file: "core-components.yaml" },
    Manifest { provider: Some("bootstrap-kubeadm"), file: "bootstrap-components.yaml" },
    Manifest { provider: Some("control-plane-kubeadm"), file: "control-plane-components.yaml" },
    Manifest {
        provider: Some("infrastructure-docker"),
        file: "infrastructure-components-development.yaml",
    },
    Manifest { provider: None, file: "" },
];

/// Downloads the CRDs into a folder, one below it for each provider.
pub(super) async fn fetch(
    places: &Places<'_>,
    to: &Path,
    events: &Events,
) -> Result<(), DownloadError> {
    for manifest in &MANIFESTS {
        let version = crds::version_of(manifest.provider);
        let url = match manifest.provider {
            Some(_) => places.manifest(version, manifest.file),
            None => places.inventory(version),
        };
        let what = format!("the CRDs of Cluster API {version}");
        let wanted = Wanted { url: &url, what: &what, limit: LONGEST_MANIFEST };
        let text = wanted.text(events).await?;
        write(manifest.provider, (&url, &text), to)?;
    }
    Ok(())
}

/// Writes the CRDs of a manifest, if they are all there and what they have to be.
fn write(
    provider: Option<&'static str>,
    (url, text): (&str, &str),
    to: &Path,
) -> Result<(), DownloadError> {
    let bad = |problem: String| DownloadError::Content { url: url.to_owned(), problem };
    let documents = support::yaml::documents(text).map_err(|_| bad("it is not YAML".to_owned()))?;
    let folder = crds::folder_of(provider);
    let mut pins = pins(folder);
    fs::create_dir_all(to.join(folder)).map_err(|error| bad(error.to_string()))?;
    for document in documents.into_iter().filter(|d| d["kind"] == "CustomResourceDefinition") {
        let Some(Labelled { name, text }) = as_in_the_module(document, provider) else { continue };
        let expected = pins.remove(name.as_str());
        let found = hex::encode(Sha256::digest(text.as_bytes()));
        if expected != Some(found.as_str()) {
            return Err(bad(format!(
                "the CRD {name} in it is not the one of the Go modules that this program pins"
            )));
        }
        let path = to.join(folder).join(format!("{name}.json"));
        fs::write(path, text).map_err(|error| bad(error.to_string()))?;
    }
    match pins.into_keys().next() {
        Some(missing) => Err(bad(format!("it has no CRD {missing}"))),
        None => Ok(()),
    }
}

/// The CRD without what the release has added: the conversion webhook, certificates, labels.
fn as_in_the_module(mut crd: Value, provider: Option<&str>) -> Option<Labelled> {
    crd["spec"].as_object_mut()?.remove("conversion");
    let annotation = "controller-gen.kubebuilder.io/version";
    let version = crd["metadata"]["annotations"][annotation].clone();
    let name = crd["metadata"]["name"].clone();
    let plain = json!({
        "apiVersion": crd["apiVersion"],
        "kind": crd["kind"],
        "metadata": {"annotations": {annotation: version}, "name": name},
        "spec": crd["spec"],
    });
    crds::labelled(plain, provider, &Release::pinned())
}

/// The checksums of a folder, by the names of its CRDs.
fn pins(folder: &str) -> BTreeMap<&'static str, &'static str> {
    let lines = PINS.lines().filter_map(|line| line.split_once("  "));
    lines
        .filter_map(|(sum, path)| {
            let name = path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".json")?;
            Some((name, sum))
        })
        .collect()
}
