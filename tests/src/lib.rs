//! Harness of the end-to-end tests.

pub mod processes;
pub mod program;
