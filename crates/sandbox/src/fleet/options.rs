//! Options, result and errors of the generator.

use capi::{ObjectId, valid};
use cluster::ApiError;

/// Longest name of a cluster: the names made from it (`…-control-plane-xxxxx`) are label values.
const LONGEST_CLUSTER_NAME: usize = 40;

/// Options of a fleet to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetOptions {
    /// Number of clusters; 0 creates nothing.
    pub clusters: usize,
    /// Worker machines of each cluster, beside its one control plane machine.
    pub workers: usize,
    /// Namespace of all objects; has to exist.
    pub namespace: String,
    /// The clusters are called by this and a number from 0 on.
    pub name_prefix: String,
    /// Requests under way at the same time; 0 counts as 1.
    pub max_in_flight: usize,
}

impl Default for FleetOptions {
    fn default() -> Self {
        Self {
            clusters: 1,
            workers: 3,
            namespace: "default".to_owned(),
            name_prefix: "c".to_owned(),
            max_in_flight: 16,
        }
    }
}

/// Numbers of the objects that were created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FleetSummary {
    /// Number of clusters.
    pub clusters: usize,
    /// Number of objects, all kinds together.
    pub objects: usize,
}

/// The reason why a fleet is not, or not completely, there.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// An option cannot be part of an object's name; nothing was written.
    #[error("the {what} `{value}` cannot be used: {rule}")]
    InvalidName {
        /// The option.
        what: &'static str,
        /// The value.
        value: String,
        /// The rule it breaks.
        rule: String,
    },
    /// Objects of the fleet's names exist; nothing was written.
    #[error("{count} objects with names of the fleet exist already; the first: {first}")]
    Taken {
        /// Their number.
        count: usize,
        /// One of them.
        first: ObjectId,
    },
    /// The API server does not serve a kind of the fleet; nothing was written.
    #[error("the cluster does not serve {kind} at {version}")]
    NotServed {
        /// Plural and group, for example `machines.cluster.x-k8s.io`.
        kind: String,
        /// Version needed.
        version: String,
    },
    /// The API server has dropped a field: its definitions are of another version.
    #[error("the API server stored {object} without {field}")]
    NotStored {
        /// The object.
        object: ObjectId,
        /// The missing field, for example `/status/nodeRef`.
        field: String,
    },
    /// A cluster was created, and its controllers have not come to an end in time.
    #[error("Cluster {cluster} was not Available after {seconds} s, last seen: {last_seen}")]
    NotAvailable {
        /// Namespace and name.
        cluster: String,
        /// The time that was waited.
        seconds: u64,
        /// The last observation.
        last_seen: String,
    },
    /// A request failed; what was written before stays.
    #[error(transparent)]
    Api(Box<ApiError>),
}

impl From<ApiError> for FleetError {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

impl FleetError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::InvalidName { what, .. } => {
                format!("choose another {what}, for example `c`")
            }
            Self::Taken { .. } => {
                "choose another name prefix or namespace, or a new control plane: no controller \
                 here removes the finalizers of deleted objects"
                    .to_owned()
            }
            Self::NotServed { .. } | Self::NotStored { .. } => {
                "install Cluster API 1.14 with its Docker provider first (`clusterctl init \
                 --infrastructure docker`)"
                    .to_owned()
            }
            Self::NotAvailable { .. } => {
                "read the logs of the controllers (`kubectl pivot sandbox list -o json` names them)"
                    .to_owned()
            }
            Self::Api(error) if error.is_not_found() => {
                "create the namespace first (`kubectl create namespace NAME`)".to_owned()
            }
            Self::Api(error) => error.hint(),
        }
    }
}

/// Refuses names that the API server, or label values made from them, would not take.
pub(crate) fn validate(options: &FleetOptions) -> Result<(), FleetError> {
    let invalid = |what, value: &str, rule: &str| {
        Err(FleetError::InvalidName { what, value: value.to_owned(), rule: rule.to_owned() })
    };
    if !valid::is_label(&options.namespace) {
        return invalid("namespace", &options.namespace, "it is not a DNS label (RFC 1123)");
    }
    let longest = format!("{}{}", options.name_prefix, options.clusters.saturating_sub(1)).len();
    if longest > LONGEST_CLUSTER_NAME {
        let rule =
            format!("cluster names may have {LONGEST_CLUSTER_NAME} characters, not {longest}");
        return invalid("name prefix", &options.name_prefix, &rule);
    }
    if !valid::is_old_label(&format!("{}0", options.name_prefix)) {
        return invalid(
            "name prefix",
            &options.name_prefix,
            "it has to start with a letter and consist of a-z, 0-9 and `-`",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(prefix: &str, namespace: &str) -> bool {
        let options = FleetOptions {
            name_prefix: prefix.to_owned(),
            namespace: namespace.to_owned(),
            ..FleetOptions::default()
        };
        validate(&options).is_err()
    }

    #[test]
    fn names_that_no_api_server_takes_are_refused_before_any_request() {
        for prefix in ["", "C", "0c", "-c", "c_", "c.d", "c/d", &"c".repeat(40)] {
            assert!(refuses(prefix, "default"), "{prefix}");
        }
        for namespace in ["", "Default", "a b", "a-", "a/b", &"n".repeat(64)] {
            assert!(refuses("c", namespace), "{namespace}");
        }
        for prefix in ["c", "fleet-", "a1", &"c".repeat(39)] {
            assert!(!refuses(prefix, "team-a"), "{prefix}");
        }
    }
}
