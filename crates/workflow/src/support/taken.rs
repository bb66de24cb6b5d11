//! Names that are taken: in an existing bootstrap cluster, objects of other Clusters may have the
//! names of those that are to be applied.

use capi::Object;
use cluster::Client;
use serde_json::Value;

use super::apply::{Kinds, MANAGER};
use crate::error::StepError;

/// Fails if an object is there that belongs to another Cluster, or a Cluster that no run has
/// applied: applying would change it.
pub(crate) async fn refuse_taken(
    cluster: &Client,
    kinds: &Kinds,
    objects: &[Value],
    name: &str,
) -> Result<(), StepError> {
    for object in objects {
        let Some(kind) = kinds.of(object) else { continue };
        let wanted = Object::new(object.clone());
        let namespace = wanted.namespace().filter(|_| kind.namespaced);
        let Some(found) = cluster.get(&kind, namespace, wanted.name()).await? else { continue };
        if let Some(other) = owner(&found).filter(|owner| *owner != name) {
            return Err(taken(&found, &format!("belongs to Cluster {other}")));
        }
        if found.kind() == "Cluster" && !is_applied_by_create(&found) {
            return Err(taken(&found, "is there already, and this run has not applied it"));
        }
    }
    Ok(())
}

fn taken(object: &Object, why: &str) -> StepError {
    StepError::refused(
        format!("{} in the bootstrap cluster {why}", object.id()),
        "choose another name or namespace, or use --set prefix-names=true so that all objects have \
         the name of the cluster in front",
    )
}

fn owner(object: &Object) -> Option<&str> {
    let owners = object.value()["metadata"]["ownerReferences"].as_array();
    let mut owners = owners.into_iter().flatten();
    owners.find(|owner| owner["kind"] == "Cluster").and_then(|owner| owner["name"].as_str())
}

fn is_applied_by_create(object: &Object) -> bool {
    let managers = object.value()["metadata"]["managedFields"].as_array();
    managers.into_iter().flatten().any(|entry| entry["manager"] == MANAGER)
}
