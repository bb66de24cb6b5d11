//! Makes what a release consists of: for each target an archive with the program and its plugins, a
//! bill of materials and checksums, and the manifests for krew.
//!
//! An archive is reproducible: its bytes depend on the sources, the toolchain and the time of the
//! commit, and on nothing else. The steps are functions, so that tests make archives of what they
//! have built themselves.

mod archive;
mod bill;
mod compile;
mod error;
mod floor;
mod layout;
mod manifest;
mod pages;
mod size;
mod source;
mod target;

pub use archive::{Archive, sha256};
pub use bill::bill_of_materials;
pub use compile::{Compiler, compile};
pub use error::DistError;
pub use floor::{FLOOR, GlibcVersion, required_glibc};
pub use layout::{Built, Entry, entries};
pub use manifest::{Manifest, UNRELEASED};
pub use size::{SIZE_LIMIT, size_of_program};
pub use source::Source;
pub use target::{TARGETS, Target};
