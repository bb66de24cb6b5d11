//! Kubernetes objects that a plugin rendered.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::template::ClusterctlTemplate;

/// Objects to apply, in this order, and what the user should know about them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Manifests {
    /// Whole objects: `apiVersion`, `kind`, `metadata` with a name, and so on.
    pub objects: Vec<Value>,
    /// A template of the provider; its objects come before those above. Since protocol 1.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<ClusterctlTemplate>,
    /// Sentences for the user, for example that a kind is deprecated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl From<Vec<Value>> for Manifests {
    fn from(objects: Vec<Value>) -> Self {
        Self { objects, ..Self::default() }
    }
}

impl From<ClusterctlTemplate> for Manifests {
    fn from(template: ClusterctlTemplate) -> Self {
        Self { template: Some(template), ..Self::default() }
    }
}
