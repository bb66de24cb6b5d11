//! Reading the copies back and comparing every one with its source, before anything is deleted.
//!
//! The source is read again too, every kind of it: what has appeared there since, what has changed,
//! and what is no longer paused counts as much as a copy that differs.

use std::collections::{BTreeSet, HashMap, HashSet};

use capi::names::RUN_ANNOTATION;
use capi::{
    Fate, Graph, KeepReason, MoveKind, Node, Object, PAUSABLE, has_paused_annotation,
    is_cluster_class, is_custom_resource, is_pausable, is_paused,
};
use cluster::{ApiError, Client};
use futures::{StreamExt, TryStreamExt};

use super::compare::{Difference, being_deleted, compare, is_finalizer, is_same_content};
use super::conversion::{judge, without_data};
use super::copy::{Copies, owner_uids};
use super::discover::{LISTS_IN_FLIGHT, MoveScope, discover, list_copied};
use super::error::PhaseError;
use super::knowledge::lost_status;
use super::own_pause::{has_own_pause, outlasts_hand_over};
use super::pause::paused_by;
use super::run::Run;

/// The result of a verification without an error.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one value for each verification")]
pub enum Verification {
    /// Every copy equals its source.
    Equal(Verified),
    /// The source has objects that were not copied. The graph of what there is now.
    Late(Graph),
}

/// Copies that equal their sources.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The objects that move, as they were when they were compared.
    pub graph: Graph,
    /// The copies, as they were read.
    pub copies: Copies,
    /// Fields that the target has added to copies, as `Kind namespace/name: path`.
    pub added: Vec<String>,
}

/// Compares the copies with the objects they were made from, and those with the source as it is
/// now.
///
/// # Errors
/// When a copy is missing or differs, an object of the source has changed or is no longer paused,
/// or a list fails.
pub async fn verify(
    run: &Run,
    move_scope: &MoveScope,
    graph: &Graph,
    copies: &Copies,
) -> Result<Verification, PhaseError> {
    let target = async { by_uid(&run.target, move_scope, graph).await.map_err(PhaseError::from) };
    let (source, target) = tokio::try_join!(discover(&run.source, move_scope), target)?;
    check_source(&run.id, graph, &source)?;
    if source.moving().any(|node| !copies.uids.contains_key(node.object.uid())) {
        return Ok(Verification::Late(source));
    }
    let mut added = Vec::new();
    let mut read = copies.clone();
    for node in source.moving() {
        let (copy, difference) = check_copy(run, &source, node, (copies, &target))?;
        read.note_read(node.object.uid(), copy);
        added.extend(difference.iter().map(|path| format!("{}: {path}", node.object.id())));
    }
    Ok(Verification::Equal(Verified { graph: source, copies: read, added }))
}

/// Looks at the copies a last time before something is deleted from the source: each is there under
/// its uid, nobody deletes it, and it is still paused. The rest of its content is the target's own
/// by now.
///
/// # Errors
/// [`PhaseError::CopyMissing`], [`PhaseError::CopyDiffers`] or [`PhaseError::CopyActive`] when a copy is gone,
/// going or resumed; or a list fails.
pub(super) async fn check_present(
    run: &Run,
    move_scope: &MoveScope,
    graph: &Graph,
    copies: &Copies,
) -> Result<(), PhaseError> {
    let is_everywhere = move_scope.namespaces.selector().is_none();
    let moving = || graph.moving().filter(|node| node.fate == Fate::Move);
    let place = |node: &Node| {
        let namespace = node.object.namespace().filter(|_| !is_everywhere);
        (node.kind, namespace.map(str::to_owned))
    };
    let places: BTreeSet<(usize, Option<String>)> = moving().map(place).collect();
    let lists: Vec<Vec<Object>> = futures::stream::iter(places)
        .map(|(kind, namespace)| async move {
            let resource = &graph.kind_at(kind).resource;
            match PAUSABLE.contains(&(&resource.group, &resource.kind)) {
                true => run.target.list(resource, namespace.as_deref()).await,
                false => run.target.list_metadata(resource, namespace.as_deref()).await,
            }
        })
        .buffered(LISTS_IN_FLIGHT)
        .try_collect()
        .await?;
    let by_uid: HashMap<&str, &Object> =
        lists.iter().flatten().map(|copy| (copy.uid(), copy)).collect();
    for node in moving() {
        let copy = copies.uids.get(node.object.uid()).and_then(|uid| by_uid.get(uid.as_str()));
        let copy = copy.ok_or_else(|| PhaseError::CopyMissing { object: node.object.id() })?;
        if let Some(path) = being_deleted(copy) {
            return Err(PhaseError::CopyDiffers { object: node.object.id(), path });
        }
        check_paused(node, copy, copies)?;
    }
    Ok(())
}

/// Checks that objects of the source which have changed since they were compared are like their
/// copies nevertheless: somebody has made the change in both clusters.
///
/// # Errors
/// [`PhaseError::SourceChanged`] with the first that is not, or a list fails.
pub(super) async fn check_changed(
    run: &Run,
    move_scope: &MoveScope,
    (graph, copies): (&Graph, &Copies),
    changed: Vec<&Node>,
) -> Result<(), PhaseError> {
    if changed.is_empty() {
        return Ok(());
    }
    let target = by_uid(&run.target, move_scope, graph).await?;
    for node in changed {
        let copy = copies.uids.get(node.object.uid()).and_then(|uid| target.get(uid));
        let lost = copy.map(|copy| lost(run, graph.kind(node), &node.object, copy));
        if lost.is_none_or(|lost| lost.iter().any(|path| !is_finalizer(path))) {
            return Err(PhaseError::SourceChanged { object: node.object.id() });
        }
    }
    Ok(())
}

/// Checks that everything that was copied is still there, unchanged and paused, and that nobody
/// else claims a pause.
pub(super) fn check_source(run: &str, copied: &Graph, now: &Graph) -> Result<(), PhaseError> {
    let by_uid: HashMap<&str, &Node> = now.moving().map(|node| (node.object.uid(), node)).collect();
    for node in copied.moving() {
        check_unchanged(node, by_uid.get(node.object.uid()).copied())?;
    }
    if let Some(active) = now.pausable().find(|node| !is_paused(&node.object)) {
        return Err(PhaseError::SourceActive { object: active.object.id() });
    }
    check_marks(run, copied, now)
}

/// Checks that the mark of each pause is that of this run, or none as for a pause of its user.
/// Preflight lets no other through, so somebody has changed it since; the copy would stay paused
/// for good.
fn check_marks(run: &str, copied: &Graph, now: &Graph) -> Result<(), PhaseError> {
    let is_ours = |node: &&Node| paused_by(&node.object) == Some(run);
    let ours: HashSet<&str> =
        copied.moving().filter(is_ours).map(|node| node.object.uid()).collect();
    let is_changed = |node: &&Node| match paused_by(&node.object) {
        Some(by) => by != run,
        None => ours.contains(node.object.uid()),
    };
    match now.moving().find(is_changed) {
        Some(changed) => Err(PhaseError::SourceChanged { object: changed.object.id() }),
        None => Ok(()),
    }
}

/// A changed status does not matter, since it is not copied; anything else does.
fn check_unchanged(node: &Node, now: Option<&Node>) -> Result<(), PhaseError> {
    if has_own_pause(&node.object) && now.is_some_and(|now| !has_own_pause(&now.object)) {
        return Err(PhaseError::SourceActive { object: node.object.id() });
    }
    let unchanged = now.is_some_and(|now| {
        let is_same = now.object.resource_version() == node.object.resource_version()
            || is_same_content(&node.object, &now.object);
        is_same && now.fate == node.fate && !now.object.is_being_deleted()
    });
    if unchanged { Ok(()) } else { Err(PhaseError::SourceChanged { object: node.object.id() }) }
}

/// Compares a copy with its source. Returns the copy, and the paths that only it has.
fn check_copy<'a>(
    run: &Run,
    graph: &Graph,
    node: &Node,
    (copies, target): (&Copies, &'a HashMap<String, Object>),
) -> Result<(&'a Object, Vec<String>), PhaseError> {
    let uid = node.object.uid();
    let copy = copies.uids.get(uid).and_then(|uid| target.get(uid));
    let copy = copy.ok_or_else(|| PhaseError::CopyMissing { object: node.object.id() })?;
    let is_reused = copies.reused.contains(uid);
    let is_shared =
        matches!(node.fate, Fate::Keep(KeepReason::Global | KeepReason::BelongsToGlobal));
    if is_shared && is_reused {
        return Ok((copy, Vec::new()));
    }
    check_paused(node, copy, copies)?;
    let difference = difference(run, graph.kind(node), node, (copies, copy))?;
    let is_dangling = !is_reused && !has_owners_of_target(node, copy, copies);
    let dangling = is_dangling.then(|| "metadata.ownerReferences".to_owned());
    let status = lost_status(graph.kind(node), &node.object, copy).filter(|_| !is_reused);
    let lost = difference.lost.into_iter().chain(being_deleted(copy));
    let mut lost = lost.chain(dangling).chain(status);
    match lost.next() {
        Some(path) => Err(PhaseError::CopyDiffers { object: node.object.id(), path }),
        None => Ok((copy, difference.added)),
    }
}

/// Compares a copy with its source. Where the target converts its kind, the copy has to be as the
/// target has converted the source, and the conversion must not have lost anything.
///
/// # Errors
/// [`PhaseError::ConversionLoss`] when it has.
pub(super) fn difference(
    run: &Run,
    kind: &MoveKind,
    node: &Node,
    (copies, copy): (&Copies, &Object),
) -> Result<Difference, PhaseError> {
    if kind.converted_to.is_none() {
        return Ok(compare(&node.object, copy));
    }
    let Some(converted) = copies.converted.get(node.object.uid()) else {
        let lost = lost(run, kind, &node.object, copy);
        return Ok(Difference { lost, added: Vec::new() });
    };
    if let Some(path) = lost(run, kind, &node.object, converted).into_iter().next() {
        return Err(PhaseError::ConversionLoss { object: node.object.id(), path });
    }
    let added = compare(&node.object, converted).added;
    let changed = compare(converted, &without_data(copy));
    let added = added.into_iter().chain(changed.added).collect();
    Ok(Difference { lost: changed.lost, added })
}

/// The paths at which a copy is not what its source says; what Cluster API is known to convert does
/// not count where the target converts.
pub(super) fn lost(run: &Run, kind: &MoveKind, source: &Object, copy: &Object) -> Vec<String> {
    match &kind.converted_to {
        Some(to) => judge((source, copy), to, &run.options.accept_loss).lost,
        None => compare(source, copy).lost,
    }
}

/// Checks that a copy which this run has created is still paused, also by itself until it is handed
/// over. A ClusterClass never is.
fn check_paused(node: &Node, copy: &Object, copies: &Copies) -> Result<(), PhaseError> {
    let is_reused = copies.reused.contains(node.object.uid());
    if is_cluster_class(copy) {
        return Ok(());
    }
    let is_new = copy.annotation(RUN_ANNOTATION).is_some() && is_custom_resource(copy);
    let has_pause = is_new || outlasts_hand_over(&node.object);
    let is_active =
        (is_pausable(copy) && !is_paused(copy)) || (has_pause && !has_paused_annotation(copy));
    if is_reused || !is_active {
        return Ok(());
    }
    Err(PhaseError::CopyActive { object: node.object.id() })
}

/// Returns whether a copy names the copies of its owners by their uids in the target; otherwise the
/// target's garbage collector would take it for an orphan.
fn has_owners_of_target(node: &Node, copy: &Object, copies: &Copies) -> bool {
    let named = owner_uids(copy);
    let mut owners = node.owners.iter().filter_map(|owner| copies.uids.get(&owner.reference.uid));
    owners.all(|uid| named.contains(uid))
}

/// Lists the target, only the kinds that were copied.
async fn by_uid(
    cluster: &Client,
    move_scope: &MoveScope,
    graph: &Graph,
) -> Result<HashMap<String, Object>, ApiError> {
    let used: BTreeSet<usize> = graph.copied().map(|index| graph[index].kind).collect();
    let kinds = graph.kinds.iter().enumerate().filter(|(index, _)| used.contains(index));
    let kinds = kinds.map(|(_, kind)| kind.clone()).collect();
    let part = MoveScope { kinds: std::sync::Arc::new(kinds), ..move_scope.clone() };
    let listed = list_copied(cluster, &part, graph).await?;
    Ok(listed.into_iter().map(|(_, object)| (object.uid().to_owned(), object)).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use capi::names::PAUSED_BY_ANNOTATION;
    use capi::{MoveKind, ResourceType, Scope};

    const CORE: &str = "cluster.x-k8s.io/v1beta2";

    fn object(kind: &str, name: &str, version: &str, spec: Value) -> Value {
        json!({"apiVersion": CORE, "kind": kind, "metadata": {"name": name, "namespace": "n",
            "uid": name, "resourceVersion": version}, "spec": spec})
    }

    fn owned(mut object: Value) -> Value {
        object["metadata"]["ownerReferences"] =
            json!([{"apiVersion": CORE, "kind": "Cluster", "name": "c", "uid": "c"}]);
        object
    }

    fn graph(cluster: Value, machines: Vec<Value>) -> Graph {
        let kinds = [("Cluster", "clusters"), ("Machine", "machines")];
        let kinds = kinds.map(|(kind, plural)| MoveKind {
            resource: ResourceType::new(CORE, kind, plural, true),
            moves: false,
            moves_hierarchy: kind == "Cluster",
            has_status_subresource: true,
            converted_to: None,
            knowledge: None,
        });
        let machines = machines.into_iter().map(|machine| (1, Object::new(owned(machine))));
        let objects = [(0, Object::new(cluster))].into_iter().chain(machines).collect();
        Graph::build(Arc::new(kinds.to_vec()), objects, &Scope::default()).expect("no cycle")
    }

    fn paused(version: &str) -> Value {
        object("Cluster", "c", version, json!({"paused": true}))
    }

    fn machine(version: &str, spec: Value) -> Vec<Value> {
        vec![object("Machine", "m", version, spec)]
    }

    #[test]
    fn a_source_that_is_as_it_was_copied_passes() {
        let copied = graph(paused("1"), machine("1", json!({"a": 1})));
        check_source("r", &copied, &copied).expect("nothing has changed");
        let status_only = graph(paused("2"), machine("2", json!({"a": 1})));
        check_source("r", &copied, &status_only).expect("only the versions differ");
    }

    #[test]
    fn a_source_that_has_changed_does_not_pass() {
        let copied = graph(paused("1"), machine("1", json!({"a": 1})));
        let edited = graph(paused("1"), machine("2", json!({"a": 2})));
        let gone = graph(paused("1"), Vec::new());
        let mut going = machine("1", json!({"a": 1}));
        going[0]["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        for now in [edited, gone, graph(paused("1"), going)] {
            let error = check_source("r", &copied, &now).expect_err("it has changed");
            assert!(
                matches!(&error, PhaseError::SourceChanged { object } if object.name == "m"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_source_whose_cluster_was_resumed_does_not_pass() {
        let copied = graph(paused("1"), machine("1", json!({"a": 1})));
        let resumed = object("Cluster", "c", "2", json!({"paused": false}));
        let now = graph(resumed, machine("1", json!({"a": 1})));
        let error = check_source("r", &copied, &now).expect_err("its controllers work");
        assert!(matches!(&error, PhaseError::SourceActive { object } if object.name == "c"));
    }

    #[test]
    fn a_source_whose_marks_are_not_ours_any_more_does_not_pass() {
        let marked = |mark: Option<&str>| {
            let mut cluster = paused("1");
            if let Some(mark) = mark {
                cluster["metadata"]["annotations"] = json!({PAUSED_BY_ANNOTATION: mark});
            }
            graph(cluster, machine("1", json!({"a": 1})))
        };
        let (ours, foreign, none) = (marked(Some("r/false []")), marked(Some("zzz")), marked(None));
        check_source("r", &ours, &ours).expect("the mark of the run");
        check_source("r", &none, &none).expect("paused by its user");
        // Before the copy or after it: the graph that was copied may have the other mark already.
        for (copied, now) in
            [(&ours, &foreign), (&foreign, &foreign), (&none, &foreign), (&ours, &none)]
        {
            let error = check_source("r", copied, now).expect_err("somebody has changed the mark");
            assert!(
                matches!(&error, PhaseError::SourceChanged { object } if object.name == "c"),
                "{error}"
            );
        }
    }
}
