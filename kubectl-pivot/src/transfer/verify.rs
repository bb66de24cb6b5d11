//! Reading the copies back and comparing every one with its source, before anything is deleted.

use std::collections::HashMap;

use super::compare::{being_deleted, compare, is_same_content};
use super::copy::{Copies, owner_uids};
use super::discover::{Territory, list_copied};
use super::error::PhaseError;
use super::run::Run;
use crate::capi::{Fate, Graph, KeepReason, Node, Object};
use crate::cluster::{ApiError, Client};

/// What verification has found besides that all is well.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Fields that the target has added to copies, as `Kind namespace/name: path`.
    pub added: Vec<String>,
}

/// Compares the copies with the objects they were made from, and those with the source as it is now.
///
/// # Errors
/// When a copy is missing or differs, an object of the source has changed, or a list fails.
pub async fn verify(
    run: &Run,
    territory: &Territory,
    graph: &Graph,
    copies: &Copies,
) -> Result<Verified, PhaseError> {
    let (source, target) = tokio::try_join!(
        by_uid(&run.source, territory, graph),
        by_uid(&run.target, territory, graph)
    )?;
    let mut verified = Verified::default();
    for node in graph.copied().map(|index| &graph.nodes[index]) {
        check_source(node, source.get(node.object.uid()))?;
        let target_uid = copies.uids.get(node.object.uid());
        let copy = target_uid.and_then(|uid| target.get(uid));
        let copy = copy.ok_or_else(|| PhaseError::CopyMissing { object: node.object.id() })?;
        let difference = compare(&node.object, copy);
        let is_shared =
            matches!(node.fate, Fate::Keep(KeepReason::Global | KeepReason::BelongsToGlobal));
        if is_shared && copies.reused.contains(node.object.uid()) {
            continue;
        }
        let mut lost = difference.lost.into_iter().chain(being_deleted(copy));
        let is_dangling =
            !copies.reused.contains(node.object.uid()) && !has_owners_of_target(node, copy, copies);
        let dangling = is_dangling.then(|| "metadata.ownerReferences".to_owned());
        if let Some(path) = lost.next().or(dangling) {
            return Err(PhaseError::CopyDiffers { object: node.object.id(), path });
        }
        verified
            .added
            .extend(difference.added.iter().map(|path| format!("{}: {path}", node.object.id())));
    }
    Ok(verified)
}

/// Whether a copy names the copies of its owners by their uids in the target; otherwise the target's
/// garbage collector would take it for an orphan.
fn has_owners_of_target(node: &Node, copy: &Object, copies: &Copies) -> bool {
    let named = owner_uids(copy);
    let mut owners = node.owners.iter().filter_map(|owner| copies.uids.get(&owner.reference.uid));
    owners.all(|uid| named.contains(uid))
}

/// A changed status does not matter, since it is not copied; anything else does.
fn check_source(node: &Node, now: Option<&Object>) -> Result<(), PhaseError> {
    let unchanged = now.is_some_and(|now| {
        now.resource_version() == node.object.resource_version()
            || (is_same_content(&node.object, now) && !now.is_being_deleted())
    });
    if unchanged { Ok(()) } else { Err(PhaseError::SourceChanged { object: node.object.id() }) }
}

/// Lists a cluster again, only the kinds that were copied.
async fn by_uid(
    cluster: &Client,
    territory: &Territory,
    graph: &Graph,
) -> Result<HashMap<String, Object>, ApiError> {
    let mut used = vec![false; graph.kinds.len()];
    graph.copied().for_each(|index| used[graph.nodes[index].kind] = true);
    let kinds = graph
        .kinds
        .iter()
        .zip(used)
        .filter(|(_, used)| *used)
        .map(|(kind, _)| kind.clone())
        .collect();
    let part = Territory { kinds: std::sync::Arc::new(kinds), ..territory.clone() };
    let listed = list_copied(cluster, &part, graph).await?;
    Ok(listed.into_iter().map(|(_, object)| (object.uid().to_owned(), object)).collect())
}
