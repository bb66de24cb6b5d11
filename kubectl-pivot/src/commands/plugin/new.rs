//! `plugin new`: the crate or the Go module of a plugin that builds and conforms as it is.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use kubectl_pivot_plugin_api::PluginKind;

use super::check::absolute;
use super::go_template;
use super::template::{self, Api};
use crate::commands::CommandError;

/// The request of `plugin new`.
#[derive(Clone, Debug)]
pub struct NewPluginRequest {
    /// Name of the plugin.
    pub name: String,
    /// `infrastructure` or `cni`.
    pub kind: PluginKind,
    /// Language of its source.
    pub language: Language,
    /// Folder of the crate; `kubectl-pivot-plugin-<name>` in the working directory if absent.
    pub folder: Option<PathBuf>,
    /// Folder of the crate `kubectl-pivot-plugin-api`; the sources that this program has if absent.
    pub api_path: Option<PathBuf>,
}

/// Languages of a new plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// A crate, of which a library is built.
    #[default]
    Rust,
    /// A module, of which a program is built.
    Go,
}

/// A crate or a module that was written.
#[derive(Clone, Debug)]
pub struct NewPlugin {
    /// Name of the plugin.
    pub name: String,
    /// Folder of the crate or module.
    pub folder: PathBuf,
    /// Language of its source.
    pub language: Language,
    /// Files of the crate, relative to the folder.
    pub files: Vec<String>,
}

/// Errors of `plugin new`.
#[derive(Debug, thiserror::Error)]
pub enum NewPluginError {
    /// Users could not type it, or it cannot be part of other names.
    #[error(
        "`{0}` is not a name of a plugin; use at most 40 lowercase letters, digits and single \
         hyphens, starting with a letter"
    )]
    Name(String),
    /// The plugin API is not there.
    #[error("{} is not the folder of the crate kubectl-pivot-plugin-api", .0.display())]
    Api(PathBuf),
    /// Something is there already.
    #[error("{} exists already, and would be overwritten", .0.display())]
    Exists(PathBuf),
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}

impl NewPluginError {
    /// Returns the next step for the user.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Name(_) => "choose another name, for example `my-cloud`",
            Self::Api(_) => "give --api-path the folder `plugin-api` of kubectl-pivot's source",
            Self::Exists(_) => "remove it, or choose another folder with --path",
            Self::Io { .. } => "check the permissions of the folder",
        }
    }
}

/// Writes the crate. Overwrites nothing.
///
/// # Errors
/// The request cannot be met, or a file is there already or cannot be written.
pub fn plugin_new(request: &NewPluginRequest) -> Result<NewPlugin, CommandError> {
    let name = &request.name;
    if !is_name(name) {
        return Err(NewPluginError::Name(name.clone()).into());
    }
    let api = request.api_path.as_deref().map(api_folder).transpose()?;
    let api = api.as_deref().map_or(Api::Embedded, Api::Path);
    let default = PathBuf::from(format!("kubectl-pivot-plugin-{name}"));
    let folder = absolute(request.folder.as_ref().unwrap_or(&default));
    let files = match request.language {
        Language::Rust => template::files(name, request.kind, api),
        Language::Go => go_template::files(name, request.kind, api),
    };
    let taken = files.iter().map(|(file, _)| folder.join(file)).find(|path| path.exists());
    if let Some(path) = taken {
        return Err(NewPluginError::Exists(path).into());
    }
    for (file, text) in &files {
        write(&folder.join(file), text)?;
    }
    let files = files.into_iter().map(|(file, _)| file).collect();
    Ok(NewPlugin { name: name.clone(), folder, language: request.language, files })
}

fn write(path: &Path, text: &str) -> Result<(), NewPluginError> {
    let io = |source| NewPluginError::Io { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(io)?;
    file.write_all(text.as_bytes()).map_err(io)
}

fn api_folder(path: &Path) -> Result<PathBuf, NewPluginError> {
    let unusable = || NewPluginError::Api(path.to_owned());
    let folder = path.canonicalize().map_err(|_| unusable())?;
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).map_err(|_| unusable())?;
    let is_it = manifest.contains("name = \"kubectl-pivot-plugin-api\"");
    if is_it { Ok(folder) } else { Err(unusable()) }
}

/// A name of a plugin that is one of a crate too.
fn is_name(name: &str) -> bool {
    let begins_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    begins_well && name.len() <= 40 && kubectl_pivot_plugin_api::is_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_the_conformance_kit_accepts() {
        for name in ["a", "my-cloud", "k3s"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "3par", "My", "a--b", "-a", "a-", "a_b", "../a", &"a".repeat(41)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let request = NewPluginRequest {
            name: "potato".to_owned(),
            kind: PluginKind::Cni,
            language: Language::Rust,
            folder: Some(folder.path().to_owned()),
            api_path: None,
        };
        fs::write(folder.path().join("README.md"), "mine").expect("the folder is ours");
        let error = plugin_new(&request).expect_err("there is a README");
        assert!(error.to_string().ends_with("README.md exists already, and would be overwritten"));
        assert!(!folder.path().join("Cargo.toml").exists(), "nothing is written then");
        fs::remove_file(folder.path().join("README.md")).expect("the folder is ours");
        let written = plugin_new(&request).expect("the folder is empty");
        let own = written.files.iter().filter(|file| !file.starts_with("kubectl-pivot-api/"));
        assert_eq!(own.count(), 6);
        assert!(plugin_new(&request).is_err());
    }
}
