//! From files to an artifact: blobs, manifests and one index, and a folder that holds them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kubectl_pivot_plugin_api::PluginInfo;
use oci_client::manifest::{OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE};
use plugin_host::{Form, Sha256, Sidecar, describe};
use serde_json::{Value, json};

use crate::error::PackError;
use crate::form;
use crate::platform::Platform;

/// An artifact in memory.
#[derive(Clone, Debug)]
pub struct Package {
    /// Identity of the plugin, by its own words.
    pub info: PluginInfo,
    /// The platforms, as words; `any` for a script.
    pub platforms: Vec<String>,
    /// Digest of the index.
    pub digest: String,
    /// The index.
    pub(crate) index: Vec<u8>,
    /// Manifests, by digest.
    pub(crate) manifests: Vec<(String, Vec<u8>)>,
    /// Descriptions, libraries and programs, by digest.
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
}

/// One file of a plugin.
struct Part {
    path: PathBuf,
    bytes: Vec<u8>,
    form: Form,
    platform: Option<Platform>,
    sidecar: Option<Sidecar>,
    signature: Option<String>,
}

/// Packs the files of one plugin, one for each platform. A file that can run here is asked who it
/// is; for the others their descriptions count, or else what that one says. A signature
/// `FILE.minisig` is taken along.
///
/// # Errors
/// A file is no plugin, or they are not of one.
pub fn pack(files: &[PathBuf], publisher: Option<&str>) -> Result<Package, PackError> {
    let mut parts = files.iter().map(|file| Part::read(file)).collect::<Result<Vec<_>, _>>()?;
    refuse_two_of_one_platform(&parts)?;
    // The plugin itself knows best.
    parts.sort_by_key(|part| part.platform.as_ref() != Some(&Platform::host()));
    let known = parts.iter().find_map(|part| part.sidecar.clone());
    let mut package: Option<Package> = None;
    let mut entries = Vec::new();
    for part in parts {
        let sidecar = part.described(known.as_ref())?;
        let package = package.get_or_insert_with(|| Package::of(sidecar.info.clone()));
        part.refuse_other(&sidecar.info, &package.info)?;
        entries.push(package.add(&part, &sidecar));
    }
    let mut package = package.ok_or(PackError::NoFile)?;
    package.finish(&entries, publisher);
    Ok(package)
}

fn refuse_two_of_one_platform(parts: &[Part]) -> Result<(), PackError> {
    for (at, part) in parts.iter().enumerate() {
        if parts[..at].iter().any(|other| other.platform == part.platform) {
            return Err(PackError::Twice { path: part.path.clone(), platform: part.word() });
        }
    }
    Ok(())
}

impl Part {
    fn read(path: &Path) -> Result<Self, PackError> {
        let io = |source| PackError::Io { path: path.to_owned(), source };
        let bytes = own_files::read(path, form::FILE_LIMIT_BYTES).map_err(io)?;
        let platform = Platform::of(&bytes);
        if platform.is_none() && !bytes.starts_with(b"#!") {
            return Err(PackError::Platform { path: path.to_owned() });
        }
        let runs_here = platform.as_ref().is_none_or(|platform| *platform == Platform::host());
        let sidecar = match runs_here {
            true => Some(describe(path)?),
            false => Sidecar::read(path).ok(),
        };
        let signature = path.with_added_extension("minisig");
        let signature = match fs::read_to_string(&signature) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(source) => return Err(PackError::Io { path: signature, source }),
        };
        let form = Form::of(path, &bytes);
        Ok(Self { path: path.to_owned(), bytes, form, platform, sidecar, signature })
    }

    fn word(&self) -> String {
        self.platform.as_ref().map_or("any".to_owned(), Platform::to_string)
    }

    fn described(&self, known: Option<&Sidecar>) -> Result<Sidecar, PackError> {
        match self.sidecar.as_ref().or(known) {
            Some(sidecar) => Ok(sidecar.clone()),
            None => Sidecar::read(&self.path)
                .map_err(|source| PackError::Undescribed { path: self.path.clone(), source }),
        }
    }

    fn refuse_other(&self, said: &PluginInfo, expected: &PluginInfo) -> Result<(), PackError> {
        let words = |info: &PluginInfo| format!("{} {}", info.name, info.version);
        if (words(said), said.kind) == (words(expected), expected.kind) {
            return Ok(());
        }
        let (found, expected) = (words(said), words(expected));
        Err(PackError::Different { path: self.path.clone(), found, expected })
    }
}

impl Package {
    fn of(info: PluginInfo) -> Self {
        Self {
            info,
            platforms: Vec::new(),
            digest: String::new(),
            index: Vec::new(),
            manifests: Vec::new(),
            blobs: BTreeMap::new(),
        }
    }

    /// Adds a file, and returns its entry of the index.
    fn add(&mut self, part: &Part, sidecar: &Sidecar) -> Value {
        let description = encode(&json!(sidecar));
        let media_type = match part.form {
            Form::Library => form::LIBRARY,
            Form::Program => form::PROGRAM,
        };
        let file_name = part.path.file_name().unwrap_or_default().to_string_lossy();
        let mut layer = self.blob(media_type, part.bytes.clone());
        layer["annotations"] = json!({form::TITLE: file_name});
        if let Some(signature) = &part.signature {
            layer["annotations"][form::SIGNATURE] = json!(signature);
        }
        let manifest = encode(&json!({
            "schemaVersion": 2,
            "mediaType": OCI_IMAGE_MEDIA_TYPE,
            "artifactType": form::ARTIFACT,
            "config": self.blob(form::DESCRIPTION, description),
            "layers": [layer],
        }));
        let mut entry = descriptor(OCI_IMAGE_MEDIA_TYPE, &manifest);
        entry["artifactType"] = json!(form::ARTIFACT);
        if let Some(Platform { os, architecture }) = &part.platform {
            entry["platform"] = json!({"os": os, "architecture": architecture});
        }
        self.platforms.push(part.word());
        self.manifests.push((digest(&manifest), manifest));
        entry
    }

    fn blob(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let descriptor = descriptor(media_type, &bytes);
        self.blobs.insert(digest(&bytes), bytes);
        descriptor
    }

    fn finish(&mut self, entries: &[Value], publisher: Option<&str>) {
        let PluginInfo { name, version, description, kind, .. } = &self.info;
        let mut annotations = json!({
            form::TITLE: name,
            form::VERSION: version,
            form::SENTENCE: description,
            form::KIND: kind.as_str(),
        });
        if let Some(publisher) = publisher {
            annotations[form::VENDOR] = json!(publisher);
        }
        self.index = encode(&json!({
            "schemaVersion": 2,
            "mediaType": OCI_IMAGE_INDEX_MEDIA_TYPE,
            "artifactType": form::ARTIFACT,
            "manifests": entries,
            "annotations": annotations,
        }));
        self.digest = digest(&self.index);
    }

    /// Writes the artifact as a folder in the image layout of OCI, which tools for registries copy.
    ///
    /// # Errors
    /// The folder is not writable.
    pub fn write(&self, folder: &Path) -> Result<(), PackError> {
        let blobs = folder.join("blobs").join("sha256");
        let io = |path: &Path, source| PackError::Io { path: path.to_owned(), source };
        fs::create_dir_all(&blobs).map_err(|source| io(&blobs, source))?;
        let put = |path: PathBuf, bytes: &[u8]| {
            fs::write(&path, bytes).map_err(|source| io(&path, source))
        };
        let index = (&self.digest, &self.index);
        let manifests = self.manifests.iter().map(|(digest, bytes)| (digest, bytes));
        for (digest, bytes) in self.blobs.iter().chain(manifests).chain([index]) {
            put(blobs.join(digest.trim_start_matches("sha256:")), bytes)?;
        }
        put(folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        let mut entry = descriptor(OCI_IMAGE_INDEX_MEDIA_TYPE, &self.index);
        entry["annotations"] = json!({form::TAG: self.info.version});
        let list = json!({"schemaVersion": 2, "mediaType": OCI_IMAGE_INDEX_MEDIA_TYPE,
            "manifests": [entry]});
        // Last, so that a folder that is read has everything that it names.
        put(folder.join("index.json"), &encode(&list))
    }
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256::of(bytes))
}

/// The keys of maps are in order, so the same files give the same digests.
fn encode(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
