//! The sources that a release is made of: where they are, their version, their time.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::error::DistError;

/// The workspace.
#[derive(Debug)]
pub struct Source {
    /// Its folder.
    pub root: PathBuf,
    /// The version of the release.
    pub version: String,
}

/// A plugin of the workspace.
#[derive(Debug)]
pub(crate) struct PluginCrate {
    /// The name of its package.
    pub(crate) package: String,
    /// The name of its library, as rustc has it.
    pub(crate) library: String,
}

impl Source {
    /// The workspace that the working directory is in.
    ///
    /// # Errors
    /// It is in none.
    pub fn here() -> Result<Self, DistError> {
        let mut locate = Command::new(cargo());
        locate.args(["locate-project", "--workspace", "--message-format=plain"]);
        let manifest = PathBuf::from(output_of(&mut locate)?.trim());
        let root = manifest.parent().unwrap_or(Path::new(".")).to_owned();
        Ok(Self { root, version: env!("CARGO_PKG_VERSION").to_owned() })
    }

    /// The time that all files of an archive have: `SOURCE_DATE_EPOCH`, else the commit's.
    ///
    /// # Errors
    /// Neither is there.
    pub fn time(&self) -> Result<u64, DistError> {
        let mut git = Command::new("git");
        git.args(["log", "-1", "--format=%ct"]).current_dir(&self.root);
        let text = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(text) => text,
            Err(_) => output_of(&mut git)?,
        };
        text.trim().parse().map_err(|error| DistError::Answer {
            command: words(&git),
            message: format!("`{}`: {error}", text.trim()),
        })
    }

    /// All plugins, sorted.
    pub(crate) fn plugins(&self) -> Result<Vec<PluginCrate>, DistError> {
        let metadata = self.metadata(&["--no-deps"])?;
        let folder = self.root.join("plugins");
        let mut plugins: Vec<_> = list(&metadata["packages"])
            .filter(|package| Path::new(text(&package["manifest_path"])).starts_with(&folder))
            .flat_map(|package| list(&package["targets"]).map(move |target| (package, target)))
            .filter(|(_, target)| list(&target["crate_types"]).any(|kind| kind == "cdylib"))
            .map(|(package, target)| PluginCrate {
                package: text(&package["name"]).to_owned(),
                library: text(&target["name"]).replace('-', "_"),
            })
            .collect();
        plugins.sort_by(|a, b| a.package.cmp(&b.package));
        Ok(plugins)
    }

    /// The answer of `cargo metadata`.
    pub(crate) fn metadata(&self, args: &[&str]) -> Result<Value, DistError> {
        let mut cargo = Command::new(cargo());
        cargo.args(["metadata", "--format-version=1", "--locked"]).args(args);
        cargo.current_dir(&self.root);
        let output = output_of(&mut cargo)?;
        serde_json::from_str(&output).map_err(|error| DistError::Answer {
            command: words(&cargo),
            message: error.to_string(),
        })
    }
}

/// The cargo that has started this program, if one has.
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// Runs a program to its end, and returns what it wrote to standard output.
pub(crate) fn output_of(command: &mut Command) -> Result<String, DistError> {
    let output =
        command.output().map_err(|source| DistError::Start { command: words(command), source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(DistError::Failed { command: words(command), message })
}

/// A command as text, for errors: the file name of the program and its arguments.
pub(crate) fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The elements of a JSON list, or none.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A JSON string, or an empty one.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
