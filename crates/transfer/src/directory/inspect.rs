//! Reading a backup without a cluster: what it holds, and that all of it is there and readable.

use std::collections::BTreeMap;
use std::path::Path;

use capi::is_cluster;
use serde::Serialize;

use super::encryption::Identities;
use super::files;
use super::manifest::{Encryption, Manifest};
use super::places;
use super::plan_load::read_manifest;
use crate::error::PhaseError;

/// A backup whose files are those of its manifest.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "BackupManifest"))]
#[serde(rename_all = "camelCase")]
pub struct Contents {
    /// Manifest of the backup, which names every object.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// Number of objects of each kind; only as `backup verify` prints it.
    pub kinds: BTreeMap<String, usize>,
    /// Bytes of all files but the manifest; only as `backup verify` prints it.
    pub bytes: u64,
    /// True if the objects in the files were read too; without an identity the files of an
    /// encrypted backup are compared with their checksums alone. Only as `backup verify` prints it.
    pub objects_read: bool,
}

/// Reads every file of a backup and compares it with the manifest: its sha256, and the objects in
/// it if they can be read.
///
/// # Errors
/// When a file is missing, changed, unknown, not readable, or holds other objects than the manifest
/// says.
pub fn inspect(directory: &Path, identities: &Identities) -> Result<Contents, PhaseError> {
    let files = files::read(directory)?;
    let manifest = read_manifest(directory)?;
    manifest.check(directory, &files::sums(&files))?;
    let bytes = files.values().map(|bytes| bytes.len() as u64).sum();
    let objects_read = manifest.encryption.is_none() || !identities.is_empty();
    if objects_read {
        check_objects(
            directory,
            &manifest,
            opened(directory, (Some(&manifest), files), identities)?,
        )?;
    }
    let mut kinds = BTreeMap::new();
    for saved in &manifest.objects {
        *kinds.entry(saved.object.kind.clone()).or_default() += 1;
    }
    Ok(Contents { manifest, kinds, bytes, objects_read })
}

/// The content of files, decrypted if the manifest says that they are encrypted.
pub(super) fn opened(
    directory: &Path,
    (manifest, mut files): (Option<&Manifest>, BTreeMap<String, Vec<u8>>),
    identities: &Identities,
) -> Result<BTreeMap<String, Vec<u8>>, PhaseError> {
    let Some(Encryption { recipients, .. }) = manifest.and_then(|m| m.encryption.as_ref()) else {
        return Ok(files);
    };
    let recipients = || recipients.clone();
    if identities.is_empty() {
        let path = directory.display().to_string();
        return Err(PhaseError::Encrypted { path, recipients: recipients() });
    }
    for (name, bytes) in &mut files {
        *bytes = identities.open(bytes).map_err(|problem| {
            let path = directory.join(name).display().to_string();
            PhaseError::NotDecrypted { path, problem, recipients: recipients() }
        })?;
    }
    Ok(files)
}

/// Compares the objects in the files with the manifest, file by file.
fn check_objects(
    directory: &Path,
    manifest: &Manifest,
    files: BTreeMap<String, Vec<u8>>,
) -> Result<(), PhaseError> {
    let bad = |path: &Path, problem: String| PhaseError::BadBackup {
        path: path.display().to_string(),
        problem,
    };
    let mut all = Vec::new();
    for (saved, (name, bytes)) in manifest
        .objects
        .iter()
        .filter_map(|saved| files.get_key_value(&saved.file).map(|file| (saved, file)))
    {
        let file = BTreeMap::from([(name.clone(), bytes.clone())]);
        let objects = files::objects(directory, &file)?;
        match objects.as_slice() {
            [object] if object.id() == saved.object => all.extend(objects),
            _ => {
                return Err(bad(
                    &directory.join(name),
                    format!("the file does not hold {}", saved.object),
                ));
            }
        }
    }
    places::check(directory, Some(manifest), &all)?;
    let clusters = all.iter().filter(|object| is_cluster(object)).count();
    if clusters != manifest.clusters {
        let problem = format!("{clusters} Clusters, where the manifest has {}", manifest.clusters);
        return Err(bad(directory, problem));
    }
    Ok(())
}
