//! Errors of writes of Secrets without their values: a webhook or a policy may echo the object that it refuses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::call::Call;
use super::error::{ApiErrorCause, Subject};
use crate::tools::Redactor;

/// Takes the values that a request would have stored in a Secret out of its error.
pub(super) fn without_values(call: &Call, cause: ApiErrorCause) -> ApiErrorCause {
    let is_of_secret = matches!(&call.subject, Subject::Object(id) if id.kind == "Secret");
    match cause {
        ApiErrorCause::Status { code, reason, message } if is_of_secret => {
            ApiErrorCause::Status { code, reason, message: redactor(&call.body).text(&message) }
        }
        ApiErrorCause::Malformed(problem) if is_of_secret => {
            ApiErrorCause::Malformed(redactor(&call.body).text(&problem))
        }
        other => other,
    }
}

/// Knows the values of a Secret as they are sent, and as they are meant.
fn redactor(body: &[u8]) -> Redactor {
    let secret: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let mut redactor = Redactor::default();
    for field in ["data", "stringData"] {
        let values = secret[field].as_object().into_iter().flat_map(|fields| fields.values());
        for value in values.filter_map(Value::as_str) {
            redactor.add(value);
            let meant = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            redactor.add(meant.unwrap_or_default());
        }
    }
    redactor
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use super::*;
    use crate::capi::ResourceType;
    use crate::cluster::Verb;

    #[test]
    fn an_error_that_echoes_a_secret_shows_none_of_its_values() {
        let id = ResourceType::core("Secret", "secrets").id(Some("default"), "a");
        let secret = json!({"kind": "Secret", "data": {"password": "aHVudGVyMmh1bnRlcjI="},
            "stringData": {"user": "CANARYuser"}});
        let call =
            Call::write(Verb::Create, Subject::Object(id), Method::POST, String::new(), &secret);
        let message = "denied: aHVudGVyMmh1bnRlcjI= is hunter2hunter2 of CANARYuser".to_owned();
        let cause = ApiErrorCause::Status { code: 422, reason: "Invalid".to_owned(), message };
        let text = without_values(&call, cause).to_string();
        for value in ["aHVudGVy", "hunter2", "CANARY"] {
            assert!(!text.contains(value), "{text}");
        }
        assert!(text.contains("denied: [redacted] is"), "{text}");
    }
}
