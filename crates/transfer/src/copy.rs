//! Creating the copies in the target, owners first, several at once.
//!
//! A copy carries the run's id in an annotation until it is handed over. So a create whose answer
//! was lost is recognised, an object of somebody else is never taken for ours, and everything can
//! be put back. An object of the target that is there already and has the same content is used as
//! it is.
//!
//! Until then it also is inert. An annotation of its own pauses it, whatever its controllers think
//! of its Cluster, and it has no finalizers: one that is created too late, or collected for want of
//! its owner, vanishes without a controller that acts on its deletion. ClusterClasses are not
//! paused, since the webhook of Clusters asks for what their controller says of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use capi::managed_fields;
use capi::names::{
    DELETE_FOR_MOVE_ANNOTATION, FINALIZERS_ANNOTATION, PAUSED_ANNOTATION, PAUSED_BY_ANNOTATION,
    RUN_ANNOTATION,
};
use capi::{
    Fate, Graph, KeepReason, MoveKind, Node, Object, ResourceType, has_paused_annotation,
    is_cluster, is_cluster_class, is_custom_resource,
};
use cluster::{ApiError, Client, WriteOptions};
use serde_json::{Map, Value, json};

use super::compare::{body_digest, compare, is_same_content};
use super::conversion::{as_stored, same_as_stored, without_data};
use super::error::PhaseError;
use super::knowledge::carry;
use super::namespaces;
use super::operations::{Executor, plan};
use super::options::Existing;
use super::own_pause::remove_from_copy;
use super::pause::paused_by;
use super::precondition::read_again;
use super::run::Run;

/// Attempts at a create whose outcome is unknown, or at an update that others overtake.
const ATTEMPTS: u32 = 8;

/// The copies of a run.
#[derive(Clone, Debug, Default)]
pub struct Copies {
    /// Uids of the target by uids of the source.
    pub uids: HashMap<String, String>,
    /// Uids (of the source) whose objects were in the target before and were used as they are.
    pub reused: BTreeSet<String>,
    /// Copies of kinds that the target converts, as it has them, by uids of the source.
    pub converted: HashMap<String, Object>,
    /// Digests of the bodies of the copies when they were verified, by uids of the source.
    pub bodies: HashMap<String, String>,
    /// Copies as a verification has read them, by uids of the source: a hand-over needs them.
    pub read: HashMap<String, Object>,
}

impl Copies {
    /// Keeps of a copy what is needed to write to it as it was read.
    pub(super) fn note_read(&mut self, source_uid: &str, copy: &Object) {
        let kept = [RUN_ANNOTATION, PAUSED_ANNOTATION];
        let marks: Map<String, Value> = kept
            .into_iter()
            .filter_map(|mark| Some((mark.to_owned(), copy.annotation(mark)?.into())))
            .collect();
        let read = json!({"apiVersion": copy.api_version(), "kind": copy.kind(), "metadata": {
            "namespace": copy.namespace(), "name": copy.name(), "uid": copy.uid(),
            "resourceVersion": copy.resource_version(), "annotations": marks,
            "finalizers": copy.finalizers(),
            "managedFields": managed_fields::of_status(copy.managed_fields())}});
        self.read.insert(source_uid.to_owned(), Object::new(read));
        self.bodies.insert(source_uid.to_owned(), body_digest(copy));
    }
}

/// The origin of one object in the target.
struct Placed {
    source_uid: String,
    target_uid: String,
    reused: bool,
    /// The target's conversion of it, if it is one of this run and of a kind that is converted.
    converted: Option<Object>,
}

/// Creates the copies that there are not yet, and returns all of them.
///
/// # Errors
/// When a request fails, or an object of the same name is in the way.
pub async fn copy(run: &Run, graph: &Graph, copies: Copies) -> Result<Copies, PhaseError> {
    copy_some(run, graph, copies, |_| true).await
}

/// Creates those of the copies that there are not yet that are wanted now. Their owners have to be
/// there, or among them.
///
/// # Errors
/// As [`copy`].
pub(super) async fn copy_some(
    run: &Run,
    graph: &Graph,
    copies: Copies,
    is_wanted: impl Fn(usize) -> bool,
) -> Result<Copies, PhaseError> {
    namespaces::ensure(run, graph).await?;
    let is_missing =
        |node: usize| is_wanted(node) && !copies.uids.contains_key(graph[node].object.uid());
    let stages = plan::creations(graph, is_missing);
    let executor = Executor::new(run, &stages);
    let copies = Mutex::new(copies);
    for stage in stages {
        let placed = executor
            .carry_out(stage, |index| {
                let node = &graph[index];
                let body = body(node, graph.kind(node), &run.id, &lock(&copies).uids);
                async move { place(run, graph.kind(node), node, body).await }
            })
            .await?;
        let mut copies = lock(&copies);
        for Placed { source_uid, target_uid, reused, converted } in placed {
            if reused {
                copies.reused.insert(source_uid.clone());
            }
            if let Some(converted) = converted {
                copies.converted.insert(source_uid.clone(), converted);
            }
            copies.uids.insert(source_uid, target_uid);
        }
    }
    Ok(copies.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The object to create: the source's content with the owners' uids in the target, paused and
/// without finalizers. A ClusterClass is paused only if its user has paused it: see
/// [`super::classes`].
pub fn body(node: &Node, kind: &MoveKind, run: &str, uids: &HashMap<String, String>) -> Object {
    let mut object = without_server_fields(&node.object, kind);
    let is_class = is_cluster_class(&object);
    if is_class && paused_by(&object) == Some(run) {
        object.remove_annotation(PAUSED_ANNOTATION);
        object.remove_annotation(PAUSED_BY_ANNOTATION);
    }
    remove_from_copy(&mut object, run);
    object.set_annotation(RUN_ANNOTATION, run);
    if is_custom_resource(&object) && !is_class && !has_paused_annotation(&object) {
        object.set_annotation(PAUSED_ANNOTATION, run);
    }
    let finalizers = object.finalizers().join(",");
    // One that somebody has made up must not reach the copy: it would get those finalizers.
    object.remove_annotation(FINALIZERS_ANNOTATION);
    if !finalizers.is_empty() {
        object.set_annotation(FINALIZERS_ANNOTATION, &finalizers);
    }
    object.metadata_mut().remove("finalizers");
    let owners: Vec<Value> = node
        .owners
        .iter()
        .map(|owner| {
            let mut reference = owner.reference.clone();
            if let Some(uid) = uids.get(&reference.uid) {
                reference.uid.clone_from(uid);
            }
            json!(reference)
        })
        .collect();
    if !owners.is_empty() {
        object.metadata_mut().insert("ownerReferences".to_owned(), Value::from(owners));
    }
    object
}

/// Returns true if a copy still has the pause that it was created with: its value is that of the
/// run's mark, which tells it from the pause of a user.
pub(super) fn has_birth_pause(copy: &Object) -> bool {
    copy.annotation(PAUSED_ANNOTATION).is_some_and(|by| Some(by) == copy.annotation(RUN_ANNOTATION))
}

/// The object without what only means something in its own cluster, and without owners.
pub fn without_server_fields(object: &Object, kind: &MoveKind) -> Object {
    let mut object = object.clone();
    object.remove_server_fields();
    object.metadata_mut().remove("ownerReferences");
    if kind.has_status_subresource
        && let Value::Object(fields) = object.value_mut()
    {
        fields.remove("status");
    }
    object
}

/// Results of a create.
pub(super) enum Created {
    /// The object is new, and is as the answer says.
    New(Object),
    /// An object has the name: of an earlier attempt of this run, or of somebody else.
    Found(Object),
}

impl Created {
    /// The object, wherever it is from.
    pub(super) fn into_object(self) -> Object {
        match self {
            Self::New(object) | Self::Found(object) => object,
        }
    }
}

async fn place(
    run: &Run,
    kind: &MoveKind,
    node: &Node,
    body: Object,
) -> Result<Placed, PhaseError> {
    let placed = |target: &Object, reused, converted| Placed {
        source_uid: node.object.uid().to_owned(),
        target_uid: target.uid().to_owned(),
        reused,
        converted,
    };
    match create_or_find(&run.target, &kind.resource, &body).await? {
        // Nobody has to bring up to date what is new. Its controllers may have written to it
        // already.
        Created::New(new) => {
            let new = carry(&run.target, kind, &node.object, new).await?;
            let converted = kind.converted_to.is_some().then(|| without_data(&new));
            Ok(placed(&new, false, converted))
        }
        Created::Found(found) if found.annotation(RUN_ANNOTATION) == Some(&run.id) => {
            let (now, converted) = bring_up_to_date(&run.target, kind, found, body).await?;
            let now = carry(&run.target, kind, &node.object, now).await?;
            Ok(placed(&now, false, converted))
        }
        Created::Found(found) => {
            let is_left = found.annotation(RUN_ANNOTATION).is_some();
            let is_kept = run.options.existing == Existing::Keep;
            if is_left || !(is_kept || may_reuse(run, kind, node, &found).await?) {
                return Err(PhaseError::Foreign { object: node.object.id() });
            }
            Ok(placed(&found, true, None))
        }
    }
}

/// Updates a copy that an interrupted attempt of this run has left, if the source has changed
/// since, or the attempt was being undone. Returns the copy, and what the target makes of the body.
async fn bring_up_to_date(
    target: &Client,
    kind: &MoveKind,
    mut found: Object,
    body: Object,
) -> Result<(Object, Option<Object>), ApiError> {
    let mut attempt = 1;
    loop {
        let converted = match kind.converted_to {
            Some(_) => as_stored(target, &kind.resource, &found, &body).await?,
            None => None,
        };
        let converted = converted.map(|converted| without_data(&converted));
        if !is_stale(converted.as_ref().unwrap_or(&body), &without_data(&found)) {
            return Ok((found, converted));
        }
        let error = match update(target, &kind.resource, &found, body.clone()).await {
            Ok(updated) => return Ok((updated, converted)),
            Err(error) if error.is_conflict() && attempt < ATTEMPTS => error,
            Err(error) => return Err(error),
        };
        found = read_ours(target, &kind.resource, &found).await?.ok_or(error)?;
        tokio::time::sleep(target.pause(attempt)).await;
        attempt += 1;
    }
}

/// Reads a copy again; `None` if it is gone, is another object, or has another mark now.
pub(super) async fn read_ours(
    target: &Client,
    resource: &ResourceType,
    copy: &Object,
) -> Result<Option<Object>, ApiError> {
    let now = read_again(target, resource, copy).await?;
    Ok(now.filter(|now| now.annotation(RUN_ANNOTATION) == copy.annotation(RUN_ANNOTATION)))
}

/// Returns whether a copy of this run is not what it is to be. Its owners may have been removed by
/// an interrupted undo and made anew since: under their old uids nobody would find them.
fn is_stale(body: &Object, copy: &Object) -> bool {
    let mark = |object: &Object| object.annotation(DELETE_FOR_MOVE_ANNOTATION).is_some();
    let paused_by = |object: &Object| object.annotation(PAUSED_BY_ANNOTATION).map(str::to_owned);
    mark(copy) != mark(body)
        || paused_by(copy) != paused_by(body)
        || owner_uids(copy) != owner_uids(body)
        || !compare(body, copy).lost.is_empty()
}

/// Uids of the owners that an object names.
pub(super) fn owner_uids(object: &Object) -> BTreeSet<String> {
    object.owner_references().into_iter().map(|owner| owner.uid).collect()
}

/// The judgement on an object that is in the target already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    /// It does not: a Cluster, which the target may be reconciling, or what another run has left.
    Never,
    /// It does: cluster-scoped objects and theirs are shared, so the target's own are kept as they
    /// are.
    Always,
    /// It does if it has the same content.
    IfSame,
}

/// Says whether an object that is in the target already stands for the copy.
pub(super) fn reuse(node: &Node, existing: &Object) -> Reuse {
    match node.fate {
        _ if existing.is_being_deleted() || existing.annotation(RUN_ANNOTATION).is_some() => {
            Reuse::Never
        }
        Fate::Keep(KeepReason::Global | KeepReason::BelongsToGlobal) => Reuse::Always,
        _ if is_cluster(&node.object) => Reuse::Never,
        _ => Reuse::IfSame,
    }
}

/// Finds out whether an object that is in the target already stands for the copy. Of a kind that
/// the target converts, it has to have the content that the target would make of the source's.
///
/// # Errors
/// When the target does not say what it would make of it.
pub(super) async fn may_reuse(
    run: &Run,
    kind: &MoveKind,
    node: &Node,
    existing: &Object,
) -> Result<bool, ApiError> {
    match reuse(node, existing) {
        Reuse::Never => Ok(false),
        Reuse::Always => Ok(true),
        Reuse::IfSame if kind.converted_to.is_some() => {
            same_as_stored(&run.target, &kind.resource, &node.object, existing).await
        }
        Reuse::IfSame => Ok(is_same_content(&node.object, existing)),
    }
}

/// Brings a copy of this run up to date, if nobody else has touched it meanwhile.
async fn update(
    target: &Client,
    resource: &ResourceType,
    existing: &Object,
    mut body: Object,
) -> Result<Object, ApiError> {
    let metadata = body.metadata_mut();
    metadata.insert("uid".to_owned(), existing.uid().into());
    metadata.insert("resourceVersion".to_owned(), existing.resource_version().into());
    target.update(resource, &body, &WriteOptions::default()).await
}

/// Creates an object, or finds the one that has its name.
pub(super) async fn create_or_find(
    target: &Client,
    resource: &ResourceType,
    body: &Object,
) -> Result<Created, ApiError> {
    let mut attempt = 1;
    loop {
        let error = match target.create(resource, body, &WriteOptions::default()).await {
            Ok(created) => return Ok(Created::New(created)),
            // A conflict is that of a quota, which counts objects: nothing was created.
            Err(error)
                if error.is_already_exists() || error.is_conflict() || error.is_ambiguous() =>
            {
                error
            }
            Err(error) => return Err(error),
        };
        if let Some(existing) = target.get(resource, body.namespace(), body.name()).await? {
            return Ok(Created::Found(existing));
        }
        if attempt >= ATTEMPTS {
            return Err(error);
        }
        tokio::time::sleep(target.pause(attempt)).await;
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capi::Owner;

    #[test]
    fn a_copy_has_the_content_the_mark_and_the_targets_owners() {
        let object = Object::new(
            json!({"apiVersion": "g.io/v1", "kind": "Thing", "metadata": {"name": "a", "uid": "1",
            "resourceVersion": "9", "generateName": "a-", "labels": {"l": "v"}, "finalizers": ["f"],
            "ownerReferences":
            [{"apiVersion": "v1", "kind": "K", "name": "o", "uid": "old", "controller": true}]},
            "spec": {"x": 1}, "status": {"y": 2}}),
        );
        let owners = object
            .owner_references()
            .into_iter()
            .map(|reference| Owner { reference, node: Some(0) })
            .collect();
        let node = Node { object, kind: 0, owners, soft_owners: vec![], fate: Fate::Move };
        let mut kind = MoveKind {
            resource: ResourceType::new("g.io/v1", "Thing", "things", true),
            moves: false,
            moves_hierarchy: false,
            has_status_subresource: true,
            converted_to: None,
            knowledge: None,
        };
        let uids = HashMap::from([("old".to_owned(), "new".to_owned())]);
        let copy = body(&node, &kind, "run1", &uids);
        assert_eq!(
            copy.value(),
            &json!({"apiVersion": "g.io/v1", "kind": "Thing",
                "metadata": {"name": "a", "labels": {"l": "v"},
                "annotations": {RUN_ANNOTATION: "run1", PAUSED_ANNOTATION: "run1",
                    FINALIZERS_ANNOTATION: "f"}, "ownerReferences":
                [{"apiVersion": "v1", "kind": "K", "name": "o", "uid": "new", "controller": true}]},
                    "spec": {"x": 1}})
        );
        let mut forged = node.clone();
        forged.object.metadata_mut().remove("finalizers");
        for mark in [PAUSED_BY_ANNOTATION, RUN_ANNOTATION, FINALIZERS_ANNOTATION] {
            forged.object.set_annotation(mark, "zzz");
        }
        assert_eq!(
            body(&forged, &kind, "run1", &uids).value()["metadata"]["annotations"],
            json!({RUN_ANNOTATION: "run1", PAUSED_ANNOTATION: "run1"})
        );
        kind.has_status_subresource = false;
        assert_eq!(body(&node, &kind, "run1", &uids).value()["status"], json!({"y": 2}));
    }
}
