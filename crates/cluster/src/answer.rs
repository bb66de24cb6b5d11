//! The answer to one request: read to its end within bounds, and accepted only in the form that was
//! asked for. Whatever answers in the place of an API server is foreign: a proxy, a log-in page, an
//! attacker.

use std::time::Duration;

use capi::at;
use http::{Response, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::Value;
use support::visible;
use tokio::sync::Semaphore;

use super::error::{ApiErrorCause, classify};

const MIB: usize = 1 << 20;

/// The most bytes of a page of a list: 500 objects, and etcd takes none of more than 1.5 MiB.
const LONGEST_PAGE: usize = 256 * MIB;
/// The most bytes of any other answer.
const LONGEST_ANSWER: usize = 8 * MIB;
/// The most bytes of the answer to a request that failed.
const LONGEST_ERROR: usize = MIB;
/// Bytes that any answer may hold before it waits for its turn with other long ones.
const SHORT: usize = 16 * MIB;
/// The most values in one answer: each takes 32 bytes of memory at least, however short it is.
const MOST_VALUES: usize = 8_000_000;
/// The most characters that are kept of an error without a message of the API server.
const LONGEST_EXCERPT: usize = 300;

/// Long answers that are read at once, from all clusters. A dozen lists run beside each other, and
/// none of them may take its bound while all others do.
static LONG_ANSWERS: Semaphore = Semaphore::const_new(2);

/// The reason why an attempt failed, and how long the API server wants to be left alone.
pub(super) type Failure = (ApiErrorCause, Option<Duration>);

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One object with its type, as every write and every read of an object gets it.
    Object,
    /// A page of a list of objects.
    Page,
    /// A list of what is served, which has no resource version.
    Discovery,
    /// Some JSON object, such as a version.
    Json,
    /// Text, such as a log.
    Text,
}

/// An answer that has the form that was asked for.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) value: Value,
    /// Decompressed bytes.
    pub(super) length: usize,
}

/// Reads an answer to its end. The bounds are those of the decompressed bytes, since a few
/// compressed ones can stand for any number of them.
pub(super) async fn read_answer(response: Response<Body>, form: Form) -> Result<Answer, Failure> {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    if status.is_success() {
        let limit = if form == Form::Page { LONGEST_PAGE } else { LONGEST_ANSWER };
        let body = read_within(response.into_body(), limit).await.map_err(|cause| (cause, None))?;
        let value = success(form, content_type.as_deref(), &body)
            .map_err(|problem| (ApiErrorCause::Malformed(problem), None))?;
        return Ok(Answer { value, length: body.len() });
    }
    let body = match read_within(response.into_body(), LONGEST_ERROR).await {
        // The status is known, and says more.
        Err(cause @ ApiErrorCause::TooLong { .. }) => cause.to_string().into_bytes(),
        other => other.map_err(|cause| (cause, None))?,
    };
    let answer: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let text =
        |field: &str| answer.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut message = text("message");
    if message.is_empty() {
        message = String::from_utf8_lossy(&body).trim().chars().take(LONGEST_EXCERPT).collect();
    }
    let message = visible::lines(&message);
    let reason = visible::one_line(&text("reason"));
    let asked = at(&answer, "/details/retryAfterSeconds").as_u64().map(Duration::from_secs);
    Err((ApiErrorCause::Status { code: status.as_u16(), reason, message }, retry_after.or(asked)))
}

/// Reads a body of at most so many bytes.
async fn read_within(body: Body, limit: usize) -> Result<Vec<u8>, ApiErrorCause> {
    let (mut body, mut read, mut turn) = (body, Vec::new(), None);
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|error| classify(&error))?.into_data() else { continue };
        if read.len() + bytes.len() > limit {
            return Err(ApiErrorCause::TooLong { limit });
        }
        if turn.is_none() && read.len() + bytes.len() > SHORT {
            turn = LONG_ANSWERS.acquire().await.ok();
        }
        read.extend_from_slice(&bytes);
    }
    Ok(read)
}

/// Returns whether JSON has more values than any answer, by what separates them outside of strings.
fn has_too_many_values(body: &[u8]) -> bool {
    let (mut values, mut is_string, mut is_escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            b',' | b'[' | b'{' if !is_string => values += 1,
            _ => {}
        }
    }
    values > MOST_VALUES
}

/// Reads the body of a success.
fn success(form: Form, content_type: Option<&str>, body: &[u8]) -> Result<Value, String> {
    if form == Form::Text {
        return Ok(Value::String(String::from_utf8_lossy(body).into_owned()));
    }
    if body.first() != Some(&b'{') {
        return Err(format!("it is {}: {:?}", content_type.unwrap_or("untyped"), beginning(body)));
    }
    if body.len() > MOST_VALUES && has_too_many_values(body) {
        return Err(format!("it has more than {MOST_VALUES} values"));
    }
    let answer: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let is_list = at(&answer, "/kind").as_str().is_some_and(|kind| kind.ends_with("List"));
    let problem = match form {
        Form::Object if !is_object(&answer) => "no object",
        Form::Page | Form::Discovery if !is_list => "no list",
        Form::Page if !has_items(&answer) => "a list whose items are no objects",
        Form::Page if !has_resource_version(&answer) => "a list without a resource version",
        _ => return Ok(answer),
    };
    Err(format!("it is {problem} of Kubernetes: {:?}", beginning(body)))
}

fn is_object(answer: &Value) -> bool {
    at(answer, "/apiVersion").is_string()
        && at(answer, "/kind").is_string()
        && matches!(at(answer, "/metadata"), Value::Object(_) | Value::Null)
}

/// Returns whether there are items; `null` is how Go writes that there are none.
fn has_items(list: &Value) -> bool {
    match list.get("items") {
        Some(Value::Array(items)) => items.iter().all(|item| at(item, "/metadata").is_object()),
        items => items == Some(&Value::Null),
    }
}

/// Returns whether a list says at which moment it was true, as each list of an API server does, in
/// every form of its objects (`k8s.io/apimachinery/pkg/apis/meta/v1`, ListMeta).
fn has_resource_version(list: &Value) -> bool {
    at(list, "/metadata/resourceVersion").as_str().is_some_and(|version| !version.is_empty())
}

/// The first words of a body, for an error.
fn beginning(body: &[u8]) -> String {
    let words = String::from_utf8_lossy(body.get(..LONGEST_EXCERPT).unwrap_or(body)).into_owned();
    words.split_whitespace().take(12).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &[u8] = b"<!DOCTYPE html>\n<html><title>Log in</title></html>";

    #[test]
    fn a_page_is_no_answer_of_an_api_server() {
        for form in [Form::Json, Form::Page, Form::Discovery, Form::Object] {
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
        assert!(success(Form::Discovery, None, version).is_err());
        let discovery = br#"{"kind": "APIGroupDiscoveryList"}"#;
        assert!(success(Form::Discovery, None, discovery).is_ok());
        assert!(success(Form::Object, None, version).is_err());
        assert!(success(Form::Object, None, br#"{"apiVersion": "v1", "kind": "Status"}"#).is_ok());
        let odd = br#"{"apiVersion": "v1", "kind": "Secret", "metadata": "text"}"#;
        assert!(success(Form::Object, None, odd).is_err());
    }

    #[test]
    fn a_list_has_items_with_metadata_and_a_resource_version() {
        for list in [
            r#"{"kind": "SecretList", "metadata": {"resourceVersion": "7"}, "items": null}"#,
            r#"{"kind": "SecretList", "metadata": {"resourceVersion": "7"}, "items":
                [{"metadata": {"name": "a"}}]}"#,
        ] {
            assert!(success(Form::Page, None, list.as_bytes()).is_ok(), "{list}");
        }
        for (foreign, says) in [
            (r#"{}"#, "no list"),
            (r#"{"kind": "Secret", "metadata": {"resourceVersion": "7"}, "items": []}"#, "no list"),
            (r#"{"kind": "SecretList", "metadata": {"resourceVersion": "7"}}"#, "items"),
            (r#"{"kind": "SecretList", "metadata": {}, "items": []}"#, "resource version"),
            (r#"{"kind": "SecretList", "metadata": "a", "items": []}"#, "resource version"),
            (r#"{"kind": "SecretList", "items": []}"#, "resource version"),
            (r#"{"kind": "SecretList", "items": "none"}"#, "items"),
            (r#"{"kind": "SecretList", "items": ["a"]}"#, "items"),
            (r#"{"kind": "SecretList", "items": [{"metadata": "a"}]}"#, "items"),
        ] {
            let problem = success(Form::Page, None, foreign.as_bytes()).expect_err(foreign);
            assert!(problem.contains(says), "{foreign}: {problem}");
        }
    }

    #[test]
    fn an_answer_of_nothing_but_small_values_is_an_error_before_it_is_memory() {
        let many = format!("{{\"a\": [0{}]}}", ",0".repeat(MOST_VALUES));
        assert!(success(Form::Json, None, many.as_bytes()).expect_err("a bomb").contains("values"));
        let text = format!("{{\"a\": \"{}\"}}", "\\\",[".repeat(MOST_VALUES / 2));
        assert!(success(Form::Json, None, text.as_bytes()).is_ok(), "a long text is one value");
    }

    #[tokio::test]
    async fn an_answer_over_its_bound_is_an_error_and_not_memory() {
        let of = |status: u16, length: usize| {
            let response = Response::builder().status(status).body(Body::from(vec![b' '; length]));
            read_answer(response.expect("a response"), Form::Json)
        };
        let (cause, _) = of(200, LONGEST_ANSWER + 1).await.expect_err("too long");
        assert!(matches!(cause, ApiErrorCause::TooLong { limit: LONGEST_ANSWER }), "{cause}");
        let (cause, _) = of(403, LONGEST_ERROR + 1).await.expect_err("too long");
        let ApiErrorCause::Status { code: 403, message, .. } = cause else { panic!("{cause}") };
        assert!(message.contains("more than 1 MiB"), "{message}");
    }
}
