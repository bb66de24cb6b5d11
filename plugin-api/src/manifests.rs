//! Kubernetes objects that a plugin rendered.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Objects to apply, in this order, and what the user should know about them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Manifests {
    /// Whole objects: `apiVersion`, `kind`, `metadata` with a name, and so on.
    pub objects: Vec<Value>,
    /// Sentences for the user, for example that a kind is deprecated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl From<Vec<Value>> for Manifests {
    fn from(objects: Vec<Value>) -> Self {
        Self { objects, notes: Vec::new() }
    }
}
