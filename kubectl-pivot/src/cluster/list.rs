//! Lists: page by page, and the forms that an API server gives them in.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::call::{Call, Form, JSON};
use super::client::Client;
use super::error::{ApiError, ApiErrorCause, Subject, Verb};
use crate::capi::{Object, ResourceType};

/// Objects in one page of a list.
const PAGE: usize = 500;

const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Everything that is not unreserved in RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Which items of a collection, and in what form.
#[derive(Clone, Copy)]
pub(super) struct Selection<'a> {
    pub(super) labels: &'a str,
    pub(super) fields: &'a str,
    pub(super) accept: &'static str,
}

impl Default for Selection<'_> {
    fn default() -> Self {
        Self { labels: "", fields: "", accept: JSON }
    }
}

impl Selection<'_> {
    /// As part of a query.
    pub(super) fn query(&self) -> String {
        let part = |name: &str, value: &str| match value {
            "" => String::new(),
            value => format!("&{name}={}", encode(value)),
        };
        part("labelSelector", self.labels) + &part("fieldSelector", self.fields)
    }
}

impl Client {
    /// Lists all objects of a type, page by page; of all namespaces when `namespace` is `None`.
    ///
    /// # Errors
    /// When a request fails, or the list expires three times before its end.
    pub async fn list(
        &self,
        kind: &ResourceType,
        namespace: Option<&str>,
    ) -> Result<Vec<Object>, ApiError> {
        self.list_all(kind, namespace, Selection::default()).await
    }

    /// Lists the objects that match a label selector.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub async fn list_selected(
        &self,
        kind: &ResourceType,
        namespace: Option<&str>,
        label_selector: &str,
    ) -> Result<Vec<Object>, ApiError> {
        self.list_all(kind, namespace, Selection { labels: label_selector, ..Selection::default() })
            .await
    }

    async fn list_all(
        &self,
        kind: &ResourceType,
        namespace: Option<&str>,
        selection: Selection<'_>,
    ) -> Result<Vec<Object>, ApiError> {
        Ok(self.list_at(kind, namespace, selection).await?.0)
    }

    /// As [`Client::list_all`], with the resource version of the list.
    pub(super) async fn list_at(
        &self,
        kind: &ResourceType,
        namespace: Option<&str>,
        selection: Selection<'_>,
    ) -> Result<(Vec<Object>, String), ApiError> {
        let mut restarts = 0;
        loop {
            match self.list_once(kind, namespace, selection).await {
                Err(error) if error.is_expired() && restarts < 3 => restarts += 1,
                other => return other,
            }
        }
    }

    async fn list_once(
        &self,
        kind: &ResourceType,
        namespace: Option<&str>,
        selection: Selection<'_>,
    ) -> Result<(Vec<Object>, String), ApiError> {
        let api_version = kind.api_version();
        let mut objects = Vec::new();
        let mut token = String::new();
        let mut resource_version = String::new();
        loop {
            let uri = list_uri(&kind.collection(namespace), selection, &token);
            let mut call = Call::read(Verb::List, Subject::Collection(kind.to_string()), uri);
            call.accept = selection.accept;
            call.form = Form::List;
            let page = self.send(call).await?;
            let text = |field: &str| page["metadata"][field].as_str().unwrap_or_default();
            text("resourceVersion").clone_into(&mut resource_version);
            text("continue").clone_into(&mut token);
            let items = items(page).map_err(|problem| ApiError {
                cluster: self.name().to_owned(),
                verb: Verb::List,
                subject: Subject::Collection(kind.to_string()),
                cause: ApiErrorCause::Malformed(problem),
            })?;
            objects.extend(items.into_iter().map(|item| {
                let mut object = Object::new(item);
                object.set_type(&api_version, &kind.kind);
                object
            }));
            if token.is_empty() {
                break;
            }
        }
        Ok((objects, resource_version))
    }

    /// Reads a collection as the table that `kubectl get` prints.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn table(
        &self,
        kind: &ResourceType,
        namespace: Option<&str>,
    ) -> Result<Value, ApiError> {
        let subject = Subject::Collection(kind.to_string());
        let mut call = Call::read(Verb::List, subject, kind.collection(namespace));
        call.accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        self.send(call).await
    }

    /// Lists the metadata of all objects of a type; items hold nothing but `metadata`.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub async fn list_metadata(
        &self,
        kind: &ResourceType,
        namespace: Option<&str>,
    ) -> Result<Vec<Object>, ApiError> {
        let selection = Selection { accept: METADATA_ONLY, ..Selection::default() };
        self.list_all(kind, namespace, selection).await
    }
}

/// Takes the items out of a page of a list; `null` is how Go writes an empty one.
fn items(mut page: Value) -> Result<Vec<Value>, String> {
    match page.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) if items.iter().all(|item| item["metadata"].is_object()) => {
            Ok(items)
        }
        Some(Value::Null) => Ok(Vec::new()),
        _ => Err("it is a list whose items are no objects".to_owned()),
    }
}

fn list_uri(collection: &str, selection: Selection<'_>, token: &str) -> String {
    let mut uri = format!("{collection}?limit={PAGE}{}", selection.query());
    if !token.is_empty() {
        uri.push_str("&continue=");
        uri.push_str(&encode(token));
    }
    uri
}

pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_has_items_with_metadata() {
        let list = json!({"kind": "SecretList", "items": [{"metadata": {"name": "a"}}]});
        assert_eq!(items(list).map(|items| items.len()), Ok(1));
        assert_eq!(items(json!({"kind": "SecretList", "items": null})), Ok(Vec::new()));
        for foreign in [
            json!({"kind": "SecretList"}),
            json!({"kind": "SecretList", "items": "none"}),
            json!({"kind": "SecretList", "items": ["a"]}),
            json!({"kind": "SecretList", "items": [{"metadata": "a"}]}),
        ] {
            assert!(items(foreign.clone()).is_err(), "{foreign}");
        }
    }
}
