//! YAML as kubectl and clusterctl read it (`sigs.k8s.io/yaml`), in one place.
//!
//! Whatever [`stream`] writes, [`documents`] and kubectl read back unchanged.

#![deny(clippy::indexing_slicing)]

mod place;
mod read;
mod write;

pub use place::{Place, place_of, wrong_in};
pub use read::{YamlError, documents, first_document, secret_document};
pub use write::{document, stream};
