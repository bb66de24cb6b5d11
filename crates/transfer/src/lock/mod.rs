//! The lock of a run: a Lease on each cluster, renewed while the run lasts, that also carries the
//! run's record. One run at a time for a cluster, whichever end of the move it is.
//!
//! `observe` tells a dead holder from a living one, `lease` reads and writes one Lease, `keeper`
//! keeps those of a run and holds the gate that every write of the run passes.

mod acquire;
mod keeper;
mod lease;
mod observe;
mod terms;

pub use acquire::LeaseLocation;
pub(super) use keeper::Condition;
pub use keeper::{AdvanceError, Lock};
pub use lease::{Holder, Lease, LeaseState, LockError, of_files, read};
pub(super) use terms::Terms as LockTerms;
