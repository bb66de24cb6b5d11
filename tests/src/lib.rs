//! Harness of the end-to-end tests.

pub mod plugins;
pub mod processes;
pub mod program;
