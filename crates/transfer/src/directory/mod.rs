//! Backups and moves to and from a directory, in the format of `clusterctl move --to-directory`:
//! one file for each object, `<Kind>_<namespace>_<name>.yaml`, readable by clusterctl, and its
//! files by us. A backup has a manifest with checksums besides.

mod backup;
mod encryption;
mod encryption_error;
mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod inspect;
mod load;
mod manifest;
mod places;
mod plan_load;
mod save;
mod writer;

pub use backup::Destination;
pub(super) use backup::back_up;
pub use encryption::{Identities, Recipients};
pub use encryption_error::EncryptionError;
pub use inspect::{Contents, inspect};
pub use load::load;
pub use manifest::{Encryption, MANIFEST, Manifest, SavedObject};
pub use plan_load::{LoadPlan, plan_load};
pub use save::{plan_save, save};
