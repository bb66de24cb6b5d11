//! What must not move: objects of unlabelled CRDs, and orphans.

use serde_json::json;

use super::crds::{API_VERSION, GADGET, STRANGER};
use super::shapes::{CORE, cluster};
use super::{Handle, Piece, Population};

/// A cluster; a stranger it owns, with a Secret of its own; objects whose owners do not exist, or
/// exist only in part; free Secrets and ConfigMaps.
pub fn population(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    let owner = cluster(&mut population, "known");
    let stranger = population
        .add(Piece::new(API_VERSION, STRANGER, "stranger").owned_by(owner).spec(json!({"a": 1})));
    population.add(Piece::secret("of-stranger").owned_by(stranger));
    population.add(Piece::new(API_VERSION, STRANGER, "free-stranger"));
    population.add(orphan(Piece::secret("orphan-secret")));
    population.add(orphan(Piece::new(API_VERSION, GADGET, "orphan-gadget")));
    population.add(orphan(Piece::config_map("half-orphan")).owned_by(owner));
    population.add(Piece::config_map("half-strange").owned_by(owner).owned_by(stranger));
    population.add(Piece::config_map("free"));
    population.add(Piece::secret("free"));
    population
}

/// A cluster, and a Secret whose owner was another Cluster that is gone.
pub fn of_deleted_cluster(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    cluster(&mut population, "alive");
    population.add(Piece::secret("widowed").owned_by_missing(CORE, "Cluster", "gone-long-ago"));
    population
}

/// Two gadgets under a cluster that own each other.
pub fn cycle(namespace: &str) -> (Population, [Handle; 2]) {
    let mut population = Population::new(namespace);
    let owner = cluster(&mut population, "with-cycle");
    let first = population.add(Piece::new(API_VERSION, GADGET, "chicken").owned_by(owner));
    let second = population.add(Piece::new(API_VERSION, GADGET, "egg").owned_by(first));
    population.tie(first, second);
    (population, [first, second])
}

fn orphan(piece: Piece) -> Piece {
    piece.owned_by_missing(CORE, "MachineSet", "gone-long-ago")
}
