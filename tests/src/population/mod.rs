//! The populations of source clusters: one file for each, over a small language of
//! object_specs that refer to each other by handle, so that twins get the same objects under other uids.

pub mod class;
pub mod complete;
pub mod crds;
mod create;
pub mod dashes;
mod helm;
pub mod identity;
pub mod ipam;
pub mod labels;
pub mod large;
mod object_spec;
pub mod old_version;
pub mod pools;
pub mod random;
pub mod resource_set;
pub mod shapes;
pub mod shared;
pub mod unlabelled;

pub use create::{CreateError, Population};
pub use object_spec::{Handle, ObjectSpec, made_up_uid};
