//! `kubectl-pivot` as a library: moving Cluster API management clusters as a transaction.
//!
//! The binary is a thin shell around [`cli::run`]. Tests and other programs use the modules below
//! directly. `ARCHITECTURE.md` at the top of the repository has the map and the rules that hold
//! between the modules.

pub mod blueprint;
pub mod called;
pub mod capi;
pub mod causes;
pub mod cli;
pub mod cluster;
pub mod commands;
#[cfg(test)]
mod fuzz;
pub mod journal;
pub mod panics;
pub mod plugins;
pub mod probes;
pub mod render;
pub mod sandbox;
pub mod tools;
pub mod transfer;
pub mod visible;
pub mod workflow;
pub mod yaml;
