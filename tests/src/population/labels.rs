//! Objects that move because they, or their CRDs, are labelled so.

use serde_json::json;

use super::crds::{API_VERSION, GADGET, HOLDER, MOVE, MOVE_HIERARCHY, WIDGET};
use super::shapes::cluster;
use super::{ObjectSpec, Population};

/// Beside a cluster, objects of which only labels decide.
pub fn population(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    cluster(&mut population, "labelled");
    let widget = population.add(
        ObjectSpec::new(API_VERSION, WIDGET, "by-crd")
            .spec(json!({"size": 1}))
            .finalizer("proof.kubectl-pivot.io/widget"),
    );
    population
        .add(ObjectSpec::new(API_VERSION, GADGET, "by-label").label(MOVE, "").owned_by(widget));
    population.add(ObjectSpec::new(API_VERSION, GADGET, "unlabelled-stays"));
    population.add(ObjectSpec::secret("secret-by-label").label(MOVE, "true"));
    population.add(ObjectSpec::config_map("config-by-label").label(MOVE, ""));
    population.add(ObjectSpec::config_map("config-stays"));
    let holder = population.add(ObjectSpec::new(API_VERSION, HOLDER, "hierarchy-by-crd"));
    let middle =
        population.add(ObjectSpec::new(API_VERSION, GADGET, "in-hierarchy").owned_by(holder));
    population.add(ObjectSpec::secret("deep-in-hierarchy").owned_by(middle));
    let labelled = population
        .add(ObjectSpec::new(API_VERSION, GADGET, "hierarchy-by-label").label(MOVE_HIERARCHY, ""));
    population.add(ObjectSpec::config_map("in-labelled-hierarchy").owned_by(labelled));
    population
}
