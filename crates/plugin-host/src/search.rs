//! The search path of plugins, and its order.
//!
//! In this order: `--plugin-dir`, `$KUBECTL_PIVOT_PLUGINS`, the user's data folder, and `plugins/`
//! beside the real executable. Never the working directory, which may belong to anyone.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Environment variable with a list of folders, separated as in `PATH`.
pub(crate) const FOLDERS_VARIABLE: &str = "KUBECTL_PIVOT_PLUGINS";

/// Folders to look in; an earlier one wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchPath {
    /// The folders, the most important first. They need not exist.
    pub folders: Vec<SearchFolder>,
}

/// One folder with plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchFolder {
    /// Absolute path.
    pub path: PathBuf,
    /// The reason why it is looked in.
    pub origin: Origin,
}

/// The reason why a folder is looked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// `--plugin-dir`.
    Flag,
    /// `$KUBECTL_PIVOT_PLUGINS`.
    Environment,
    /// The user's data folder.
    User,
    /// Beside the executable, shipped with it.
    Bundled,
}

impl Origin {
    /// The word used in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::User => "user",
            Self::Bundled => "bundled",
        }
    }
}

/// Errors of the search path.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// A relative path in the environment would depend on the working directory.
    #[error("`{}` in ${FOLDERS_VARIABLE} is not an absolute path", path.display())]
    Relative {
        /// The entry.
        path: PathBuf,
    },
    /// A folder that is asked for is not there: its plugins would be missing without a word.
    #[error("there is no folder `{}`, which --plugin-dir names", path.display())]
    NoFolder {
        /// The value of the flag.
        path: PathBuf,
    },
    /// The working directory cannot be determined, which a relative `--plugin-dir` needs.
    #[error("cannot find the folder `{}` of --plugin-dir", path.display())]
    Flag {
        /// The value of the flag.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}

impl SearchError {
    /// Returns what the user can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Relative { .. } => "write the whole path, beginning with a slash",
            Self::NoFolder { .. } => "give --plugin-dir a folder with plugins",
            Self::Flag { .. } => "check that the working directory still exists",
        }
    }
}

impl SearchPath {
    /// The search path of this process, with the values of `--plugin-dir`.
    ///
    /// # Errors
    /// A relative path in the environment, or a folder of `--plugin-dir` that is not there.
    pub fn of_process(flags: &[PathBuf]) -> Result<Self, SearchError> {
        Self::of_process_in_part(flags)?.whole()
    }

    /// As [`Self::of_process`], without the entries of the environment that cannot be used: for
    /// commands that do without plugins.
    ///
    /// # Errors
    /// A folder of `--plugin-dir` that is not there.
    pub fn of_process_in_part(flags: &[PathBuf]) -> Result<PartialPath, SearchError> {
        if let Some(path) = flags.iter().find(|path| !path.is_dir()) {
            return Err(SearchError::NoFolder { path: path.clone() });
        }
        let executable = std::env::current_exe().and_then(|path| path.canonicalize()).ok();
        Self::in_part(
            flags,
            std::env::var_os(FOLDERS_VARIABLE).as_deref(),
            user_folder().as_deref(),
            executable.as_deref(),
        )
    }

    /// The search path from its parts: flags, the value of `$KUBECTL_PIVOT_PLUGINS`, the folder
    /// of the user, and the real path of the executable.
    ///
    /// # Errors
    /// A relative path in the environment.
    pub fn new(
        flags: &[PathBuf],
        environment: Option<&OsStr>,
        user: Option<&Path>,
        executable: Option<&Path>,
    ) -> Result<Self, SearchError> {
        Self::in_part(flags, environment, user, executable)?.whole()
    }

    fn in_part(
        flags: &[PathBuf],
        environment: Option<&OsStr>,
        user: Option<&Path>,
        executable: Option<&Path>,
    ) -> Result<PartialPath, SearchError> {
        let mut search = Self::default();
        let mut left_out = Vec::new();
        for path in flags {
            let absolute = std::path::absolute(path)
                .map_err(|source| SearchError::Flag { path: path.clone(), source })?;
            search.add(absolute, Origin::Flag);
        }
        for path in environment.into_iter().flat_map(std::env::split_paths) {
            if path.as_os_str().is_empty() {
                continue;
            }
            match path.is_relative() {
                true => left_out.push(SearchError::Relative { path }),
                false => search.add(path, Origin::Environment),
            }
        }
        if let Some(user) = user {
            search.add(user.to_owned(), Origin::User);
        }
        if let Some(folder) = executable.and_then(Path::parent) {
            search.add(folder.join("plugins"), Origin::Bundled);
        }
        Ok(PartialPath { search, left_out })
    }

    /// A folder that is there twice counts where it counts more.
    fn add(&mut self, path: PathBuf, origin: Origin) {
        if !self.folders.iter().any(|folder| folder.path == path) {
            self.folders.push(SearchFolder { path, origin });
        }
    }
}

/// A search path, and what is not in it.
#[derive(Debug)]
pub struct PartialPath {
    /// The folders.
    pub search: SearchPath,
    /// The entries of the environment that cannot be used.
    pub left_out: Vec<SearchError>,
}

impl PartialPath {
    fn whole(mut self) -> Result<SearchPath, SearchError> {
        match self.left_out.is_empty() {
            true => Ok(self.search),
            false => Err(self.left_out.swap_remove(0)),
        }
    }
}

/// The folder into which `plugin install` copies, for example
/// `~/.local/share/kubectl-pivot/plugins`.
pub fn user_folder() -> Option<PathBuf> {
    dirs::data_dir().map(|data| data.join("kubectl-pivot").join("plugins"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_and_the_working_directory_is_never_there() {
        let search = SearchPath::new(
            &[PathBuf::from("/flag")],
            Some(OsStr::new("/env/a::/env/b:/flag")),
            Some(Path::new("/home/u/.local/share/kubectl-pivot/plugins")),
            Some(Path::new("/opt/pivot/bin/kubectl-pivot")),
        );
        let folders = search.expect("all paths are absolute").folders;
        let found: Vec<_> =
            folders.iter().map(|f| (f.path.to_str().unwrap_or_default(), f.origin)).collect();
        let expected = [
            ("/flag", Origin::Flag),
            ("/env/a", Origin::Environment),
            ("/env/b", Origin::Environment),
            ("/home/u/.local/share/kubectl-pivot/plugins", Origin::User),
            ("/opt/pivot/bin/plugins", Origin::Bundled),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn refuses_relative_paths_in_the_environment() {
        let search = SearchPath::new(&[], Some(OsStr::new("/a:plugins")), None, None);
        let error = search.expect_err("the second entry is relative");
        assert_eq!(
            error.to_string(),
            "`plugins` in $KUBECTL_PIVOT_PLUGINS is not an absolute path"
        );
    }
}
