//! The target's own conversion of an object, as its API server answers it. Nothing is stored.

use capi::{Object, ResourceType};
use cluster::{ApiError, Client, WriteOptions};

use crate::compare::is_same_content;

/// Annotation in which a conversion keeps what the version that is read has no field for. It is no
/// part of the stored object, and changes with its status.
const DATA_ANNOTATION: &str = "cluster.x-k8s.io/conversion-data";

/// Attempts at a rehearsed update that writes of others keep overtaking.
const ATTEMPTS: u32 = 10;

/// Returns the object without what its conversion has left behind for itself.
pub(crate) fn without_data(object: &Object) -> Object {
    let mut object = object.clone();
    object.remove_annotation(DATA_ANNOTATION);
    object
}

/// Asks what the target would store if this body replaced the object that it has. `None` if that is
/// gone.
///
/// # Errors
/// When the request fails, or others overtake every attempt.
pub(crate) async fn as_stored(
    target: &Client,
    resource: &ResourceType,
    existing: &Object,
    body: &Object,
) -> Result<Option<Object>, ApiError> {
    let mut version = existing.resource_version().to_owned();
    let mut attempt = 1;
    loop {
        let mut body = body.clone();
        let metadata = body.metadata_mut();
        metadata.insert("uid".to_owned(), existing.uid().into());
        metadata.insert("resourceVersion".to_owned(), version.as_str().into());
        match target.update(resource, &body, &WriteOptions::dry_run()).await {
            Ok(stored) => return Ok(Some(stored)),
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) if error.is_conflict() && attempt < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
        let now = target.get(resource, existing.namespace(), existing.name()).await?;
        let Some(now) = now.filter(|now| now.uid() == existing.uid()) else { return Ok(None) };
        now.resource_version().clone_into(&mut version);
        tokio::time::sleep(target.pause(attempt)).await;
        attempt += 1;
    }
}

/// Returns whether an object of the target would stay as it is if this one of the source replaced
/// it.
///
/// # Errors
/// When a request fails; a refusal, for example of an immutable field, means that they differ.
pub(crate) async fn same_as_stored(
    target: &Client,
    resource: &ResourceType,
    source: &Object,
    existing: &Object,
) -> Result<bool, ApiError> {
    let mut body = source.clone();
    body.remove_server_fields();
    match as_stored(target, resource, existing, &body).await {
        Ok(stored) => Ok(stored.is_some_and(|stored| {
            is_same_content(&without_data(&stored), &without_data(existing))
        })),
        Err(error) if error.is_refused() => Ok(false),
        Err(error) => Err(error),
    }
}
