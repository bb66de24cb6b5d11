//! Moving to and from a directory, in the format of `clusterctl move --to-directory`: one file for
//! each object, `<Kind>_<namespace>_<name>.yaml`, readable by clusterctl, and its files by us.

mod files;
mod load;
mod save;

pub use load::load;
pub use save::save;
