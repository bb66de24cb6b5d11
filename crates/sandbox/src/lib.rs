//! Local control planes: real etcd and kube-apiserver processes on loopback, for `sandbox`, `demo`,
//! rehearsals and tests.
//!
//! Three layers, each usable without the one below it in this list:
//!
//! * [`Parts`] finds the programs (assets folder, cache), downloads them, or builds them from
//!   pinned Go modules;
//! * [`ControlPlane`] is one etcd and one kube-apiserver that live as long as its handle;
//! * [`Sandboxes`] are named groups of control planes that outlive the program if they are to.
//!
//! [`ControllersOptions`] adds Cluster API's controllers with the in-memory provider. There are no
//! nodes and no containers here.

mod apiserver;
mod control_plane;
mod controller_manager;
mod controllers;
mod crds;
mod error;
mod etcd;
mod files;
pub mod fleet;
mod go;
mod identity;
mod info;
mod install;
mod kubeconfig;
mod launch;
mod module_files;
mod part;
mod parts;
mod pinned_files;
mod pinned_program;
mod pki;
mod process;
pub mod provision;
mod record;
mod release;
mod released;
mod sandboxes;
mod sources;
mod up;
mod young_server;

pub use control_plane::{ControlPlane, ControlPlaneOptions};
pub use controllers::relay::{RelayError, RelayOptions, relay};
pub use controllers::{ControllersOptions, ManagerHost};
pub use error::{ControlPlaneError, FileError, PartsError, SandboxError};
pub use info::{ClusterInfo, ControllerInfo, SandboxInfo, SandboxState};
pub use part::{GoSum, Part, Wrapper};
pub use parts::{Parts, PartsFrom, PartsOptions};
pub use pinned_files::PinnedFiles;
pub use pinned_program::PinnedProgram;
pub use process::Process;
pub use release::Release;
pub use released::{DownloadError, Mirror};
pub use sandboxes::Sandboxes;
pub use up::{Sandbox, UpOptions, cluster_name};
