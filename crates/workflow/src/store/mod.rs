//! The local folder of a run: what was asked for, a journal, logs, kubeconfigs. All of it private.
//!
//! None of it decides what happens: the clusters do. It makes `resume` and `status` possible
//! without flags.

mod folder;
mod journal;
mod state;

pub(crate) use folder::kept_since_applied;
pub use folder::{RunFolder, StoreError, kept_run, runs};
pub use journal::JournalEvent;
pub use state::{RunState, StepState};
