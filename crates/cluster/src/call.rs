//! One request, before it is sent.

use http::{Method, Request, header};
use kube::client::Body;
use serde_json::Value;

use super::answer::Form;
use super::error::{Subject, Verb};

/// The form of plain requests and answers.
pub(super) const JSON: &str = "application/json";

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
    /// True if carrying it out twice is no different from once.
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

    /// Returns whether it may change something.
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
