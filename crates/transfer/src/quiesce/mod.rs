//! Waiting until controllers leave alone what moves: nothing asks the move to wait any more, and
//! the controllers have reported that they have seen the pause.

mod blocked;
mod conduct;
mod pending;
mod reports;

pub(super) use blocked::wait_until_unblocked;
pub use conduct::{Pauses, quiesce};
pub(super) use reports::wait_for_reports;
