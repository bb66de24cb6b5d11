//! One request, before it is sent, and what its answer says.

use std::time::Duration;

use http::{Method, Request, Response, header};
use kube::client::Body;
use serde_json::Value;

use super::error::{ApiErrorCause, Subject, Verb, classify};

/// The form of plain requests and answers.
pub(super) const JSON: &str = "application/json";

/// Why an attempt failed, and how long the API server wants to be left alone.
pub(super) type Failure = (ApiErrorCause, Option<Duration>);

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One object with its type, as every write and every read of an object gets it.
    Object,
    /// A list of a type, also of what is served.
    List,
    /// Some JSON object, such as a version.
    Json,
    /// Text, such as a log.
    Text,
}

/// One request, before it is sent.
pub(super) struct Call {
    pub(super) verb: Verb,
    pub(super) subject: Subject,
    pub(super) method: Method,
    pub(super) uri: String,
    pub(super) body: Vec<u8>,
    pub(super) content_type: Option<&'static str>,
    pub(super) accept: &'static str,
    /// The form that the answer has to have. A proxy may answer in the place of the API server.
    pub(super) form: Form,
    /// Whether carrying it out twice is no different from once.
    pub(super) repeatable: bool,
}

impl Call {
    pub(super) fn read(verb: Verb, subject: Subject, uri: String) -> Self {
        Self {
            verb,
            subject,
            method: Method::GET,
            uri,
            body: Vec::new(),
            content_type: None,
            accept: JSON,
            form: Form::Json,
            repeatable: true,
        }
    }

    pub(super) fn write(
        verb: Verb,
        subject: Subject,
        method: Method,
        uri: String,
        body: &Value,
    ) -> Self {
        let body = body.to_string().into_bytes();
        let repeatable = verb != Verb::Create;
        Self {
            verb,
            subject,
            method,
            uri,
            body,
            content_type: Some(JSON),
            accept: JSON,
            form: Form::Object,
            repeatable,
        }
    }

    /// Whether it may change something.
    pub(super) fn is_write(&self) -> bool {
        self.method != Method::GET
    }

    pub(super) fn request(&self) -> Result<Request<Body>, http::Error> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.uri)
            .header(header::ACCEPT, self.accept);
        if let Some(content_type) = self.content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        request.body(Body::from(self.body.clone()))
    }
}

/// Reads an answer to its end.
///
/// A success has the form that the request asks for: the log-in page of a proxy is no success.
pub(super) async fn read_answer(response: Response<Body>, form: Form) -> Result<Value, Failure> {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    let body =
        response.into_body().collect_bytes().await.map_err(|error| (classify(&error), None))?;
    if status.is_success() {
        return success(form, content_type.as_deref(), &body)
            .map_err(|problem| (ApiErrorCause::Malformed(problem), None));
    }
    let answer: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
    let mut message = text("message");
    if message.is_empty() {
        message = String::from_utf8_lossy(&body).trim().chars().take(300).collect();
    }
    let asked = answer["details"]["retryAfterSeconds"].as_u64().map(Duration::from_secs);
    Err((
        ApiErrorCause::Status { code: status.as_u16(), reason: text("reason"), message },
        retry_after.or(asked),
    ))
}

/// Reads the body of a success.
fn success(form: Form, content_type: Option<&str>, body: &[u8]) -> Result<Value, String> {
    if form == Form::Text {
        return Ok(Value::String(String::from_utf8_lossy(body).into_owned()));
    }
    if body.first() != Some(&b'{') {
        return Err(format!("it is {}: {:?}", content_type.unwrap_or("untyped"), beginning(body)));
    }
    let answer: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let is_object = answer["apiVersion"].is_string()
        && answer["kind"].is_string()
        && matches!(answer["metadata"], Value::Object(_) | Value::Null);
    if form == Form::Object && !is_object {
        return Err(format!("it is no object of Kubernetes: {:?}", beginning(body)));
    }
    let is_list = answer["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    if form == Form::List && !is_list {
        return Err(format!("it is no list of Kubernetes: {:?}", beginning(body)));
    }
    Ok(answer)
}

/// The first words of a body, for an error.
fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(body).split_whitespace().take(12).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &[u8] = b"<!DOCTYPE html>\n<html><title>Log in</title></html>";

    #[test]
    fn a_page_is_no_answer_of_an_api_server() {
        for form in [Form::Json, Form::List, Form::Object] {
            let problem = success(form, Some("text/html"), PAGE).expect_err("a page");
            assert!(problem.contains("text/html") && problem.contains("Log in"), "{problem}");
            assert!(success(form, Some("application/json"), b"").is_err());
            assert!(success(form, Some("application/json"), b"\"text\"").is_err());
        }
    }

    #[test]
    fn a_log_is_read_as_text_whatever_it_begins_with() {
        for log in ["started", "{\"level\": \"info\"}", "{not JSON"] {
            let read = success(Form::Text, Some("text/plain"), log.as_bytes());
            assert_eq!(read.expect("text"), Value::String(log.to_owned()));
        }
    }

    #[test]
    fn an_object_has_its_type_and_a_version_need_not() {
        let version = br#"{"major": "1", "minor": "36"}"#;
        assert!(success(Form::Json, None, version).is_ok());
        assert!(success(Form::List, None, version).is_err());
        assert!(success(Form::List, None, br#"{"kind": "APIGroupDiscoveryList"}"#).is_ok());
        assert!(success(Form::Object, None, version).is_err());
        assert!(success(Form::Object, None, br#"{"apiVersion": "v1", "kind": "Status"}"#).is_ok());
        let odd = br#"{"apiVersion": "v1", "kind": "Secret", "metadata": "text"}"#;
        assert!(success(Form::Object, None, odd).is_err());
    }
}
