//! Taking objects out of a cluster, whatever holds them there.

use capi::Object;
use cluster::{ApiError, PatchKind, WriteOptions};
use futures::{StreamExt as _, stream};
use serde_json::json;

use crate::dump::RawDump;
use crate::twins::Plane;

/// The annotation that says which run created an object.
const RUN: &str = "kubectl-pivot.io/run";

/// Requests at once.
const WIPERS: usize = 16;

/// Deletes what was dumped; empty namespaces stay, as nothing uses their names again, but lose the
/// mark of the run that created them: a rollback by marks looks at all namespaces.
///
/// # Panics
/// When something cannot be deleted.
pub(crate) async fn wipe(plane: &Plane, dump: &RawDump) {
    let wiped = async |object: &Object| match object.kind() {
        "Namespace" => unmark(plane, object).await,
        _ => remove(plane, object).await,
    };
    stream::iter(dump.objects()).for_each_concurrent(WIPERS, wiped).await;
}

async fn unmark(plane: &Plane, namespace: &Object) {
    if namespace.annotation(RUN).is_none() {
        return;
    }
    let kind = plane.kinds().of(namespace.api_version(), namespace.kind());
    let patch = json!({"metadata": {"annotations": {RUN: null}}});
    let (place, patch) = ((None, namespace.name()), (PatchKind::Merge, &patch));
    let unmarked = plane.client().patch(&kind, place, patch, &WriteOptions::default()).await;
    unmarked.expect("annotations can be removed");
}

async fn remove(plane: &Plane, object: &Object) {
    let kind = plane.kinds().of(object.api_version(), object.kind());
    let place = (object.namespace(), object.name());
    if !object.finalizers().is_empty() {
        let free = json!({"metadata": {"finalizers": null}});
        let patch = (PatchKind::Merge, &free);
        let freed = plane.client().patch(&kind, place, patch, &WriteOptions::default()).await;
        freed.map(|_| ()).or_else(gone).expect("finalizers can be removed");
    }
    let deleted = plane.client().delete(&kind, place.0, place.1, object.uid()).await;
    deleted.map(|_| ()).or_else(gone).expect("objects can be deleted");
}

fn gone(error: ApiError) -> Result<(), ApiError> {
    if error.is_not_found() { Ok(()) } else { Err(error) }
}
