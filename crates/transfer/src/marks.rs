//! The marks that runs leave on objects while they last: how far one has come, and what is left of
//! others. Reads metadata only.

use capi::names::{
    COPIES_OF_LABEL, DELETE_FOR_MOVE_ANNOTATION, PAUSED_BY_ANNOTATION, RUN_ANNOTATION,
};
use capi::{Object, ObjectId, ResourceType, well_known};
use cluster::{ApiError, Client};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;

use super::discover::LISTS_IN_FLIGHT;
use super::error::PhaseError;
use super::kinds;
use super::namespaces::namespace_type;

/// A mark on an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mark {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectId,
    /// The annotation or label.
    pub mark: &'static str,
    /// The run that has set it; absent if the mark does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The object is in deletion.
    #[serde(skip)]
    pub is_being_deleted: bool,
}

/// The marks that were found in a cluster, and where more of them may be.
#[derive(Debug, Default)]
pub struct Marks {
    /// Those that were found.
    pub found: Vec<Mark>,
    /// The kinds of which nothing is known.
    pub unread: Vec<Unread>,
}

/// A kind whose objects could not be listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// Group and version.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// The answer of the API server.
    pub problem: String,
}

impl Unread {
    /// Notes a kind that could not be listed; a cluster that does not answer at all stays an error.
    ///
    /// # Errors
    /// When the request had no answer.
    pub fn note(resource: &ResourceType, error: ApiError) -> Result<Self, ApiError> {
        if error.code().is_none() {
            return Err(error);
        }
        let problem = error.cause.to_string();
        Ok(Self { api_version: resource.api_version(), kind: resource.kind.clone(), problem })
    }
}

/// Reads all marks in a cluster, on namespaces and what may move.
///
/// # Errors
/// When the cluster does not answer.
pub async fn marks(cluster: &Client) -> Result<Marks, PhaseError> {
    let kinds = match kinds::read(cluster).await {
        Err(error) => {
            let unread = vec![Unread::note(&well_known::crd(), error)?];
            return Ok(Marks { unread, ..Marks::default() });
        }
        Ok(kinds) => kinds,
    };
    let namespaces = namespace_type();
    let resources = kinds.iter().map(|kind| &kind.resource).chain([&namespaces]);
    let lists = futures::stream::iter(resources)
        .map(async |resource| list(cluster, resource).await)
        .buffered(LISTS_IN_FLIGHT)
        .try_collect::<Vec<_>>()
        .await?;
    let mut marks = Marks::default();
    for list in lists {
        match list {
            Ok(objects) => marks.found.extend(objects.iter().flat_map(of_object)),
            Err(unread) => marks.unread.push(unread),
        }
    }
    Ok(marks)
}

/// Lists a kind. One that is no longer served has no objects that anybody could see.
async fn list(
    cluster: &Client,
    resource: &ResourceType,
) -> Result<Result<Vec<Object>, Unread>, ApiError> {
    match cluster.list_metadata(resource, None).await {
        Err(error) if error.is_not_found() => Ok(Ok(Vec::new())),
        Err(error) => Ok(Err(Unread::note(resource, error)?)),
        Ok(objects) => Ok(Ok(objects)),
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
            "annotations": {PAUSED_BY_ANNOTATION: "r1/false []",
                DELETE_FOR_MOVE_ANNOTATION: ""}}}));
        let marks: Vec<_> = of_object(&object).into_iter().map(|m| (m.mark, m.run)).collect();
        let wanted =
            [(PAUSED_BY_ANNOTATION, Some("r1".to_owned())), (DELETE_FOR_MOVE_ANNOTATION, None)];
        assert_eq!(marks, wanted);
    }
}
