//! Cluster API as data: objects, resource types, labels, conditions and the owner graph.
//!
//! Nothing here talks to a cluster.
