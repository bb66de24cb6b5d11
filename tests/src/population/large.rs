//! A Secret close to the limit of what etcd stores.

use serde_json::json;

use super::shapes::cluster;
use super::{ObjectSpec, Population};

/// Bytes of the large Secret.
pub const SIZE: usize = 900 * 1024;

/// A cluster that owns a Secret of 900 KB.
pub fn population(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    let owner = cluster(&mut population, "heavy");
    let text: String = ('a'..='z').cycle().take(SIZE).collect();
    population.add(
        ObjectSpec::secret("heavy-load").with("stringData", json!({"load": text})).owned_by(owner),
    );
    population
}
