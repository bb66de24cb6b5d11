//! Errors of writes of Secrets without their values: a webhook or a policy may echo the object that
//! it refuses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use capi::at;
use serde_json::Value;
use support::redact::{REDACTED, Redactor};

use super::call::Call;
use super::error::{ApiErrorCause, Subject};

/// A value that an error has cut off is known anywhere by so many of its first bytes. Fewer would
/// be words that are in harmless texts too.
const HEAD: usize = 16;

/// Characters that are enough to know a value by, where an error was cut off.
const HEAD_AT_CUT: usize = 6;

/// Marks of a place where something was cut off.
const CUTS: [&str; 2] = ["…", "..."];

/// The annotation with which `kubectl apply` remembers what it has applied, values included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Takes the values that a request would have stored in a Secret out of its error.
pub(super) fn without_values(call: &Call, cause: ApiErrorCause) -> ApiErrorCause {
    let is_of_secret = matches!(&call.subject, Subject::Object(id) if id.kind == "Secret");
    match cause {
        ApiErrorCause::Status { code, reason, message } if is_of_secret => {
            ApiErrorCause::Status { code, reason, message: clean(&call.body, &message) }
        }
        ApiErrorCause::Malformed(problem) if is_of_secret => {
            ApiErrorCause::Malformed(clean(&call.body, &problem))
        }
        other => other,
    }
}

fn clean(body: &[u8], text: &str) -> String {
    let secret: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let mut values = values(&secret);
    let annotations = at(&secret, "/metadata/annotations");
    let applied = annotations.get(LAST_APPLIED).and_then(Value::as_str);
    let applied = applied.and_then(|text| serde_json::from_str::<Value>(text).ok());
    values.extend(applied.iter().flat_map(self::values));
    let mut redactor = Redactor::default();
    values.iter().for_each(|value| redactor.add(value));
    let mut text = redactor.text(text);
    for line in values.iter().flat_map(|value| value.lines()).filter_map(without_key) {
        if let Some(head) = line.get(..HEAD) {
            text = without_head(&text, head);
        }
        text = without_cut(&text, line);
    }
    text
}

/// The values of a Secret as they are sent, and as they are meant.
fn values(secret: &Value) -> Vec<String> {
    let mut values = Vec::new();
    for field in ["data", "stringData"] {
        let fields = secret
            .get(field)
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|fields| fields.values());
        for value in fields.filter_map(Value::as_str) {
            values.push(value.to_owned());
            let meant = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            values.extend(meant);
        }
    }
    values
}

/// A line of a value without the key of YAML that it begins with, which is in harmless texts too;
/// nothing of a line that is nothing else.
fn without_key(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches("- ");
    let is_key = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    match line.split_once(':') {
        Some((key, "")) if is_key(key) => None,
        Some((key, value)) if is_key(key) && value.starts_with(' ') => Some(value.trim_start()),
        _ => Some(line),
    }
}

/// Hides words that begin as a value does.
fn without_head(text: &str, head: &str) -> String {
    let ends = |c: char| c.is_whitespace() || "\"',}…".contains(c);
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(head) {
        clean.push_str(before);
        clean.push_str(REDACTED);
        rest = behind.find(ends).and_then(|end| behind.get(end..)).unwrap_or_default();
    }
    clean.push_str(rest);
    clean
}

/// Hides the beginning of a line where a text was cut off: at its end, and before each ellipsis.
fn without_cut(text: &str, line: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let cut = |text: &str| CUTS.iter().filter_map(|cut| Some((text.find(cut)?, *cut))).min();
    while let Some((at, cut)) = cut(rest) {
        let (before, behind) = rest.split_at(at);
        clean.push_str(&without_end(before, line));
        clean.push_str(cut);
        rest = behind.get(cut.len()..).unwrap_or_default();
    }
    clean.push_str(&without_end(rest, line));
    clean
}

fn without_end(text: &str, line: &str) -> String {
    let heads =
        line.char_indices().map(|(at, c)| at + c.len_utf8()).filter_map(|end| line.get(..end));
    let mut heads =
        heads.take_while(|head| head.len() <= HEAD).filter(|head| head.len() >= HEAD_AT_CUT);
    match heads.find_map(|head| text.strip_suffix(head)) {
        Some(before) => format!("{before}{REDACTED}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use super::*;
    use crate::Verb;
    use capi::well_known;

    #[test]
    fn an_error_that_echoes_a_secret_shows_none_of_its_values() {
        let id = well_known::secret().id(Some("default"), "a");
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

    #[test]
    fn an_error_that_is_cut_off_in_a_value_shows_no_part_of_it() {
        let id = well_known::secret().id(Some("default"), "a");
        let applied = json!({"data": {"password": "b2xkLUNBTkFSWS1vbGQ="}}).to_string();
        let secret = json!({"kind": "Secret", "data": {"password": "aHVudGVyMmh1bnRlcjI="},
            "metadata": {"annotations": {LAST_APPLIED: applied}}});
        let call =
            Call::write(Verb::Create, Subject::Object(id), Method::POST, String::new(), &secret);
        let message =
            "no: {\"password\": \"b2xkLUNBTkFSWS1vbGQ=\", \"a\": \"aHVudGVyMmh1bn".to_owned();
        let cause = ApiErrorCause::Status { code: 400, reason: String::new(), message };
        let text = without_values(&call, cause).to_string();
        assert!(!text.contains("b2xk") && !text.contains("aHVu"), "{text}");
    }

    #[test]
    fn a_short_piece_of_a_value_is_hidden_where_it_was_cut_off() {
        let hidden = |text: &str| without_cut(text, "hunter2hunter2");
        assert_eq!(hidden("is hunter2hun… and more"), "is [redacted]… and more");
        assert_eq!(hidden("is hunter... and hunter2h"), "is [redacted]... and [redacted]");
        assert_eq!(hidden("a hunter2h in the middle"), "a hunter2h in the middle");
        assert_eq!(
            without_head("is hunter2hunter2andmore, no", "hunter2hunter2an"),
            "is [redacted], no"
        );
    }

    #[test]
    fn words_of_a_kubeconfig_stay_in_a_harmless_error() {
        let kubeconfig = "apiVersion: v1\nclusters:\n- name: c\n        server: \
                          https://a.example:6443\nkind: Config\nusers:\n- name: u\n  user:\n    \
                          token: CANARYCANARYCANARY\n";
        let secret = json!({"kind": "Secret", "data": {"value": STANDARD.encode(kubeconfig)}});
        let body = serde_json::to_vec(&secret).expect("JSON");
        let harmless =
            "clusters.cluster.x-k8s.io is forbidden: apiVersion of        the object; no users";
        assert_eq!(clean(&body, harmless), harmless);
        let cut = clean(&body, "denied: token: CANARYCANARYCAN");
        assert!(!cut.contains("CANARY"), "{cut}");
        assert_eq!(clean(&body, "denied: at CANARYCA"), "denied: at [redacted]");
    }
}
