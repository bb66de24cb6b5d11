//! A plugin that the tests of hosts build with panics that abort, so it has a file of its own.

#[path = "probing.rs"]
mod probing;
