//! The ground floor, which every other crate may use: events and their journal, YAML, texts that
//! are safe to show.
//!
//! Knows nothing of clusters, of terminals, or of Cluster API.

pub mod causes;
pub mod duration;
pub mod embedded;
pub mod file_lock;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod journal;
pub mod panics;
pub mod redact;
pub mod visible;
pub mod yaml;
