//! Named sandboxes that cannot be started, found or ended.

use std::path::PathBuf;

use super::{ControlPlaneError, FileError, PartsError};
use crate::release::Release;

/// A named sandbox could not be started, found or ended.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Not a DNS label, or too long.
    #[error(
        "{name:?} is not a valid name of a sandbox; use at most 40 lowercase letters, digits and \
         dashes"
    )]
    InvalidName {
        /// The name.
        name: String,
    },
    /// One of that name runs.
    #[error("sandbox {name} is running already")]
    AlreadyRunning {
        /// The name.
        name: String,
    },
    /// Another process holds that name.
    #[error("sandbox {name} is being started or used by another process")]
    Busy {
        /// The name.
        name: String,
    },
    /// None of that name exists.
    #[error("no sandbox is named {name}{}", known_names(known))]
    NotFound {
        /// The name.
        name: String,
        /// Those that do exist.
        known: Vec<String>,
    },
    /// A version is given for a cluster that the sandbox does not have.
    #[error("the sandbox has no cluster {name}, which --capi-version names")]
    NoSuchCluster {
        /// The name.
        name: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// Two versions are given for a cluster.
    #[error("two versions of Cluster API are given for cluster {name}")]
    TwoVersions {
        /// The name.
        name: String,
    },
    /// A fleet is wanted where its version is not served.
    #[error("Cluster API {release} does not serve v1beta2, which the objects of a fleet need")]
    NoFleet {
        /// The version of the first cluster.
        release: Release,
    },
    /// The user has no state folder (no `HOME`).
    #[error("there is no folder for sandboxes: neither KUBECTL_PIVOT_STATE_DIR nor HOME is set")]
    NoStateFolder,
    /// A file of a sandbox could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The record of a sandbox is damaged or of a newer version.
    #[error("cannot understand {}: {message}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The problem.
        message: String,
    },
    /// Processes survived even SIGKILL for seconds.
    #[error("cannot end sandbox {name}: these processes still run: {pids:?}")]
    WontEnd {
        /// The name.
        name: String,
        /// Their ids.
        pids: Vec<u32>,
    },
    /// A part could not be found or made.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// The controllers could not be started.
    #[error("the controllers of the sandbox could not be started")]
    Controllers(#[source] ControlPlaneError),
    /// The fixed port of the in-memory provider is taken.
    #[error("port {port} is in use, and the in-memory provider needs it")]
    ProviderPort {
        /// The port.
        port: u16,
    },
    /// The operating system does not tell where this program is, which is needed to start it again.
    #[error("cannot find this program's file")]
    Program(#[source] std::io::Error),
    /// One of the clusters failed.
    #[error("cluster {name} of the sandbox failed")]
    Cluster {
        /// `source`, `target`, `cluster-3`, …
        name: String,
        /// The cause.
        source: ControlPlaneError,
    },
}

impl SandboxError {
    /// Returns what the user can do about it, if anything is known to help.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::AlreadyRunning { name } => Some(format!(
                "use it as it is (`kubectl pivot sandbox list`), end it with `kubectl pivot \
                 sandbox down --name {name}`, or choose another name"
            )),
            Self::Busy { name } => Some(format!(
                "wait for the other process, or choose another name than {name}"
            )),
            Self::NotFound { .. } => {
                Some("`kubectl pivot sandbox list` shows all sandboxes".into())
            }
            Self::NoSuchCluster { known, .. } => Some(format!("it has {}", known.join(", "))),
            Self::TwoVersions { name } => Some(format!("name {name} once in --capi-version")),
            Self::NoFleet { .. } => Some(
                "leave out --fleet and apply objects of your own, or use a version from 1.11 on"
                    .into(),
            ),
            Self::NoStateFolder => Some("set KUBECTL_PIVOT_STATE_DIR to a folder of yours".into()),
            Self::File(_) => Some(
                "check permissions and free space, or set KUBECTL_PIVOT_STATE_DIR to another folder"
                    .into(),
            ),
            Self::Record { path, .. } => Some(format!(
                "use the kubectl-pivot that made it, or end its processes and delete {}",
                path.parent().unwrap_or(path).display()
            )),
            Self::Parts(error) => error.hint(),
            Self::Cluster { source, .. } | Self::Controllers(source) => source.hint(),
            Self::ProviderPort { .. } => Some(
                "one sandbox with controllers can run on a machine: `kubectl pivot sandbox list` \
                 shows yours, `kubectl pivot sandbox down --name NAME` ends one"
                    .into(),
            ),
            Self::InvalidName { .. } | Self::WontEnd { .. } | Self::Program(_) => None,
        }
    }
}

fn known_names(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(", only {}", names.join(", ")) }
}
