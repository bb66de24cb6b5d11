//! `plugin install oci://…`: from a registry, after a question, with the trust in all its
//! platforms.

use std::path::{Path, PathBuf};

use plugin_artifact::{Artifact, ArtifactFile, Key, Registry, Source};
use plugin_host::{Form, Lock, LockError, Pin, describe, install, pin};
use serde::Serialize;

use super::change::{ChangedPlugin, changed, home};
use super::check::absolute;
use crate::commands::CommandError;

/// A plugin of a registry, before it is installed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginOffer {
    /// Name of the plugin.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// Kind of the plugin.
    pub kind: String,
    /// One sentence.
    pub description: String,
    /// The publisher, as they call themselves.
    pub publisher: String,
    /// Address of the artifact.
    pub source: String,
    /// Digest of the artifact.
    pub digest: String,
    /// Hash of the file for this machine.
    pub sha256: String,
    /// Bytes of the file for this machine.
    pub size: u64,
    /// `library` or `program`.
    pub form: &'static str,
    /// All platforms of the artifact.
    pub platforms: Vec<String>,
    /// Public key by which the file has to be signed.
    pub key: Option<String>,
    /// Version that is installed from the same place.
    pub installed: Option<String>,
}

/// The choices for the installation of an artifact.
#[derive(Debug, Default)]
pub struct ArtifactChoice {
    /// Folder instead of the user's.
    pub folder: Option<PathBuf>,
    /// Public key by which the file has to be signed.
    pub key: Option<Key>,
    /// Lock file of a team, which gets the pin too.
    pub lock: Option<PathBuf>,
}

/// Resolves an artifact, shows it to `agrees`, and installs it if that says yes. Nothing of the
/// plugin is run before.
///
/// # Errors
/// The artifact cannot be had, is not signed as wanted, or is no usable plugin.
pub async fn plugin_install_artifact(
    source: &Source,
    choice: &ArtifactChoice,
    agrees: impl FnOnce(&PluginOffer) -> bool,
) -> Result<Option<ChangedPlugin>, CommandError> {
    let folder = choice.folder.as_deref().map_or_else(home, |folder| Ok(absolute(folder)))?;
    let registry = Registry::new();
    let artifact = registry.resolve(source).await?;
    let file = artifact.for_host()?;
    if !agrees(&offer(&artifact, file, choice, &folder)?) {
        return Ok(None);
    }
    let bytes = registry.fetch(&artifact, file).await?;
    if let Some(key) = &choice.key {
        key.check(&bytes, file.signature.as_deref())?;
    }
    let installed = put(&artifact, file, &bytes, &folder)?;
    let pinned = pin_of(&artifact, choice.key.as_ref());
    pin(&artifact.name, pinned.clone(), &folder)?;
    if let Some(path) = &choice.lock {
        add_to(path, &artifact.name, pinned)?;
    }
    Ok(Some(installed))
}

/// Installs the plugins that a team's lock file names, at the digests and hashes that it has.
/// Nothing is asked: the file is the answer.
///
/// # Errors
/// The file cannot be used, or one of the artifacts is not what it says; those before it are
/// installed.
pub async fn plugin_install_locked(
    lock: &Path,
    folder: Option<&Path>,
) -> Result<Vec<ChangedPlugin>, CommandError> {
    let folder = folder.map_or_else(home, |folder| Ok(absolute(folder)))?;
    let mut done = Vec::new();
    for (name, pinned) in Lock::read_file(lock)?.pins() {
        done.push(install_pinned(name, pinned, &folder).await?);
    }
    Ok(done)
}

async fn install_pinned(
    name: &str,
    pinned: &Pin,
    folder: &Path,
) -> Result<ChangedPlugin, CommandError> {
    let registry = Registry::new();
    let source = Source::parse(&pinned.source)?.at_digest(&pinned.digest);
    let artifact = registry.resolve(&source).await?;
    let file = artifact.for_host()?;
    if artifact.name != name || !pinned.files.values().any(|hash| *hash == file.hash) {
        return Err(CommandError::PluginDiffers {
            name: name.to_owned(),
            why: format!("{source} is not what the lock file names"),
        });
    }
    let bytes = registry.fetch(&artifact, file).await?;
    if let Some(key) = &pinned.key {
        Key::parse(key)?.check(&bytes, file.signature.as_deref())?;
    }
    let installed = put(&artifact, file, &bytes, folder)?;
    pin(name, pinned.clone(), folder)?;
    Ok(installed)
}

/// Installs bytes that are what the artifact names, if the plugin itself says the same of itself.
fn put(
    artifact: &Artifact,
    file: &ArtifactFile,
    bytes: &[u8],
    folder: &Path,
) -> Result<ChangedPlugin, CommandError> {
    let scratch = tempfile::tempdir().map_err(|source| CommandError::Scratch { source })?;
    let path = scratch.path().join(match file.form {
        Form::Library => format!("plugin{}", std::env::consts::DLL_SUFFIX),
        Form::Program => format!("kubectl-pivot-plugin-{}", artifact.name),
    });
    std::fs::write(&path, bytes).map_err(|source| CommandError::Scratch { source })?;
    let said = describe(&path)?.info;
    let (found, expected) = (
        (said.name.as_str(), said.version.as_str(), said.kind.as_str()),
        (artifact.name.as_str(), artifact.version.as_str(), artifact.kind.as_str()),
    );
    if found != expected {
        let words = |(name, version, kind): (&str, &str, &str)| format!("{kind} {name} {version}");
        return Err(CommandError::PluginDiffers {
            name: artifact.name.clone(),
            why: format!(
                "the artifact says {}, and the plugin in it {}",
                words(expected),
                words(found)
            ),
        });
    }
    Ok(changed(install(&path, folder)?))
}

fn offer(
    artifact: &Artifact,
    file: &ArtifactFile,
    choice: &ArtifactChoice,
    folder: &Path,
) -> Result<PluginOffer, CommandError> {
    let lock = Lock::read(folder)?;
    let installed = lock.pins().get(&artifact.name);
    Ok(PluginOffer {
        name: artifact.name.clone(),
        version: artifact.version.clone(),
        kind: artifact.kind.clone(),
        description: artifact.description.clone(),
        publisher: artifact.publisher.clone(),
        source: artifact.source.to_string(),
        digest: artifact.digest.clone(),
        sha256: file.hash.to_string(),
        size: file.size,
        form: file.form.as_str(),
        platforms: artifact.platforms().collect(),
        key: choice.key.as_ref().map(|key| key.as_str().to_owned()),
        installed: installed.map(|pin| pin.version.clone()),
    })
}

fn pin_of(artifact: &Artifact, key: Option<&Key>) -> Pin {
    let files = artifact.files.iter().map(|file| (file.platform_word(), file.hash.clone()));
    Pin {
        source: artifact.source.repository(),
        version: artifact.version.clone(),
        digest: artifact.digest.clone(),
        files: files.collect(),
        key: key.map(|key| key.as_str().to_owned()),
    }
}

/// A lock file of a team lies in a repository, for everyone to read.
fn add_to(path: &Path, name: &str, pinned: Pin) -> Result<(), CommandError> {
    let path = absolute(path);
    let mut lock = match Lock::read_file(&path) {
        Err(LockError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Lock::default()
        }
        read => read?,
    };
    lock.pin(name, pinned);
    Ok(lock.write_file(&path, 0o644)?)
}
