//! A fleet: any number of clusters that look fully provisioned, for rehearsals, demos and tests.
//!
//! Every object carries what the controllers of Cluster API 1.14 and its Docker provider leave
//! behind: owner references, finalizers, labels, status, conditions, and the field managers of the
//! user, the owning controllers (server-side apply) and the reconcilers (`manager`, updates). The
//! writes are real requests of those managers, so `managedFields` is the API server's own work.
//!
//! There are no controllers, machines or nodes behind it, certificates and tokens are random bytes,
//! there is no condition `Paused`, which a move would wait for in vain, and only a bare API server
//! with the custom resource definitions is needed.

mod belongings;
mod blueprint;
mod cluster;
mod control_plane;
mod create;
mod kinds;
mod machine;
mod material;
mod names;
mod options;
mod parts;
mod plan;
mod secrets;
mod workers;
mod write;

pub use create::create;
pub(super) use options::validate;
pub use options::{FleetError, FleetOptions, FleetSummary};
