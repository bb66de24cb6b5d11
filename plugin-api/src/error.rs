//! The error that crosses the boundary between a plugin and its host.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The result of a plugin's method.
pub type PluginResult<T> = Result<T, PluginError>;

/// The error of a plugin, in a form that the host can show and act on.
///
/// `message` is a lowercase fragment without a full stop. `hint` says what the user can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PluginError {
    /// The kind of failure, for programs.
    pub code: ErrorCode,
    /// The failure, for people.
    pub message: String,
    /// The variable at fault, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// The next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Kinds of failure. A reader treats a code that it does not know as [`ErrorCode::Unknown`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The plugin does not know the method, usually because it is older than the host.
    UnknownMethod,
    /// The request could not be decoded, or contradicts itself.
    InvalidRequest,
    /// A variable was given that the plugin does not have.
    UnknownVariable,
    /// A variable has a value of the wrong type or outside its range.
    InvalidVariable,
    /// A required variable has no value.
    MissingVariable,
    /// The management cluster serves nothing that the plugin can render for.
    Unsupported,
    /// The plugin is a stub: it describes the provider and cannot do this.
    NotImplemented,
    /// The plugin panicked; the host lives.
    Panic,
    /// The plugin is at fault in another way.
    Internal,
    /// A code from a newer version of this interface.
    #[default]
    #[serde(other)]
    Unknown,
}

impl PluginError {
    /// An error of kind `code`.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), ..Self::default() }
    }

    /// Names the variable at fault.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>) -> Self {
        self.variable = Some(name.into());
        self
    }

    /// Says what the user can do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The request is not what the method expects.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    /// The management cluster serves nothing that the plugin can use.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unsupported, message)
    }

    /// The plugin is at fault.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PluginError {}
