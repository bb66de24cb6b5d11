//! Objects that must not move: those of unlabelled CRDs, and orphans.

use serde_json::json;

use super::crds::{API_VERSION, GADGET, STRANGER, WIDGET};
use super::shapes::{CLUSTER_NAME, cluster};
use super::{Handle, ObjectSpec, Population};

/// A version of Cluster API that is no longer served.
pub const UNSERVED: &str = "cluster.x-k8s.io/v1alpha4";

/// A cluster; unlabelled, one with a Secret of its own; objects whose owners do not exist; free
/// Secrets and ConfigMaps.
pub fn population(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    cluster(&mut population, "known");
    let stranger = population.add(
        ObjectSpec::new(API_VERSION, STRANGER, "stranger")
            .label(CLUSTER_NAME, "known")
            .spec(json!({"a": 1})),
    );
    population.add(ObjectSpec::secret("of-stranger").owned_by(stranger));
    population.add(ObjectSpec::new(API_VERSION, STRANGER, "free-stranger"));
    population.add(orphan(ObjectSpec::secret("orphan-secret")));
    population.add(orphan(ObjectSpec::new(API_VERSION, GADGET, "orphan-gadget")));
    population.add(ObjectSpec::config_map("free"));
    population.add(ObjectSpec::secret("free"));
    population
}

/// A cluster, and objects that have lost an owner once it has moved: one with an owner that is gone
/// already, one with an owner that stays, and two that have no other owner.
pub fn torn(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    let owner = cluster(&mut population, "known");
    let stranger = population.add(ObjectSpec::new(API_VERSION, STRANGER, "pool"));
    population.add(orphan(ObjectSpec::config_map("half-orphan")).owned_by(owner));
    population.add(ObjectSpec::config_map("half-strange").owned_by(owner).owned_by(stranger));
    population.add(ObjectSpec::new(API_VERSION, STRANGER, "owned-stranger").owned_by(owner));
    let widget = population.add(ObjectSpec::new(API_VERSION, WIDGET, "widget"));
    population.add(ObjectSpec::new(API_VERSION, GADGET, "below-widget").owned_by(widget));
    population
}

/// A cluster, and a Secret whose owner was another Cluster that is gone.
pub fn of_deleted_cluster(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    cluster(&mut population, "alive");
    population.add(ObjectSpec::secret("widowed").owned_by_missing(
        UNSERVED,
        "Cluster",
        "gone-long-ago",
    ));
    population
}

/// Two gadgets under a cluster that own each other.
pub fn cycle(namespace: &str) -> (Population, [Handle; 2]) {
    let mut population = Population::new(namespace);
    let owner = cluster(&mut population, "with-cycle");
    let first = population.add(ObjectSpec::new(API_VERSION, GADGET, "chicken").owned_by(owner));
    let second = population.add(ObjectSpec::new(API_VERSION, GADGET, "egg").owned_by(first));
    population.tie(first, second);
    (population, [first, second])
}

fn orphan(object_spec: ObjectSpec) -> ObjectSpec {
    object_spec.owned_by_missing(UNSERVED, "MachineSet", "gone-long-ago")
}
