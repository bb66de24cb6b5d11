//! Declarative readiness: the host watches, the plugin only says what "ready" means.

use serde::{Deserialize, Serialize};

use crate::cluster::ServedKind;
use crate::protocol::Host;

/// A condition on some objects that a run waits for.
///
/// The host watches the objects named by `group`, `version`, `kind`, `namespace`, `name` and
/// `selector`. The probe holds when at least `min_objects` of them exist and `expression` is true
/// for every one of them. A kind that is not served has no objects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// Lowercase words joined by hyphens, unique in the plugin; users name it in `--skip-probes`.
    pub name: String,
    /// The cluster the objects are in.
    #[serde(default)]
    pub cluster: ProbeCluster,
    /// When it must hold.
    #[serde(default)]
    pub stages: Vec<ProbeStage>,
    /// API group; empty for the core group.
    #[serde(default)]
    pub group: String,
    /// The version whose fields `expression` names. Absent: the one the API server prefers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Kind.
    pub kind: String,
    /// Namespace. Absent: all namespaces, or a cluster-scoped kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the one object. Absent: every object that `selector` finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Label selector in the notation of kubectl, for example `k8s-app=cilium`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// CEL expression over `self`, one of the objects, at most 2000 bytes long. An expression that
    /// fails, for example because a field is not there yet, counts as false.
    pub expression: String,
    /// Least number of objects.
    #[serde(default = "one")]
    pub min_objects: u32,
    /// After how many seconds to give up.
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u32,
    /// Printed while waiting, for example `Waiting for the Cilium agents`.
    pub waiting: String,
}

/// The cluster that a probe looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProbeCluster {
    /// The bootstrap cluster; in a move, the source.
    Bootstrap,
    /// The target.
    #[default]
    Target,
    /// A cluster from a newer version of this interface: the probe is skipped and reported.
    #[serde(other)]
    Unknown,
}

/// A moment at which a probe must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProbeStage {
    /// The providers were installed in the cluster.
    ProvidersInstalled,
    /// The cluster's manifests were applied, and its infrastructure should come up.
    ClusterCreated,
    /// The network was installed in the target.
    CniInstalled,
    /// Before the first write of a move.
    BeforeMove,
    /// After a move.
    AfterMove,
    /// A stage from a newer version of this interface: ignored.
    #[serde(other)]
    Unknown,
}

/// The request for probes of an infrastructure plugin.
///
/// `create` asks about one cluster. A move asks about all clusters of a provider, and then `name` is
/// absent, and `namespace` too unless only one namespace moves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ProbesRequest {
    /// Name of the Cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Namespace of the Cluster, or of all clusters that are asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Values that the user set, by variable name.
    pub variables: serde_json::Map<String, serde_json::Value>,
    /// Kinds of Cluster API that the management cluster serves. Empty if that is not known.
    pub served: Vec<ServedKind>,
    /// Version of Cluster API; used where `served` is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capi_version: Option<String>,
    /// The program that asks; it fills this in itself. Since protocol 1.1.
    pub host: Host,
}

impl ProbeStage {
    /// The name used in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProvidersInstalled => "providers-installed",
            Self::ClusterCreated => "cluster-created",
            Self::CniInstalled => "cni-installed",
            Self::BeforeMove => "before-move",
            Self::AfterMove => "after-move",
            Self::Unknown => "unknown",
        }
    }
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            name: String::new(),
            cluster: ProbeCluster::default(),
            stages: Vec::new(),
            group: String::new(),
            version: None,
            kind: String::new(),
            namespace: None,
            object: None,
            selector: None,
            expression: String::new(),
            min_objects: one(),
            timeout_seconds: default_timeout(),
            waiting: String::new(),
        }
    }
}

impl Probe {
    /// Every replica of a Deployment is there, by its condition `Available`.
    pub fn deployment_available(name: &str, namespace: &str, deployment: &str) -> Self {
        Self {
            name: name.to_owned(),
            group: "apps".to_owned(),
            version: Some("v1".to_owned()),
            kind: "Deployment".to_owned(),
            namespace: Some(namespace.to_owned()),
            object: Some(deployment.to_owned()),
            expression:
                "self.status.conditions.exists(c, c.type == 'Available' && c.status == 'True')"
                    .to_owned(),
            waiting: format!("Waiting for the Deployment {namespace}/{deployment}"),
            ..Self::default()
        }
    }

    /// A DaemonSet has a ready pod on every node it wants one on, and wants at least one.
    pub fn daemon_set_ready(name: &str, namespace: &str, daemon_set: &str) -> Self {
        Self {
            name: name.to_owned(),
            group: "apps".to_owned(),
            version: Some("v1".to_owned()),
            kind: "DaemonSet".to_owned(),
            namespace: Some(namespace.to_owned()),
            object: Some(daemon_set.to_owned()),
            expression: "self.status.observedGeneration >= self.metadata.generation && \
                         self.status.desiredNumberScheduled > 0 && \
                         self.status.numberReady == self.status.desiredNumberScheduled"
                .to_owned(),
            waiting: format!("Waiting for the DaemonSet {namespace}/{daemon_set}"),
            ..Self::default()
        }
    }

    /// Every node of the target is Ready, which needs a network.
    pub fn nodes_ready() -> Self {
        Self {
            name: "nodes-ready".to_owned(),
            version: Some("v1".to_owned()),
            kind: "Node".to_owned(),
            expression: "self.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')"
                .to_owned(),
            waiting: "Waiting for the nodes to be Ready".to_owned(),
            ..Self::default()
        }
    }

    /// Sets the moments at which it must hold.
    #[must_use]
    pub fn at(mut self, stages: &[ProbeStage]) -> Self {
        self.stages = stages.to_vec();
        self
    }

    /// Sets the cluster the objects are in.
    #[must_use]
    pub fn on(mut self, cluster: ProbeCluster) -> Self {
        self.cluster = cluster;
        self
    }
}

fn one() -> u32 {
    1
}

fn default_timeout() -> u32 {
    600
}
