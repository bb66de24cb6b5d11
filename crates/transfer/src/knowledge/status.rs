//! Carrying the status of objects whose controllers could not find it out again.
//!
//! It is written right after the copy was created, while nobody works on it.

use capi::names::RUN_ANNOTATION;
use capi::{MoveKind, Object, managed_fields};
use cluster::{ApiError, Client, FIELD_MANAGER, WriteOptions};
use serde_json::Value;

use crate::compare::lost_between;
use crate::copy::read_ours;
use crate::error::PhaseError;

/// Attempts at a write that others keep overtaking.
const ATTEMPTS: u32 = 8;

/// Writes the status of a source into its copy, if the kind wants that. Returns the copy as it is
/// then.
///
/// # Errors
/// When a request fails, or the target does not keep the status.
pub(crate) async fn carry(
    target: &Client,
    kind: &MoveKind,
    source: &Object,
    copy: Object,
) -> Result<Object, PhaseError> {
    let status = source.at("/status");
    if !kind.carries_status() || status.is_null() || !is_copy(&copy) {
        return Ok(copy);
    }
    let written = write(target, kind, source, copy).await?;
    match lost_status(kind, source, &written) {
        None => Ok(written),
        Some(path) => Err(PhaseError::StatusNotKept { object: source.id(), path }),
    }
}

/// The first path of a status that has to go along and is not in a copy.
pub(crate) fn lost_status(kind: &MoveKind, source: &Object, copy: &Object) -> Option<String> {
    if !kind.carries_status() {
        return None;
    }
    let lost = lost_between(source.at("/status"), copy.at("/status"));
    lost.first().map(|path| format!("status.{path}"))
}

/// A copy that was handed over belongs to its controllers.
fn is_copy(copy: &Object) -> bool {
    copy.annotation(RUN_ANNOTATION).is_some()
}

async fn write(
    target: &Client,
    kind: &MoveKind,
    source: &Object,
    mut copy: Object,
) -> Result<Object, ApiError> {
    let manager = managed_fields::manager_of_status(source.managed_fields());
    let options = WriteOptions::manager(manager.unwrap_or(FIELD_MANAGER)).status();
    let mut attempt = 1;
    while copy.at("/status") != source.at("/status") {
        let error = match target.update(&kind.resource, &with_status(&copy, source), &options).await
        {
            Ok(written) => return Ok(written),
            Err(error) if error.is_conflict() && attempt < ATTEMPTS => error,
            Err(error) => return Err(error),
        };
        copy = read_ours(target, &kind.resource, &copy).await?.ok_or(error)?;
        tokio::time::sleep(target.pause(attempt)).await;
        attempt += 1;
    }
    Ok(copy)
}

fn with_status(copy: &Object, source: &Object) -> Object {
    let mut copy = copy.clone();
    if let Value::Object(fields) = copy.value_mut() {
        fields.insert("status".to_owned(), source.at("/status").clone());
    }
    copy
}
