//! Networks between pods: which one, for which cluster, installed how.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cidr::{self, IpVersions};
use crate::error::PluginResult;
use crate::protocol::Host;

/// The network that an infrastructure plugin suggests; `--cni` overrides it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "choice")]
#[non_exhaustive]
pub enum CniChoice {
    /// A CNI plugin.
    #[serde(rename_all = "camelCase")]
    Plugin {
        /// Name of the plugin, for example `cilium`.
        name: String,
        /// Helm values that this infrastructure needs, merged over those of the CNI plugin.
        #[serde(default)]
        values: Map<String, Value>,
    },
    /// A complete plan of the infrastructure plugin's own.
    Plan {
        /// The plan to install.
        plan: CniPlan,
    },
    /// The cluster needs none, or brings its own.
    NotNeeded,
    /// A choice from a newer version of this interface: the host asks for `--cni`.
    #[default]
    #[serde(other)]
    Unknown,
}

/// The cluster that a CNI plugin is asked about: the request of `plan` and `probes`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct CniRequest {
    /// The cluster that gets the network.
    pub cluster: CniCluster,
    /// Values that the user set, by variable name. Defaults are not filled in.
    pub variables: Map<String, Value>,
    /// Helm values of the infrastructure plugin and the user, merged over the plugin's own.
    pub values: Map<String, Value>,
    /// Objects of `--cni-manifest`, from a host that leaves them to the plugin `none`: those of
    /// today apply them themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manifests: Vec<Value>,
    /// The program that asks; it fills this in itself. Since protocol 1.1.
    pub host: Host,
}

/// The cluster that gets a network, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct CniCluster {
    /// Name of the Cluster.
    pub name: String,
    /// Namespace of the Cluster in the management cluster.
    pub namespace: String,
    /// Name of the infrastructure plugin, for example `docker`.
    pub infrastructure: String,
    /// Ranges for pods.
    pub pod_cidrs: Vec<String>,
    /// Ranges for services.
    pub service_cidrs: Vec<String>,
    /// Kubernetes version, for example `v1.33.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes_version: Option<String>,
    /// Address at which nodes reach the API server. Absent as long as the cluster does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_endpoint: Option<Endpoint>,
}

/// Host and port of an API server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Endpoint {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// A plan and what the user should know about it: the answer to `plan`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct CniInstall {
    /// The plan to install.
    pub plan: CniPlan,
    /// Sentences for the user, for example what this network needs of the nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// True if the network does the work of kube-proxy: the host has the machines created without
    /// it. Since protocol 1.1.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replaces_kube_proxy: bool,
}

/// The way in which a network gets into the target cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "method")]
#[non_exhaustive]
pub enum CniPlan {
    /// The host runs Helm against the target.
    HelmChart(HelmChart),
    /// The host applies objects to the target.
    Manifests {
        /// Whole objects, in the order in which they are applied. Empty: nothing to do.
        objects: Vec<Value>,
    },
    /// The host creates a HelmChartProxy in the management cluster, and the Helm add-on provider
    /// of Cluster API installs the chart.
    #[serde(rename_all = "camelCase")]
    HelmChartProxy {
        /// The chart.
        chart: HelmChart,
        /// Labels by which the proxy finds the Cluster; the host adds them to the Cluster.
        cluster_labels: BTreeMap<String, String>,
    },
    /// A method from a newer version of this interface: the host refuses.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A Helm chart with everything that decides what it installs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct HelmChart {
    /// Address of the repository.
    pub repo: String,
    /// Name of the chart.
    pub chart: String,
    /// Version of the chart. Empty: the newest, which makes runs irreproducible.
    pub version: String,
    /// Namespace of the release.
    pub namespace: String,
    /// Labels that the namespace needs before the chart is installed, for example to allow
    /// privileged pods.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub namespace_labels: BTreeMap<String, String>,
    /// Name of the release.
    pub release: String,
    /// Values.
    pub values: Map<String, Value>,
}

impl CniCluster {
    /// Returns the IP versions that the pods get.
    ///
    /// # Errors
    /// [`crate::ErrorCode::InvalidRequest`] for a malformed range.
    pub fn pod_ip_versions(&self) -> PluginResult<IpVersions> {
        cidr::versions(self.pod_cidrs.iter().map(String::as_str))
    }

    /// The pod ranges of IPv4 and of IPv6, each in order.
    ///
    /// # Errors
    /// [`crate::ErrorCode::InvalidRequest`] for a malformed range.
    pub fn pod_cidrs_by_version(&self) -> PluginResult<(Vec<&str>, Vec<&str>)> {
        self.pod_ip_versions()?;
        Ok(self.pod_cidrs.iter().map(String::as_str).partition(|range| !range.contains(':')))
    }
}

/// Merges `over` into `base` as Helm does: objects key by key, everything else replaced.
pub fn merge_values(base: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Object(inner)), Value::Object(over)) => merge_values(inner, over),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("the test gives an object")
    }

    #[test]
    fn merges_values_like_helm() {
        let mut base = object(json!({"ipam": {"mode": "kubernetes", "size": 1}, "list": [1]}));
        merge_values(&mut base, &object(json!({"ipam": {"mode": "cluster-pool"}, "list": [2]})));
        let expected = json!({"ipam": {"mode": "cluster-pool", "size": 1}, "list": [2]});
        assert_eq!(base, object(expected));
    }

    #[test]
    fn reads_choices_and_plans_of_the_future() {
        let choice: CniChoice =
            serde_json::from_value(json!({"choice": "mesh", "depth": 2})).expect("tolerated");
        assert_eq!(choice, CniChoice::Unknown);
        let plan: CniPlan =
            serde_json::from_value(json!({"method": "oci", "image": "x"})).expect("tolerated");
        assert_eq!(plan, CniPlan::Unknown);
    }

    #[test]
    fn splits_pod_ranges_by_ip_version() {
        let cluster = CniCluster {
            pod_cidrs: vec!["10.0.0.0/8".to_owned(), "fd00::/56".to_owned()],
            ..CniCluster::default()
        };
        let split = cluster.pod_cidrs_by_version().expect("both ranges are valid");
        assert_eq!(split, (vec!["10.0.0.0/8"], vec!["fd00::/56"]));
    }
}
