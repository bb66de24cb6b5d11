//! What happens during a run, as events.
//!
//! Events know nothing of terminals; [`crate::render`] turns them into text.

mod event;

pub use event::{Event, Events};
