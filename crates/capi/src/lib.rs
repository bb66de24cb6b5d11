//! Cluster API as data: objects, resource types, labels, conditions and the owner graph.
//!
//! Nothing here talks to a cluster.

#![deny(clippy::indexing_slicing)]

mod chosen;
mod cluster;
mod condition;
mod field;
mod graph;
mod knowledge;
pub mod managed_fields;
pub mod names;
mod object;
pub mod references;
mod resource;
pub mod valid;
pub mod well_known;

pub use chosen::Chosen;
pub use cluster::{
    PAUSABLE, cluster_class_of, clusters_named_by, has_paused_annotation, is_cluster,
    is_cluster_class, is_custom_resource, is_machine, is_pausable, is_paused, is_resource_set,
    is_resumed_by_clusterctl, moves_its_hierarchy, reports_pause, unprovisioned_reason,
};
pub use condition::Condition;
pub use field::at;
pub use graph::{
    ClusterName, Fate, Graph, KeepReason, MoveKind, Node, NotChosen, Owner, OwnerCycle, Scope,
    Shared, Sharing, StayReason, Usage,
};
pub use knowledge::{Annotation, Companion, KindKnowledge, RestCondition};
pub use names::is_cluster_api;
pub use object::{Object, ObjectId, OwnerReference, group_of, set_field};
pub use resource::ResourceType;
