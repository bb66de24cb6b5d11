//! Errors of packing, pushing and fetching artifacts.

use std::path::PathBuf;

use oci_client::errors::{OciDistributionError, OciErrorCode};
use plugin_host::{InstallError, SidecarError};

use crate::platform::Platform;
use crate::source::SourceError;

/// The reason why files are no artifact.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// No file was given.
    #[error("there is no file to package")]
    NoFile,
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is no plugin for a platform that has plugins.
    #[error("{} is built for no platform that has plugins", path.display())]
    Platform {
        /// The file.
        path: PathBuf,
    },
    /// A plugin for this machine does not say who it is.
    #[error(transparent)]
    Plugin(#[from] InstallError),
    /// A plugin for another machine cannot be asked, and has no description.
    #[error("{} cannot be run here, and nothing describes it", path.display())]
    Undescribed {
        /// The file.
        path: PathBuf,
        /// The problem of its description.
        source: SidecarError,
    },
    /// Two files are different plugins, or versions of one.
    #[error("{} is {found}, and the other files are {expected}", path.display())]
    Different {
        /// The file.
        path: PathBuf,
        /// Name and version of it.
        found: String,
        /// Name and version of the others.
        expected: String,
    },
    /// Two files are for the same platform.
    #[error("{} is the second file for {platform}", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The platform, or `every platform`.
        platform: String,
    },
}

impl PackError {
    /// Returns what the author can do.
    pub fn hint(&self) -> String {
        match self {
            Self::NoFile => "name the library or the program".to_owned(),
            Self::Io { .. } => "check the path and your permissions".to_owned(),
            Self::Platform { .. } => {
                "build it for Linux or macOS on amd64 or arm64; split a universal library with \
                 `lipo -thin arm64`"
                    .to_owned()
            }
            Self::Plugin(error) => error.hint().into_owned(),
            Self::Undescribed { path, .. } => format!(
                "package it together with the file for this machine, or put its description beside \
                 it as {}",
                path.with_extension("plugin.json").display()
            ),
            Self::Different { .. } => "package the files of one plugin and one version".to_owned(),
            Self::Twice { .. } => "give one file for each platform".to_owned(),
        }
    }
}

/// The reason why an artifact cannot be pushed or had.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The text names no artifact.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The registry refuses, or does not answer.
    #[error("cannot {verb} {at}")]
    Registry {
        /// The request as a verb, for example `read`.
        verb: &'static str,
        /// The artifact.
        at: String,
        /// The cause.
        source: Box<OciDistributionError>,
    },
    /// The registry did not answer in time.
    #[error("{at} did not answer within {seconds} s")]
    Silent {
        /// The artifact.
        at: String,
        /// The limit.
        seconds: u64,
    },
    /// The credentials were not given in time.
    #[error("the credential helper of docker did not answer for {host} within {seconds} s")]
    Credentials {
        /// The host of the registry.
        host: String,
        /// The limit.
        seconds: u64,
    },
    /// The artifact is something else.
    #[error("{at} is not a plugin of kubectl-pivot: {reason}")]
    NotAPlugin {
        /// The artifact.
        at: String,
        /// The problem.
        reason: String,
    },
    /// No file of the artifact is for this machine.
    #[error("{at} has no file for {}; it has {has}", Platform::host())]
    NoPlatform {
        /// The artifact.
        at: String,
        /// The platforms that it has.
        has: String,
    },
    /// The registry gave other bytes than those that the index names.
    #[error("{at} does not have the digest {expected}")]
    Digest {
        /// The artifact.
        at: String,
        /// The digest that was named.
        expected: String,
    },
}

impl ArtifactError {
    /// Returns what the user can do.
    pub fn hint(&self) -> String {
        match self {
            Self::Source(SourceError::NoVersion { text }) => {
                format!("name one, for example {text}:1.0.0")
            }
            Self::Source(SourceError::Malformed { .. }) => {
                "see `kubectl pivot plugin install --help`".to_owned()
            }
            Self::Registry { source, .. } => hint_of(source),
            Self::Silent { .. } => REACH.to_owned(),
            Self::Credentials { .. } => {
                "unlock it, or name a folder with another config.json in $DOCKER_CONFIG".to_owned()
            }
            Self::NotAPlugin { .. } => {
                "check the address; `kubectl pivot plugin package --push` makes such artifacts"
                    .to_owned()
            }
            Self::NoPlatform { .. } => "ask its author for a build for this machine".to_owned(),
            Self::Digest { .. } => {
                "do not use it: the registry, or someone between, has changed it".to_owned()
            }
        }
    }
}

const REACH: &str = "check the host, the proxy (HTTPS_PROXY, NO_PROXY) and the certificate \
                     (SSL_CERT_FILE names a file with authorities on Linux)";
const LOGIN: &str = "log in, for example with `docker login HOST`: the credentials are read from \
                     the configuration of docker ($DOCKER_CONFIG or ~/.docker/config.json)";
const ABSENT: &str = "check name and version; a version is the tag of the artifact";

fn hint_of(error: &OciDistributionError) -> String {
    let code = |wanted: OciErrorCode| match error {
        OciDistributionError::RegistryError { envelope, .. } => {
            envelope.errors.iter().any(|error| error.code == wanted)
        }
        _ => false,
    };
    match error {
        OciDistributionError::AuthenticationFailure(_)
        | OciDistributionError::UnauthorizedError { .. } => LOGIN,
        OciDistributionError::ImageManifestNotFoundError(_) => ABSENT,
        _ if code(OciErrorCode::Unauthorized) || code(OciErrorCode::Denied) => LOGIN,
        _ if code(OciErrorCode::ManifestUnknown) || code(OciErrorCode::NameUnknown) => ABSENT,
        _ => REACH,
    }
    .to_owned()
}
