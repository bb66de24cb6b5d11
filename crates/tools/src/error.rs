//! Errors about other programs.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use semver::Version;

use super::known::KnownTool;

/// The reason why a program was of no use.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is nowhere.
    #[error("{tool} was not found: {looked}")]
    NotFound {
        /// The program.
        tool: KnownTool,
        /// The place where it was looked for.
        looked: String,
    },
    /// It is older than what this program has been made for.
    #[error("{tool} at {} is version {found}, and {minimum} or newer is needed", path.display())]
    TooOld {
        /// The program.
        tool: KnownTool,
        /// The path.
        path: PathBuf,
        /// The version.
        found: Version,
        /// The oldest accepted.
        minimum: Version,
    },
    /// It ends well, and prints no version: it is probably another program.
    #[error("{tool} at {} prints no version, but: {printed}", path.display())]
    NoVersion {
        /// The program.
        tool: KnownTool,
        /// The path.
        path: PathBuf,
        /// The beginning of what it prints.
        printed: String,
    },
    /// A call failed.
    #[error(transparent)]
    Failed(Box<ToolFailure>),
}

/// A call that failed.
#[derive(Debug)]
pub struct ToolFailure {
    /// The program.
    pub tool: KnownTool,
    /// The call as a user would type it.
    pub line: String,
    /// The end.
    pub ending: Ending,
    /// The last lines of standard error, without secrets.
    pub stderr_tail: Vec<String>,
    /// The file with all of it.
    pub log: Option<PathBuf>,
}

/// The bad end of a call.
#[derive(Debug)]
pub enum Ending {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was ended after this time.
    TimedOut(Duration),
    /// It was ended because the user wanted to stop.
    Interrupted,
    /// It printed more than this many bytes.
    TooMuchOutput(usize),
    /// It was not started, because one of its arguments is a secret that others could see.
    SecretInArguments,
    /// It could not be started, or its output could not be read or written down.
    Io(io::Error),
}

impl ToolError {
    /// Returns whether the user wanted it.
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Failed(failure) if matches!(failure.ending, Ending::Interrupted))
    }

    /// Returns what the user can do.
    pub fn hint(&self) -> String {
        let choose =
            |tool: &KnownTool| format!("choose another one with --{tool} or {}", tool.variable());
        match self {
            Self::NotFound { tool, .. } => format!(
                "it {}; install it ({}), or {}",
                tool.purpose(),
                tool.home_page(),
                choose(tool)
            ),
            Self::TooOld { tool, .. } => {
                format!("install a newer one ({}), or {}", tool.home_page(), choose(tool))
            }
            Self::NoVersion { tool, .. } => {
                format!("this may be another program named {tool}; {}", choose(tool))
            }
            Self::Failed(failure) => failure.hint(),
        }
    }
}

impl ToolFailure {
    fn hint(&self) -> String {
        let log = self.log.as_ref().map(|log| format!("its whole output is in {}", log.display()));
        let advice = match &self.ending {
            Ending::TimedOut(_) => {
                "wait longer with --timeout, or run the command by hand to see what it waits for"
            }
            Ending::SecretInArguments => "this is a bug of kubectl-pivot; please report it",
            Ending::Io(_) => "run the command by hand to see more",
            _ => "",
        };
        let parts = [Some(advice.to_owned()).filter(|advice| !advice.is_empty()), log];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            "run the command by hand to see more".to_owned()
        } else {
            parts.join("; ")
        }
    }
}

impl std::error::Error for ToolFailure {}

impl fmt::Display for ToolFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.line, self.ending)?;
        if !self.stderr_tail.is_empty() {
            write!(f, "; its last words:")?;
            for line in &self.stderr_tail {
                write!(f, "\n  | {line}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "failed with exit code {code}"),
            Self::Signal(signal) => write!(f, "was killed by signal {signal}"),
            Self::TimedOut(after) => {
                write!(f, "did not end within {} s and was stopped", after.as_secs_f64())
            }
            Self::Interrupted => f.write_str("was stopped by you"),
            Self::TooMuchOutput(limit) => write!(f, "printed more than {limit} bytes"),
            Self::SecretInArguments => {
                f.write_str("was not started: it has a secret in its arguments")
            }
            Self::Io(error) => write!(f, "could not be run: {error}"),
        }
    }
}
