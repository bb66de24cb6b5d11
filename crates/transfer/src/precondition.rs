//! Writes to objects that others write to as well.
//!
//! Each write carries the uid and the resource version of the object that it was planned for. When
//! somebody else has written in between, the object is read again and the write is planned anew, or
//! given up. So a request that arrives late changes nothing that has changed since.

use capi::{Object, ResourceType, set_field};
use cluster::{ApiError, Client, PatchKind, WriteOptions};
use serde_json::{Value, json};

/// Attempts at a write that others keep overtaking.
const ATTEMPTS: u32 = 10;

/// Patches an object as `plan` says for the state that the object is in.
///
/// `plan` returns a merge patch, or `None` if the object needs no patch in this state. Returns the
/// patched object; `None` if nothing was patched, since `plan` said so, the object is gone, or
/// another object has taken its name.
///
/// # Errors
/// When a request fails, or others overtake every attempt.
pub(super) async fn patch(
    cluster: &Client,
    resource: &ResourceType,
    object: &Object,
    plan: impl Fn(&Object) -> Option<Value>,
) -> Result<Option<Object>, ApiError> {
    patch_with(&WriteOptions::default(), cluster, resource, object, plan).await
}

/// Patches an object as [`patch`] does, with these options.
///
/// # Errors
/// As [`patch`].
pub(super) async fn patch_with(
    options: &WriteOptions,
    cluster: &Client,
    resource: &ResourceType,
    object: &Object,
    plan: impl Fn(&Object) -> Option<Value>,
) -> Result<Option<Object>, ApiError> {
    let mut attempt = 1;
    let mut latest = None;
    loop {
        let known = latest.as_ref().unwrap_or(object);
        let Some(patch) = plan(known) else { return Ok(None) };
        let error = match send(options, cluster, resource, (known, patch)).await {
            Ok(patched) => return Ok(patched),
            Err(error) if error.is_conflict() && attempt < ATTEMPTS => error,
            Err(error) => return Err(error),
        };
        tracing::debug!(object = %object.id(), %error, attempt, "somebody else has written first");
        latest = read_again(cluster, resource, object).await?;
        if latest.is_none() {
            return Ok(None);
        }
        if attempt > 1 {
            tokio::time::sleep(cluster.pause(attempt)).await;
        }
        attempt += 1;
    }
}

/// Patches an object if nobody has written to it since it was read; `None` if it is gone.
///
/// # Errors
/// When the request fails; a conflict if somebody has.
pub(super) async fn patch_as_read(
    cluster: &Client,
    resource: &ResourceType,
    object: &Object,
    patch: Value,
) -> Result<Option<Object>, ApiError> {
    send(&WriteOptions::default(), cluster, resource, (object, patch)).await
}

async fn send(
    options: &WriteOptions,
    cluster: &Client,
    resource: &ResourceType,
    (object, mut patch): (&Object, Value),
) -> Result<Option<Object>, ApiError> {
    for (field, value) in [("uid", object.uid()), ("resourceVersion", object.resource_version())] {
        set_field(&mut patch, &["metadata", field], value.into());
    }
    let place = (object.namespace(), object.name());
    match cluster.patch(resource, place, (PatchKind::Merge, &patch), options).await {
        Ok(patched) => Ok(Some(patched)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads an object again; `None` if it is gone or another object has taken its name.
///
/// # Errors
/// When the request fails.
pub(super) async fn read_again(
    cluster: &Client,
    resource: &ResourceType,
    object: &Object,
) -> Result<Option<Object>, ApiError> {
    let now = cluster.get(resource, object.namespace(), object.name()).await?;
    Ok(now.filter(|now| now.uid() == object.uid()))
}

/// Removes all finalizers from an object that is being deleted; nothing if it is gone.
///
/// The uid is the only precondition: nobody can add a finalizer to such an object, and its
/// controllers still write its status.
///
/// # Errors
/// When the request fails.
pub(super) async fn remove_finalizers(
    cluster: &Client,
    resource: &ResourceType,
    object: &Object,
) -> Result<(), ApiError> {
    let patch = json!({"metadata": {"uid": object.uid(), "finalizers": null}});
    let place = (object.namespace(), object.name());
    let options = WriteOptions::default();
    match cluster.patch(resource, place, (PatchKind::Merge, &patch), &options).await {
        Ok(_) => Ok(()),
        // Gone, or another object has taken the name.
        Err(error) if error.is_not_found() || error.is_conflict() => Ok(()),
        Err(error) => Err(error),
    }
}
