//! Lists: page by page, and the forms that an API server gives them in.

use std::collections::HashSet;

use capi::{Object, ResourceType, at, valid};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::answer::Form;
use super::call::{Call, JSON};
use super::client::Client;
use super::error::{ApiError, ApiErrorCause, Subject, Verb};

/// Objects in one page of a list.
const PAGE: usize = 500;

/// The most bytes of all pages of a list.
const LONGEST_LIST: usize = 1 << 30;

/// The most pages of a list: two million objects.
const MOST_PAGES: usize = 4000;

const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Everything that is not unreserved in RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The items of a collection to list, and their form.
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
        let mut bounds = Bounds::default();
        let failed = |cause| ApiError {
            cluster: self.name().to_owned(),
            endpoint: self.endpoint(),
            verb: Verb::List,
            subject: Subject::Collection(kind.to_string()),
            cause,
        };
        loop {
            let uri = list_uri(&kind.collection(namespace), selection, &token);
            let mut call = Call::read(Verb::List, Subject::Collection(kind.to_string()), uri);
            call.accept = selection.accept;
            call.form = Form::Page;
            let page = self.exchange(call).await?;
            let metadata = at(&page.value, "/metadata");
            let text =
                |field: &str| metadata.get(field).and_then(Value::as_str).unwrap_or_default();
            let resource_version = text("resourceVersion").to_owned();
            text("continue").clone_into(&mut token);
            bounds.take_in(page.length, &token).map_err(failed)?;
            let is_any_kind = selection.accept == METADATA_ONLY
                || kind.kind == "Event"
                || !kind.group.is_empty() && valid::is_built_in_group(&kind.group);
            for item in items(page.value) {
                let mut object = Object::new(item);
                object.set_type(&api_version, &kind.kind);
                check_names(kind, namespace, &object, is_any_kind)
                    .map_err(|problem| failed(ApiErrorCause::Malformed(problem)))?;
                objects.push(object);
            }
            if token.is_empty() {
                return Ok((objects, resource_version));
            }
        }
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

/// Bounds of a list over all its pages: a server that always names a next page would fill the
/// memory.
#[derive(Default)]
struct Bounds {
    bytes: usize,
    tokens: HashSet<String>,
}

impl Bounds {
    /// Adds a page and the token of the next one, which is empty for the last.
    fn take_in(&mut self, length: usize, token: &str) -> Result<(), ApiErrorCause> {
        self.bytes = self.bytes.saturating_add(length);
        if self.bytes > LONGEST_LIST {
            return Err(ApiErrorCause::TooLong { limit: LONGEST_LIST });
        }
        if token.is_empty() {
            return Ok(());
        }
        if !self.tokens.insert(token.to_owned()) {
            let problem = "a page of the list names a page as its next that was read already";
            return Err(ApiErrorCause::Malformed(problem.to_owned()));
        }
        if self.tokens.len() > MOST_PAGES {
            let problem = format!("the list does not end after {MOST_PAGES} pages");
            return Err(ApiErrorCause::Malformed(problem));
        }
        Ok(())
    }
}

/// Says what is wrong with the names of an object of a list, or of an object that was asked for.
pub(super) fn check_names(
    kind: &ResourceType,
    namespace: Option<&str>,
    object: &Object,
    is_any_kind: bool,
) -> Result<(), String> {
    if let Some(problem) = valid::problem_of_names(object, is_any_kind) {
        return Err(problem);
    }
    let found = object.namespace();
    let is_of_place = match namespace {
        Some(namespace) if kind.namespaced => found == Some(namespace),
        _ => kind.namespaced == found.is_some(),
    };
    match is_of_place {
        true => Ok(()),
        false => Err(format!("{} is not in the namespace that was asked for", object.id())),
    }
}

/// Takes the items out of a page of a list, whose form was checked when it was read.
fn items(mut page: Value) -> Vec<Value> {
    match page.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
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
    use super::*;

    #[test]
    fn a_list_ends_at_its_bounds() {
        let mut bounds = Bounds::default();
        for token in 0..MOST_PAGES {
            bounds.take_in(1, &token.to_string()).expect("within");
        }
        let endless = bounds.take_in(1, "next").expect_err("endless").to_string();
        assert!(endless.contains("does not end"), "{endless}");
        let mut bounds = Bounds::default();
        bounds.take_in(1, "a").expect("the first page");
        bounds.take_in(1, "b").expect("the second page");
        let round = bounds.take_in(1, "a").expect_err("a circle").to_string();
        assert!(round.contains("read already"), "{round}");
        let mut bounds = Bounds::default();
        bounds.take_in(LONGEST_LIST, "a").expect("just within");
        assert!(matches!(bounds.take_in(1, ""), Err(ApiErrorCause::TooLong { .. })));
    }
}
