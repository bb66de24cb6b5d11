//! Reading an index and its manifests, of a registry that nobody vouches for.

use std::collections::{BTreeMap, BTreeSet};

use oci_client::manifest::{ImageIndexEntry, OciDescriptor, OciImageIndex, OciImageManifest};
use plugin_host::{Form, Sha256};
use serde::de::DeserializeOwned;

use crate::artifact::{Artifact, ArtifactFile};
use crate::error::ArtifactError;
use crate::form;
use crate::platform::Platform;
use crate::source::Source;

/// Reads an index.
///
/// # Errors
/// It is none of a plugin.
pub(crate) fn index(source: &Source, bytes: &[u8]) -> Result<OciImageIndex, ArtifactError> {
    let index: OciImageIndex = parse(source, bytes)?;
    if index.artifact_type.as_deref() != Some(form::ARTIFACT) {
        return Err(not_a_plugin(source, "its index is of another type"));
    }
    if index.manifests.is_empty() || index.manifests.len() > form::PLATFORM_LIMIT {
        let count = index.manifests.len();
        return Err(not_a_plugin(source, &format!("its index has {count} manifests")));
    }
    refuse_two_of_one_platform(source, &index)?;
    Ok(index)
}

/// Refuses an index that leaves open which of two files is meant.
fn refuse_two_of_one_platform(source: &Source, index: &OciImageIndex) -> Result<(), ArtifactError> {
    let mut seen = BTreeSet::new();
    for entry in &index.manifests {
        let platform = platform(entry).map_or("every platform".to_owned(), |one| one.to_string());
        if seen.contains(&platform) {
            let reason = format!("its index has two manifests for {platform}");
            return Err(not_a_plugin(source, &reason));
        }
        seen.insert(platform);
    }
    Ok(())
}

fn platform(entry: &ImageIndexEntry) -> Option<Platform> {
    let platform = entry.platform.as_ref()?;
    Some(Platform::new(&platform.os.to_string(), &platform.architecture.to_string()))
}

/// Describes an artifact, but for its files.
///
/// # Errors
/// The index does not name the plugin.
pub(crate) fn artifact(
    source: &Source,
    digest: &str,
    index: &OciImageIndex,
) -> Result<Artifact, ArtifactError> {
    let none = BTreeMap::new();
    let annotations = index.annotations.as_ref().unwrap_or(&none);
    let text = |name: &str| annotations.get(name).cloned().unwrap_or_default();
    let (name, version) = (text(form::TITLE), text(form::VERSION));
    if !kubectl_pivot_plugin_api::is_name(&name) || version.is_empty() {
        return Err(not_a_plugin(source, "its index names no plugin and version"));
    }
    Ok(Artifact {
        source: source.clone(),
        digest: digest.to_owned(),
        name,
        version,
        kind: text(form::KIND),
        description: text(form::SENTENCE),
        publisher: text(form::VENDOR),
        files: Vec::new(),
    })
}

/// Reads the manifest of an entry.
///
/// # Errors
/// It is none of a plugin.
pub(crate) fn file(
    source: &Source,
    entry: &ImageIndexEntry,
    bytes: &[u8],
) -> Result<ArtifactFile, ArtifactError> {
    let manifest: OciImageManifest = parse(source, bytes)?;
    let [layer] = &manifest.layers[..] else {
        return Err(not_a_plugin(source, "a manifest has not one layer"));
    };
    let form = match layer.media_type.as_str() {
        form::LIBRARY => Form::Library,
        form::PROGRAM => Form::Program,
        _ => return Err(not_a_plugin(source, "a layer is of another type")),
    };
    let size = u64::try_from(layer.size).unwrap_or_default();
    if size == 0 || size > form::FILE_LIMIT_BYTES {
        return Err(not_a_plugin(source, &format!("a layer has {} bytes", layer.size)));
    }
    let signature =
        layer.annotations.as_ref().and_then(|notes| notes.get(form::SIGNATURE)).cloned();
    let (platform, hash) = (platform(entry), hash(source, layer)?);
    Ok(ArtifactFile { platform, form, hash, size, signature })
}

fn hash(source: &Source, layer: &OciDescriptor) -> Result<Sha256, ArtifactError> {
    let hash = layer.digest.strip_prefix("sha256:").and_then(Sha256::parse);
    hash.ok_or_else(|| not_a_plugin(source, "a layer has no sha256"))
}

fn parse<T: DeserializeOwned>(source: &Source, bytes: &[u8]) -> Result<T, ArtifactError> {
    serde_json::from_slice(bytes).map_err(|error| not_a_plugin(source, &error.to_string()))
}

pub(crate) fn not_a_plugin(source: &Source, reason: &str) -> ArtifactError {
    ArtifactError::NotAPlugin { at: source.to_string(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn source() -> Source {
        Source::parse("oci://r.example/potato:1.0.0").expect("valid")
    }

    fn refusal(bytes: &Value) -> String {
        let error = index(&source(), bytes.to_string().as_bytes());
        error.expect_err("it is none of ours").to_string()
    }

    #[test]
    fn an_index_of_something_else_is_refused() {
        let plain = json!({"schemaVersion": 2, "manifests": []});
        assert!(refusal(&plain).contains("of another type"));
        let empty = json!({"schemaVersion": 2, "artifactType": form::ARTIFACT, "manifests": []});
        assert!(refusal(&empty).contains("has 0 manifests"));
        assert!(refusal(&json!([1])).contains("is not a plugin"));
        let nameless: OciImageIndex = serde_json::from_value(empty).expect("an index");
        let error = artifact(&source(), "sha256:0", &nameless).expect_err("no name").to_string();
        assert!(error.contains("names no plugin"), "{error}");
    }

    #[test]
    fn two_files_for_one_platform_are_refused() {
        let entry = |platform: Value| {
            let (media_type, digest) = ("a", "b");
            json!({"mediaType": media_type, "digest": digest, "size": 1, "platform": platform})
        };
        let of = |first: &str, second: &str| {
            let platform = |cpu: &str| entry(json!({"os": "linux", "architecture": cpu}));
            json!({"schemaVersion": 2, "artifactType": form::ARTIFACT,
                "manifests": [platform(first), platform(second), entry(Value::Null)]})
        };
        assert!(refusal(&of("amd64", "amd64")).contains("two manifests for linux/amd64"));
        let different = of("amd64", "arm64").to_string();
        index(&source(), different.as_bytes()).expect("one file for each platform");
        let scripts = json!({"schemaVersion": 2, "artifactType": form::ARTIFACT,
            "manifests": [entry(Value::Null), entry(Value::Null)]});
        assert!(refusal(&scripts).contains("two manifests for every platform"));
    }

    #[test]
    fn a_layer_of_something_else_is_refused() {
        let entry: ImageIndexEntry =
            serde_json::from_value(json!({"mediaType": "a", "digest": "b", "size": 1}))
                .expect("plain");
        let manifest = |layer: Value| {
            json!({"schemaVersion": 2, "config": {"mediaType": "a", "digest": "b", "size": 1},
                "layers": [layer]})
            .to_string()
        };
        let good = json!({"mediaType": form::LIBRARY,
            "digest": format!("sha256:{}", "a".repeat(64)),
            "size": 7});
        let found = file(&source(), &entry, manifest(good.clone()).as_bytes()).expect("it is ours");
        assert_eq!((found.size, found.platform_word().as_str()), (7, "any"));
        for (field, value, part) in [
            ("mediaType", json!("application/x"), "of another type"),
            ("digest", json!("sha256:../../etc"), "no sha256"),
            ("digest", json!("sha512:00"), "no sha256"),
            ("size", json!(-1), "has -1 bytes"),
            ("size", json!(1_i64 << 40), "bytes"),
        ] {
            let mut bad = good.clone();
            bad[field] = value;
            let error = file(&source(), &entry, manifest(bad).as_bytes()).expect_err(part);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
