//! `plugin install oci://…`: from a registry, after a question, with the trust in all its
//! platforms.

use std::path::{Path, PathBuf};

use plugin_artifact::{Artifact, ArtifactFile, Key, Registry, Source};
use plugin_host::{Form, Lock, Pin, describe, install, pin};
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
    /// Name and version that the artifact has to have, where they are known before.
    pub expected: Option<(String, String)>,
}

/// Resolves an artifact, shows it to `agrees`, and installs it if that says yes. Nothing of the
/// plugin is run before.
///
/// # Errors
/// The artifact cannot be had, is another one than expected, is not signed as wanted, or is no
/// usable plugin.
pub async fn plugin_install_artifact(
    source: &Source,
    choice: &ArtifactChoice,
    agrees: impl FnOnce(&PluginOffer) -> bool,
) -> Result<Option<ChangedPlugin>, CommandError> {
    let folder = choice.folder.as_deref().map_or_else(home, |folder| Ok(absolute(folder)))?;
    let registry = Registry::new();
    let artifact = registry.resolve(source).await?;
    refuse_other(&artifact, choice.expected.as_ref())?;
    let key = key_of(&artifact.name, choice, &folder)?;
    let file = artifact.for_host()?;
    if !agrees(&offer(&artifact, file, key.as_ref(), &folder)?) {
        return Ok(None);
    }
    let bytes = registry.fetch(&artifact, file).await?;
    if let Some(key) = &key {
        key.check(&bytes, file.signature.as_deref())?;
    }
    let installed = put(&artifact, file, &bytes, &folder)?;
    let pinned = pin_of(&artifact, key.as_ref());
    pin(&artifact.name, pinned.clone(), &folder)?;
    if let Some(path) = &choice.lock {
        add_to(path, &artifact.name, pinned)?;
    }
    Ok(Some(installed))
}

/// Refuses an artifact that is not the one that was asked for. A signature is about a file and not
/// about a tag: under any tag a registry can show an old file, or another plugin, of a publisher.
fn refuse_other(
    artifact: &Artifact,
    expected: Option<&(String, String)>,
) -> Result<(), CommandError> {
    let Some((name, version)) = expected else { return Ok(()) };
    let number = |version: &str| version.trim_start_matches('v').to_owned();
    if artifact.name == *name && number(&artifact.version) == number(version) {
        return Ok(());
    }
    Err(CommandError::PluginDiffers {
        name: name.clone(),
        why: format!(
            "{} should be {name} {version}, and its index says {} {}",
            artifact.source, artifact.name, artifact.version
        ),
    })
}

/// The key by which the file has to be signed: the one that was given, or else the one that the
/// user or the team has for this plugin, which is not forgotten because nobody repeats it.
fn key_of(name: &str, choice: &ArtifactChoice, folder: &Path) -> Result<Option<Key>, CommandError> {
    if choice.key.is_some() {
        return Ok(choice.key.clone());
    }
    let own = remembered_key(&Lock::read(folder)?, name)?;
    let team = match &choice.lock {
        Some(path) => remembered_key(&Lock::read_file_if_any(&absolute(path))?, name)?,
        None => None,
    };
    match (own, team) {
        (Some(own), Some(team)) if own != team => Err(CommandError::Usage(format!(
            "plugin `{name}` has one key in your lock file and another in that of --plugin-lock: \
             choose one with --key"
        ))),
        (own, team) => Ok(own.or(team)),
    }
}

/// The key with which a plugin of this name was installed before.
fn remembered_key(lock: &Lock, name: &str) -> Result<Option<Key>, CommandError> {
    let key = lock.pins().get(name).and_then(|pin| pin.key.as_deref());
    Ok(key.map(|key| Key::parse(key, &of_lock(name))).transpose()?)
}

/// Words for the key of a plugin in a lock file.
pub(super) fn of_lock(name: &str) -> String {
    format!("the key of plugin `{name}` in the lock file")
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
    let key = match &pinned.key {
        Some(key) => Some(Key::parse(key, &of_lock(name))?),
        None => remembered_key(&Lock::read(folder)?, name)?,
    };
    if let Some(key) = &key {
        key.check(&bytes, file.signature.as_deref())?;
    }
    let installed = put(&artifact, file, &bytes, folder)?;
    let key = key.map(|key| key.as_str().to_owned());
    pin(name, Pin { key, ..pinned.clone() }, folder)?;
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
    key: Option<&Key>,
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
        key: key.map(|key| key.as_str().to_owned()),
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
    Ok(Lock::change_file(&absolute(path), 0o644, |lock| lock.pin(name, pinned))?)
}
