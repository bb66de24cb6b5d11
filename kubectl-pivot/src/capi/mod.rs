//! Cluster API as data: objects, resource types, labels, conditions and the owner graph.
//!
//! Nothing here talks to a cluster.

mod object;
mod resource;

pub use object::{Object, ObjectId, OwnerReference, group_of};
pub use resource::ResourceType;
