//! Harness of the end-to-end tests: control planes in pairs, populations, comparison of clusters,
//! and the two programs that are compared.

pub mod addon;
pub mod age;
pub mod arena;
pub mod authenticator;
pub mod bundle;
pub mod charts;
pub mod clouds;
pub mod console;
pub mod crew;
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
pub mod proxy;
pub mod recorder;
pub mod registry;
pub mod repository;
pub mod schemas;
pub mod suite;
pub mod terminal;
pub mod twins;
pub mod understudy;
mod wiping;
