//! Reading fields of foreign JSON. What is not there, or not in an object, is null.

use serde_json::Value;

/// Returns the value at a path of fields, such as `/metadata/name`.
pub fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    let found = path.split('/').skip(1).try_fold(value, |value, field| value.get(field));
    found.unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_missing_field_is_null() {
        let value = json!({"a": {"b": 1}, "c": ["d"], "e": "f"});
        assert_eq!(at(&value, "/a/b"), 1);
        assert_eq!(at(&value, ""), &value);
        for path in ["/x", "/a/b/c", "/c/0", "/e/f", "/x/y"] {
            assert_eq!(at(&value, path), &Value::Null, "{path}");
        }
    }
}
