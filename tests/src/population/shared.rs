//! One Secret that belongs to two clusters.

use serde_json::json;

use super::shapes::{bare_cluster, cluster};
use super::{ObjectSpec, Population};

/// Two clusters that own one Secret together, and one that is paused-free and owns nothing.
pub fn population(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    let first = cluster(&mut population, "first");
    let second = cluster(&mut population, "second");
    population.add(ObjectSpec::secret("shared-credentials").owned_by(first).owned_by(second));
    population.add(
        ObjectSpec::config_map("shared-config").owned_by(second).controlled_by(first).applied(
            "capi-topology",
            json!({"metadata": {"name": "shared-config", "labels": {"applied": "yes"}}}),
        ),
    );
    population.add(bare_cluster("lonely"));
    population
}
