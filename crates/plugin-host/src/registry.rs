//! All plugins that can be found, and the one that is meant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kubectl_pivot_plugin_api::values::nearest;

use super::call::Plugin;
use super::error::PluginFileError;
use super::form::Form;
use super::found::Found;
use super::lock::{Lock, LockError};
use super::search::{Origin, SearchError, SearchPath};

/// The plugins of a search path. Nothing is loaded until [`Registry::load`].
#[derive(Debug, Default)]
pub struct Registry {
    found: Vec<Found>,
    unread: Vec<(Origin, LockError)>,
    left_out: Vec<SearchError>,
}

/// The reason why no plugin is meant by a name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// There is no such plugin.
    #[error("no plugin is named `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// Names of plugins that resemble it, or of all plugins.
        similar: Vec<String>,
    },
    /// Different libraries claim the name.
    #[error("{} plugins are named `{name}`: {}", paths.len(), list(paths))]
    Ambiguous {
        /// The name.
        name: String,
        /// Their libraries, in the order of the search path.
        paths: Vec<PathBuf>,
    },
}

/// The reason why a plugin is not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No plugin is meant.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// The plugin cannot be used.
    #[error(transparent)]
    File(#[from] PluginFileError),
}

impl SelectError {
    /// Returns what the user can do.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { similar, .. } if similar.is_empty() => {
                "no plugin was found: install one with `kubectl pivot plugin install FILE`; a \
                 release has them beside the program"
                    .to_owned()
            }
            Self::Unknown { similar, .. } => format!("did you mean {}?", similar.join(", ")),
            Self::Ambiguous { name, .. } => format!(
                "remove one with `kubectl pivot plugin remove {name}`, or choose a folder with \
                 `--plugin-dir`"
            ),
        }
    }
}

impl LoadError {
    /// Returns what the user can do.
    pub fn hint(&self) -> String {
        match self {
            Self::Select(error) => error.hint(),
            Self::File(error) => error.hint().into_owned(),
        }
    }
}

impl Registry {
    /// Looks into the folders of `search`. `lock_folder` has the user's lock; a bundled folder
    /// has its own, which anybody who can replace this program can replace, too.
    ///
    /// Folders that are missing or unreadable are skipped. A lock that cannot be relied on trusts
    /// nothing; see [`Registry::unread_locks`].
    pub fn scan(search: &SearchPath, lock_folder: Option<&Path>) -> Self {
        let mut registry = Self::default();
        let user = lock_folder.map(|folder| registry.lock(folder, Origin::User));
        registry.look(search, &user.unwrap_or_default());
        registry
    }

    /// As [`Self::scan`], with the lock of a team in the place of the user's: a plugin that it does
    /// not name is not trusted, whatever the user has trusted. Those that came with this program
    /// are.
    pub fn scan_with(search: &SearchPath, lock: &Lock) -> Self {
        let mut registry = Self::default();
        registry.look(search, lock);
        registry
    }

    /// As [`Self::scan_with`], without a lock, which is one of [`Self::unread_locks`].
    pub fn scan_without(search: &SearchPath, error: LockError) -> Self {
        let mut registry = Self::scan_with(search, &Lock::default());
        registry.unread.push((Origin::Flag, error));
        registry
    }

    fn look(&mut self, search: &SearchPath, lock: &Lock) {
        for folder in &search.folders {
            let bundled = match folder.origin {
                Origin::Bundled => self.lock(&folder.path, folder.origin),
                _ => Lock::default(),
            };
            let locks = [&bundled, lock];
            let look = |path| Found::look(path, folder.origin, locks);
            self.found.extend(plugin_files(&folder.path).into_iter().map(look));
        }
    }

    fn lock(&mut self, folder: &Path, origin: Origin) -> Lock {
        Lock::read(folder).unwrap_or_else(|error| {
            self.unread.push((origin, error));
            Lock::default()
        })
    }

    /// Notes which entries of the search path were left out.
    #[must_use]
    pub fn without(mut self, left_out: Vec<SearchError>) -> Self {
        self.left_out = left_out;
        self
    }

    /// Lists the entries of the search path that were left out. Plugins in them were not found.
    pub fn left_out(&self) -> impl Iterator<Item = &SearchError> {
        self.left_out.iter()
    }

    /// Lists the locks that cannot be relied on. Plugins that only they trust are not trusted.
    pub fn unread_locks(&self) -> impl Iterator<Item = &LockError> {
        self.unread.iter().map(|(_, error)| error)
    }

    /// Returns the registry if the locks are in order: for commands that need a plugin. Who could
    /// change the lock beside the program is no concern of plugins from elsewhere.
    ///
    /// # Errors
    /// The user's lock cannot be relied on, or one beside the program is damaged.
    pub fn with_locks_in_order(mut self) -> Result<Self, LockError> {
        let is_concern = |(origin, error): &(Origin, LockError)| {
            *origin != Origin::Bundled || !matches!(error, LockError::Permissions { .. })
        };
        match self.unread.iter().position(is_concern) {
            None => Ok(self),
            Some(at) => Err(self.unread.swap_remove(at).1),
        }
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

/// The files of a folder that are plugins by their names: libraries and programs.
pub(super) fn plugin_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_plugin = |path: &PathBuf| match Form::by_name(path) {
        Some(Form::Library) => true,
        // The crate or the module of a plugin may have the name of its program.
        Some(Form::Program) => !path.is_dir(),
        None => false,
    };
    let mut files: Vec<_> = entries.map(|entry| entry.path()).filter(is_plugin).collect();
    files.sort();
    files
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}
