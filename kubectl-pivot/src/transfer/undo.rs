//! Putting everything back: our copies go from the target, the source gets its pause state back.

use serde_json::json;

use super::discover::{Territory, list_everywhere};
use super::error::PhaseError;
use super::marks::before_deletion;
use super::namespaces;
use super::pause;
use super::run::{Progress, Run};
use crate::capi::names::RUN_ANNOTATION;
use crate::capi::{Object, ResourceType};
use crate::cluster::{ApiError, Client, PatchKind, WriteOptions};

/// Rounds of removing copies and looking again; the second one is usual when controllers run.
const ROUNDS: usize = 5;

/// Removes every object of the target that carries this run's mark, namespaces last, then resumes the source.
///
/// The finalizers of a copy go before it is deleted, so that no controller of the target ever sees
/// a deletion and acts on the real infrastructure.
///
/// # Errors
/// When a request fails; the source stays paused then, since copies may be left.
pub async fn undo(run: &Run, territory: &Territory) -> Result<(), PhaseError> {
    remove_copies(run, territory).await?;
    namespaces::remove(run).await?;
    pause::restore(run, &run.source, &territory.kinds).await?;
    Ok(())
}

/// A controller may put a finalizer on a copy between the two requests, even on a paused one; so this
/// goes on until none is left. Nobody can put one on an object that is being deleted.
async fn remove_copies(run: &Run, territory: &Territory) -> Result<(), PhaseError> {
    for _ in 0..ROUNDS {
        let ours = copies(run, territory).await?;
        if ours.is_empty() {
            return Ok(());
        }
        remove(run, ours).await?;
    }
    match copies(run, territory).await?.into_iter().next() {
        Some((_, copy)) => Err(PhaseError::CopyStays { object: copy.id() }),
        None => Ok(()),
    }
}

/// What carries this run's mark.
async fn copies<'a>(
    run: &Run,
    territory: &'a Territory,
) -> Result<Vec<(&'a ResourceType, Object)>, PhaseError> {
    // Classes of other namespaces may have been copied too.
    let listed = list_everywhere(&run.target, territory).await?;
    let ours = listed.into_iter().filter(|(_, o)| o.annotation(RUN_ANNOTATION) == Some(&run.id));
    Ok(ours.map(|(kind, object)| (&territory.kinds[kind].resource, object)).collect())
}

async fn remove(run: &Run, ours: Vec<(&ResourceType, Object)>) -> Result<(), PhaseError> {
    let progress = Progress::of(2 * ours.len()).carried_through();
    // All are freed before the first is deleted: the garbage collector deletes what is below it.
    run.each(ours.iter().collect(), &progress, |(resource, copy)| async move {
        free(&run.target, resource, copy).await.map_err(PhaseError::from)
    })
    .await?;
    run.each(ours.iter().collect(), &progress, |(resource, copy)| async move {
        let place = (copy.namespace(), copy.name());
        run.target.delete(resource, place.0, place.1, copy.uid()).await.map_err(PhaseError::from)
    })
    .await?;
    Ok(())
}

/// Takes the finalizers from a copy, and marks it for the webhooks that will see its deletion.
async fn free(target: &Client, resource: &ResourceType, copy: &Object) -> Result<(), ApiError> {
    let patch = json!({"metadata": {"uid": copy.uid(), "finalizers": null,
        "annotations": before_deletion(copy)}});
    let place = (copy.namespace(), copy.name());
    match target.patch(resource, place, (PatchKind::Merge, &patch), &WriteOptions::default()).await
    {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}
