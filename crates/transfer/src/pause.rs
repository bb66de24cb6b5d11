//! Pausing the source, remembering what was paused before, and giving every object its pause
//! state back.
//!
//! What a run pauses carries the run's id in an annotation, written in the same request; what its
//! user had paused carries none and is left alone. So the memory is on the API servers.
//!
//! Clusters, and what ignores their pause by its kind, are paused here; objects that need a pause
//! of their own beside that are paused in [`own_pause`].

use std::collections::HashSet;

use capi::managed_fields;
use capi::names::{
    ADDONS_GROUP, CORE_GROUP, PAUSED_ANNOTATION, PAUSED_BY_ANNOTATION, RUN_ANNOTATION,
};
use capi::{
    Fate, Graph, MoveKind, Node, Object, PAUSABLE, ResourceType, at, is_cluster,
    is_custom_resource, is_pausable, is_paused, set_field,
};
use cluster::{ApiError, Client, FIELD_MANAGER, Moment, Served};
use serde_json::{Value, json};

use super::discover::{MoveScope, discover, list_or_none};
use super::error::PhaseError;
use super::operations::plan;
use super::own_pause;
use super::precondition;
use super::record::Role;
use super::run::{Progress, Run};

/// Rounds of pausing and looking again before the move gives up.
const ROUNDS: usize = 5;

/// Follows the run's id in the annotation when `spec.paused` was an explicit `false` before; behind
/// it stands who managed the field.
const WAS_FALSE: &str = "/false ";

/// Pauses everything that moves and discovers again, until nothing new has appeared.
///
/// # Errors
/// When a request fails, or Clusters keep appearing.
pub async fn pause(
    run: &Run,
    move_scope: &MoveScope,
    mut graph: Graph,
) -> Result<Graph, PhaseError> {
    let mut paused = HashSet::new();
    for _ in 0..ROUNDS {
        let active = to_pause(&graph).map(|(r, o)| (r.clone(), o.clone())).collect();
        paused.extend(pause_objects(run, &run.source, active).await?);
        graph = discover(&run.source, move_scope).await?;
        check_kept(&run.id, &paused, &graph)?;
        if to_pause(&graph).next().is_none() {
            return Ok(graph);
        }
    }
    let newest = to_pause(&graph).next_back();
    match newest.map(|(_, object)| (object.id(), paused_by(object) == Some(&run.id))) {
        Some((object, true)) => Err(PhaseError::SourceActive { object }),
        Some((object, false)) => Err(PhaseError::Restless { rounds: ROUNDS, object }),
        None => Ok(graph),
    }
}

/// Pauses objects of a cluster. Returns the uids of those that nobody else had paused.
pub(super) async fn pause_objects(
    run: &Run,
    cluster: &Client,
    active: Vec<(ResourceType, Object)>,
) -> Result<Vec<String>, PhaseError> {
    let progress = Progress::of(active.len());
    let paused = run.each(active, &progress, |(resource, object)| async move {
        let plan = |now: &Object| (!is_paused(now)).then(|| pausing(now, &run.id));
        let begun = Moment::now();
        let paused = precondition::patch(cluster, &resource, &object, plan).await?;
        let is_of_source = run.role_of(cluster) == Role::Source;
        if paused.is_some() && is_cluster(&object) && is_of_source {
            run.sides.paused(&object, begun);
        }
        Ok(paused.map(|object| object.uid().to_owned()))
    });
    Ok(paused.await?.into_iter().flatten().collect())
}

/// The uids of what carries the mark of a pause of this run.
pub(super) fn marked(run: &str, graph: &Graph) -> HashSet<String> {
    let ours = graph.moving().filter(|node| paused_by(&node.object) == Some(run));
    ours.map(|node| node.object.uid().to_owned()).collect()
}

/// Checks that what this run has paused carries its mark as long as it is paused. Without it a
/// pause looks like one of its user, which goes along to the copy, and nobody would ever end it.
pub(super) fn check_kept(
    run: &str,
    marked: &HashSet<String>,
    now: &Graph,
) -> Result<(), PhaseError> {
    let has_lost = |node: &&Node| {
        let object = &node.object;
        marked.contains(object.uid()) && is_paused(object) && paused_by(object) != Some(run)
    };
    match now.moving().find(has_lost) {
        Some(node) => Err(PhaseError::PauseUnmarked { object: node.object.id() }),
        None => Ok(()),
    }
}

fn to_pause(graph: &Graph) -> impl DoubleEndedIterator<Item = (&ResourceType, &Object)> {
    let active = plan::pauses(graph).nodes.into_iter().map(|index| &graph[index]);
    active.map(|node| (graph.resource(node), &node.object))
}

/// Gives back the pause state of everything that a move has paused in a cluster.
///
/// Objects lose the pauses of their own first: controllers hand annotations of an active
/// MachineDeployment down to its MachineSets.
///
/// # Errors
/// When a request fails.
pub async fn restore_all(
    run: &Run,
    cluster: &Client,
    kinds: &[MoveKind],
) -> Result<(), PhaseError> {
    own_pause::restore(run, cluster, kinds).await?;
    restore(run, cluster, kinds).await
}

/// Gives back the pause state of the kinds in [`PAUSABLE`] that this run has paused in a cluster,
/// in that order.
///
/// # Errors
/// When a request fails.
pub async fn restore(run: &Run, cluster: &Client, kinds: &[MoveKind]) -> Result<(), PhaseError> {
    for pausable in PAUSABLE {
        restore_kind(run, cluster, kinds, pausable).await?;
    }
    Ok(())
}

/// Makes every pause fail that an earlier process of this run has sent and that is still on its
/// way: such a request carries the resource version that its object had, and each object that is
/// not paused gets a new one. Otherwise the pause could arrive after a rollback, and nobody would
/// ever end it.
///
/// # Errors
/// When a request fails.
pub async fn fence(
    run: &Run,
    (cluster, epoch): (&Client, u64),
    move_scope: &MoveScope,
) -> Result<(), PhaseError> {
    let kinds = &move_scope.kinds;
    let mut active = own_pause::not_paused(run, cluster, kinds).await?;
    for (group, kind) in PAUSABLE {
        let is_it =
            |known: &&MoveKind| known.resource.kind == kind && known.resource.group == group;
        let Some(kind) = kinds.iter().find(is_it) else { continue };
        let moving = run.options.namespaces.selector();
        let listed = list_or_none(cluster, &kind.resource, moving).await?;
        let listed = listed.into_iter().filter(|object| !is_paused(object));
        active.extend(listed.map(|object| (&kind.resource, object)));
    }
    // A list of several namespaces is one of all.
    active.retain(|(_, object)| is_in_scope(run, object));
    if move_scope.chosen.is_some() {
        // What the run has never moved gets no request of it.
        let moving = discover(cluster, move_scope).await?;
        let moving: HashSet<&str> = moving.moving().map(|node| node.object.uid()).collect();
        active.retain(|(_, object)| moving.contains(object.uid()));
    }
    let progress = Progress::of(active.len()).carried_through();
    let is_active = |now: &Object| !is_paused(now);
    run.each(active, &progress, |(resource, object)| async move {
        match touch(run, epoch, (cluster, resource), (&object, is_active)).await {
            // A pause that is on its way will be refused, too: it is of the same object and the
            // same user.
            Err(error) if is_refused(&error) && !is_pausable(&object) => Ok(()),
            other => Ok(other?),
        }
    })
    .await?;
    Ok(())
}

/// As [`fence`], for resumes: each object that this run has paused gets a new resource version.
/// Otherwise a copy could work again while a rollback removes it.
///
/// # Errors
/// When a request fails.
pub(super) async fn fence_resumes(
    run: &Run,
    (cluster, epoch): (&Client, u64),
    kinds: &[MoveKind],
) -> Result<(), PhaseError> {
    let mut paused = own_pause::paused(run, cluster, kinds).await?;
    for (group, name) in PAUSABLE {
        let known = kinds.iter().map(|kind| &kind.resource);
        for resource in known.filter(|known| known.kind == name && known.group == group) {
            let ours = paused_by_run(run, cluster, resource).await?;
            paused.extend(ours.into_iter().map(|object| (resource, object)));
        }
    }
    let progress = Progress::of(paused.len()).carried_through();
    let is_ours = |now: &Object| paused_by(now) == Some(&run.id);
    run.each(paused, &progress, |(resource, object)| async move {
        touch(run, epoch, (cluster, resource), (&object, is_ours)).await?;
        Ok(())
    })
    .await?;
    Ok(())
}

/// Returns whether an object is in the namespaces of a run, or in none.
pub(super) fn is_in_scope(run: &Run, object: &Object) -> bool {
    object.namespace().is_none_or(|namespace| run.options.namespaces.has(namespace))
}

fn is_refused(error: &ApiError) -> bool {
    error.is_forbidden() || error.is_invalid() || error.is_refused_by_admission()
}

/// Gives an object a new resource version as long as it is in a state, and leaves it as it is. The
/// mark differs with each take-over, since a write that changes nothing keeps the version.
async fn touch(
    run: &Run,
    epoch: u64,
    (cluster, resource): (&Client, &ResourceType),
    (object, applies): (&Object, impl Fn(&Object) -> bool),
) -> Result<(), ApiError> {
    let mark = |value: Value| json!({"metadata": {"annotations": {RUN_ANNOTATION: value}}});
    let value = json!(format!("{}/{epoch}", run.id));
    let marking = |now: &Object| applies(now).then(|| mark(value.clone()));
    match precondition::patch(cluster, resource, object, marking).await? {
        Some(marked) => {
            let unmarking = |_: &Object| Some(mark(Value::Null));
            precondition::patch(cluster, resource, &marked, unmarking).await.map(drop)
        }
        None => Ok(()),
    }
}

/// Adds to a patch of an object that the mark of a fence goes, if its process has died between its
/// two writes.
pub(super) fn without_fence(object: &Object, mut patch: Value) -> Value {
    if object.annotation(RUN_ANNOTATION).is_some_and(|mark| mark.contains('/')) {
        set_field(&mut patch, &["metadata", "annotations", RUN_ANNOTATION], Value::Null);
    }
    patch
}

/// Gives back the pause state of the ClusterClasses and ClusterResourceSets that a finished move
/// has kept in its source.
///
/// Nothing else is resumed there: the target works on it by then.
///
/// # Errors
/// When a request fails.
pub async fn restore_kept(
    run: &Run,
    cluster: &Client,
    kinds: &[MoveKind],
) -> Result<(), PhaseError> {
    restore_kind(run, cluster, kinds, (CORE_GROUP, "ClusterClass")).await?;
    restore_kind(run, cluster, kinds, (ADDONS_GROUP, "ClusterResourceSet")).await
}

/// Gives back the pause state of the ClusterClasses and ClusterResourceSets that were copied and
/// that a source which is left keeps for others.
///
/// # Errors
/// When a request fails.
pub(super) async fn restore_used(run: &Run, graph: &Graph) -> Result<(), PhaseError> {
    let used = graph.pausable().filter(|node| matches!(node.fate, Fate::Keep(_)));
    let used: Vec<&Node> = used.filter(|node| !is_cluster(&node.object)).collect();
    let progress = Progress::of(used.len()).carried_through();
    run.each(used, &progress, |node| async move {
        let plan = |now: &Object| (paused_by(now) == Some(&run.id)).then(|| resuming(now));
        precondition::patch(&run.source, graph.resource(node), &node.object, plan).await?;
        Ok(())
    })
    .await?;
    Ok(())
}

async fn restore_kind(
    run: &Run,
    cluster: &Client,
    kinds: &[MoveKind],
    (group, kind): (&str, &str),
) -> Result<(), PhaseError> {
    let is_it = |known: &&MoveKind| known.resource.kind == kind && known.resource.group == group;
    let Some(kind) = kinds.iter().find(is_it) else { return Ok(()) };
    let paused = paused_by_run(run, cluster, &kind.resource).await?;
    let served = &versions_to_give_back(cluster, &kind.resource, &paused).await?;
    let progress = Progress::of(paused.len()).carried_through();
    run.each(paused, &progress, |object| async move {
        resume(run, cluster, (&kind.resource, served), &object).await?;
        if is_cluster(&object) {
            run.sides.resumed(&object, run.role_of(cluster));
        }
        Ok(())
    })
    .await?;
    Ok(())
}

/// The versions of a kind that a cluster serves, if managers of one of these objects are to be
/// given a field back: they may have written it in another cluster, at a version that this one does
/// not serve.
async fn versions_to_give_back(
    cluster: &Client,
    resource: &ResourceType,
    paused: &[Object],
) -> Result<Vec<ResourceType>, ApiError> {
    let managers = paused.iter().filter_map(|object| managers_of_false(object, &[]));
    if managers.flatten().next().is_none() {
        return Ok(Vec::new());
    }
    let served = Served::read(cluster).await?;
    Ok(served.versions(&resource.group, &resource.kind).to_vec())
}

/// Classes of other namespaces may have been paused too, so all are looked at, if that is allowed.
async fn paused_by_run(
    run: &Run,
    cluster: &Client,
    resource: &ResourceType,
) -> Result<Vec<Object>, ApiError> {
    let moving = run.options.namespaces.selector();
    let listed = match list_or_none(cluster, resource, None).await {
        Err(error) if error.is_forbidden() && moving.is_some() => {
            list_or_none(cluster, resource, moving).await?
        }
        other => other?,
    };
    Ok(listed.into_iter().filter(|object| paused_by(object) == Some(&run.id)).collect())
}

/// The run that has paused this object.
pub fn paused_by(object: &Object) -> Option<&str> {
    if !is_custom_resource(object) {
        return None;
    }
    object.annotation(PAUSED_BY_ANNOTATION)?.split('/').next()
}

/// Returns the part of a mark that remembers an explicit `false`: all behind the run's id, to stand
/// behind another's.
pub(super) fn memory_of_false(object: &Object) -> Option<&str> {
    let mark = object.annotation(PAUSED_BY_ANNOTATION)?;
    let (_, memory) = mark.split_once('/').filter(|_| mark.contains(WAS_FALSE))?;
    Some(memory)
}

/// Returns the managers of `spec.paused` of a Cluster that had an explicit `false`: those at a
/// version in `served`, or all if that is empty.
fn managers_of_false(object: &Object, served: &[ResourceType]) -> Option<Vec<Value>> {
    let (_, managers) = object.annotation(PAUSED_BY_ANNOTATION)?.split_once(WAS_FALSE)?;
    let mut managers = serde_json::from_str(managers).unwrap_or_default();
    managed_fields::keep_served(&mut managers, served);
    Some(managers)
}

/// Gives an object its pause state back, as long as it is this run that has paused it: a run that
/// was suspended must not resume what a later run has paused.
///
/// An explicit `false` takes two requests, since the API server makes the writer of the field its
/// manager; the annotation goes with the second.
async fn resume(
    run: &Run,
    cluster: &Client,
    (resource, served): (&ResourceType, &[ResourceType]),
    object: &Object,
) -> Result<(), ApiError> {
    let is_ours = |now: &Object| paused_by(now) == Some(&run.id);
    let nobody = || is_nothing_but_paused(object).then(Vec::new);
    let Some(managers) = managers_of_false(object, served).or_else(nobody) else {
        let plan = |now: &Object| is_ours(now).then(|| without_fence(now, resuming(now)));
        return precondition::patch(cluster, resource, object, plan).await.map(drop);
    };
    let active = || json!({"spec": {"paused": false}});
    let plan = |now: &Object| is_ours(now).then(|| without_fence(now, active()));
    let Some(resumed) = precondition::patch(cluster, resource, object, plan).await? else {
        return Ok(());
    };
    let plan = |now: &Object| is_ours(now).then(|| giving_back(now, &managers));
    precondition::patch(cluster, resource, &resumed, plan).await.map(drop)
}

/// Returns whether a Cluster would be without a spec if it were not paused: v1beta2 refuses a spec
/// without fields.
fn is_nothing_but_paused(object: &Object) -> bool {
    is_cluster(object) && *at(object.value(), "/spec") == json!({"paused": true})
}

/// Makes those who managed an explicit `false` its managers again.
fn giving_back(object: &Object, managers: &[Value]) -> Value {
    let entries = managed_fields::give_back(object.managed_fields(), managers, FIELD_MANAGER);
    let entries = managed_fields::replacement(&entries);
    json!({"metadata": {"managedFields": entries, "annotations": {PAUSED_BY_ANNOTATION: null}}})
}

fn pausing(object: &Object, run: &str) -> Value {
    if !is_cluster(object) {
        return json!({"metadata": {"annotations": {PAUSED_BY_ANNOTATION: run,
            PAUSED_ANNOTATION: ""}}});
    }
    let was_false = at(object.value(), "/spec/paused") == false;
    let mark = if was_false {
        let managers = managed_fields::managers_of(object.managed_fields(), "/f:spec/f:paused");
        format!("{run}{WAS_FALSE}{}", Value::from(managers))
    } else {
        run.to_owned()
    };
    json!({"metadata": {"annotations": {PAUSED_BY_ANNOTATION: mark}}, "spec": {"paused": true}})
}

fn resuming(object: &Object) -> Value {
    if !is_cluster(object) {
        return json!({"metadata": {"annotations": {PAUSED_BY_ANNOTATION: null,
            PAUSED_ANNOTATION: null}}});
    }
    json!({"metadata": {"annotations": {PAUSED_BY_ANNOTATION: null}}, "spec": {"paused": null}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use capi::Scope;

    fn cluster(spec: Value) -> Object {
        Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
            "metadata": {"uid": "u"}, "spec": spec}))
    }

    #[test]
    fn a_pause_whose_mark_somebody_has_taken_away_does_not_go_along() {
        let kind = MoveKind {
            resource: ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true),
            moves: true,
            moves_hierarchy: true,
            has_status_subresource: true,
            converted_to: None,
            knowledge: None,
        };
        let now = |paused: bool, by: Option<&str>| {
            let mut object = cluster(json!({"paused": paused}));
            by.into_iter().for_each(|by| object.set_annotation(PAUSED_BY_ANNOTATION, by));
            let objects = vec![(0, object)];
            Graph::build(vec![kind.clone()].into(), objects, &Scope::default()).expect("no cycle")
        };
        let ours = marked("r", &now(true, Some("r/false []")));
        assert!(ours.contains("u") && marked("r", &now(true, Some("zzz"))).is_empty());
        check_kept("r", &ours, &now(true, Some("r"))).expect("the mark is there");
        check_kept("r", &ours, &now(false, None)).expect("it is paused again in the next round");
        check_kept("r", &HashSet::new(), &now(true, None)).expect("its user has paused it");
        for by in [None, Some("zzz")] {
            let error = check_kept("r", &ours, &now(true, by)).expect_err("the mark is gone");
            assert!(
                error.is_about_objects() && error.hint().contains("by hand"),
                "{by:?}: {error}"
            );
        }
    }

    #[test]
    fn an_explicit_false_is_remembered_in_the_mark() {
        let mut object = cluster(json!({"paused": false}));
        let mark = pausing(&object, "r1")["metadata"]["annotations"][PAUSED_BY_ANNOTATION].clone();
        object.set_annotation(PAUSED_BY_ANNOTATION, mark.as_str().expect("text"));
        assert_eq!(paused_by(&object), Some("r1"));
        assert_eq!(managers_of_false(&object, &[]), Some(vec![]));
        let plain = cluster(json!({}));
        assert_eq!(pausing(&plain, "r1")["metadata"]["annotations"][PAUSED_BY_ANNOTATION], "r1");
        assert_eq!(managers_of_false(&plain, &[]), None);
    }

    #[test]
    fn a_manager_at_a_version_that_is_not_served_does_not_come_back() {
        let entry = |manager: &str, version: &str| {
            json!({"manager": manager, "operation": "Update",
                "apiVersion": format!("cluster.x-k8s.io/{version}"),
                "fieldsV1": {"f:spec": {"f:paused": {}}}})
        };
        let mut object = cluster(json!({"paused": false}));
        object.metadata_mut().insert(
            "managedFields".to_owned(),
            json!([entry("old", "v1beta1"), entry("new", "v1beta2")]),
        );
        let mark = pausing(&object, "r1")["metadata"]["annotations"][PAUSED_BY_ANNOTATION].clone();
        object.set_annotation(PAUSED_BY_ANNOTATION, mark.as_str().expect("text"));
        let managers = |served: &[ResourceType]| -> Vec<Value> {
            let managers = managers_of_false(&object, served).expect("it was false");
            managers.into_iter().map(|entry| entry["manager"].clone()).collect()
        };
        let served = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
        assert_eq!(managers(&[]), ["old", "new"]);
        assert_eq!(managers(&[served]), ["new"]);
    }

    #[test]
    fn everything_that_is_paused_is_resumed() {
        for (group, kind) in PAUSABLE {
            let object = json!({"apiVersion": format!("{group}/v1"), "kind": kind,
                "metadata": {"uid": "u"}});
            let mut object = Object::new(object);
            assert!(is_pausable(&object), "{kind}");
            let patch = pausing(&object, "r1");
            for (name, value) in patch["metadata"]["annotations"].as_object().expect("marks") {
                object.set_annotation(name, value.as_str().expect("text"));
            }
            object.value_mut()["spec"] = patch["spec"].clone();
            assert!(is_paused(&object), "{kind}");
            assert_eq!(paused_by(&object), Some("r1"), "{kind}");
            let undone = resuming(&object);
            assert_eq!(undone["metadata"]["annotations"][PAUSED_BY_ANNOTATION], Value::Null);
            let is_by_field = kind == "Cluster";
            assert_eq!(undone["spec"].get("paused").is_some(), is_by_field, "{kind}");
            let annotations = undone["metadata"]["annotations"].as_object().expect("marks");
            assert_eq!(annotations.contains_key(PAUSED_ANNOTATION), !is_by_field, "{kind}");
        }
    }

    #[test]
    fn the_mark_of_a_fence_goes_with_the_pause_and_that_of_a_copy_stays() {
        let patched = |mark: &str| {
            let mut object = cluster(json!({"paused": true}));
            object.set_annotation(RUN_ANNOTATION, mark);
            without_fence(&object, resuming(&object))
        };
        let annotations = |patch: &Value| patch["metadata"]["annotations"].clone();
        let both = json!({PAUSED_BY_ANNOTATION: null, RUN_ANNOTATION: null});
        assert_eq!(annotations(&patched("r/2")), both);
        assert_eq!(annotations(&patched("r")), json!({PAUSED_BY_ANNOTATION: null}));
    }

    #[test]
    fn a_cluster_without_a_spec_of_its_own_is_known() {
        for (spec, is_so) in [
            (json!({"paused": true}), true),
            (json!({"paused": true, "topology": {}}), false),
            (json!({"topology": {}}), false),
            (Value::Null, false),
        ] {
            assert_eq!(is_nothing_but_paused(&cluster(spec.clone())), is_so, "{spec}");
        }
    }

    #[test]
    fn a_user_pause_is_not_ours() {
        assert_eq!(paused_by(&cluster(json!({"paused": true}))), None);
    }
}
