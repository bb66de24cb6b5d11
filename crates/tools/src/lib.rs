//! kind, clusterctl, helm, docker and kubectl: other programs, all run in one way.
//!
//! [`Toolbox::find`] resolves a program (flag, environment, `PATH`), asks its version and compares it
//! with the oldest that is known to work. [`Tool::run`] starts it in a process group of its own,
//! copies what it prints to a log file without secrets, and ends it when the user stops, when its
//! time is over, or when this program dies. What the programs are asked to do is decided elsewhere.

mod capture;
mod command;
mod environment;
mod error;
mod find;
mod group;
mod known;
mod run;
#[cfg(test)]
mod tests;
mod version;

pub use command::ToolCommand;
pub use environment::withheld;
pub use error::{Ending, ToolError, ToolFailure};
pub use find::{Origin, Tool, Toolbox};
pub use group::Group;
pub use known::KnownTool;
pub use run::Output;
