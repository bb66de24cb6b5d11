//! The differences between an object and its conversion, each with the fields around it.

use serde_json::{Map, Value};

/// A field that a conversion has removed or changed.
#[derive(Debug)]
pub(super) struct Change<'a> {
    /// Path of the field, for example `spec.files[0].append`.
    pub(super) path: String,
    /// The fields beside it in the source.
    pub(super) beside: &'a Map<String, Value>,
    /// Value in the source.
    pub(super) from: &'a Value,
    /// Value in the conversion, if it has one.
    pub(super) to: Option<&'a Value>,
}

impl Change<'_> {
    /// Returns the path without positions in lists: `spec.files.append`.
    pub(super) fn field(&self) -> String {
        without_positions(&self.path)
    }
}

/// Lists the fields of the source that the conversion does not have as they were.
pub(super) fn changes<'a>(source: &'a Value, converted: &'a Value) -> Vec<Change<'a>> {
    let mut found = Vec::new();
    if let Value::Object(fields) = source {
        walk_map(fields, converted.as_object(), "", &mut found);
    }
    found
}

fn walk_map<'a>(
    source: &'a Map<String, Value>,
    converted: Option<&'a Map<String, Value>>,
    path: &str,
    found: &mut Vec<Change<'a>>,
) {
    let is_set = matches!(path, "metadata.finalizers" | "metadata.ownerReferences");
    for (key, from) in source {
        let path = match path {
            "" => key.clone(),
            path if is_set => format!("{path}[{key}]"),
            path => format!("{path}.{key}"),
        };
        let to = converted.and_then(|fields| fields.get(key));
        walk((from, to), path, source, found);
    }
}

fn walk<'a>(
    (from, to): (&'a Value, Option<&'a Value>),
    path: String,
    beside: &'a Map<String, Value>,
    found: &mut Vec<Change<'a>>,
) {
    match (from, to) {
        // Fields that go with the map that they are in are named one by one.
        (Value::Object(fields), None | Some(Value::Object(_))) => {
            walk_map(fields, to.and_then(Value::as_object), &path, found);
        }
        (Value::Array(a), Some(Value::Array(b))) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                walk((a, Some(b)), format!("{path}[{index}]"), beside, found);
            }
        }
        (Value::Null, None) => {}
        (Value::Array(items), None) if items.is_empty() => {}
        _ if Some(from) == to => {}
        _ => found.push(Change { path, beside, from, to }),
    }
}

fn without_positions(path: &str) -> String {
    let mut depth = 0_u32;
    let kept = path.chars().filter(|letter| {
        depth += u32::from(*letter == '[');
        let is_kept = depth == 0;
        depth -= u32::from(*letter == ']' && depth > 0);
        is_kept
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_field_that_goes_or_changes_is_named() {
        let source = json!({"spec": {"same": 1, "gone": {"deep": {"a": 1, "none": []}},
            "files": [{"path": "x", "append": false}], "list": [1, 2], "empty": {}}});
        let converted =
            json!({"spec": {"same": 1, "files": [{"path": "y"}], "list": [1], "added": 1}});
        let found = changes(&source, &converted);
        let paths: Vec<&str> = found.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(
            paths,
            ["spec.files[0].append", "spec.files[0].path", "spec.gone.deep.a", "spec.list"]
        );
        assert_eq!(found[0].field(), "spec.files.append");
        assert_eq!(found[0].beside["path"], "x");
    }
}
