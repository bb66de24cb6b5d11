//! The protocol of a move as values and functions of values: no I/O, no clock, no client.
//!
//! - [`Phase`] and [`Step`]: how far a run has come, and what brings it further.
//! - [`Write`]: the kinds of writes, and the phases that allow them.
//! - [`OnResume`] and [`OnRollback`]: how `resume` and `rollback` treat a run in each phase.
//! - [`replay`]: checks the journal of a run against the machine.
//!
//! The models in `tests/models/` explore this machine together with the other writers of both
//! clusters: late requests, controllers, garbage collectors, GitOps tools, a second runner.

mod phase;
mod replay;
mod write;

pub use phase::{IllegalStep, OnResume, OnRollback, Phase, Refusal, Step};
pub use replay::{IllegalJournal, JournalEvent, replay};
pub use write::Write;
