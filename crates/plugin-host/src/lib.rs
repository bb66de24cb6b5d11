//! Plugins: find, describe, trust, load, call.
//!
//! Opening a library runs its code, so everything up to the decision to trust it works on names,
//! sidecar files and bytes: [`Registry::scan`] never loads anything. A plugin that is broken stays
//! in the list with its reason, and the others work. Libraries are never unloaded, because
//! nothing could tell whether something of theirs is still in use.
//!
//! Nothing here prints, and no wait happens here: plugins are pure and synchronous.

mod call;
mod error;
mod file;
mod found;
mod guarded;
mod install;
mod load;
mod lock;
mod place;
mod providers;
mod registry;
mod search;
mod sidecar;
mod write;

pub use call::{CniPlugin, InfrastructurePlugin, Invoke, Plugin};
pub use error::{CallError, PluginFileError};
pub use file::{HeaderProblem, PluginFile, Sha256};
pub use found::{Found, Trust};
pub use install::{InstallError, Installed, install, remove, trust, trust_as};
pub use kubectl_pivot_own_files::PermissionProblem;
pub use lock::{Lock, LockError};
pub use registry::{LoadError, Registry, SelectError};
pub use search::{FOLDERS_VARIABLE, Origin, SearchError, SearchFolder, SearchPath, user_folder};
pub use sidecar::{Sidecar, SidecarError};
