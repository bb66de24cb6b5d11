//! Merging the target's cluster, user and context into the kubeconfig of the user, for
//! `--merge-kubeconfig`.
//!
//! Follows `kubectl config`: the files of `$KUBECONFIG`, else `~/.kube/config`; an entry is
//! replaced in the file that has it, a new one goes into the first file that exists; files are
//! locked by a file beside them. Entries of other clusters are never touched, and the current
//! context of the user stays, if there is one.

mod access;
mod config;
mod error;
mod files;
mod lock;
mod merge;

pub(super) use access::{Access, Names};
pub use error::UserKubeconfigError;
pub(super) use merge::{Merged, check, merge, preview};
