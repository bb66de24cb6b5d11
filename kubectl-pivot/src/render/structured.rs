//! JSON and YAML documents for machines.

use serde::Serialize;

use super::Format;

/// The document as text; `None` for [`Format::Table`], which each result has its own form of.
pub fn structured<T: Serialize>(value: &T, format: Format) -> Option<String> {
    let json = || serde_json::to_value(value).expect("results have string keys only");
    match format {
        Format::Table => None,
        Format::Json => Some(format!("{:#}\n", json())),
        Format::Yaml => Some(crate::yaml::document(&json())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_keeps_strings_that_look_like_something_else() {
        let value = serde_json::json!({"a": "on", "b": "0644", "c": "1_000", "d": true});
        let yaml = structured(&value, Format::Yaml).expect("YAML");
        assert_eq!(crate::yaml::documents(&yaml).expect("valid"), std::slice::from_ref(&value));
        assert!(!yaml.contains("a: on\n"), "{yaml}");
        assert_eq!(structured(&value, Format::Table), None);
    }
}
