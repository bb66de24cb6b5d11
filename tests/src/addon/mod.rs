//! The Helm add-on provider: its CRDs are real, its manager is played.

mod crds;
mod manager;

pub(crate) use crds::{installed, write};
pub use manager::{API_VERSION, INSTALLED, Outcome, accept, begin_release, end_release, kind};
