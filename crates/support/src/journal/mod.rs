//! Events of a run, and the journal that keeps them.
//!
//! Events know nothing of terminals; the program turns them into text. The journal is a file in
//! the user's state folder. No run needs it: what has to be known is in the clusters.

#![deny(clippy::indexing_slicing)]

mod event;
mod folder;
mod keep;
mod state;
mod store;

pub use event::{Event, Events, Lane, RunEvent};
pub use folder::state_folder;
pub use keep::keep;
pub use state::{Course, Done, Ended, IllegalEvent, PhaseState, RunState};
pub use store::{History, JournalError, Replay, Store, path, read, read_file};
