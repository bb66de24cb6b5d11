//! The least that a move between two API servers could do: each object is marked in the source,
//! created in the target, marked there, freed of its finalizers, and deleted. Nothing is checked,
//! and nothing waits for anything else.

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use futures::StreamExt as _;
use kubectl_pivot_tests::twins::Plane;
use serde_json::{Value, json};

/// Objects under way at the same time.
const IN_FLIGHT: usize = 32;

/// Fields that an API server sets itself, or that name objects of one cluster.
const OWN_FIELDS: [&str; 7] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "selfLink",
    "ownerReferences",
];

/// The objects of a namespace, with their types. They lose their owners: with nobody to keep the
/// order, the garbage collector would be faster than the move.
pub(crate) async fn objects(plane: &Plane, namespace: &str) -> Vec<(ResourceType, Object)> {
    let objects = list(plane, namespace).await;
    let options = WriteOptions::manager("floor");
    let orphan = json!({"metadata": {"ownerReferences": null}});
    for (kind, object) in &objects {
        let place = (object.namespace(), object.name());
        let patch = (PatchKind::Merge, &orphan);
        plane.client().patch(kind, place, patch, &options).await.expect("it can be patched");
    }
    list(plane, namespace).await
}

async fn list(plane: &Plane, namespace: &str) -> Vec<(ResourceType, Object)> {
    let dump = plane.dump(&[namespace]).await;
    let inside = dump.objects().iter().filter(|object| object.namespace() == Some(namespace));
    let inside = inside.filter(|object| object.name() != "kube-root-ca.crt");
    inside
        .map(|object| (plane.kinds().of(object.api_version(), object.kind()), object.clone()))
        .collect()
}

/// Moves them.
pub(crate) async fn move_all(
    source: &Client,
    target: &Client,
    objects: Vec<(ResourceType, Object)>,
) {
    let moves = futures::stream::iter(objects);
    let moves = moves.for_each_concurrent(IN_FLIGHT, |(kind, object)| async move {
        move_one((source, target), &kind, &object).await;
    });
    moves.await;
}

async fn move_one((source, target): (&Client, &Client), kind: &ResourceType, object: &Object) {
    let place = (object.namespace(), object.name());
    let options = WriteOptions::manager("floor");
    let mark = json!({"metadata": {"annotations": {"floor": "marked"}}});
    let free = json!({"metadata": {"finalizers": null}});
    let marked = source.patch(kind, place, (PatchKind::Merge, &mark), &options).await;
    marked.expect("it can be marked");
    let created = target.create(kind, &copy(object), &options).await;
    created.expect("it can be created");
    let marked = target.patch(kind, place, (PatchKind::Merge, &mark), &options).await;
    marked.expect("its copy can be marked");
    let freed = source.patch(kind, place, (PatchKind::Merge, &free), &options).await;
    freed.expect("it can be freed");
    let deleted = source.delete(kind, place.0, place.1, object.uid()).await;
    deleted.expect("it can be deleted");
}

fn copy(object: &Object) -> Object {
    let mut value: Value = object.value().clone();
    if let Some(metadata) = value["metadata"].as_object_mut() {
        OWN_FIELDS.iter().for_each(|field| drop(metadata.remove(*field)));
    }
    Object::new(value)
}
