//! The relay: what the in-memory provider takes for its API server, and what leads to the cluster
//! that has active Clusters.
//!
//! It is a process of its own, this program's hidden command `sandbox relay`, since a sandbox
//! outlives the one who has started it. It looks at Clusters only: it knows of no runs, records or
//! leases.

mod choice;
mod launch;
mod serve;
mod server;
mod versions;

pub(super) use launch::launch;
pub use serve::{RelayError, RelayOptions, relay};
