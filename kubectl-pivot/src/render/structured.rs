//! JSON and YAML documents for machines.

use serde::Serialize;
use serde_json::{Value, json};
use support::{visible, yaml};

use super::Format;

/// The document as text; `None` for [`Format::Table`], which each result has its own form of.
pub fn structured<T: Serialize>(value: &T, format: Format) -> Option<String> {
    let json = || serde_json::to_value(value).expect("results have string keys only");
    match format {
        Format::Table => None,
        Format::Json => Some(visible::json(&format!("{:#}\n", json()))),
        Format::Yaml => Some(yaml::document(&json())),
    }
}

/// One YAML document for each object.
pub fn yaml_objects(objects: &[Value]) -> String {
    yaml::stream(objects)
}

/// One JSON document with all objects, which `kubectl apply -f -` reads.
pub fn json_objects(objects: &[Value]) -> String {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    visible::json(&format!("{list:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_in_a_document() {
        let foreign = "a\u{1b}[2J\u{9b}b\u{202e}c\u{7f}\nd";
        let value = serde_json::json!({"holder": foreign, "list": [foreign]});
        for format in [Format::Json, Format::Yaml] {
            let text = structured(&value, format).expect("a document");
            assert_eq!(visible::output(&text), text, "{format:?}");
            assert!(!text.contains('\u{1b}'), "{format:?}");
            let read = support::yaml::documents(&text).expect("valid");
            assert_eq!(read, std::slice::from_ref(&value), "{format:?}");
        }
    }

    #[test]
    fn yaml_keeps_strings_that_look_like_something_else() {
        let value = serde_json::json!({"a": "on", "b": "0644", "c": "1_000", "d": true});
        let yaml = structured(&value, Format::Yaml).expect("YAML");
        assert_eq!(support::yaml::documents(&yaml).expect("valid"), std::slice::from_ref(&value));
        assert!(!yaml.contains("a: on\n"), "{yaml}");
        assert_eq!(structured(&value, Format::Table), None);
    }
}
