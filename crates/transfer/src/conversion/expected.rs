//! The target's own conversion of an object, as its API server answers it. Nothing is stored.

use capi::{Object, ResourceType, is_cluster};
use cluster::{ApiError, Client, WriteOptions};
use serde_json::Value;

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

/// Returns the object without what changes by itself in what its conversion has left behind: the
/// status, which controllers write, and the pause of a Cluster.
pub(crate) fn without_fleeting_data(object: &Object) -> Object {
    let mut object = object.clone();
    let data = object.annotation(DATA_ANNOTATION).map(serde_json::from_str);
    if let Some(Ok(Value::Object(mut fields))) = data {
        fields.remove("status");
        if is_cluster(&object)
            && let Some(Value::Object(spec)) = fields.get_mut("spec")
        {
            spec.remove("paused");
        }
        object.set_annotation(DATA_ANNOTATION, &Value::Object(fields).to_string());
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_changes_by_itself_goes_from_the_data_of_a_conversion() {
        let kept = |kind: &str, data: &Value| {
            let object =
                Object::new(json!({"kind": kind, "apiVersion": "cluster.x-k8s.io/v1beta1",
                "metadata": {"annotations": {DATA_ANNOTATION: data.to_string()}}}));
            let kept = without_fleeting_data(&object);
            let text = kept.annotation(DATA_ANNOTATION).expect("it stays").to_owned();
            serde_json::from_str::<Value>(&text).expect("JSON")
        };
        let data = json!({"spec": {"paused": true, "newer": 1}, "status": {"replicas": 1}});
        assert_eq!(kept("Cluster", &data), json!({"spec": {"newer": 1}}));
        assert_eq!(kept("Other", &data), json!({"spec": {"paused": true, "newer": 1}}));
        assert_eq!(kept("Other", &json!("no object")), json!("no object"));
    }
}
