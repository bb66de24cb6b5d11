//! Taking objects out of a cluster, whatever holds them there.

use futures::{StreamExt as _, stream};
use kubectl_pivot::capi::Object;
use kubectl_pivot::cluster::{ApiError, PatchKind, WriteOptions};
use serde_json::json;

use crate::dump::RawDump;
use crate::twins::Plane;

/// Requests at once.
const WIPERS: usize = 16;

/// Deletes what was dumped; empty namespaces stay, as nothing uses their names again.
///
/// # Panics
/// When something cannot be deleted.
pub(crate) async fn wipe(plane: &Plane, dump: &RawDump) {
    let objects = dump.objects().iter().filter(|object| object.kind() != "Namespace");
    stream::iter(objects).for_each_concurrent(WIPERS, |object| remove(plane, object)).await;
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
