//! The manifest of a backup: what it is of, and the sha256 of every file.
//!
//! It lies among the files as YAML that holds nothing but comments, because clusterctl reads every
//! file of a directory as objects: in this one it finds none. Written last, so that a directory
//! with a manifest is a complete backup.

use std::collections::{BTreeMap, HashSet};
use std::io::ErrorKind;
use std::path::Path;

use capi::ObjectId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::encryption::Recipients;
use super::files::LONGEST_FILE;
use crate::error::PhaseError;
use crate::inventory::Provider;
use crate::report::API_VERSION;

/// Name of the manifest's file.
pub const MANIFEST: &str = "kubectl-pivot-manifest.yaml";
/// `kind` of a manifest.
const KIND: &str = "BackupManifest";
/// The only format of encryption.
const AGE: &str = "age";
/// Comment above the JSON, for people.
const PREFACE: &str = "# Manifest of a backup by kubectl-pivot. All lines are comments, so that\n\
    # `clusterctl move --from-directory` reads them as nothing.\n";

/// The origin and the files of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "BackupManifest"))]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Version of this format.
    pub api_version: String,
    /// `BackupManifest`.
    pub kind: String,
    /// The program and its version.
    pub program: String,
    /// Id of the run.
    pub run: String,
    /// When it was written, RFC 3339.
    pub time: String,
    /// URL of the source's API server.
    pub server: String,
    /// Namespace that was backed up; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The providers of the source, Cluster API itself among them.
    pub providers: Vec<Provider>,
    /// The encryption of the files; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// Number of Clusters.
    pub clusters: usize,
    /// The files.
    pub objects: Vec<SavedObject>,
}

/// The encryption of the files of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Encryption {
    /// `age`.
    pub format: String,
    /// The public keys whose identities can read the files.
    pub recipients: Vec<String>,
}

impl Encryption {
    /// The encryption of files that are written for these recipients; none without any.
    pub fn to(recipients: &Recipients) -> Option<Self> {
        let recipients = Some(recipients.names()).filter(|names| !names.is_empty())?;
        Some(Self { format: AGE.to_owned(), recipients })
    }
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SavedObject {
    /// Name of the file.
    pub file: String,
    /// sha256 of the file, hexadecimal.
    pub sha256: String,
    /// The object in it.
    #[serde(flatten)]
    pub object: ObjectId,
}

impl Manifest {
    /// The heading of a manifest that is written now, as yet without files.
    pub fn new(run: &str, server: &str, namespace: Option<&str>, providers: &[Provider]) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            program: concat!("kubectl-pivot ", env!("CARGO_PKG_VERSION")).to_owned(),
            run: run.to_owned(),
            time: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            server: server.to_owned(),
            namespace: namespace.map(str::to_owned),
            providers: providers.to_vec(),
            encryption: None,
            clusters: 0,
            objects: Vec::new(),
        }
    }

    /// The manifest as it is written.
    pub fn to_text(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a manifest has string keys only");
        let lines = json.lines().map(|line| format!("# {line}\n"));
        PREFACE.to_owned() + &lines.collect::<String>()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().skip_while(|line| *line != "# {");
        let json: String =
            lines.filter_map(|line| line.strip_prefix('#')).flat_map(|line| [line, "\n"]).collect();
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Typed {
            api_version: String,
            kind: String,
        }
        let damaged = |error: serde_json::Error| format!("the manifest is damaged: {error}");
        let Typed { api_version, kind } = serde_json::from_str(&json).map_err(damaged)?;
        if (api_version.as_str(), kind.as_str()) != (API_VERSION, KIND) {
            return Err(format!(
                "the manifest is a {kind} of {api_version}; this program knows {KIND} of \
                 {API_VERSION}"
            ));
        }
        let manifest: Self = serde_json::from_str(&json).map_err(damaged)?;
        match &manifest.encryption {
            Some(Encryption { format, .. }) if format != AGE => {
                Err(format!("the files are encrypted as {format}; this program knows {AGE}"))
            }
            _ => Ok(manifest),
        }
    }

    /// Reads the manifest of a directory; `None` when it has none.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn read(directory: &Path) -> Result<Option<Self>, PhaseError> {
        let path = directory.join(MANIFEST);
        let text = match own_files::read(&path, LONGEST_FILE) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let path = path.display().to_string();
                return Err(PhaseError::File { action: "read", path, source });
            }
        };
        let bad = |problem| PhaseError::BadBackup { path: path.display().to_string(), problem };
        Self::parse(&text).map(Some).map_err(bad)
    }

    /// Compares the files of a directory with the manifest; the first difference is an error.
    pub(super) fn check(
        &self,
        directory: &Path,
        files: &BTreeMap<String, String>,
    ) -> Result<(), PhaseError> {
        let bad = |name: &str, problem: &str| PhaseError::BadBackup {
            path: directory.join(name).display().to_string(),
            problem: problem.to_owned(),
        };
        for object in &self.objects {
            match files.get(&object.file) {
                None => return Err(bad(&object.file, "the file is missing in the backup")),
                Some(found) if *found != object.sha256 => {
                    let problem = "the file has changed since the backup was made: its sha256 is \
                                   not that of the manifest";
                    return Err(bad(&object.file, problem));
                }
                Some(_) => {}
            }
        }
        let known: HashSet<&str> = self.objects.iter().map(|object| object.file.as_str()).collect();
        match files.keys().find(|name| !known.contains(name.as_str())) {
            Some(name) => Err(bad(name, "the file is not part of the backup")),
            None => Ok(()),
        }
    }
}

/// sha256 of bytes, hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// One sum over names and contents: tells a backup from any other.
pub(super) fn content(sums: &BTreeMap<String, String>) -> String {
    let mut all = Sha256::new();
    for (name, sum) in sums {
        all.update(format!("{sum}  {name}\n"));
    }
    hex::encode(all.finalize())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::directory::files;

    fn manifest(file: &str, content: &str) -> Manifest {
        let mut manifest = Manifest::new("r", "https://a", Some("ns"), &[]);
        let object = ObjectId {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: Some("ns".to_owned()),
            name: "a".to_owned(),
        };
        let sha256 = sha256(content.as_bytes());
        manifest.objects.push(SavedObject { file: file.to_owned(), sha256, object });
        manifest
    }

    #[test]
    fn it_is_read_back_and_is_nothing_but_comments() {
        let manifest = manifest("Secret_ns_a.yaml", "x");
        let text = manifest.to_text();
        assert_eq!(Manifest::parse(&text).expect("valid"), manifest);
        assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
        assert_eq!(support::yaml::documents(&text).expect("YAML"), Vec::<serde_json::Value>::new());
    }

    #[test]
    fn damaged_and_foreign_manifests_are_reported() {
        let text = manifest("a", "x").to_text();
        let cut = &text[..text.len() / 2];
        assert!(Manifest::parse(cut).expect_err("cut").contains("damaged"));
        assert!(Manifest::parse("").expect_err("empty").contains("damaged"));
        let newer = text.replace("v1alpha1", "v9");
        assert!(Manifest::parse(&newer).expect_err("newer").contains("kubectl-pivot.io/v9"));
    }

    #[test]
    fn missing_changed_and_extra_files_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let check = || {
            let sums = files::sums(&files::read(path).expect("readable"));
            manifest("a.yaml", "x").check(path, &sums)
        };
        let says = |text: &str| {
            let error = check().expect_err(text).to_string();
            assert!(error.contains(text), "{error}");
        };
        says("a.yaml: the file is missing");
        fs::write(path.join("a.yaml"), "y").expect("written");
        says("a.yaml: the file has changed");
        fs::write(path.join("a.yaml"), "x").expect("written");
        check().expect("as it was written");
        fs::write(path.join("b.yaml"), "x").expect("written");
        says("b.yaml: the file is not part of the backup");
    }
}
