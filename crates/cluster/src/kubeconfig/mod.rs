//! Kubeconfigs by the rules of client-go, so that this program reaches each cluster that kubectl
//! reaches, by the same way and as the same user.

mod config;
mod document;
mod merged;
mod reference;
mod server;
mod usable;
mod user;

pub use reference::{KubeconfigProblem, KubeconfigRef};
