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

/// One request, before it is sent.
pub(super) struct Call {
    pub(super) verb: Verb,
    pub(super) subject: Subject,
    pub(super) method: Method,
    pub(super) uri: String,
    pub(super) body: Vec<u8>,
    pub(super) content_type: Option<&'static str>,
    pub(super) accept: &'static str,
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
            repeatable,
        }
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
pub(super) async fn read_answer(response: Response<Body>) -> Result<Value, Failure> {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_text = kind.is_some_and(|kind| kind.starts_with("text/plain"));
    let body =
        response.into_body().collect_bytes().await.map_err(|error| (classify(&error), None))?;
    if status.is_success() {
        // A log may begin like JSON.
        if is_text || body.first().is_none_or(|byte| *byte != b'{') {
            return Ok(Value::String(String::from_utf8_lossy(&body).into_owned()));
        }
        return serde_json::from_slice(&body)
            .map_err(|error| (ApiErrorCause::Malformed(error.to_string()), None));
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
