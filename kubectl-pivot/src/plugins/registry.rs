//! All plugins that can be found, and the one that is meant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kubectl_pivot_plugin_api::values::nearest;

use super::call::Plugin;
use super::error::PluginFileError;
use super::file::{PluginFile, Sha256};
use super::lock::{Lock, LockError};
use super::search::{Origin, SearchPath};
use super::sidecar::{Sidecar, SidecarError};

/// The plugins of a search path. Nothing is loaded until [`Registry::load`].
#[derive(Debug, Default)]
pub struct Registry {
    found: Vec<Found>,
}

/// A library that was found, described from outside.
#[derive(Debug)]
pub struct Found {
    /// The library.
    pub path: PathBuf,
    /// Why its folder was looked in.
    pub origin: Origin,
    /// What its sidecar file says.
    pub sidecar: Result<Sidecar, SidecarError>,
    /// Whether it may be loaded.
    pub trust: Trust,
}

/// Whether a library may be loaded.
#[derive(Debug)]
pub enum Trust {
    /// Its bytes are those that were trusted.
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

/// Why no plugin is meant by a name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// There is no such plugin.
    #[error("there is no plugin `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// Names of plugins that resemble it, or of all plugins.
        similar: Vec<String>,
    },
    /// Different libraries claim the name.
    #[error("there are {} plugins `{name}`: {}", paths.len(), list(paths))]
    Ambiguous {
        /// The name.
        name: String,
        /// Their libraries, in the order of the search path.
        paths: Vec<PathBuf>,
    },
}

/// Why a plugin is not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No plugin is meant.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// The plugin cannot be used.
    #[error(transparent)]
    File(#[from] PluginFileError),
}

impl Registry {
    /// Looks into the folders of `search`. `lock_folder` has the user's lock; a bundled folder
    /// has its own, which whoever can replace this program can replace, too.
    ///
    /// # Errors
    /// A lock file is damaged. Folders that are missing or unreadable are skipped.
    pub fn scan(search: &SearchPath, lock_folder: Option<&Path>) -> Result<Self, LockError> {
        let user = lock_folder.map(Lock::read).transpose()?.unwrap_or_default();
        let mut found = Vec::new();
        for folder in &search.folders {
            let bundled = match folder.origin {
                Origin::Bundled => Lock::read(&folder.path)?,
                _ => Lock::default(),
            };
            let locks = [&bundled, &user];
            let look = |path| Found::look(path, folder.origin, locks);
            found.extend(libraries(&folder.path).into_iter().map(look));
        }
        Ok(Self { found })
    }

    /// Everything that was found, in the order of the search path, broken or not.
    pub fn all(&self) -> &[Found] {
        &self.found
    }

    /// The plugin that is meant by `name`. A plugin in a folder of `--plugin-dir` is an explicit
    /// choice and wins; otherwise different libraries of one name are ambiguous.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub fn select(&self, name: &str) -> Result<&Found, SelectError> {
        let named: Vec<_> = self.found.iter().filter(|found| found.name() == name).collect();
        let Some(&first) = named.first() else {
            let names: BTreeSet<_> = self.found.iter().map(Found::name).collect();
            let mut similar = nearest(name, names.iter().map(String::as_str));
            if similar.is_empty() {
                similar = names.iter().map(String::as_str).collect();
            }
            let similar = similar.into_iter().map(str::to_owned).collect();
            return Err(SelectError::Unknown { name: name.to_owned(), similar });
        };
        let same = |other: &&&Found| first.hash().is_some() && first.hash() == other.hash();
        if first.origin == Origin::Flag
            || named.iter().skip(1).filter(same).count() + 1 == named.len()
        {
            return Ok(first);
        }
        let paths = named.iter().map(|found| found.path.clone()).collect();
        Err(SelectError::Ambiguous { name: name.to_owned(), paths })
    }

    /// Loads the plugin that is meant by `name`, if it is trusted.
    ///
    /// # Errors
    /// None is meant, or it is not trusted or not usable.
    pub fn load(&self, name: &str) -> Result<Plugin, LoadError> {
        Ok(self.select(name)?.load()?)
    }
}

impl Found {
    fn look(path: PathBuf, origin: Origin, locks: [&Lock; 2]) -> Self {
        let sidecar = Sidecar::read(&path);
        let name = name_of(&path, &sidecar);
        let trust = match PluginFile::inspect(&path) {
            Err(error) => Trust::Broken(error),
            Ok(file) => {
                let trusted: Vec<_> = locks.iter().filter_map(|lock| lock.trusted(&name)).collect();
                match trusted.last() {
                    _ if trusted.contains(&&file.hash) => Trust::Trusted(file),
                    Some(&trusted) => Trust::Changed { file, trusted: trusted.clone() },
                    None => Trust::Unknown(file),
                }
            }
        };
        Self { path, origin, sidecar, trust }
    }

    /// Its name by its description, else by its file name.
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
        let trusted = match &self.trust {
            Trust::Trusted(file) => &file.hash,
            Trust::Changed { file, trusted } => {
                return Err(untrusted(&file.hash, format!("{trusted} was trusted")));
            }
            Trust::Unknown(file) => {
                return Err(untrusted(&file.hash, "no hash was trusted under its name".to_owned()));
            }
            // The error cannot be cloned; looking again finds it again, or finds a new file.
            Trust::Broken(_) => {
                let file = PluginFile::inspect(&self.path)?;
                return Err(untrusted(&file.hash, "it was broken a moment ago".to_owned()));
            }
        };
        let file = PluginFile::inspect(&self.path)?;
        if file.hash != *trusted {
            return Err(untrusted(&file.hash, format!("{trusted} was trusted")));
        }
        let plugin = Plugin::open(&file)?;
        let (said, expected) = (&plugin.info().name, self.name());
        if *said != expected {
            let (path, said) = (self.path.clone(), said.clone());
            return Err(PluginFileError::Misnamed { path, said, expected });
        }
        Ok(plugin)
    }

    fn hash(&self) -> Option<&Sha256> {
        match &self.trust {
            Trust::Trusted(file) | Trust::Unknown(file) | Trust::Changed { file, .. } => {
                Some(&file.hash)
            }
            Trust::Broken(_) => None,
        }
    }
}

/// `libkubectl_pivot_plugin_in_memory.so` is `in-memory`.
fn name_of(path: &Path, sidecar: &Result<Sidecar, SidecarError>) -> String {
    if let Ok(sidecar) = sidecar {
        return sidecar.info.name.clone();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = stem.strip_prefix("lib").unwrap_or(&stem);
    name.strip_prefix("kubectl_pivot_plugin_").unwrap_or(name).replace('_', "-")
}

fn libraries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_library = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION)
    };
    let mut libraries: Vec<_> = entries.map(|entry| entry.path()).filter(is_library).collect();
    libraries.sort();
    libraries
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}
