//! Completion of command lines: scripts for shells, the answer to a shell or to kubectl, and the
//! values of flags.
//!
//! A script asks this program at each press of the tab key, so it never gets old. kubectl asks too,
//! in the protocol of cobra, by an executable named `kubectl_complete-pivot`. An answer takes no
//! longer than [`answer`] allows, and prints nothing but candidates.

mod answer;
mod command;
mod shell;
mod typed;
pub(super) mod values;

pub(super) use answer::is_answered;
pub(super) use command::{Args, EXAMPLES, run};
pub(super) use shell::files;
