//! The populations of source clusters: one file for each, over a small language of
//! pieces that refer to each other by handle, so that twins get the same objects under other uids.

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
pub mod old_version;
mod piece;
pub mod pools;
pub mod random;
pub mod resource_set;
pub mod shapes;
pub mod shared;
pub mod strangers;

pub use create::{CreateError, Population};
pub use piece::{Handle, Piece, made_up_uid};
