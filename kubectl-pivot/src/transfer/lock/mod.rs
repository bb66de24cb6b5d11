//! The lock of a run: a Lease on each cluster, renewed while the run goes on, that also carries the
//! run's record. One run at a time for a cluster, whichever end of the move it is.

mod keeper;
mod lease;

pub use keeper::{AdvanceError, Lock, Place};
pub use lease::{Holder, Lease, LeaseState, LockError, of_files, read};
