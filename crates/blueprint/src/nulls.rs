//! Fields without a value.

use serde_json::Value;

/// Takes out fields that are `null`, as `selector.matchLabels` in the templates of most providers:
/// they mean nothing, and an API server refuses them in server-side apply.
pub fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            fields.map(|(name, value)| (name, without_nulls(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_fields_go() {
        let before = json!({"a": null, "b": {"c": null}, "d": [null, {"e": null}], "f": false});
        let after = json!({"b": {}, "d": [null, {}], "f": false});
        assert_eq!(without_nulls(before), after);
    }
}
