//! Pausing objects by an annotation of their own, beside the pause of their Cluster.
//!
//! Two sorts need that. An object with finalizers stands for something real: while the source is
//! emptied, no controller may act on its deletion, even if somebody resumes its Cluster in that
//! moment. And a kind of which no object was seen to report `Paused` may have a controller that
//! ignores the pause of a Cluster; the copies of such a kind keep their pause until everything that
//! moves has gone from the source.
//!
//! A plugin may know a third sort: a kind whose controllers heed an annotation of their own only.
//! It is set beside the other, and the copies keep it as long.
//!
//! The mark `paused-by` tells them apart. `RUN` goes along to the copy; `RUN/reported` belongs to
//! the source; `RUN/with NAME` goes along and says which annotation the run has set too. So a
//! process that ends the pause needs no plugin.

use std::collections::HashSet;

use capi::names::{DELETE_FOR_MOVE_ANNOTATION, PAUSED_ANNOTATION, PAUSED_BY_ANNOTATION};
use capi::{
    Annotation, Fate, Graph, KeepReason, MoveKind, Node, NotChosen, Object, ObjectId, ResourceType,
    StayReason, has_paused_annotation, is_cluster, is_pausable, reports_pause, set_field,
};
use cluster::{ApiError, Client};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::discover::{LISTS_IN_FLIGHT, list_metadata_or_none};
use super::error::PhaseError;
use super::operations::plan::may_need_own_pause;
use super::operations::{Executor, plan};
use super::pause::{is_in_scope, paused_by, without_fence};
use super::precondition;
use super::run::{Progress, Run};

/// Follows the run's id and a slash in the mark of an object whose kind reports that it honours the
/// pause of its Cluster.
const REPORTED: &str = "reported";

/// Follows the run's id, before the name of the annotation that the run has set too.
const WITH: &str = "/with ";

/// Pauses every object of a source that needs a pause of its own, once the controllers have
/// reported that they have seen the pause of its Cluster. Returns one that has gone meanwhile or
/// that somebody else has paused, if there is any: the graph is out of date then.
///
/// What has finalizers is marked for its deletion (`delete-for-move`) in the same request.
///
/// # Errors
/// When a request fails.
pub(super) async fn pause_each(
    run: &Run,
    graph: &mut Graph,
) -> Result<Option<ObjectId>, PhaseError> {
    let reporting = reporting(graph, &run.id);
    let known = &*graph;
    let reporting = &reporting;
    let stage = plan::own_pauses(known, reporting);
    let executor = Executor::new(run, std::slice::from_ref(&stage));
    let paused = executor
        .carry_out(stage, |index| async move {
            let node = &known[index];
            let mark = mark(&run.id, reporting.contains(&node.kind));
            let own = known.kind(node).own_pause();
            let plan =
                |now: &Object| (!has_paused_annotation(now)).then(|| pausing(now, &mark, own));
            let (resource, object) = (known.resource(node), &node.object);
            let paused = precondition::patch(&run.source, resource, object, plan).await?;
            Ok((index, paused))
        })
        .await?;
    let mut missed = None;
    for (index, now) in paused {
        match now {
            Some(now) => graph[index].object = now,
            None => missed = Some(graph[index].object.id()),
        }
    }
    Ok(missed)
}

/// The mark of an object whose kind does, or does not, report that it honours the pause of its
/// Cluster.
pub(super) fn mark(run: &str, is_reported: bool) -> String {
    if is_reported { format!("{run}/{REPORTED}") } else { run.to_owned() }
}

/// Returns the kinds that honour the pause of a Cluster: an object without a pause of its own
/// reports `Paused`. A kind that an earlier attempt of the run has not seen to do so stays one that
/// does not.
fn reporting(graph: &Graph, run: &str) -> HashSet<usize> {
    let mut reporting = HashSet::new();
    let mut silent = HashSet::new();
    for node in &graph.nodes {
        if belongs_to_source(&node.object)
            || (!has_paused_annotation(&node.object) && reports_pause(&node.object) == Some(true))
        {
            reporting.insert(node.kind);
        } else if paused_by(&node.object) == Some(run) && has_own_pause(&node.object) {
            silent.insert(node.kind);
        }
    }
    let needs_more = |kind: usize| graph.kind_at(kind).own_pause().is_some();
    reporting.retain(|kind| !silent.contains(kind) && !needs_more(*kind));
    reporting
}

/// Returns whether a run has paused an object by its own annotation.
pub(super) fn has_own_pause(object: &Object) -> bool {
    let own = annotation_of_pause(object);
    !is_cluster(object)
        && paused_by(object).is_some()
        && has_paused_annotation(object)
        && own.is_none_or(|own| object.annotation(own).is_some())
}

/// Returns the annotation that a run has set on an object beside that of Cluster API.
pub(super) fn annotation_of_pause(object: &Object) -> Option<&str> {
    paused_by(object)?;
    let (_, own) = object.annotation(PAUSED_BY_ANNOTATION)?.split_once(WITH)?;
    Some(own)
}

/// Returns whether the copy of an object stays paused until the source is empty.
pub(super) fn outlasts_hand_over(source: &Object) -> bool {
    has_own_pause(source) && !belongs_to_source(source)
}

/// Returns whether the pause of an object, with its mark, is not for the copy.
pub(super) fn belongs_to_source(object: &Object) -> bool {
    let mark = object.annotation(PAUSED_BY_ANNOTATION).and_then(|mark| mark.split_once('/'));
    mark.is_some_and(|(_, rest)| rest == REPORTED)
}

/// Takes off an object of the source what is there for the source only, and the mark of anybody but
/// this run: nobody would ever end the pause that it stands for.
pub(super) fn remove_from_copy(object: &mut Object, run: &str) {
    let Some(by) = paused_by(object).map(str::to_owned) else {
        // A run marks no Secret and no ConfigMap.
        object.remove_annotation(PAUSED_BY_ANNOTATION);
        return;
    };
    object.remove_annotation(DELETE_FOR_MOVE_ANNOTATION);
    if belongs_to_source(object) {
        object.remove_annotation(PAUSED_ANNOTATION);
        object.remove_annotation(PAUSED_BY_ANNOTATION);
    }
    if by != run {
        object.remove_annotation(PAUSED_BY_ANNOTATION);
    }
}

/// Ends the pauses that this run has given to objects of a cluster, other than those of the kinds
/// that it pauses as a whole.
///
/// # Errors
/// When a request fails.
pub(super) async fn restore(
    run: &Run,
    cluster: &Client,
    kinds: &[MoveKind],
) -> Result<(), PhaseError> {
    let paused = paused(run, cluster, kinds).await?;
    let progress = Progress::of(paused.len()).carried_through();
    run.each(paused, &progress, |(resource, object)| async move {
        let is_ours = |now: &Object| paused_by(now) == Some(&run.id);
        let plan = |now: &Object| is_ours(now).then(|| without_fence(now, resuming(now)));
        precondition::patch(cluster, resource, &object, plan).await?;
        Ok(())
    })
    .await?;
    Ok(())
}

/// Lists the objects of a cluster that this run has paused by themselves.
///
/// # Errors
/// When a list fails.
pub(super) async fn paused<'a>(
    run: &Run,
    cluster: &Client,
    kinds: &'a [MoveKind],
) -> Result<Vec<(&'a ResourceType, Object)>, PhaseError> {
    let listed = list(run, cluster, kinds).await?.into_iter();
    let is_ours =
        |object: &Object| !is_pausable(object) && paused_by(object) == Some(run.id.as_str());
    let ours = listed.filter(|(_, object)| is_ours(object));
    Ok(ours.map(|(kind, object)| (&kind.resource, object)).collect())
}

/// Ends the pauses that this run has given to objects of its source which stay there after all: a
/// Cluster that stays has begun to use them.
///
/// # Errors
/// When a request fails.
pub(super) async fn restore_staying(run: &Run, graph: &Graph) -> Result<(), PhaseError> {
    let staying: Vec<&Node> = staying(graph, &run.id).collect();
    let progress = Progress::of(staying.len()).carried_through();
    run.each(staying, &progress, |node| async move {
        let object = &node.object;
        let plan = |now: &Object| (paused_by(now) == Some(&run.id)).then(|| resuming(now));
        let resumed = precondition::patch(&run.source, graph.resource(node), object, plan).await?;
        if resumed.is_some() {
            run.events.warning(format!(
                "{} stays in the source, because Clusters there use it now; it is active in both \
                 clusters",
                object.id()
            ));
        }
        Ok(())
    })
    .await?;
    Ok(())
}

/// Lists objects that a run has paused and no longer moves, but for those of a Cluster: its copy
/// works in the target.
fn staying<'a>(graph: &'a Graph, run: &str) -> impl Iterator<Item = &'a Node> {
    let is_used = |node: &Node| {
        matches!(
            node.fate,
            Fate::Stay(StayReason::NotChosen(NotChosen::Used(_))) | Fate::Keep(KeepReason::Shared)
        )
    };
    let is_ours = move |node: &&Node| {
        is_used(node) && !is_cluster(&node.object) && paused_by(&node.object) == Some(run)
    };
    graph.nodes.iter().filter(is_ours)
}

/// The objects that a run may be about to pause by themselves, as far as metadata tell.
///
/// # Errors
/// When a list fails.
pub(super) async fn not_paused<'a>(
    run: &Run,
    cluster: &Client,
    kinds: &'a [MoveKind],
) -> Result<Vec<(&'a ResourceType, Object)>, PhaseError> {
    let listed = list(run, cluster, kinds).await?.into_iter();
    let listed = listed.filter(|(kind, object)| {
        object.namespace().is_some()
            && may_need_own_pause(kind, object)
            && !has_paused_annotation(object)
    });
    Ok(listed.map(|(kind, object)| (&kind.resource, object)).collect())
}

/// Lists what may be paused by itself: all of it is in the namespaces that move.
async fn list<'a>(
    run: &Run,
    cluster: &Client,
    kinds: &'a [MoveKind],
) -> Result<Vec<(&'a MoveKind, Object)>, ApiError> {
    let moving = run.options.namespaces.selector();
    let custom = kinds.iter().filter(|kind| !kind.resource.group.is_empty());
    let lists = futures::stream::iter(custom)
        .map(|kind| async move {
            let listed = list_metadata_or_none(cluster, &kind.resource, moving).await?;
            let listed = listed.into_iter().filter(|object| is_in_scope(run, object));
            Ok::<_, ApiError>(listed.map(move |object| (kind, object)))
        })
        .buffered(LISTS_IN_FLIGHT)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(lists.into_iter().flatten().collect())
}

fn pausing(object: &Object, mark: &str, own: Option<&Annotation>) -> Value {
    let mut annotations = json!({PAUSED_ANNOTATION: "", PAUSED_BY_ANNOTATION: mark});
    // One that is there already is somebody else's, and stays.
    if let Some(own) = own.filter(|own| object.annotation(&own.name).is_none()) {
        set_field(&mut annotations, &[&own.name], json!(own.value));
        set_field(
            &mut annotations,
            &[PAUSED_BY_ANNOTATION],
            json!(format!("{mark}{WITH}{}", own.name)),
        );
    }
    if !object.finalizers().is_empty() {
        set_field(&mut annotations, &[DELETE_FOR_MOVE_ANNOTATION], json!(""));
    }
    json!({"metadata": {"annotations": annotations}})
}

fn resuming(object: &Object) -> Value {
    let mut annotations = json!({PAUSED_ANNOTATION: null, PAUSED_BY_ANNOTATION: null,
        DELETE_FOR_MOVE_ANNOTATION: null});
    if let Some(own) = annotation_of_pause(object) {
        set_field(&mut annotations, &[own], Value::Null);
    }
    json!({"metadata": {"annotations": annotations}})
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use capi::Scope;

    const INFRASTRUCTURE: &str = "infrastructure.cluster.x-k8s.io/v1beta2";

    fn machine(name: &str, annotations: Value, paused: Option<&str>) -> Object {
        let mut object = json!({"apiVersion": INFRASTRUCTURE, "kind": "FooMachine",
            "metadata": {"name": name, "namespace": "n", "uid": name, "annotations": annotations}});
        if let Some(status) = paused {
            object["status"]["conditions"] = json!([{"type": "Paused", "status": status}]);
        }
        Object::new(object)
    }

    fn honours(machines: Vec<Object>) -> bool {
        let kind = MoveKind {
            resource: ResourceType::new(INFRASTRUCTURE, "FooMachine", "foomachines", true),
            moves: false,
            moves_hierarchy: false,
            has_status_subresource: true,
            converted_to: None,
            knowledge: None,
        };
        let objects = machines.into_iter().map(|machine| (0, machine)).collect();
        let graph = Graph::build(Arc::new(vec![kind]), objects, &Scope::default());
        reporting(&graph.expect("no cycle"), "r").contains(&0)
    }

    #[test]
    fn a_kind_honours_a_pause_once_an_object_has_reported_it() {
        let plain = |status| machine("a", json!({}), status);
        assert!(!honours(vec![plain(None)]));
        assert!(!honours(vec![plain(Some("False"))]));
        assert!(honours(vec![plain(Some("True")), machine("b", json!({}), None)]));
        let own = machine("a", json!({PAUSED_ANNOTATION: ""}), Some("True"));
        assert!(!honours(vec![own]), "it may have reported the pause of its own");
    }

    #[test]
    fn an_observation_of_an_earlier_attempt_counts() {
        let marked = |mark: &str, status| {
            machine("a", json!({PAUSED_ANNOTATION: "", PAUSED_BY_ANNOTATION: mark}), status)
        };
        assert!(honours(vec![marked("r/reported", Some("True"))]));
        let late = machine("b", json!({}), Some("True"));
        assert!(!honours(vec![marked("r", Some("True")), late]));
    }

    #[test]
    fn only_a_pause_that_nobody_else_keeps_goes_along_to_the_copy() {
        let marks = |mark: &str| {
            json!({PAUSED_ANNOTATION: "", PAUSED_BY_ANNOTATION: mark,
            DELETE_FOR_MOVE_ANNOTATION: ""})
        };
        let left = |annotations: Value| {
            let mut object = machine("a", annotations, None);
            let outlasts = outlasts_hand_over(&object);
            remove_from_copy(&mut object, "r");
            (outlasts, object.value()["metadata"]["annotations"].clone())
        };
        assert_eq!(left(marks("r/reported")), (false, Value::Null));
        let silent = json!({PAUSED_ANNOTATION: "", PAUSED_BY_ANNOTATION: "r"});
        assert_eq!(left(marks("r")), (true, silent));
        assert_eq!(left(marks("zzz")).1, json!({PAUSED_ANNOTATION: ""}), "of somebody else");
        let of_user = json!({PAUSED_ANNOTATION: ""});
        assert_eq!(left(of_user.clone()), (false, of_user));
    }

    #[test]
    fn a_copy_of_a_secret_gets_no_mark_at_all() {
        for mark in ["r", "zzz"] {
            let mut secret = Object::new(json!({"apiVersion": "v1", "kind": "Secret", "metadata":
                {"name": "a", "annotations": {PAUSED_BY_ANNOTATION: mark, "other": "stays"}}}));
            remove_from_copy(&mut secret, "r");
            assert_eq!(secret.value()["metadata"]["annotations"], json!({"other": "stays"}));
        }
    }

    #[test]
    fn a_paused_object_is_as_before_once_it_is_resumed() {
        let mut object = machine("a", json!({}), None);
        object.metadata_mut().insert("finalizers".to_owned(), json!(["f"]));
        let marks = pausing(&object, "r", None)["metadata"]["annotations"].clone();
        let undone = resuming(&object)["metadata"]["annotations"].clone();
        let names = |value: &Value| -> Vec<String> {
            value.as_object().expect("annotations").keys().cloned().collect()
        };
        assert_eq!(names(&marks), names(&undone));
        object.metadata_mut().remove("finalizers");
        let marks = pausing(&object, "r", None)["metadata"]["annotations"].clone();
        assert_eq!(marks, json!({PAUSED_ANNOTATION: "", PAUSED_BY_ANNOTATION: "r"}));
    }

    #[test]
    fn the_annotation_of_a_provider_is_set_and_taken_off_by_the_mark_alone() {
        let own = Annotation { name: "a.io/reported".to_owned(), value: "pivot".to_owned() };
        let plain = machine("a", json!({}), None);
        let marks = pausing(&plain, "r", Some(&own))["metadata"]["annotations"].clone();
        assert_eq!(
            marks,
            json!({PAUSED_ANNOTATION: "", "a.io/reported": "pivot",
                PAUSED_BY_ANNOTATION: "r/with a.io/reported"})
        );
        let paused = machine("a", marks.clone(), None);
        assert!(outlasts_hand_over(&paused) && compare_contents(&plain, &paused));
        let undone = resuming(&paused)["metadata"]["annotations"].clone();
        assert!(marks.as_object().expect("marks").keys().all(|name| undone.get(name).is_some()));
        let mut ended = paused;
        ended.remove_annotation("a.io/reported");
        assert!(!has_own_pause(&ended), "somebody has ended it");
        let of_user = machine("a", json!({"a.io/reported": ""}), None);
        let marks = pausing(&of_user, "r", Some(&own))["metadata"]["annotations"].clone();
        assert_eq!(marks, json!({PAUSED_ANNOTATION: "", PAUSED_BY_ANNOTATION: "r"}));
    }

    fn compare_contents(a: &Object, b: &Object) -> bool {
        crate::compare::is_same_content(a, b)
    }

    #[test]
    fn an_object_that_a_staying_cluster_uses_by_now_loses_the_pause_of_the_run() {
        let kinds =
            [("Pool", "ipam.cluster.x-k8s.io/v1beta2"), ("Cluster", "cluster.x-k8s.io/v1beta2")];
        let kinds = kinds.map(|(kind, api_version)| MoveKind {
            resource: ResourceType::new(api_version, kind, "plural", true),
            moves: true,
            moves_hierarchy: kind == "Cluster",
            has_status_subresource: true,
            converted_to: None,
            knowledge: None,
        });
        let pool = |name: &str, by: &str| {
            Object::new(
                json!({"apiVersion": "ipam.cluster.x-k8s.io/v1beta2", "kind": "Pool", "metadata":
                {"name": name, "namespace": "n", "uid": name, "annotations":
                {PAUSED_ANNOTATION: "", PAUSED_BY_ANNOTATION: by}}}),
            )
        };
        let reference = |name: &str| {
            json!({"apiVersion": "ipam.cluster.x-k8s.io/v1beta2",
            "kind": "Pool", "name": name})
        };
        let cluster =
            Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
            "metadata": {"name": "stays", "namespace": "n", "uid": "stays"},
            "spec": {"pools": [reference("ours"), reference("of-others")]}}));
        let objects = [
            (0, pool("ours", "r/reported")),
            (0, pool("of-others", "s")),
            (0, pool("moves", "r")),
            (1, cluster),
        ];
        let chosen = [("n".to_owned(), "gone".to_owned())].into_iter().collect::<capi::Chosen>();
        let along = objects.iter().map(|(_, object)| object);
        let chosen = Some(Arc::new(chosen.with_along(along)));
        let scope = Scope { chosen, ..Scope::default() };
        let graph =
            Graph::build(Arc::new(kinds.to_vec()), objects.to_vec(), &scope).expect("no cycle");
        let names: Vec<&str> = staying(&graph, "r").map(|node| node.object.name()).collect();
        assert_eq!(names, ["ours"]);
    }
}
