//! Control planes that cannot be started, used or stopped.

use std::path::PathBuf;

use super::{FileError, PartsError};

/// A control plane could not be started, used or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ControlPlaneError {
    /// A part was missing or its files were unusable.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// A file of the control plane could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// No free port, or no loopback interface.
    #[error("cannot find a free port on 127.0.0.1")]
    Port(#[source] std::io::Error),
    /// Certificates or keys could not be made.
    #[error("cannot make certificates for the control plane")]
    Certificates(#[from] rcgen::Error),
    /// A process could not be started at all.
    #[error("cannot run {program}")]
    Spawn {
        /// The part.
        program: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A process ended although it should have kept running.
    #[error("{program} stopped while starting: {log_tail} (log: {})", log.display())]
    Died {
        /// The part.
        program: String,
        /// The log file.
        log: PathBuf,
        /// The last lines of the log.
        log_tail: String,
    },
    /// The API server did not become ready.
    #[error("{url} was not ready after {seconds} s, last seen: {last_seen} (log: {})",
        log.display())]
    NotReady {
        /// The API server.
        url: String,
        /// The time that was waited.
        seconds: u64,
        /// The last answer.
        last_seen: String,
        /// The log file.
        log: PathBuf,
    },
    /// The API server refused to do something needed for the set-up.
    #[error("cannot {action}: {message}")]
    Setup {
        /// The action, for example `create the CRD clusters.cluster.x-k8s.io`.
        action: String,
        /// The answer.
        message: String,
    },
}

impl ControlPlaneError {
    /// Returns what the user can do about it, if anything is known to help.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Parts(error) => error.hint(),
            Self::File(_) => Some("check permissions and free space of that folder".into()),
            Self::Spawn { .. } => Some("check that the file is a program for this machine".into()),
            Self::Died { log, .. } | Self::NotReady { log, .. } => Some(format!(
                "read {}; a machine short of memory or disk is the usual reason",
                log.display()
            )),
            Self::Port(_) | Self::Certificates(_) | Self::Setup { .. } => None,
        }
    }
}
