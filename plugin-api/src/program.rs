//! Calls of plugins that are programs, in any language: lines of JSON.
//!
//! The host starts the program without arguments, writes one [`ProgramCall`] as one line to its
//! standard input, and reads one [`ProgramReply`] as one line from its standard output. A program
//! answers every line until its input ends, and ends then. Standard error is its log.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::PluginError;

/// One line on the standard input of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProgramCall {
    /// The method, for example `render`.
    pub method: String,
    /// The request of the method.
    #[serde(default)]
    pub request: Value,
}

/// One line on the standard output of a program: an answer or an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ProgramReply {
    /// The answer of the method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// The reason why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<PluginError>,
}
