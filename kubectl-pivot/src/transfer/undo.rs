//! Rolling back: our copies go from the target, the source gets its pause state back.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use serde_json::json;

use super::discover::{Territory, list_everywhere};
use super::error::PhaseError;
use super::lock::Lock;
use super::marks::before_deletion;
use super::namespaces;
use super::pause;
use super::precondition::{patch_as_read, read_again, remove_finalizers};
use super::record::Step;
use super::run::{Progress, Run};
use crate::capi::names::RUN_ANNOTATION;
use crate::capi::{Object, ResourceType, is_cluster, is_cluster_class, reports_pause};
use crate::cluster::{ApiError, Client};

/// Rounds of removing copies and looking again; the second one is usual when controllers run.
const ROUNDS: usize = 5;

/// Records that the run is `undoing`, removes every object of the target that carries its mark, namespaces
/// last, then resumes the source.
///
/// The finalizers of a copy go before it is deleted, so that no controller of the target ever sees
/// a deletion and acts on the real infrastructure.
///
/// # Errors
/// When a request fails; the source stays paused then, since copies may be left.
pub async fn undo(run: &Run, lock: &Lock, territory: &Territory) -> Result<(), PhaseError> {
    lock.advance(Step::RollbackStarted).await.map_err(Box::new)?;
    remove_copies(run, territory).await?;
    namespaces::remove(run).await?;
    pause::restore(run, &run.source, &territory.kinds).await
}

/// A controller may put a finalizer on a copy between the two requests, even on a paused one; so this
/// continues until none is left. Nobody can put one on an object that is being deleted.
async fn remove_copies(run: &Run, territory: &Territory) -> Result<(), PhaseError> {
    for _ in 0..ROUNDS {
        let ours = copies(run, territory).await?;
        if ours.is_empty() {
            return Ok(());
        }
        remove(run, ours).await?;
    }
    match copies(run, territory).await?.into_iter().next() {
        Some((_, copy)) => Err(PhaseError::CopyStays { object: copy.id() }),
        None => Ok(()),
    }
}

/// Lists what carries this run's mark.
async fn copies<'a>(
    run: &Run,
    territory: &'a Territory,
) -> Result<Vec<(&'a ResourceType, Object)>, PhaseError> {
    // Classes of other namespaces may have been copied too.
    let listed = list_everywhere(&run.target, territory).await?;
    let ours = listed.into_iter().filter(|(_, object)| is_ours(run, object));
    Ok(ours.map(|(kind, object)| (&territory.kinds[kind].resource, object)).collect())
}

fn is_ours(run: &Run, object: &Object) -> bool {
    object.annotation(RUN_ANNOTATION) == Some(&run.id)
}

async fn remove(run: &Run, ours: Vec<(&ResourceType, Object)>) -> Result<(), PhaseError> {
    let progress = Progress::of(ours.len()).carried_through();
    for stage in stages(ours) {
        run.each(stage, &progress, |(resource, copy)| async move {
            remove_one(run, resource, &copy).await.map_err(PhaseError::from)
        })
        .await?;
    }
    Ok(())
}

/// Sorts copies into stages: dependents before their owners, Clusters after everything else, since a
/// controller may take the objects of a missing Cluster for active ones, and ClusterClasses last,
/// without which webhooks refuse to change a Cluster.
fn stages<T>(copies: Vec<(T, Object)>) -> Vec<Vec<(T, Object)>> {
    let depths = depths(copies.iter().map(|(_, copy)| copy));
    let mut stages: BTreeMap<_, Vec<(T, Object)>> = BTreeMap::new();
    for (resource, copy) in copies {
        let depth = depths.get(copy.uid()).copied().unwrap_or_default();
        let stage = (is_cluster_class(&copy), is_cluster(&copy), Reverse(depth));
        stages.entry(stage).or_default().push((resource, copy));
    }
    stages.into_values().collect()
}

/// Returns by uid how many owners stand above each object, at most as many as there are objects.
fn depths<'a>(objects: impl Iterator<Item = &'a Object>) -> HashMap<String, usize> {
    let owners: HashMap<&str, Vec<String>> = objects
        .map(|object| {
            let owners = object.owner_references().into_iter().map(|owner| owner.uid);
            (object.uid(), owners.collect())
        })
        .collect();
    let mut depths: HashMap<String, usize> =
        owners.keys().map(|uid| ((*uid).to_owned(), 0)).collect();
    // Each round settles at least one more level; copies are created owners first, so there is no cycle.
    for _ in 0..owners.len() {
        let mut has_changed = false;
        for (uid, above) in &owners {
            let above = above.iter().filter_map(|owner| depths.get(owner));
            let depth = above.max().map_or(0, |depth| depth + 1);
            has_changed |= depths.insert((*uid).to_owned(), depth) != Some(depth);
        }
        if !has_changed {
            break;
        }
    }
    depths
}

/// Takes the finalizers from a copy, marks it for the webhooks that see its deletion, and deletes it
/// as it was read. What somebody writes to at the same time is left to the next round, unless its
/// controller has reported that it leaves the copy alone and only puts its finalizer back.
async fn remove_one(run: &Run, resource: &ResourceType, copy: &Object) -> Result<(), ApiError> {
    match free_and_delete(&run.target, resource, copy).await {
        Err(error) if error.is_conflict() => {}
        other => return other,
    }
    let now = read_again(&run.target, resource, copy).await?;
    let Some(now) = now.filter(|now| is_ours(run, now)) else { return Ok(()) };
    if reports_pause(&now) != Some(true) {
        return Ok(());
    }
    match run.target.delete_unchanged(resource, &now).await {
        Ok(_) => remove_finalizers(&run.target, resource, &now).await,
        Err(error) if error.is_conflict() => Ok(()),
        Err(error) => Err(error),
    }
}

async fn free_and_delete(
    target: &Client,
    resource: &ResourceType,
    copy: &Object,
) -> Result<(), ApiError> {
    if copy.is_being_deleted() {
        return remove_finalizers(target, resource, copy).await;
    }
    let patch = json!({"metadata": {"finalizers": null, "annotations": before_deletion(copy)}});
    match patch_as_read(target, resource, copy, patch).await? {
        Some(freed) => target.delete_unchanged(resource, &freed).await.map(drop),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn object(kind: &str, name: &str, owners: &[&str]) -> ((), Object) {
        let owner =
            |name: &&str| json!({"apiVersion": "v1", "kind": "K", "name": name, "uid": name});
        let owners: Vec<Value> = owners.iter().map(owner).collect();
        let object = json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": kind,
            "metadata": {"name": name, "uid": name, "ownerReferences": owners}});
        ((), Object::new(object))
    }

    #[test]
    fn dependents_go_first_then_clusters_then_classes() {
        let copies = vec![
            object("ClusterClass", "class", &[]),
            object("Cluster", "c", &["gone"]),
            object("Secret", "free", &[]),
            object("Machine", "m", &["set", "c"]),
            object("MachineSet", "set", &["c"]),
        ];
        let names = |stage: &Vec<((), Object)>| -> Vec<String> {
            stage.iter().map(|(_, object)| object.name().to_owned()).collect()
        };
        let order: Vec<Vec<String>> = stages(copies).iter().map(names).collect();
        assert_eq!(order, [vec!["m"], vec!["set"], vec!["free"], vec!["c"], vec!["class"]]);
    }

    #[test]
    fn owners_that_own_each_other_end_the_search() {
        let copies = vec![object("A", "a", &["b"]), object("B", "b", &["a"])];
        assert_eq!(stages(copies).iter().map(Vec::len).sum::<usize>(), 2);
    }
}
