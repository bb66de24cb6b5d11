//! Plugins as artifacts of an OCI registry: pack, push, resolve, fetch.
//!
//! An artifact is one image index with one manifest for each platform. The configuration of a
//! manifest is the description of the plugin (its sidecar), its only layer the library or the
//! program. Any registry takes it, and any tool for OCI artifacts can copy it.
//!
//! Nothing here is trusted and nothing here runs a plugin, except [`pack`], which asks the plugins
//! of this machine who they are. Who may trust what is decided by `plugin-host` and the user.

mod artifact;
mod credentials;
mod error;
mod form;
mod pack;
mod platform;
mod registry;
mod resolve;
mod signature;
mod source;

pub use artifact::{Artifact, ArtifactFile};
pub use error::{ArtifactError, PackError};
pub use pack::{Package, pack};
pub use platform::Platform;
pub use registry::Registry;
pub use signature::{Key, KeyError};
pub use source::{Source, SourceError};
