//! Finding a program, and asking how old it is.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, access};
use semver::Version;
use support::journal::Events;
use support::redact::Redactor;
use tokio_util::sync::CancellationToken;

use super::command::ToolCommand;
use super::error::ToolError;
use super::known::KnownTool;
use super::version;

/// The time that a program may take to tell its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(30);
/// Characters shown of an output that is not a version.
const SHOWN: usize = 120;

/// A program that is there and new enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// The program.
    pub known: KnownTool,
    /// The path.
    pub path: PathBuf,
    /// The reason why this one.
    pub origin: Origin,
    /// The version.
    pub version: Version,
}

/// The way in which a program was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The user has named it, by flag or environment variable.
    Given,
    /// It is the first of its name in `PATH`.
    Path,
}

/// The programs to use, and the common settings of all their calls.
#[derive(Clone, Debug)]
pub struct Toolbox {
    /// Programs that the user has named: paths, or names to look up in `PATH`.
    pub given: BTreeMap<KnownTool, PathBuf>,
    /// Takes secrets out of what they print.
    pub redactor: Redactor,
    /// Ends what they are doing, when the user wants to stop.
    pub stop: CancellationToken,
    /// Receive the lines that they print.
    pub events: Events,
}

impl Default for Toolbox {
    fn default() -> Self {
        Self {
            given: BTreeMap::new(),
            redactor: Redactor::from_environment(),
            stop: CancellationToken::new(),
            events: Events::none(),
        }
    }
}

impl Toolbox {
    /// Finds a program, and refuses one that is too old.
    ///
    /// # Errors
    /// When there is none, it does not tell a version, or it is too old.
    pub async fn find(&self, known: KnownTool) -> Result<Tool, ToolError> {
        let (path, origin) = self.locate(known)?;
        let version = Version::new(0, 0, 0);
        let mut tool = Tool { known, path, origin, version };
        let question = ToolCommand::new(known.version_arguments().iter().copied());
        let answer = tool.run(&question.within(VERSION_TIMEOUT).keep_stdout(), self).await?;
        let Some(version) = version::find(&answer.stdout) else {
            let printed = self.redactor.text(answer.stdout.trim());
            return Err(ToolError::NoVersion {
                tool: known,
                path: tool.path,
                printed: short(&printed),
            });
        };
        let minimum = known.minimum();
        if !version::is_at_least(&version, &minimum) {
            return Err(ToolError::TooOld {
                tool: known,
                path: tool.path,
                found: version,
                minimum,
            });
        }
        tool.version = version;
        Ok(tool)
    }

    /// Returns where a program is.
    fn locate(&self, known: KnownTool) -> Result<(PathBuf, Origin), ToolError> {
        let not_found = |looked| Err(ToolError::NotFound { tool: known, looked });
        let Some(given) = self.given.get(&known) else {
            return match in_path(OsStr::new(known.name())) {
                Some(path) => Ok((path, Origin::Path)),
                None => not_found("it is in no folder of PATH".to_owned()),
            };
        };
        let is_name = given.components().count() == 1 && !given.is_absolute();
        let found = if is_name { in_path(given.as_os_str()) } else { Some(given.clone()) };
        match found {
            Some(path) if is_program(&path) => Ok((path, Origin::Given)),
            Some(path) if path.exists() => {
                not_found(format!("{} cannot be executed", path.display()))
            }
            Some(path) => not_found(format!("{} does not exist", path.display())),
            None => not_found(format!("{} is in no folder of PATH", given.display())),
        }
    }
}

/// The first program of this name in `PATH`. Relative folders of it are passed over.
fn in_path(name: &OsStr) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders = env::split_paths(&path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return "nothing".to_owned();
    }
    let mut short: String = line.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}
