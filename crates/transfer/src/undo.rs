//! Rolling back: our copies go from the target, the source gets its pause state back.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use capi::names::{DELETE_FOR_MOVE_ANNOTATION, PAUSED_ANNOTATION, RUN_ANNOTATION};
use capi::{
    Graph, Object, ResourceType, Scope, is_cluster, is_cluster_class, is_custom_resource,
    is_pausable, is_paused, reports_pause, set_field,
};
use cluster::{ApiError, Client};
use serde_json::json;

use super::compare::digest;
use super::conversion::without_fleeting_data;
use super::discover::{MoveScope, list_everywhere_or_in};
use super::error::PhaseError;
use super::ledger::{self, Removable};
use super::lock::Lock;
use super::namespaces;
use super::operations::patiently;
use super::pause::{self, pause_objects};
use super::precondition::{patch_as_read, read_again, remove_finalizers};
use super::quiesce::wait_for_reports;
use super::record::{Role, Step};
use super::run::{Progress, Run};

/// Rounds of removing copies and looking again; the second one is usual when controllers run.
const ROUNDS: usize = 5;

/// The longest that the cache of a webhook is believed to be behind, and the pause between two
/// tries.
const WEBHOOK_LAG: Duration = Duration::from_secs(5);
const WEBHOOK_RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// Records that the run is `undoing`, removes its copies from the target, then resumes the source.
/// The namespaces that it has created stay.
///
/// A copy carries the mark of the run. One that was handed over is in its list, and the source
/// still has the object that it was made from: who forges a list can have no other object removed.
///
/// The finalizers of a copy go before it is deleted, so that no controller of the target ever sees
/// a deletion and acts on the real infrastructure.
///
/// # Errors
/// When a request fails, or the list is missing; the source stays paused then, since copies may be
/// left. [`PhaseError::CopyChanged`] before anything is recorded, if a copy has changed by then.
pub(super) async fn undo(
    run: &Run,
    lock: &Lock,
    move_scope: &MoveScope,
    (stray, compared): (Stray, Compared),
) -> Result<(), PhaseError> {
    let mut listed = listed(run, lock, move_scope).await?;
    listed.compared = compared;
    check_unchanged(run, move_scope, &listed).await?;
    let is_held = lock.holds(Role::Target).await;
    lock.advance(Step::RollbackStarted).await.map_err(Box::new)?;
    let undone = async {
        remove_copies(run, move_scope, (&listed, is_held)).await?;
        resume_source(run, lock, move_scope, stray).await?;
        namespaces::leave(run).await;
        Ok(())
    };
    run.recorded("undo", undone).await
}

/// Copies as they were compared with their originals: digests of their contents by uids.
///
/// Between the comparison and the deletion somebody may change a copy, and the change would be lost
/// with it.
#[derive(Debug, Default)]
pub(super) struct Compared(HashMap<String, String>);

impl Compared {
    /// Notes the contents of copies.
    pub(super) fn of<'a>(copies: impl Iterator<Item = &'a Object>) -> Self {
        Self(copies.map(|copy| (copy.uid().to_owned(), content(copy))).collect())
    }

    /// Checks that a copy is as it was compared, if it was.
    fn check(&self, copy: &Object) -> Result<(), PhaseError> {
        match self.0.get(copy.uid()) {
            Some(compared) if *compared != content(copy) => {
                Err(PhaseError::CopyChanged { object: copy.id() })
            }
            _ => Ok(()),
        }
    }
}

/// A digest of a copy without what changes by itself, and without the pause of its own that it gets
/// for its deletion.
fn content(copy: &Object) -> String {
    let mut copy = without_fleeting_data(copy);
    copy.remove_annotation(PAUSED_ANNOTATION);
    digest(&copy)
}

/// The chance that a request of this process is still carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stray {
    /// The answer to every request is known.
    No,
    /// A request has ended without an answer.
    Possible,
}

/// Gives the source its pause state back. What a predecessor, or this process, may have sent
/// without an answer is made harmless before.
///
/// # Errors
/// When a request fails.
pub(super) async fn resume_source(
    run: &Run,
    lock: &Lock,
    move_scope: &MoveScope,
    stray: Stray,
) -> Result<(), PhaseError> {
    if lock.epoch() > 1 || stray == Stray::Possible {
        lock.let_target_run_out();
        pause::fence(run, (&run.source, lock.epoch()), move_scope).await?;
    }
    pause::restore_all(run, &run.source, &move_scope.kinds).await
}

/// Removes every object of the target that carries the mark of the run.
///
/// # Errors
/// When a request fails, or an object does not go.
pub(super) async fn remove_marked(run: &Run, move_scope: &MoveScope) -> Result<(), PhaseError> {
    remove_copies(run, move_scope, (&Removable::default(), false)).await
}

/// Returns the copies that are known by the list of the run.
async fn listed(run: &Run, lock: &Lock, move_scope: &MoveScope) -> Result<Removable, PhaseError> {
    let ledger = ledger::of_run(run, lock).await?;
    let ledger = ledger.ok_or(PhaseError::NoLedger)?;
    if ledger.is_empty() {
        return Ok(Removable::default());
    }
    let source = list_everywhere_or_in(&run.source, move_scope, &ledger.namespaces()).await?;
    let removable = ledger.removable(move_scope, &source);
    if let Some(first) = removable.kept.first() {
        run.events.warning(format!(
            "what was copied from {first} and {} others stays in the target, if it is there still: \
             the originals are gone from the source",
            removable.kept.len() - 1
        ));
    }
    Ok(removable)
}

/// Checks that the copies are as they were compared, if they were.
async fn check_unchanged(
    run: &Run,
    move_scope: &MoveScope,
    listed: &Removable,
) -> Result<(), PhaseError> {
    if listed.compared.0.is_empty() {
        return Ok(());
    }
    let ours = copies(run, move_scope, listed).await?;
    ours.iter().try_for_each(|(_, copy)| listed.compared.check(copy))
}

/// A controller may put a finalizer on a copy between the two requests, even on a paused one; so
/// this continues until none is left. Nobody can put one on an object that is being deleted.
async fn remove_copies(
    run: &Run,
    move_scope: &MoveScope,
    (listed, is_held): (&Removable, bool),
) -> Result<(), PhaseError> {
    for _ in 0..ROUNDS {
        let ours = copies(run, move_scope, listed).await?;
        if ours.is_empty() {
            return Ok(());
        }
        ours.iter().try_for_each(|(_, copy)| listed.compared.check(copy))?;
        hold(run, move_scope, (&ours, is_held)).await?;
        let typed = ours.into_iter().map(|(kind, copy)| (&move_scope.kind(kind).resource, copy));
        remove(run, typed.collect(), listed).await?;
    }
    match copies(run, move_scope, listed).await?.into_iter().next() {
        Some((_, copy)) => Err(PhaseError::CopyStays { object: copy.id() }),
        None => Ok(()),
    }
}

/// Lists what carries this run's mark, or is in its list.
async fn copies(
    run: &Run,
    move_scope: &MoveScope,
    known: &Removable,
) -> Result<Vec<(usize, Object)>, PhaseError> {
    // Classes of other namespaces may have been copied too.
    let listed = list_everywhere_or_in(&run.target, move_scope, &known.namespaces).await?;
    let is_ours = |(kind, object): &(usize, Object)| {
        is_ours(run, known, (&move_scope.kind(*kind).resource, object))
    };
    Ok(listed.into_iter().filter(is_ours).collect())
}

fn is_ours(run: &Run, listed: &Removable, (resource, object): (&ResourceType, &Object)) -> bool {
    object.annotation(RUN_ANNOTATION) == Some(&run.id) || listed.has(resource, object)
}

/// Pauses again the copies that somebody has resumed, and waits until their controllers report it:
/// they would take the deletion of a Machine for a reason to make another one. Those that are held
/// report nothing, and do nothing. A request to stop does not end this, since a rollback may be its
/// answer.
async fn hold(
    run: &Run,
    move_scope: &MoveScope,
    (copies, is_held): (&[(usize, Object)], bool),
) -> Result<(), PhaseError> {
    let run = Run { source: run.target.clone(), stop: run.stop.lock_only(), ..run.clone() };
    let to_pause = |copy: &Object| {
        let is_to_be = is_pausable(copy) && !is_cluster_class(copy);
        is_to_be && !is_paused(copy) && !copy.is_being_deleted()
    };
    let active: Vec<(ResourceType, Object)> = copies
        .iter()
        .filter(|(_, copy)| to_pause(copy))
        .map(|(kind, copy)| (move_scope.kind(*kind).resource.clone(), copy.clone()))
        .collect();
    let mut copies = copies.to_vec();
    if let Some((_, first)) = active.first() {
        run.events
            .note(format!("somebody has resumed {} in the target; it is paused again", first.id()));
        pause_objects(&run, &run.target, active).await?;
        for (kind, copy) in copies.iter_mut().filter(|(_, copy)| to_pause(copy)) {
            let resource = &move_scope.kind(*kind).resource;
            if let Some(now) = read_again(&run.target, resource, copy).await? {
                *copy = now;
            }
        }
    }
    if is_held {
        return Ok(());
    }
    let graph = Graph::build(Arc::clone(&move_scope.kinds), copies, &Scope::default())?;
    let reports = wait_for_reports(&run, &graph, &HashSet::new()).await?;
    for silent in reports.findings.0 {
        run.events.warning(silent.message);
    }
    Ok(())
}

async fn remove(
    run: &Run,
    ours: Vec<(&ResourceType, Object)>,
    listed: &Removable,
) -> Result<(), PhaseError> {
    let progress = Progress::of(ours.len()).carried_through();
    for stage in stages(ours) {
        run.each(stage, &progress, |(resource, copy)| async move {
            remove_one(run, resource, (&copy, listed)).await
        })
        .await?;
    }
    Ok(())
}

/// Sorts copies into stages: dependents before their owners, Clusters after everything else, since
/// a controller may take the objects of a missing Cluster for active ones, and ClusterClasses last,
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
    // Each round settles at least one more level; copies are created owners first, so there is no
    // cycle.
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

/// Takes the finalizers from a copy, marks it for the webhooks that see its deletion, and deletes
/// it as it was read. What somebody writes to at the same time is left to the next round, unless
/// its controller has reported that it leaves the copy alone and only puts its finalizer back.
async fn remove_one(
    run: &Run,
    resource: &ResourceType,
    (copy, listed): (&Object, &Removable),
) -> Result<(), PhaseError> {
    match free_and_delete_patiently(run, resource, (copy, listed)).await {
        Err(PhaseError::Api(error)) if error.is_conflict() => {}
        other => return other,
    }
    let now = read_again(&run.target, resource, copy).await?;
    let Some(now) = now.filter(|now| is_ours(run, listed, (resource, now))) else { return Ok(()) };
    listed.compared.check(&now)?;
    if reports_pause(&now) != Some(true) {
        return Ok(());
    }
    match run.target.delete_unchanged(resource, &now).await {
        Ok(_) => Ok(remove_finalizers(&run.target, resource, &now).await?),
        Err(error) if error.is_conflict() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A webhook refuses to delete a ClusterClass until it has noticed that the last Cluster of it is
/// gone.
async fn free_and_delete_patiently(
    run: &Run,
    resource: &ResourceType,
    (copy, listed): (&Object, &Removable),
) -> Result<(), PhaseError> {
    let mut refused = None;
    patiently((WEBHOOK_LAG, WEBHOOK_RETRY_INTERVAL), &run.events, async || {
        let known = match refused.take() {
            // Its first part may have been carried out.
            Some(known) => read_again(&run.target, resource, &known).await?,
            None => Some(copy.clone()),
        };
        let Some(known) = known else { return Ok(()) };
        listed.compared.check(&known)?;
        let freed = free_and_delete(&run.target, resource, &known).await;
        refused = Some(known);
        Ok(freed?)
    })
    .await
}

async fn free_and_delete(
    target: &Client,
    resource: &ResourceType,
    copy: &Object,
) -> Result<(), ApiError> {
    if copy.is_being_deleted() {
        return remove_finalizers(target, resource, copy).await;
    }
    let mut marks = json!({DELETE_FOR_MOVE_ANNOTATION: ""});
    if is_custom_resource(copy) {
        // One that was handed over is not paused by itself any more.
        set_field(&mut marks, &[PAUSED_ANNOTATION], json!(""));
    }
    let patch = json!({"metadata": {"finalizers": null, "annotations": marks}});
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
    fn a_copy_has_changed_if_more_than_the_marks_of_its_deletion_has() {
        let ((), copy) = object("Machine", "m", &[]);
        let compared = Compared::of([&copy].into_iter());
        let mut marked = copy.value().clone();
        marked["metadata"]["annotations"] =
            json!({DELETE_FOR_MOVE_ANNOTATION: "", PAUSED_ANNOTATION: ""});
        marked["metadata"]["resourceVersion"] = json!("2");
        compared.check(&Object::new(marked.clone())).expect("the run itself has marked it");
        marked["spec"] = json!({"version": "v2"});
        let error = compared.check(&Object::new(marked)).expect_err("somebody has changed it");
        assert!(matches!(error, PhaseError::CopyChanged { .. }), "{error}");
        let ((), other) = object("Machine", "other", &[]);
        compared.check(&other).expect("it was not compared");
    }

    #[test]
    fn owners_that_own_each_other_end_the_search() {
        let copies = vec![object("A", "a", &["b"]), object("B", "b", &["a"])];
        assert_eq!(stages(copies).iter().map(Vec::len).sum::<usize>(), 2);
    }
}
