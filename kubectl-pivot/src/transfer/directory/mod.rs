//! Backups and moves to and from a directory, in the format of `clusterctl move --to-directory`: one
//! file for each object, `<Kind>_<namespace>_<name>.yaml`, readable by clusterctl, and its files by
//! us. A backup has a manifest with checksums besides.

mod backup;
mod files;
#[cfg(test)]
mod fuzz_tests;
mod load;
mod manifest;
mod places;
mod plan_load;
mod save;
mod writer;

pub use backup::Destination;
pub(super) use backup::back_up;
pub use load::load;
pub use manifest::{MANIFEST, Manifest, SavedObject};
pub use plan_load::{LoadPlan, plan_load};
pub use save::{plan_save, save};
