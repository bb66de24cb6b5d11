//! Objects that move because they, or their CRDs, are labelled so.

use serde_json::json;

use super::crds::{API_VERSION, GADGET, HOLDER, MOVE, MOVE_HIERARCHY, WIDGET};
use super::shapes::cluster;
use super::{Piece, Population};

/// Beside a cluster, objects of which only labels decide.
pub fn population(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    cluster(&mut population, "labelled");
    let widget = population.add(
        Piece::new(API_VERSION, WIDGET, "by-crd")
            .spec(json!({"size": 1}))
            .finalizer("proof.kubectl-pivot.io/widget"),
    );
    population.add(Piece::new(API_VERSION, GADGET, "by-label").label(MOVE, "").owned_by(widget));
    population.add(Piece::new(API_VERSION, GADGET, "unlabelled-stays"));
    population.add(Piece::secret("secret-by-label").label(MOVE, "true"));
    population.add(Piece::config_map("config-by-label").label(MOVE, ""));
    population.add(Piece::config_map("config-stays"));
    let holder = population.add(Piece::new(API_VERSION, HOLDER, "hierarchy-by-crd"));
    let middle = population.add(Piece::new(API_VERSION, GADGET, "in-hierarchy").owned_by(holder));
    population.add(Piece::secret("deep-in-hierarchy").owned_by(middle));
    let labelled = population
        .add(Piece::new(API_VERSION, GADGET, "hierarchy-by-label").label(MOVE_HIERARCHY, ""));
    population.add(Piece::config_map("in-labelled-hierarchy").owned_by(labelled));
    population
}
