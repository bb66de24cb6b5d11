//! References in the specs of what moves: what they name has to move too, or to be in the target
//! already.

use std::collections::{BTreeMap, HashSet};

use capi::names::MOVE_LABEL;
use capi::references::Reference;
pub(super) use capi::references::references;
use capi::{Fate, Graph, ObjectId, ResourceType};
use cluster::{ApiError, Client, Served};
use futures::{StreamExt, TryStreamExt};

use crate::error::PhaseError;
use crate::findings::Findings;
use crate::run::Run;

/// Single objects read at once.
const READS_IN_FLIGHT: usize = 16;

/// The kinds of the core group that specs refer to.
const CORE: [(&str, &str); 2] = [("Secret", "secrets"), ("ConfigMap", "configmaps")];

/// The fate of a referenced object that is not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whereabouts {
    /// The target has it already, or nobody can tell.
    Fine,
    /// It stays in the source.
    Stays,
    /// It is in neither cluster.
    Nowhere,
}

/// Reports references to objects that the target will not have.
pub(super) async fn check(
    run: &Run,
    graph: &Graph,
    (source, target): (&Served, &Served),
    findings: &mut Findings,
) -> Result<(), PhaseError> {
    let open = open_references(graph);
    let names: Vec<(&Reference, bool)> =
        open.keys().map(|reference| (reference, is_listed(graph, reference))).collect();
    let found: Vec<(&Reference, Whereabouts)> = futures::stream::iter(names)
        .map(|(reference, stays)| async move {
            let whereabouts = find(run, reference, stays, (source, target)).await?;
            Ok::<_, ApiError>((reference, whereabouts))
        })
        .buffered(READS_IN_FLIGHT)
        .try_collect()
        .await?;
    for (reference, whereabouts) in found {
        let wanted_by = open.get(reference).map(Vec::as_slice).unwrap_or_default();
        report(reference, whereabouts, wanted_by, findings);
    }
    Ok(())
}

/// Returns references of copied objects to objects that are not copied, with those that refer to
/// them.
fn open_references(graph: &Graph) -> BTreeMap<Reference, Vec<ObjectId>> {
    let copied: HashSet<Reference> =
        graph.copied().map(|index| Reference::to(&graph[index].object)).collect();
    let mut open: BTreeMap<Reference, Vec<ObjectId>> = BTreeMap::new();
    for object in graph.copied().map(|index| &graph[index].object) {
        for reference in references(object) {
            let is_copied = copied.contains(&reference)
                || copied.contains(&Reference { namespace: None, ..reference.clone() });
            if !is_copied {
                let users = open.entry(reference).or_default();
                if users.last() != Some(&object.id()) {
                    users.push(object.id());
                }
            }
        }
    }
    open
}

fn is_listed(graph: &Graph, reference: &Reference) -> bool {
    let stays = graph.nodes.iter().filter(|node| matches!(node.fate, Fate::Stay(_)));
    stays.map(|node| Reference::to(&node.object)).any(|stays| stays == *reference)
}

async fn find(
    run: &Run,
    reference: &Reference,
    stays: bool,
    (source, target): (&Served, &Served),
) -> Result<Whereabouts, ApiError> {
    // Not every `{kind, name}` is a reference to an object of a cluster.
    let is_known =
        is_core(reference) || !source.versions(&reference.group, &reference.kind).is_empty();
    if !is_known || exists(&run.target, target, reference).await? != Some(false) {
        // A user who may not read it learns nothing here; verification reads what was copied.
        return Ok(Whereabouts::Fine);
    }
    if stays {
        return Ok(Whereabouts::Stays);
    }
    Ok(match exists(&run.source, source, reference).await? {
        Some(true) => Whereabouts::Stays,
        Some(false) => Whereabouts::Nowhere,
        None => Whereabouts::Fine,
    })
}

fn is_core(reference: &Reference) -> bool {
    reference.group.is_empty() && CORE.iter().any(|(kind, _)| *kind == reference.kind)
}

/// Returns whether a cluster has the object; `None` if this user may not know.
async fn exists(
    cluster: &Client,
    served: &Served,
    reference: &Reference,
) -> Result<Option<bool>, ApiError> {
    let Reference { group, kind, namespace, name } = reference;
    let resource = match CORE.iter().find(|(core, _)| group.is_empty() && core == kind) {
        Some((kind, plural)) => Some(ResourceType::core(kind, plural)),
        None => served.versions(group, kind).first().cloned(),
    };
    let Some(resource) = resource else { return Ok(Some(false)) };
    let namespace = namespace.as_deref().filter(|_| resource.namespaced);
    match cluster.get(&resource, namespace, name).await {
        Ok(found) => Ok(Some(found.is_some())),
        Err(error) if error.is_forbidden() => Ok(None),
        Err(error) => Err(error),
    }
}

fn report(
    reference: &Reference,
    whereabouts: Whereabouts,
    users: &[ObjectId],
    findings: &mut Findings,
) {
    let users = users.to_vec();
    match whereabouts {
        Whereabouts::Fine => {}
        Whereabouts::Nowhere => {
            let problem = format!("{reference} is referred to, but is in neither cluster");
            let hint = "create it, or remove the reference, if a controller will need it";
            findings.group_warning("ReferenceMissing", "source", users, &problem, hint);
        }
        Whereabouts::Stays => {
            let problem = format!("{reference} is referred to, but does not move");
            let hint = format!(
                "give it the label `{MOVE_LABEL}` so that it moves too, create it in the target \
                 first, or use --copy-referenced, if nothing owns it"
            );
            if reference.is_essential() {
                findings.group_error("ReferenceStays", "source", users, &problem, hint);
            } else {
                findings.group_warning("ReferenceStays", "source", users, &problem, hint);
            }
        }
    }
}
