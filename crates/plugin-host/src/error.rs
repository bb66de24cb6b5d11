//! Errors of plugins that cannot be used, or could not answer.

use std::borrow::Cow;
use std::path::PathBuf;

use kubectl_pivot_plugin_api::{ABI_LEVEL, PROTOCOL, PluginError, ProtocolVersion};
use own_files::PermissionProblem;

use super::file::HeaderProblem;
use super::form::Form;

/// Problems of the library or the program of a plugin.
#[derive(Debug, thiserror::Error)]
pub enum PluginFileError {
    /// The file cannot be read.
    #[error("cannot read the plugin {}", path.display())]
    Read {
        /// The library.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Someone else could have changed the file.
    #[error("the plugin {} is not safe to load", path.display())]
    Permissions {
        /// The library.
        path: PathBuf,
        /// The cause.
        source: PermissionProblem,
    },
    /// The file cannot be used on this machine; opening it could end the process.
    #[error("the plugin {} is not a {form} for this machine", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// The form that it should have.
        form: Form,
        /// The cause.
        source: HeaderProblem,
    },
    /// The file is not the one that was trusted.
    #[error("the plugin {} is not trusted: its sha256 is {found}, and {expected}", path.display())]
    Untrusted {
        /// The library.
        path: PathBuf,
        /// The hash.
        found: String,
        /// Statement of the lock file, as a sentence fragment.
        expected: String,
    },
    /// The operating system refuses to open the file.
    #[error("cannot open the plugin {}: {reason}", path.display())]
    Open {
        /// The library.
        path: PathBuf,
        /// Message of the operating system.
        reason: String,
    },
    /// The file is a library, and not a plugin of ours.
    #[error("{} is a library but not a plugin: it exports no plugin header", path.display())]
    NotAPlugin {
        /// The library.
        path: PathBuf,
    },
    /// The plugin was built against another binary interface.
    #[error("the plugin {} has an incompatible binary interface: {reason}", path.display())]
    Abi {
        /// The library.
        path: PathBuf,
        /// The last part of what the check says; all of it goes to the log.
        reason: String,
    },
    /// The plugin was built for another level of the binary interface.
    #[error("the plugin {} has ABI level {found}, this program has {ABI_LEVEL}", path.display())]
    AbiLevel {
        /// The library.
        path: PathBuf,
        /// The plugin's level.
        found: u32,
    },
    /// One panic in the plugin would end this program.
    #[error("the plugin {} was built with panic = \"abort\"", path.display())]
    PanicAbort {
        /// The library.
        path: PathBuf,
    },
    /// The plugin speaks another major version of the messages.
    #[error(
        "the plugin {} speaks protocol {found}, this program speaks {PROTOCOL}", path.display()
    )]
    Protocol {
        /// The library.
        path: PathBuf,
        /// The plugin's version.
        found: ProtocolVersion,
    },
    /// The plugin needs what only a newer program knows.
    #[error(
        "the plugin {} requires a program that speaks protocol {required}, this one speaks \
         {PROTOCOL}",
        path.display()
    )]
    Host {
        /// The library.
        path: PathBuf,
        /// The version that it requires.
        required: ProtocolVersion,
    },
    /// The plugin is not the one that its description or the user names.
    #[error("the plugin {} calls itself `{said}`, not `{expected}`", path.display())]
    Misnamed {
        /// The library.
        path: PathBuf,
        /// The plugin's own name.
        said: String,
        /// The name under which it was found.
        expected: String,
    },
    /// The plugin has a name that cannot be that of a file.
    #[error("the plugin {} gives itself the name `{said}`, which is not valid", path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// The plugin's own name.
        said: String,
    },
    /// The plugin cannot say who it is.
    #[error("the plugin {} does not give its name", path.display())]
    Info {
        /// The library.
        path: PathBuf,
        /// The cause.
        source: Box<CallError>,
    },
}

impl PluginFileError {
    /// Returns what the user can do.
    pub fn hint(&self) -> Cow<'static, str> {
        let hint = match self {
            Self::Read { .. } => "check the path and your permissions",
            Self::Permissions { source, .. } => return source.hint().into(),
            Self::Header { .. } => "get the plugin again, built for this machine",
            Self::Untrusted { .. } => {
                "if you trust its origin, run `kubectl pivot plugin trust NAME`"
            }
            Self::Open { reason, .. } if reason.contains("GLIBC") => {
                "it was built for a newer system: its author has to build it on the oldest one \
                 that it is to run on"
            }
            Self::Open { .. } if cfg!(target_os = "macos") => {
                "run `otool -L FILE` to see which libraries it needs; link in those beside it, \
                 since the loader does not look there"
            }
            Self::Open { .. } => {
                "run `ldd FILE` to see which libraries it needs; link in those beside it, since \
                 the loader does not look there"
            }
            Self::Misnamed { .. } => "install it again with `kubectl pivot plugin install FILE`",
            Self::Name { .. } => {
                "report this to its author: a plugin name is lowercase words joined by hyphens, of \
                 at most 63 characters"
            }
            Self::NotAPlugin { .. } => {
                "its author has to export a plugin, in Rust with `export_plugin!`; a plugin in \
                 another language is a program, and not a library"
            }
            Self::PanicAbort { .. } => "build it with panic = \"unwind\"",
            Self::AbiLevel { .. } | Self::Abi { .. } | Self::Protocol { .. } => {
                "get a version of the plugin for this version of kubectl-pivot"
            }
            Self::Host { .. } => "use a newer kubectl-pivot, or an older version of the plugin",
            Self::Info { .. } => {
                "run `kubectl pivot plugin check FILE` and report the result to its author"
            }
        };
        hint.into()
    }
}

/// The reason why a plugin that is loaded did not give a usable answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The plugin answers with an error of its own.
    #[error("plugin `{plugin}` cannot answer `{method}`")]
    Refused {
        /// Name of the plugin.
        plugin: String,
        /// The method.
        method: String,
        /// The plugin's error. May carry a hint.
        source: Box<PluginError>,
    },
    /// The answer is not what the method promises.
    #[error("plugin `{plugin}` ({}) gives an unusable answer to `{method}`", path.display())]
    Answer {
        /// Name of the plugin.
        plugin: String,
        /// The library.
        path: PathBuf,
        /// The method.
        method: String,
        /// Position at which the answer stops making sense.
        source: serde_json::Error,
    },
    /// The plugin is of another kind.
    #[error("plugin `{plugin}` has the kind {found}, not {wanted}")]
    Kind {
        /// Name of the plugin.
        plugin: String,
        /// The kind that is needed.
        wanted: &'static str,
        /// The kind that it is.
        found: &'static str,
    },
}

impl CallError {
    /// Returns what the user can do.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused { source, .. } => source.hint.as_deref(),
            Self::Answer { .. } => {
                Some("run `kubectl pivot plugin check FILE` and report the result to its author")
            }
            Self::Kind { .. } => Some("see `kubectl pivot plugin list` for the kinds"),
        }
    }
}
