//! Objects that look as if they belong to what moves, of kinds that no move looks at: their CRD
//! lacks clusterctl's label. They stay, so the user has to be told.

use std::collections::HashSet;

use futures::StreamExt;
use serde::Serialize;

use super::super::error::PhaseError;
use super::super::findings::Findings;
use super::super::kinds::crd_type;
use super::super::run::Run;
use crate::capi::names::{CLUSTER_NAME_LABEL, CLUSTERCTL_LABEL};
use crate::capi::{Graph, Object, ObjectId, ResourceType};
use crate::cluster::Served;

/// An object that stays in the source, although it is tied to something that moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stranger {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectId,
    /// What ties it to the move, and why it stays.
    pub reason: String,
}

/// Looks through the unlabelled CRDs' objects, metadata only.
pub(super) async fn find(
    run: &Run,
    graph: &Graph,
    served: &Served,
    findings: &mut Findings,
) -> Result<Vec<Stranger>, PhaseError> {
    let crds = match run.source.list_metadata(&crd_type(), None).await {
        Err(error) if error.is_forbidden() => return Ok(Vec::new()),
        other => other?,
    };
    let by_name = served.by_crd_name();
    let unlabelled: Vec<&ResourceType> = crds
        .iter()
        .filter(|crd| crd.label(CLUSTERCTL_LABEL).is_none())
        .filter_map(|crd| by_name.get(crd.name()))
        .collect();
    let uids: HashSet<&str> = graph.copied().map(|index| graph.nodes[index].object.uid()).collect();
    let clusters: HashSet<(Option<&str>, &str)> =
        graph.clusters().map(|node| (node.object.namespace(), node.object.name())).collect();
    let lists: Vec<_> = futures::stream::iter(unlabelled)
        .map(|resource| async move {
            (resource, run.source.list_metadata(resource, run.options.namespaces.selector()).await)
        })
        .buffered(8)
        .collect()
        .await;
    let mut strangers = Vec::new();
    for (resource, listed) in lists {
        match listed {
            Ok(objects) => strangers.extend(
                objects.iter().filter_map(|object| tie(object, resource, &uids, &clusters)),
            ),
            Err(error) => findings.warning(
                "NotLooked",
                "source",
                format!(
                    "objects of {resource} that belong to clusters would go unnoticed: {}",
                    error.cause
                ),
                error.hint(),
            ),
        }
    }
    Ok(strangers)
}

fn tie(
    object: &Object,
    resource: &ResourceType,
    uids: &HashSet<&str>,
    clusters: &HashSet<(Option<&str>, &str)>,
) -> Option<Stranger> {
    let owner =
        object.owner_references().into_iter().find(|owner| uids.contains(owner.uid.as_str()));
    let label = object
        .label(CLUSTER_NAME_LABEL)
        .filter(|name| clusters.contains(&(object.namespace(), *name)));
    let tie = match (owner, label) {
        (Some(owner), _) => format!("{} {} owns it", owner.kind, owner.name),
        (None, Some(cluster)) => format!("its label names Cluster {cluster}"),
        (None, None) => return None,
    };
    let reason = format!("{tie}, but the CRD {resource} lacks the label {CLUSTERCTL_LABEL}");
    Some(Stranger { object: resource.id(object.namespace(), object.name()), reason })
}
