//! `kubectl-pivot` as a library: moving Cluster API management clusters as a transaction.
//!
//! The binary is a thin shell around [`cli::run`]. Tests and other programs use the modules below
//! directly. `ARCHITECTURE.md` at the top of the repository has the map and the rules that hold
//! between the modules.

pub mod called;
pub mod cli;
pub mod commands;
pub mod panics;
pub mod render;
#[cfg(feature = "schema")]
pub mod schemas;
