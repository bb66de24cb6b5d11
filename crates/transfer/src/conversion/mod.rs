//! Kinds that the target stores at another version than the source: what their conversion does to
//! objects.
//!
//! The provider's own webhook converts, this program does not. Here the target's answers are
//! compared with the objects that were sent: every difference is one that Cluster API is known to
//! make, or the move is refused.

mod changes;
mod duration;
mod expected;
mod judge;
mod known;
mod report;

pub(super) use expected::{as_stored, same_as_stored, without_data, without_fleeting_data};
pub use judge::AcceptedLoss;
pub(super) use judge::judge;
pub(super) use report::{Converted, hint};
pub use report::{ConvertedField, ConvertedKind};
