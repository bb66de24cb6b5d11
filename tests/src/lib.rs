//! Harness of the end-to-end tests: control planes in pairs, populations, comparison of clusters,
//! and the two programs that are compared.

pub mod dump;
pub mod population;
