//! The variables of a plugin.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One variable of a plugin: what users set with `--set NAME=VALUE`.
///
/// Build it with [`Variable::new`] and the `with_` methods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Variable {
    /// Lowercase words joined by hyphens, for example `worker-replicas`.
    pub name: String,
    /// The type of its value.
    #[serde(rename = "type")]
    pub kind: VariableType,
    /// One sentence for `plugin info`.
    pub description: String,
    /// Value when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// True if it must have a value. A required variable has no default.
    pub required: bool,
    /// True if its value must not be shown, logged or stored.
    pub secret: bool,
    /// Environment variable from which the host takes the value when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// The only values allowed, when there are any in this list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The smallest value of an integer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
}

/// Types of variables. A value may always be given as a string, as the command line does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum VariableType {
    /// Text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A list of strings; as a string: `a,b,c` or a JSON array.
    List,
    /// A list of IP ranges such as `192.168.0.0/16`, written as a list.
    CidrList,
    /// Any JSON value.
    Json,
    /// A type from a newer version of this interface: not checked.
    #[serde(other)]
    Unknown,
}

impl VariableType {
    /// The name used in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::CidrList => "cidr-list",
            Self::Json => "json",
            Self::Unknown => "unknown",
        }
    }
}

impl Variable {
    /// An optional variable without a default.
    pub fn new(name: &str, kind: VariableType, description: &str) -> Self {
        Self { name: name.to_owned(), kind, description: description.to_owned(), ..Self::default() }
    }

    /// Sets the value used when nothing is given.
    #[must_use]
    pub fn with_default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// Says that it must be given.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Says that its value must not be shown.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Names the environment variable to take it from.
    #[must_use]
    pub fn from_env(mut self, name: &str) -> Self {
        self.env = Some(name.to_owned());
        self
    }

    /// Restricts the values.
    #[must_use]
    pub fn one_of(mut self, choices: &[&str]) -> Self {
        self.choices = choices.iter().map(|&choice| choice.to_owned()).collect();
        self
    }

    /// Sets the smallest value.
    #[must_use]
    pub fn at_least(mut self, minimum: i64) -> Self {
        self.minimum = Some(minimum);
        self
    }

    /// Returns the places where its value can be set, for hints.
    pub fn where_to_set(&self) -> String {
        let flag = format!("`--set {}=VALUE`", self.name);
        match &self.env {
            Some(env) => format!("set it with {flag} or the environment variable {env}"),
            None => format!("set it with {flag}"),
        }
    }
}
