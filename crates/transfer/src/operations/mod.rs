//! Operations as data: pure functions plan what a run does to which object, in which order, and one
//! executor carries it out.
//!
//! `operation` says what an operation is, `plan` makes stages of a graph, `executor` carries a
//! stage out: several operations at once, and none without the lock. A dry-run lists what the same
//! planners have planned.

mod executor;
mod operation;
pub(super) mod plan;

pub(super) use executor::{Executor, patiently};
pub use operation::{Action, ObjectOperation, Precondition};
