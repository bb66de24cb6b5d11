//! The marks that runs leave on objects while they go on: how far one has come, and what is left of
//! others. Reads metadata only.

use futures::{StreamExt, TryStreamExt};
use serde::Serialize;

use super::error::PhaseError;
use super::kinds;
use super::namespaces::namespace_type;
use crate::capi::names::{
    COPIES_OF_LABEL, DELETE_FOR_MOVE_ANNOTATION, PAUSED_BY_ANNOTATION, RUN_ANNOTATION,
};
use crate::capi::{Object, ObjectId, ResourceType};
use crate::cluster::{ApiError, Client};

/// Kinds listed at once.
const LISTS_IN_FLIGHT: usize = 8;

/// A mark on an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectId,
    /// The annotation or label.
    pub mark: &'static str,
    /// The run that has set it; absent if the mark does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The object is in deletion.
    #[serde(skip)]
    pub is_being_deleted: bool,
}

/// All marks in a cluster, on namespaces and what may move, of the kinds that its user may list.
///
/// # Errors
/// When a list fails for another reason.
pub async fn marks(cluster: &Client) -> Result<Vec<Mark>, PhaseError> {
    let kinds = match kinds::read(cluster).await {
        Err(error) if error.is_forbidden() => return Ok(Vec::new()),
        other => other?,
    };
    let namespaces = namespace_type();
    let resources = kinds.iter().map(|kind| &kind.resource).chain([&namespaces]);
    let lists = futures::stream::iter(resources)
        .map(|resource| list(cluster, resource))
        .buffered(LISTS_IN_FLIGHT)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(lists.iter().flatten().flat_map(of_object).collect())
}

async fn list(cluster: &Client, resource: &ResourceType) -> Result<Vec<Object>, ApiError> {
    match cluster.list_metadata(resource, None).await {
        Err(error) if error.is_forbidden() || error.is_not_found() => Ok(Vec::new()),
        other => other,
    }
}

fn of_object(object: &Object) -> Vec<Mark> {
    let marks = [RUN_ANNOTATION, PAUSED_BY_ANNOTATION, DELETE_FOR_MOVE_ANNOTATION];
    let annotations = marks.into_iter().map(|mark| (mark, object.annotation(mark)));
    let label = (COPIES_OF_LABEL, object.label(COPIES_OF_LABEL));
    let found = annotations.chain([label]).filter_map(|(mark, value)| {
        let value = value?;
        let run = value.split('/').next().filter(|run| !run.is_empty());
        let run = run.filter(|_| mark != DELETE_FOR_MOVE_ANNOTATION).map(str::to_owned);
        let is_being_deleted = object.is_being_deleted();
        Some(Mark { object: object.id(), mark, run, is_being_deleted })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mark_tells_its_run() {
        let object = Object::new(json!({"apiVersion": "v1", "kind": "K", "metadata": {"name": "a",
            "annotations": {PAUSED_BY_ANNOTATION: "r1/false []", DELETE_FOR_MOVE_ANNOTATION: ""}}}));
        let marks: Vec<_> = of_object(&object).into_iter().map(|m| (m.mark, m.run)).collect();
        let wanted =
            [(PAUSED_BY_ANNOTATION, Some("r1".to_owned())), (DELETE_FOR_MOVE_ANNOTATION, None)];
        assert_eq!(marks, wanted);
    }
}
