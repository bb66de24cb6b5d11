//! Waiting until controllers leave alone what moves: nothing asks the move to wait any more, and
//! the controllers have reported that they have seen the pause.

mod blocked;
mod pending;
mod reports;
mod wait;

pub(super) use blocked::wait_until_unblocked;
pub(super) use reports::wait_for_reports;
pub use wait::{Pauses, quiesce};
