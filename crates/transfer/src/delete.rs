//! Deleting from the source what the target now holds, dependents before owners.
//!
//! An object is deleted only if it is as it was when its copy was compared with it (uid and
//! resource version). What happens to its finalizers depends on what its controller has shown:
//!
//! - It has reported `Paused`: the deletion comes first, since the controller would put a finalizer
//!   back on an object that is not in deletion, and does nothing else.
//! - It has not: the finalizers come off first, so that it never sees a deletion, which it might
//!   carry out. A finalizer that comes back is a controller at work; the object and its Cluster
//!   stay as they are.
//!
//! Objects that have finalizers, or whose deletion a webhook or policy looks at, carry the mark
//! `delete-for-move` by then, and what reports its pause has one of its own.
//!
//! Before each level the source is looked at once more (`hold`). An active controller would take
//! the deletion for its user's, and delete real machines. And the garbage collector deletes with an
//! owner what has come below it since the comparison, so that owner stays, and those above it.
//!
//! Deletions propagate in the background. Only the garbage collector carries out `Orphan`, and it
//! waits for that until it can list every kind of the cluster: one that is not in order would hold
//! up the move, and it may miss a new object too.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use capi::names::{DELETE_FOR_MOVE_ANNOTATION, PAUSED_ANNOTATION, PAUSED_BY_ANNOTATION};
use capi::{
    Fate, Graph, Object, ResourceType, has_paused_annotation, is_cluster, is_pausable, is_paused,
    reports_pause, set_field,
};
use cluster::{ApiError, Client};
use serde_json::{Value, json};
use support::causes::in_one_line;

use super::admission_rules::AdmissionRules;
use super::compare::{compare, is_finalizer};
use super::discover::{MoveScope, list_copied};
use super::error::PhaseError;
use super::held::{self, Held};
use super::hold::hold;
use super::operations::{Executor, patiently, plan};
use super::own_pause;
use super::precondition::{patch_as_read, read_again, remove_finalizers};
use super::run::Run;

/// Pause between two tries at an object that may not be deleted now.
const DELETE_RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// Attempts at a deletion that writes of others keep overtaking.
const ATTEMPTS: u32 = 10;

/// Deletes everything that moves, and waits until it is gone. Returns what is held by objects that
/// have changed since they were compared, or do not go away.
///
/// # Errors
/// When the source is active, or more than single objects are the matter.
pub async fn delete<'a>(
    run: &Run,
    move_scope: &MoveScope,
    graph: &'a Graph,
) -> Result<Held<'a>, PhaseError> {
    let stages = plan::deletions(graph);
    let executor = Executor::new(run, &stages);
    let rules = &AdmissionRules::read(&run.source).await;
    let mut held = Held::none(graph);
    let failures = &AtomicUsize::new(0);
    for mut stage in stages {
        stage.nodes.retain(|node| !held.has(*node));
        if stage.nodes.is_empty() {
            continue;
        }
        for late in hold(run, move_scope, graph).await? {
            if !held.has(late.owner) {
                held.add(late.owner, PhaseError::Late { object: late.object });
            }
        }
        stage.nodes.retain(|node| !held.has(*node));
        let outcomes = executor.carry_out(stage, |index| async move {
            let node = &graph[index];
            let resource = graph.resource(node);
            let is_looked_at = rules.look_at("DELETE", resource);
            let (source, object) = (&run.source, &node.object);
            let deletion = Deletion { source, resource, object, is_looked_at };
            match deletion.carry_out(run).await {
                Err(error)
                    if error.is_of_one_object()
                        && failures.fetch_add(1, Ordering::Relaxed) < held::MOST_FAILURES =>
                {
                    run.events.note(format!("continues with the rest: {}", in_one_line(&error)));
                    Ok(Some((index, error)))
                }
                outcome => outcome.map(|()| None),
            }
        });
        for (index, error) in outcomes.await?.into_iter().flatten() {
            held.add(index, error);
        }
    }
    wait_until_gone(run, move_scope, graph, held).await
}

/// An object that is to be deleted, as its copy was compared with it.
struct Deletion<'a> {
    source: &'a Client,
    resource: &'a ResourceType,
    object: &'a Object,
    /// A webhook or policy may look at the deletion.
    is_looked_at: bool,
}

impl Deletion<'_> {
    /// A webhook may refuse for a while: its controller is restarting, or waits for something to go
    /// first.
    async fn carry_out(&self, run: &Run) -> Result<(), PhaseError> {
        let mut is_freed = false;
        let times = (run.options.delete_timeout, DELETE_RETRY_INTERVAL);
        patiently(times, &run.events, async || {
            run.stop.check_lock()?;
            self.delete_unchanged(&run.id, &mut is_freed).await
        })
        .await
    }

    /// Deletes the object while it has the content that its copy was compared with. Its controllers
    /// may write its status meanwhile.
    async fn delete_unchanged(&self, run: &str, is_freed: &mut bool) -> Result<(), PhaseError> {
        let mut latest = None;
        for attempt in 1..=ATTEMPTS {
            let known = latest.as_ref().unwrap_or(self.object);
            match self.delete_as_read(run, known, is_freed).await {
                Err(error) if error.is_conflict() => {}
                other => return Ok(other?),
            }
            latest = read_again(self.source, self.resource, self.object).await?;
            match &latest {
                Some(now) => check_unchanged(self.object, now, *is_freed)?,
                None => return Ok(()),
            }
            tokio::time::sleep(self.source.pause(attempt)).await;
        }
        Err(PhaseError::SourceChanged { object: self.object.id() })
    }

    /// Deletes the object, if nobody has written to it since it was read. Notes whether it has
    /// taken its finalizers off before.
    async fn delete_as_read(
        &self,
        run: &str,
        object: &Object,
        is_freed: &mut bool,
    ) -> Result<(), ApiError> {
        if object.is_being_deleted() {
            return remove_finalizers(self.source, self.resource, object).await;
        }
        let marked = match preparing(run, object, self.is_looked_at) {
            None => Some(object.clone()),
            Some(patch) => patch_as_read(self.source, self.resource, object, patch).await?,
        };
        let Some(marked) = marked else { return Ok(()) };
        *is_freed |= !object.finalizers().is_empty() && marked.finalizers().is_empty();
        let was_there = self.source.delete_unchanged(self.resource, &marked).await?;
        if was_there && !marked.finalizers().is_empty() {
            remove_finalizers(self.source, self.resource, &marked).await?;
        }
        Ok(())
    }
}

/// Returns the patch that an object needs before its deletion; `None` if it needs none.
fn preparing(run: &str, object: &Object, is_looked_at: bool) -> Option<Value> {
    let is_held = !object.finalizers().is_empty();
    let is_reported = reports_pause(object) == Some(true);
    let mut patch = json!({"metadata": {}});
    let mut annotate =
        |key, value| set_field(&mut patch, &["metadata", "annotations", key], Value::from(value));
    // Without a finalizer no controller sees the deletion, only who is asked before it.
    if (is_held || is_looked_at) && object.annotation(DELETE_FOR_MOVE_ANNOTATION).is_none() {
        annotate(DELETE_FOR_MOVE_ANNOTATION, "");
    }
    if is_held && is_reported && !is_pausable(object) && !has_paused_annotation(object) {
        // It has got its finalizers late, or somebody has taken its pause away.
        annotate(PAUSED_ANNOTATION, "");
        annotate(PAUSED_BY_ANNOTATION, &own_pause::mark(run, true));
    }
    if is_held && !is_reported {
        set_field(&mut patch, &["metadata", "finalizers"], Value::Null);
    }
    (patch != json!({"metadata": {}})).then_some(patch)
}

/// Checks that an object which has a new resource version may be deleted nevertheless.
///
/// Controllers that honour a pause add finalizers to what is paused, and those that a kind has go
/// in any case. One that does not report the pause is at work if it adds a finalizer, or puts one
/// back that `is_freed` has taken off.
fn check_unchanged(object: &Object, now: &Object, is_freed: bool) -> Result<(), PhaseError> {
    if is_pausable(now) && !is_paused(now) {
        return Err(PhaseError::SourceActive { object: object.id() });
    }
    let difference = compare(object, now);
    let mut changed = difference.lost.iter().chain(&difference.added);
    if changed.any(|path| !is_finalizer(path)) {
        return Err(PhaseError::SourceChanged { object: object.id() });
    }
    let is_at_work = is_freed || difference.added.iter().any(|path| is_finalizer(path));
    // A kind that reports writes the finalizer first, and then that it is paused.
    let is_silent = reports_pause(now) != Some(true) && !own_pause::belongs_to_source(now);
    if is_silent && is_at_work && !now.finalizers().is_empty() && !now.is_being_deleted() {
        let finalizers = now.finalizers().join(", ");
        return Err(PhaseError::FinalizerReturned { object: object.id(), finalizers });
    }
    Ok(())
}

/// Waits until everything is gone that is not held. Controllers can be slow to notice and put a
/// finalizer back, so such objects are freed again.
async fn wait_until_gone<'a>(
    run: &Run,
    move_scope: &MoveScope,
    graph: &'a Graph,
    mut held: Held<'a>,
) -> Result<Held<'a>, PhaseError> {
    let moving = || graph.copied().filter(|index| graph[*index].fate == Fate::Move);
    let moved: HashMap<&str, usize> =
        moving().map(|index| (graph[index].object.uid(), index)).collect();
    let clusters = moving().filter(|index| is_cluster(&graph[*index].object));
    let clusters: HashMap<_, usize> =
        clusters.map(|index| (name(&graph[index].object), index)).collect();
    let begun = Instant::now();
    loop {
        run.stop.check_lock()?;
        let listed = list_copied(&run.source, move_scope, graph).await?;
        let listed = || listed.iter().map(|(_, object)| object);
        for object in listed().filter(|object| is_cluster(object)) {
            let returned = clusters.get(&name(object)).filter(|index| !held.has(**index));
            if let Some(index) = returned.filter(|_| !moved.contains_key(object.uid())) {
                held.add(*index, PhaseError::CameBack { object: object.id() });
            }
        }
        let left = listed().filter_map(|object| Some((*moved.get(object.uid())?, object)));
        let left: Vec<(usize, &Object)> = left.filter(|(index, _)| !held.has(*index)).collect();
        let Some((_, first)) = left.first() else {
            return Ok(held);
        };
        if begun.elapsed() > run.options.delete_timeout {
            for (index, object) in left {
                held.add(index, not_gone(object, begun));
            }
            return Ok(held);
        }
        run.events.doing(format!(
            "waiting for {} objects to go, {} among them",
            left.len(),
            first.id()
        ));
        for (index, object) in left.into_iter().filter(|(_, object)| object.is_being_deleted()) {
            match remove_finalizers(&run.source, graph.resource(&graph[index]), object).await {
                Err(error) if !error.is_refused_by_admission() => return Err(error.into()),
                _ => {}
            }
        }
        tokio::time::sleep(DELETE_RETRY_INTERVAL).await;
    }
}

fn not_gone(object: &Object, begun: Instant) -> PhaseError {
    PhaseError::NotGone {
        object: object.id(),
        seconds: begun.elapsed().as_secs(),
        finalizers: object.finalizers().join(", "),
    }
}

fn name(object: &Object) -> (Option<&str>, &str) {
    (object.namespace(), object.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(extra: Value) -> Object {
        let mut machine = json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Machine",
            "metadata": {"name": "m", "resourceVersion": "1", "finalizers": ["a"]},
            "spec": {"x": 1}});
        merge(&mut machine, extra);
        Object::new(machine)
    }

    fn merge(into: &mut Value, from: Value) {
        match (into, from) {
            (Value::Object(into), Value::Object(from)) => from
                .into_iter()
                .for_each(|(key, value)| merge(into.entry(key).or_insert(Value::Null), value)),
            (into, from) => *into = from,
        }
    }

    fn reporting(mut machine: Object) -> Object {
        machine.value_mut()["status"]["conditions"] = json!([{"type": "Paused", "status": "True"}]);
        machine
    }

    #[test]
    fn a_new_status_finalizer_or_mark_does_not_stop_the_deletion_of_what_reports_its_pause() {
        for extra in [
            json!({"status": {"phase": "Running"}}),
            json!({"metadata": {"finalizers": ["a", "b"]}}),
            json!({"metadata": {"finalizers": []}}),
            json!({"metadata": {"annotations": {DELETE_FOR_MOVE_ANNOTATION: ""}}}),
        ] {
            let now = reporting(machine(extra));
            check_unchanged(&machine(json!({})), &now, false).expect("may be deleted");
        }
    }

    #[test]
    fn a_finalizer_that_a_silent_controller_adds_stops_a_deletion() {
        let held = |finalizers: Value| machine(json!({"metadata": {"finalizers": finalizers}}));
        let is_at_work = |finalizers: Value, is_freed: bool| {
            let checked = check_unchanged(&held(json!(["a"])), &held(finalizers), is_freed);
            matches!(checked, Err(PhaseError::FinalizerReturned { .. }))
        };
        assert!(!is_at_work(json!(["a"]), false), "it has written the status");
        assert!(is_at_work(json!(["a"]), true));
        assert!(is_at_work(json!(["a", "b"]), false));
        assert!(!is_at_work(json!([]), true), "it has written something else");
    }

    #[test]
    fn new_content_stops_a_deletion() {
        for extra in [json!({"spec": {"x": 2}}), json!({"metadata": {"labels": {"l": "v"}}})] {
            let error =
                check_unchanged(&machine(json!({})), &machine(extra), false).expect_err("an edit");
            assert!(matches!(error, PhaseError::SourceChanged { .. }), "{error}");
        }
    }

    #[test]
    fn a_cluster_that_was_resumed_is_not_deleted() {
        let cluster = |paused: bool| {
            Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
                "metadata": {"name": "c"}, "spec": {"paused": paused}}))
        };
        check_unchanged(&cluster(true), &cluster(true), false).expect("is paused");
        let checked = check_unchanged(&cluster(true), &cluster(false), false);
        let error = checked.expect_err("is active");
        assert!(matches!(error, PhaseError::SourceActive { .. }), "{error}");
    }

    #[test]
    fn finalizers_go_first_where_no_controller_has_reported_the_pause() {
        let patch = |machine: Object, is_looked_at| preparing("r", &machine, is_looked_at);
        let mark = json!({DELETE_FOR_MOVE_ANNOTATION: ""});
        let all = json!({DELETE_FOR_MOVE_ANNOTATION: "", PAUSED_ANNOTATION: "",
            PAUSED_BY_ANNOTATION: "r/reported"});
        let plain = || machine(json!({}));
        let marked = || machine(json!({"metadata": {"annotations": all}}));
        let free = || machine(json!({"metadata": {"finalizers": []}}));
        let off = json!({"metadata": {"finalizers": null}});
        let both = json!({"metadata": {"annotations": mark, "finalizers": null}});
        let only_mark = json!({"metadata": {"annotations": mark}});
        assert_eq!(patch(plain(), false), Some(both));
        assert_eq!(patch(marked(), false), Some(off));
        assert_eq!(
            patch(reporting(plain()), false),
            Some(json!({"metadata": {"annotations": all}}))
        );
        assert_eq!(patch(reporting(marked()), true), None);
        assert_eq!(patch(free(), false), None);
        assert_eq!(patch(free(), true), Some(only_mark));
    }
}
