//! Plugins: find, describe, trust, load, call.
//!
//! A plugin is a library, which is loaded, or a program, which is run for each call.
//! Opening either runs its code, so everything up to the decision to trust it works on names,
//! sidecar files and bytes: [`Registry::scan`] never loads anything. A plugin that is broken stays
//! in the list with its reason, and the others work. Libraries are never unloaded, because
//! nothing could tell whether something of theirs is still in use.
//!
//! Nothing here prints, and no wait happens here: plugins are pure and synchronous.

mod call;
mod error;
mod file;
mod form;
mod found;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod guarded;
mod install;
mod load;
mod lock;
mod pin;
mod place;
mod process;
mod program;
mod providers;
mod registry;
mod runnable;
mod search;
mod sidecar;
mod stderr;
mod watched;
mod write;

pub use call::{CniPlugin, InfrastructurePlugin, Invoke, Plugin};
pub use error::{CallError, PluginFileError};
pub use file::{HeaderProblem, PluginFile, Sha256};
pub use form::Form;
pub use found::{Found, Trust};
pub use install::{InstallError, Installed, describe, install, pin, remove, trust, trust_as};
pub use lock::{Lock, LockError};
pub use own_files::PermissionProblem;
pub use pin::Pin;
pub use registry::{LoadError, Registry, SelectError};
pub use search::{Origin, PartialPath, SearchError, SearchFolder, SearchPath, user_folder};
pub use sidecar::{Sidecar, SidecarError};
