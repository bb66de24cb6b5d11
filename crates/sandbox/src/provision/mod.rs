//! A fleet that controllers really provision: clusters of the in-memory provider, one control plane
//! machine each, created as a user would and then waited for.
//!
//! The counterpart of `fleet`, which writes what controllers would have left.

mod available;
mod create;
mod manifests;

pub use available::wait_until_available;
pub use create::provision;
