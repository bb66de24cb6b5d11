//! The last observation of the objects of a probe, in words.

use std::collections::BTreeMap;

use capi::{Object, ObjectId};
use kubectl_pivot_plugin_api::Probe;
use serde_json::Value;

use super::expression::Verdict;

/// Values shown of one object.
const VALUES: usize = 6;

/// Longest value that is shown, in characters.
const LONGEST_VALUE: usize = 80;

/// Everything that is known of the objects of a probe.
#[derive(Debug, Default)]
pub(super) struct Observation {
    /// Reason why objects could not be read, if that is the newest that is known.
    trouble: Option<String>,
    objects: BTreeMap<(Option<String>, String), Judged>,
    listed: bool,
}

#[derive(Debug)]
struct Judged {
    id: ObjectId,
    verdict: Verdict,
    values: String,
}

impl Observation {
    /// The objects cannot be looked at now.
    pub(super) fn trouble(&mut self, trouble: impl Into<String>) {
        self.trouble = Some(trouble.into());
    }

    /// A list begins: what it does not name is gone.
    pub(super) fn begin_list(&mut self) {
        self.objects.clear();
        self.trouble = None;
        self.listed = true;
    }

    /// An object is as it is.
    pub(super) fn there(&mut self, object: &Object, verdict: Verdict, paths: &[String]) {
        let judged = Judged { id: object.id(), verdict, values: values(object.value(), paths) };
        self.trouble = None;
        self.objects.insert(key(object), judged);
    }

    /// An object is gone.
    pub(super) fn gone(&mut self, object: &Object) {
        self.objects.remove(&key(object));
    }

    /// Returns true if the probe holds.
    pub(super) fn holds(&self, probe: &Probe) -> bool {
        self.listed
            && self.trouble.is_none()
            && self.objects.len() >= probe.min_objects as usize
            && self.objects.values().all(|judged| judged.verdict == Verdict::True)
    }

    /// The reason why it does not hold, as a sentence fragment.
    pub(super) fn describe(&self, probe: &Probe) -> String {
        if let Some(trouble) = &self.trouble {
            return trouble.clone();
        }
        if !self.listed {
            return format!("{} not listed yet", what(probe));
        }
        let mut wrong = self.objects.values().filter(|judged| judged.verdict != Verdict::True);
        if let Some(first) = wrong.next() {
            let others = match wrong.count() {
                0 => String::new(),
                others => format!(" (and {others} more of {})", self.objects.len()),
            };
            return first.describe() + &others;
        }
        match self.objects.len() {
            0 => format!("no object matched {}", what(probe)),
            count => {
                format!("{count} of at least {} objects matched {}", probe.min_objects, what(probe))
            }
        }
    }
}

impl Judged {
    fn describe(&self) -> String {
        let why = match &self.verdict {
            Verdict::Failed(why) | Verdict::NoCondition(why) | Verdict::Undeclared(why) => {
                format!("; the expression fails: {why}")
            }
            Verdict::True | Verdict::False => String::new(),
        };
        match self.values.as_str() {
            "" => format!("{}{why}", self.id),
            values => format!("{} has {values}{why}", self.id),
        }
    }
}

/// Returns what a probe looks for, for example `Deployment capd-system/capd-controller-manager`.
pub(super) fn what(probe: &Probe) -> String {
    let kind = &probe.kind;
    match (&probe.namespace, &probe.object, &probe.selector) {
        (Some(namespace), Some(name), _) => format!("{kind} {namespace}/{name}"),
        (None, Some(name), _) => format!("{kind} {name}"),
        (Some(namespace), None, None) => format!("{kind} in namespace {namespace}"),
        (None, None, None) => format!("{kind} in all namespaces"),
        (Some(namespace), None, Some(labels)) => {
            format!("{kind} in namespace {namespace} with labels {labels}")
        }
        (None, None, Some(labels)) => format!("{kind} in all namespaces with labels {labels}"),
    }
}

/// The fields of `self` that an expression names, in its order.
pub(super) fn paths(expression: &str) -> Vec<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut paths: Vec<String> = Vec::new();
    for (start, _) in expression.match_indices("self.") {
        if expression[..start].chars().next_back().is_some_and(|c| is_word(c) || c == '.') {
            continue;
        }
        let rest = &expression[start + "self.".len()..];
        let end = rest.find(|c| !is_word(c) && c != '.').unwrap_or(rest.len());
        let is_call = rest[end..].starts_with('(');
        let mut words: Vec<_> = rest[..end].split('.').filter(|word| !word.is_empty()).collect();
        if is_call {
            words.pop();
        }
        let path = words.join(".");
        if !path.is_empty() && !paths.contains(&path) {
            paths.push(path);
        }
    }
    // Of `status` and `status.ready` the longer one tells more.
    let is_part = |path: &String| paths.iter().any(|other| other.starts_with(&format!("{path}.")));
    paths.iter().filter(|path| !is_part(path)).cloned().collect()
}

/// Values of an object, for example `status.conditions Ready=False (NotYet)`.
fn values(object: &Value, paths: &[String]) -> String {
    let shown = paths.iter().take(VALUES).map(|path| {
        let value = path.split('.').try_fold(object, |value, field| value.get(field));
        value.map_or_else(|| format!("no {path}"), |value| format!("{path} {}", tell(value)))
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn tell(value: &Value) -> String {
    let conditions: Option<Vec<String>> =
        value.as_array().map(|items| items.iter().filter_map(condition).collect());
    let text = match conditions {
        Some(conditions) if !conditions.is_empty() => return conditions.join(", "),
        _ => value.to_string(),
    };
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn condition(item: &Value) -> Option<String> {
    let (kind, status) = (item["type"].as_str()?, item["status"].as_str()?);
    let reason = item["reason"].as_str().filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    Some(format!("{kind}={status}{reason}"))
}

fn key(object: &Object) -> (Option<String>, String) {
    (object.namespace().map(str::to_owned), object.name().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_fields_of_an_expression_are_found() {
        for (expression, expected) in [
            ("self.status.a >= self.metadata.b && self.status.a > 0", "status.a metadata.b"),
            ("self.status.conditions.exists(c, c.type == 'Ready')", "status.conditions"),
            ("has(self.status) && has(self.status.ready) && self.status.ready", "status.ready"),
            ("size(self.spec.list) == 1 && myself.x && a.self.y", "spec.list"),
            ("true", ""),
        ] {
            assert_eq!(paths(expression).join(" "), expected, "{expression}");
        }
    }

    #[test]
    fn values_are_shown_briefly() {
        let object = json!({"status": {"n": 1, "conditions": [
            {"type": "Ready", "status": "False", "reason": "NotYet", "message": "long"},
            {"type": "Fine", "status": "True", "reason": ""}]}, "spec": {"long": "x".repeat(99)}});
        let shown = |path: &str| values(&object, &[path.to_owned()]);
        assert_eq!(shown("status.n"), "status.n 1");
        assert_eq!(shown("status.conditions"), "status.conditions Ready=False (NotYet), Fine=True");
        assert_eq!(shown("status.m.n"), "no status.m.n");
        assert_eq!(shown("spec.long").chars().count(), "spec.long ".len() + LONGEST_VALUE + 1);
    }

    #[test]
    fn tells_the_first_that_is_wrong_or_that_too_few_are_there() {
        let probe = Probe { kind: "Node".to_owned(), min_objects: 2, ..Probe::default() };
        let node = |name: &str| {
            Object::new(
                json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "ok": 1}),
            )
        };
        let mut seen = Observation::default();
        assert!(!seen.holds(&probe));
        seen.begin_list();
        assert_eq!(seen.describe(&probe), "no object matched Node in all namespaces");
        seen.there(&node("a"), Verdict::True, &[]);
        assert_eq!(seen.describe(&probe), "1 of at least 2 objects matched Node in all namespaces");
        seen.there(&node("b"), Verdict::False, &["ok".to_owned()]);
        assert_eq!(seen.describe(&probe), "Node b has ok 1");
        seen.there(&node("b"), Verdict::True, &[]);
        assert!(seen.holds(&probe));
        seen.trouble("the connection is gone");
        assert!(!seen.holds(&probe));
        seen.begin_list();
        assert!(!seen.holds(&probe), "the list was empty");
    }
}
