//! Further sets of workers, with settings of their own.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::settings::NodeSettings;
use super::variables::{common_variables, names};
use crate::error::{PluginError, PluginResult};
use crate::info::is_name;
use crate::values::{Values, invalid};

/// The pool that every cluster has; its size is `worker-replicas`.
pub(super) const FIRST: &str = "md-0";

/// A further set of workers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkerPool {
    /// Lowercase words joined by hyphens, unique in the cluster.
    pub name: String,
    /// Number of machines.
    #[serde(default = "one")]
    pub replicas: u32,
    /// Failure domain of the machines, for example an availability zone.
    #[serde(default)]
    pub failure_domain: Option<String>,
    /// Settings of kubeadm, in the place of those of the other workers.
    #[serde(default)]
    pub nodes: Option<NodeSettings>,
}

fn one() -> u32 {
    1
}

/// The pools that the user wants.
pub(super) fn pools(values: &Values) -> PluginResult<Vec<WorkerPool>> {
    let pools: Vec<WorkerPool> = structured(values, names::WORKER_POOLS)?.unwrap_or_default();
    for (at, pool) in pools.iter().enumerate() {
        let is_taken =
            pool.name == FIRST || pools.iter().take(at).any(|other| other.name == pool.name);
        if is_taken || !is_name(&pool.name) {
            let why = match is_taken {
                true => format!("there are two pools `{}`", pool.name),
                false => {
                    format!("`{}` is not made of lowercase words joined by hyphens", pool.name)
                }
            };
            return Err(refuse(names::WORKER_POOLS, &why));
        }
    }
    Ok(pools)
}

/// The value of a variable that has a structure.
pub(super) fn structured<T: DeserializeOwned>(
    values: &Values,
    name: &str,
) -> PluginResult<Option<T>> {
    let Some(value) = values.get(name) else { return Ok(None) };
    serde_json::from_value(value.clone())
        .map(Some)
        .map_err(|error| refuse(name, &error.to_string()))
}

fn refuse(name: &str, why: &str) -> PluginError {
    match common_variables().iter().find(|variable| variable.name == name) {
        Some(variable) => invalid(variable, why),
        None => PluginError::internal(why),
    }
}
