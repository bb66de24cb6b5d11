//! Harness of the end-to-end tests: control planes in pairs, populations, comparison of clusters,
//! and the two programs that are compared.

pub mod addon;
pub mod age;
pub mod authenticator;
pub mod bundle;
pub mod charts;
mod cleanup;
pub mod clouds;
pub mod console;
pub mod deviation;
pub mod dump;
pub mod files_server;
pub mod history;
pub mod journals;
pub mod krew;
pub mod kubelet;
pub mod linter;
pub mod older;
pub mod oracle;
pub mod parts;
pub mod plugins;
pub mod pods;
pub mod policy;
pub mod population;
pub mod processes;
pub mod program;
pub mod proxied_pair;
pub mod proxy;
pub mod real_managers;
pub mod recorder;
pub mod registry;
pub mod repository;
pub mod schemas;
pub mod simulated_controllers;
pub mod suite;
pub mod terminal;
pub mod twins;
