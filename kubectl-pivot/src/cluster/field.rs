//! Reading fields of foreign JSON. What is not there, or not an object, is null.

use serde_json::Value;

/// Returns the value at a JSON pointer, such as `/metadata/name`.
pub(super) fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}
