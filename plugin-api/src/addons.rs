//! Parts of a cluster that are installed after its network: the cloud controller manager, storage.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cluster::ServedKind;
use crate::cni::{CniCluster, HelmChart};
use crate::probe::Probe;
use crate::protocol::Host;

/// The request of `addons`. Since protocol 1.2.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct AddonsRequest {
    /// The cluster that gets them, as its objects describe it.
    pub cluster: CniCluster,
    /// Values that the user set, by variable name. Defaults are not filled in.
    pub variables: Map<String, Value>,
    /// Kinds of Cluster API that the management cluster serves. Empty if that is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub served: Vec<ServedKind>,
    /// The program that asks; it fills this in itself.
    pub host: Host,
}

/// The answer to `addons`: what is installed in the target after its network and before its
/// providers, one after the other. Since protocol 1.2.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Addons {
    /// In the order of their installation.
    pub addons: Vec<Addon>,
    /// Sentences for the user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One part. Since protocol 1.2.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Addon {
    /// Lowercase words joined by hyphens, unique in the plugin.
    pub name: String,
    /// The way in which it is installed.
    pub plan: AddonPlan,
    /// Probes on the target that hold before the next part is installed. Their stages mean nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
}

/// The way in which a part gets into the target. Since protocol 1.2.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "method")]
#[non_exhaustive]
pub enum AddonPlan {
    /// The host runs Helm against the target.
    HelmChart(HelmChart),
    /// The host applies objects to the target.
    Manifests {
        /// Whole objects, in the order in which they are applied.
        objects: Vec<Value>,
    },
    /// A way from a newer version of this interface: the host refuses.
    #[default]
    #[serde(other)]
    Unknown,
}

impl Addon {
    /// A part that Helm installs.
    pub fn chart(name: &str, chart: HelmChart) -> Self {
        Self { name: name.to_owned(), plan: AddonPlan::HelmChart(chart), probes: Vec::new() }
    }

    /// A part made of objects.
    pub fn manifests(name: &str, objects: Vec<Value>) -> Self {
        Self { name: name.to_owned(), plan: AddonPlan::Manifests { objects }, probes: Vec::new() }
    }

    /// Adds probes that hold before the next part is installed.
    #[must_use]
    pub fn awaiting(mut self, probes: impl IntoIterator<Item = Probe>) -> Self {
        self.probes.extend(probes);
        self
    }
}

impl From<Vec<Addon>> for Addons {
    fn from(addons: Vec<Addon>) -> Self {
        Self { addons, notes: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_ways_of_the_future() {
        let addon: Addon = serde_json::from_value(json!({"name": "a", "plan": {"method": "oci"}}))
            .expect("tolerated");
        assert_eq!(addon.plan, AddonPlan::Unknown);
    }
}
