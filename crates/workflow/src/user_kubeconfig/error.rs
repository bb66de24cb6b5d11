//! Errors of merging into the user's kubeconfig.

use std::io;
use std::path::PathBuf;

/// Errors of merging into the user's kubeconfig. No variant has anything of its content but
/// names and URLs.
#[derive(Debug, thiserror::Error)]
pub enum UserKubeconfigError {
    /// There is no place for one.
    #[error("there is no kubeconfig to merge into: neither KUBECONFIG nor HOME is set")]
    NoPlace,
    /// A file cannot be read or written.
    #[error("cannot {action} the kubeconfig {}", path.display())]
    File {
        /// The action that failed.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file is no kubeconfig.
    #[error("cannot use the kubeconfig {}: {problem}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: String,
    },
    /// A name is that of something else.
    #[error("the kubeconfig {} has a {kind} `{name}` already, {what}", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
        /// `cluster`, `user` or `context`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The kind of file that it is instead.
        what: String,
    },
    /// Another program writes to it, or has left its lock.
    #[error("the kubeconfig {} is locked: {} is there", path.display(), lock.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// The file that locks it.
        lock: PathBuf,
    },
}

impl UserKubeconfigError {
    /// Returns the next step for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::NoPlace => "set KUBECONFIG, or leave out --merge-kubeconfig".to_owned(),
            Self::File { .. } => {
                "check its permissions and the free space, or set KUBECONFIG to another file"
                    .to_owned()
            }
            Self::Invalid { .. } => "fix it, or set KUBECONFIG to another file".to_owned(),
            Self::Taken { kind, name, .. } => format!(
                "rename it, or remove it with `kubectl config delete-{kind} {name}`; or leave out \
                 --merge-kubeconfig"
            ),
            Self::Locked { lock, .. } => {
                format!("if no other program is writing to it, remove {}", lock.display())
            }
        }
    }
}
