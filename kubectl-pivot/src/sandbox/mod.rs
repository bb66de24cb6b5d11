//! Local control planes: real etcd and kube-apiserver processes on loopback, for `sandbox`, `demo`,
//! rehearsals and tests.
//!
//! Three layers, each usable without the one below it in this list:
//!
//! * [`Parts`] finds the programs (assets folder, cache) or builds them from pinned Go modules;
//! * [`ControlPlane`] is one etcd and one kube-apiserver that live as long as its handle;
//! * [`up`], [`list`] and [`down`] keep named groups of control planes that outlive the program.
//!
//! There are no controllers, no nodes and no containers here, and nothing is ever downloaded but Go
//! modules.

mod apiserver;
mod control_plane;
mod crds;
mod error;
mod etcd;
mod files;
pub mod fleet;
mod go;
mod http;
mod install;
mod kubeconfig;
mod part;
mod parts;
mod pki;
mod process;

pub use control_plane::{ControlPlane, ControlPlaneOptions};
pub use error::{ControlPlaneError, PartsError};
pub use part::Part;
pub use parts::{Parts, PartsOptions};
