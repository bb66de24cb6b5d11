//! Facts about kinds that plugins know and no API server tells: an annotation that pauses their
//! objects, a status that goes along, companions, conditions of rest.
//!
//! The trusted plugins of the source's infrastructure providers are asked once for each run. What
//! they say is in the record of the run, so that a process which resumes it needs no plugin. A
//! plugin that cannot be used is a warning: the move continues as if it had nothing to say.

mod check;
mod learn;
mod learned;
mod status;

pub(crate) use check::check;
pub(crate) use learn::learn;
pub use learned::Learned;
pub(crate) use status::{carry, lost_status};
