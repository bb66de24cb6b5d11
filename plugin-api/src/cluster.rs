//! The cluster that an infrastructure plugin is asked about.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::protocol::Host;

/// The target cluster to be, and what the management cluster understands.
///
/// The request of `providers`, `bootstrap`, `render` and `cni`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClusterRequest {
    /// Name of the Cluster.
    pub name: String,
    /// Namespace of all objects.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// Kubernetes version of the machines, for example `v1.33.0`. The plugin decides if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes_version: Option<String>,
    /// Values that the user set, by variable name. Defaults are not filled in.
    #[serde(default)]
    pub variables: Map<String, Value>,
    /// Kinds of Cluster API that the management cluster serves. Empty if that is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub served: Vec<ServedKind>,
    /// Version of Cluster API, for example `v1.14.2`; used where `served` is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capi_version: Option<String>,
    /// The program that asks; it fills this in itself. Since protocol 1.1.
    #[serde(default)]
    pub host: Host,
}

/// A kind that an API server serves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ServedKind {
    /// API group, for example `cluster.x-k8s.io`.
    pub group: String,
    /// Kind, for example `Cluster`.
    pub kind: String,
    /// Versions served, for example `["v1beta2", "v1beta1"]`, in any order.
    pub versions: Vec<String>,
}

impl Default for ClusterRequest {
    fn default() -> Self {
        Self {
            name: String::new(),
            namespace: default_namespace(),
            kubernetes_version: None,
            variables: Map::new(),
            served: Vec::new(),
            capi_version: None,
            host: Host::default(),
        }
    }
}

impl ClusterRequest {
    /// A request for the cluster `name` in the namespace `default`, all else left open.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The entry of `served` for a kind.
    pub fn served_kind(&self, group: &str, kind: &str) -> Option<&ServedKind> {
        self.served.iter().find(|served| served.group == group && served.kind == kind)
    }
}

fn default_namespace() -> String {
    "default".to_owned()
}
