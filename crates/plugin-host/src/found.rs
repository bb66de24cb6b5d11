//! One plugin that was found: what is known of it from outside, and whether it may be loaded.

use std::path::{Path, PathBuf};

use super::call::Plugin;
use super::error::PluginFileError;
use super::file::{PluginFile, Sha256};
use super::form::{Form, PROGRAM_PREFIX};
use super::lock::Lock;
use super::search::Origin;
use super::sidecar::{Sidecar, SidecarError};

/// A plugin that was found, described from outside.
#[derive(Debug)]
pub struct Found {
    /// The library or the program.
    pub path: PathBuf,
    /// Reason why its folder was searched.
    pub origin: Origin,
    /// Contents of the sidecar file.
    pub sidecar: Result<Sidecar, SidecarError>,
    /// True if it may be loaded.
    pub trust: Trust,
}

/// True if a library may be loaded.
#[derive(Debug)]
pub enum Trust {
    /// The bytes are those that were trusted.
    Trusted(PluginFile),
    /// Another library was trusted under its name.
    Changed {
        /// The library as it is.
        file: PluginFile,
        /// The hash that was trusted.
        trusted: Sha256,
    },
    /// It was never trusted.
    Unknown(PluginFile),
    /// It must not be opened at all.
    Broken(PluginFileError),
}

impl Found {
    pub(super) fn look(path: PathBuf, origin: Origin, locks: [&Lock; 2]) -> Self {
        let sidecar = Sidecar::read(&path);
        let name = name_of(&path, &sidecar);
        let trust = match PluginFile::inspect(&path) {
            Err(error) => Trust::Broken(error),
            Ok(file) => {
                let trusted: Vec<_> = locks.iter().filter_map(|lock| lock.trusted(&name)).collect();
                let is_trusted = locks.iter().any(|lock| lock.trusts(&name, &file.hash));
                match trusted.last() {
                    _ if is_trusted => Trust::Trusted(file),
                    Some(&trusted) => Trust::Changed { file, trusted: trusted.clone() },
                    None => Trust::Unknown(file),
                }
            }
        };
        Self { path, origin, sidecar, trust }
    }

    /// The name by its description, else by its file name.
    pub fn name(&self) -> String {
        name_of(&self.path, &self.sidecar)
    }

    /// Loads it, if it is trusted and has not changed since it was looked at.
    ///
    /// # Errors
    /// It is not trusted or not usable.
    pub fn load(&self) -> Result<Plugin, PluginFileError> {
        let untrusted = |found: &Sha256, expected: String| PluginFileError::Untrusted {
            path: self.path.clone(),
            found: found.to_string(),
            expected,
        };
        let file = match &self.trust {
            Trust::Trusted(file) => file,
            Trust::Changed { file, trusted } => {
                return Err(untrusted(&file.hash, format!("{trusted} was trusted")));
            }
            Trust::Unknown(file) => {
                return Err(untrusted(&file.hash, "no hash was trusted under its name".to_owned()));
            }
            // The error cannot be cloned; looking again finds it again, or finds a new file.
            Trust::Broken(_) => {
                let file = PluginFile::inspect(&self.path)?;
                return Err(untrusted(&file.hash, "it was broken before".to_owned()));
            }
        };
        let plugin = Plugin::open(file)?;
        let (said, expected) = (&plugin.info().name, self.name());
        if *said != expected {
            let (path, said) = (self.path.clone(), said.clone());
            return Err(PluginFileError::Misnamed { path, said, expected });
        }
        Ok(plugin)
    }

    /// The form, by the name of the file.
    pub fn form(&self) -> Form {
        Form::by_name(&self.path).unwrap_or(Form::Library)
    }

    pub(super) fn hash(&self) -> Option<&Sha256> {
        match &self.trust {
            Trust::Trusted(file) | Trust::Unknown(file) | Trust::Changed { file, .. } => {
                Some(&file.hash)
            }
            Trust::Broken(_) => None,
        }
    }
}

/// `libkubectl_pivot_plugin_in_memory.so` and `kubectl-pivot-plugin-in-memory` are `in-memory`.
pub(super) fn name_of(path: &Path, sidecar: &Result<Sidecar, SidecarError>) -> String {
    if let Ok(sidecar) = sidecar {
        return sidecar.info.name.clone();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if let Some(name) = stem.strip_prefix(PROGRAM_PREFIX) {
        return name.to_owned();
    }
    let name = stem.strip_prefix("lib").unwrap_or(&stem);
    name.strip_prefix("kubectl_pivot_plugin_").unwrap_or(name).replace('_', "-")
}
