//! Differences of two dumps, path by path.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::normal::Dump;

/// Longer values are cut in reports.
const SHOWN: usize = 400;

/// One place at which two dumps differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Identity of the object.
    pub object: String,
    /// Path within the object, for example `metadata.labels["a/b"]`; empty when one side lacks the
    /// whole object.
    pub path: String,
    /// Value on the left; `None` when absent.
    pub left: Option<Value>,
    /// Value on the right; `None` when absent.
    pub right: Option<Value>,
}

/// All differences between two dumps, in order of object and path.
pub fn diff(left: &Dump, right: &Dump) -> Vec<Difference> {
    let names: BTreeSet<_> = left.names().chain(right.names()).collect();
    let mut found = Vec::new();
    for name in names {
        compare(name, "", left.get(name), right.get(name), &mut found);
    }
    found
}

fn compare(
    object: &str,
    path: &str,
    left: Option<&Value>,
    right: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    match (left, right) {
        (Some(Value::Object(l)), Some(Value::Object(r))) => {
            let keys: BTreeSet<_> = l.keys().chain(r.keys()).collect();
            for key in keys {
                compare(object, &field(path, key), l.get(key), r.get(key), found);
            }
        }
        (Some(Value::Array(l)), Some(Value::Array(r))) => {
            for index in 0..l.len().max(r.len()) {
                compare(object, &format!("{path}[{index}]"), l.get(index), r.get(index), found);
            }
        }
        (l, r) if l == r => {}
        (l, r) => found.push(Difference {
            object: object.to_owned(),
            path: path.to_owned(),
            left: l.cloned(),
            right: r.cloned(),
        }),
    }
}

fn field(path: &str, key: &str) -> String {
    let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match (plain, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{}]", Value::from(key)),
    }
}

/// The differences as text, one block for each object; `left` and `right` name the two sides.
pub fn report(differences: &[Difference], left: &str, right: &str) -> String {
    let mut text = String::new();
    let mut object = "";
    for difference in differences {
        if difference.object != object {
            object = &difference.object;
            let _ = writeln!(text, "{object}");
        }
        let path = if difference.path.is_empty() { "(object)" } else { &difference.path };
        let _ = writeln!(
            text,
            "  {path}\n    {left}: {}\n    {right}: {}",
            shown(difference.left.as_ref()),
            shown(difference.right.as_ref())
        );
    }
    text
}

fn shown(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "absent".to_owned(), ToString::to_string);
    if text.chars().count() <= SHOWN {
        return text;
    }
    format!("{}… ({} bytes)", text.chars().take(SHOWN).collect::<String>(), text.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn dump(objects: &[(&str, Value)]) -> Dump {
        Dump(
            objects
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect::<BTreeMap<_, _>>(),
        )
    }

    #[test]
    fn names_the_path_and_both_values() {
        let left =
            dump(&[("A n/x", json!({"metadata": {"labels": {"a/b": "1"}}, "list": [1, 2]}))]);
        let right = dump(&[
            ("A n/x", json!({"metadata": {"labels": {"a/b": "2"}}, "list": [1]})),
            ("B n/y", json!({})),
        ]);
        let found = diff(&left, &right);
        let places: Vec<_> = found.iter().map(|d| (d.object.as_str(), d.path.as_str())).collect();
        assert_eq!(
            places,
            [("A n/x", "list[1]"), ("A n/x", "metadata.labels[\"a/b\"]"), ("B n/y", "")]
        );
        assert_eq!(
            report(&found, "theirs", "ours"),
            "A n/x\n  list[1]\n    theirs: 2\n    ours: absent\n  metadata.labels[\"a/b\"]\n    \
             theirs: \"1\"\n    ours: \"2\"\nB n/y\n  (object)\n    theirs: absent\n    ours: {}\n"
        );
    }

    #[test]
    fn equal_dumps_have_no_differences() {
        let one = dump(&[("A n/x", json!({"a": [{"b": null}]}))]);
        assert_eq!(diff(&one, &one.clone()), []);
        assert_eq!(report(&[], "a", "b"), "");
    }
}
