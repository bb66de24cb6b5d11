//! The output of `clusterctl generate cluster`, in a form that a run may keep.
//!
//! Values of variables with secrets in them, and those that are in a Secret, are placeholders,
//! `${NAME}` as in the template: they are filled in again from the variables, of which the user
//! gives the values again. Output that may show a secret all the same is not kept.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubectl_pivot_plugin_api::ClusterctlTemplate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Values below this length are in too many texts.
const SHORTEST_SECRET: usize = 4;

/// The output of clusterctl for one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptTemplate {
    /// The command line, which has no values of variables.
    command: String,
    /// Values of the variables; null for secret ones.
    variables: BTreeMap<String, Option<String>>,
    /// The objects as clusterctl has printed them.
    objects: Vec<Value>,
}

impl KeptTemplate {
    /// Takes the secrets out of an output; none if that is not possible.
    pub(super) fn new(
        (command, plan): (String, &ClusterctlTemplate),
        printed: &[Value],
        secrets: &[String],
    ) -> Option<Self> {
        let hidden = hidden(plan, printed, secrets);
        let text = Value::from(printed).to_string();
        let is_odd = |(name, value): &(&str, &str)| {
            value.len() < SHORTEST_SECRET || text.contains(&placeholder(name))
        };
        if hidden.iter().any(is_odd) {
            return None;
        }
        let mut objects = printed.to_vec();
        replace_all(&mut objects, |text| {
            let hide = |text: String, (name, value): &(&str, &str)| {
                text.replace(value, &placeholder(name))
            };
            hidden.iter().fold(text.to_owned(), hide)
        });
        let lines = lines(secrets);
        let may_show = |object: &Value| shows(object, &lines) || has_unknown(object, &hidden);
        if objects.iter().any(may_show) {
            return None;
        }
        let names: Vec<_> = hidden.iter().map(|(name, _)| *name).collect();
        let open = |(name, value): (&String, &String)| {
            (name.clone(), (!names.contains(&name.as_str())).then(|| value.clone()))
        };
        Some(Self { command, variables: plan.variables.iter().map(open).collect(), objects })
    }

    /// Returns the output, if it is that of this plan.
    pub(super) fn printed(
        &self,
        (command, plan): (&str, &ClusterctlTemplate),
    ) -> Option<Vec<Value>> {
        let mut known = self.variables.iter();
        let is_same = self.command == command
            && self.variables.len() == plan.variables.len()
            && known.all(|(name, open)| {
                let value = plan.variables.get(name);
                value.is_some_and(|value| open.as_ref().is_none_or(|open| open == value))
            });
        if !is_same {
            return None;
        }
        let is_hidden = |name: &String| self.variables.get(name).is_some_and(Option::is_none);
        let hidden: Vec<_> = plan.variables.iter().filter(|(name, _)| is_hidden(name)).collect();
        let mut objects = self.objects.clone();
        replace_all(&mut objects, |text| {
            let fill_in = |text: String, (name, value): &(&String, &String)| {
                text.replace(&placeholder(name), value)
            };
            hidden.iter().fold(text.to_owned(), fill_in)
        });
        Some(objects)
    }
}

fn placeholder(name: &str) -> String {
    format!("${{{name}}}")
}

/// The variables whose values are not kept, the longest value first: another may be a part of it.
fn hidden<'a>(
    plan: &'a ClusterctlTemplate,
    printed: &[Value],
    secrets: &[String],
) -> Vec<(&'a str, &'a str)> {
    let texts: Vec<&str> = printed.iter().flat_map(data_of_secret).collect();
    let is_hidden = |value: &str| {
        let is_in_secret = || texts.iter().any(|text| text.contains(value));
        has_secret(value, secrets) || (value.len() >= SHORTEST_SECRET && is_in_secret())
    };
    let given = plan.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut hidden: Vec<_> = given.filter(|(_, value)| is_hidden(value)).collect();
    hidden.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    hidden
}

/// The values of a Secret; none of any other kind.
fn data_of_secret(object: &Value) -> Vec<&str> {
    if object["kind"] != "Secret" {
        return Vec::new();
    }
    let data = [&object["data"], &object["stringData"]];
    let values = data.into_iter().filter_map(Value::as_object).flat_map(|data| data.values());
    values.filter_map(Value::as_str).collect()
}

/// Returns true if a Secret has a value that no variable of the plan explains: it may come from the
/// environment of the user.
fn has_unknown(object: &Value, hidden: &[(&str, &str)]) -> bool {
    let is_explained =
        |text: &&str| hidden.iter().any(|(name, _)| text.contains(&placeholder(name)));
    data_of_secret(object).iter().any(|text| !is_explained(text))
}

/// Returns true if a text has a secret in it, as it is or in base64.
fn has_secret(text: &str, secrets: &[String]) -> bool {
    let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    secrets.iter().filter(|secret| !secret.is_empty()).any(|secret| {
        text.contains(secret.as_str())
            || text.contains(&STANDARD.encode(secret))
            || decoded.as_ref().is_some_and(|decoded| decoded.contains(secret.as_str()))
    })
}

/// Returns true if anything in a value shows one of these lines.
fn shows(value: &Value, lines: &[String]) -> bool {
    match value {
        Value::String(text) => has_secret(text, lines),
        Value::Array(items) => items.iter().any(|item| shows(item, lines)),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| has_secret(name, lines) || shows(value, lines))
        }
        other => has_secret(&other.to_string(), lines),
    }
}

/// The lines of secrets: YAML may fold a text.
fn lines(secrets: &[String]) -> Vec<String> {
    let lines = secrets.iter().flat_map(|secret| secret.lines()).map(str::trim);
    lines.filter(|line| line.len() >= SHORTEST_SECRET).map(str::to_owned).collect()
}

/// Changes every string in these values.
fn replace_all(values: &mut [Value], change: impl Fn(&str) -> String + Copy) {
    for value in values {
        match value {
            Value::String(text) => *text = change(text),
            Value::Array(items) => replace_all(items, change),
            Value::Object(fields) => {
                fields
                    .values_mut()
                    .for_each(|value| replace_all(std::slice::from_mut(value), change));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COMMAND: &str = "clusterctl generate cluster pivot";

    fn plan(secret: &str) -> ClusterctlTemplate {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        ClusterctlTemplate {
            variables: BTreeMap::from([
                pair("POTATO_REGION", "north".to_owned()),
                pair("POTATO_TOKEN", secret.to_owned()),
                pair("POTATO_LOGIN_B64", STANDARD.encode(format!("me:{secret}"))),
            ]),
            ..ClusterctlTemplate::default()
        }
    }

    fn printed(secret: &str) -> Vec<Value> {
        vec![
            json!({"kind": "Secret", "stringData": {"token": secret},
                "data": {"login": STANDARD.encode(format!("me:{secret}"))}}),
            json!({"kind": "Cluster", "spec": {"region": "north", "words": [secret, 3]}}),
        ]
    }

    fn keep(printed: &[Value], secret: &str) -> Option<KeptTemplate> {
        KeptTemplate::new((COMMAND.to_owned(), &plan(secret)), printed, &[secret.to_owned()])
    }

    #[test]
    fn what_is_kept_has_no_secret_and_gives_the_same_objects_again() {
        let kept = keep(&printed("s3cret"), "s3cret").expect("it can be kept");
        let text = serde_json::to_string(&kept).expect("JSON");
        assert!(!text.contains("s3cret") && text.contains("${POTATO_TOKEN}"), "{text}");
        assert!(!text.contains(&STANDARD.encode("me:s3cret")), "{text}");
        let again: KeptTemplate = serde_json::from_str(&text).expect("JSON");
        let of = |command: &str, plan: &ClusterctlTemplate| again.printed((command, plan));
        assert_eq!(of(COMMAND, &plan("s3cret")), Some(printed("s3cret")));
        // A secret that was renewed meanwhile.
        assert_eq!(of(COMMAND, &plan("s3cret-2")), Some(printed("s3cret-2")));
        assert_eq!(of("another", &plan("s3cret")), None);
        let mut elsewhere = plan("s3cret");
        elsewhere.variables.insert("POTATO_REGION".to_owned(), "south".to_owned());
        assert_eq!(of(COMMAND, &elsewhere), None);
        elsewhere.variables.remove("POTATO_REGION");
        assert_eq!(of(COMMAND, &elsewhere), None);
    }

    #[test]
    fn an_output_that_would_show_a_secret_is_not_kept() {
        for odd in [
            json!({"metadata": {"labels": {"s3cret": "a name"}}}),
            json!({"run": "echo ${POTATO_TOKEN}"}),
            json!({"kind": "Secret", "stringData": {"token": "of the environment"}}),
        ] {
            assert_eq!(keep(std::slice::from_ref(&odd), "s3cret"), None, "{odd}");
        }
        assert_eq!(keep(&[json!({"a": "12 123 1234"})], "123"), None, "it is too short");
        // Values in a Secret are not kept, whatever the plugin says of the variable.
        let secret = json!({"kind": "Secret", "stringData": {"place": "north"}});
        let kept = keep(&[secret], "s3cret").expect("it can be kept");
        assert_eq!(kept.objects[0]["stringData"]["place"], "${POTATO_REGION}");
        // Folded by YAML, so that the value as it was given is nowhere.
        let folded = json!({"key": "begin key: line-of-the-key end"});
        assert_eq!(keep(&[folded], "begin key\nline-of-the-key\nend"), None);
    }
}
