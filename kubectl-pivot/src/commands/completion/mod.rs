//! Completion of command lines: the files that it needs, and the names that it gets from a cluster.

mod error;
mod install;
mod names;

pub use error::CompletionError;
pub(super) use install::completer_in_path;
pub use install::{
    CompletionRequest, InstalledCompletion, ShellScript, completer_of_kubectl, completion_install,
};
pub use names::{ClusterName, cluster_names, namespace_names};
