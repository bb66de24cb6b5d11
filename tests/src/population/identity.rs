//! Credentials shared by clusters: a cluster-scoped object that carries a hierarchy.

use serde_json::json;

use super::crds::{API_VERSION, GLOBAL_IDENTITY};
use super::shapes::cluster;
use super::{ObjectSpec, Population};

/// Name of the identity.
pub const NAME: &str = "account";

/// A global identity that owns a Secret in the infrastructure provider's namespace, where there is
/// also a Secret that it does not own, and a cluster that uses it.
pub fn population(namespace: &str, provider_namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    let identity = population.add(
        ObjectSpec::new(API_VERSION, GLOBAL_IDENTITY, NAME)
            .global()
            .finalizer("proof.kubectl-pivot.io/identity")
            .annotation("note", "kept")
            .spec(json!({"secretRef": "account-credentials"})),
    );
    population.add(
        ObjectSpec::secret("account-credentials")
            .in_namespace(provider_namespace)
            .controlled_by(identity),
    );
    population.add(ObjectSpec::secret("provider-webhook-cert").in_namespace(provider_namespace));
    cluster(&mut population, "with-identity");
    population
}
