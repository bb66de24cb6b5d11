//! `doctor`: whether this machine can create a management cluster. Looks, and changes nothing.
//!
//! One file for each group of checks. What is read from the machine and what is said of it are
//! apart: judgements are pure functions, so every one of them can be tested anywhere.

mod clusterctl_config;
mod completion;
mod diagnosis;
mod disk;
mod docker;
mod examine;
mod ipv6;
mod kernel;
mod memory;
mod platform;
mod registries;
mod repositories;
mod socket;
mod tools;

pub use clusterctl_config::ClusterctlConfigError;
pub use diagnosis::{CHECKS, Diagnosis, Health, HealthCheck};
pub use examine::{DoctorRequest, doctor, doubts};
