//! Conditions: what controllers say of an object in its status.

use serde_json::Value;

use super::field::at;
use super::object::Object;

/// One condition.
#[derive(Clone, Copy, Debug)]
pub struct Condition<'a>(&'a Value);

impl<'a> Condition<'a> {
    /// The type, for example `Available`.
    pub fn kind(self) -> &'a str {
        self.text("/type")
    }

    /// `True`, `False` or `Unknown`.
    pub fn status(self) -> &'a str {
        self.text("/status")
    }

    /// Returns whether the status is `True`.
    pub fn is_true(self) -> bool {
        self.status() == "True"
    }

    /// Returns whether the status is `False`. `Unknown` is neither.
    pub fn is_false(self) -> bool {
        self.status() == "False"
    }

    /// The reason, one word; empty where there is none.
    pub fn reason(self) -> &'a str {
        self.text("/reason")
    }

    /// The message in one line; empty where there is none.
    pub fn message(self) -> String {
        let lines: Vec<&str> = self.text("/message").lines().map(str::trim).collect();
        lines.join(" ")
    }

    /// The generation of the object that the condition is about, if its controller writes one.
    pub(crate) fn observed_generation(self) -> Option<u64> {
        at(self.0, "/observedGeneration").as_u64()
    }

    fn text(self, field: &str) -> &'a str {
        at(self.0, field).as_str().unwrap_or_default()
    }
}

impl Object {
    /// All conditions. An object of `v1beta1` has those that `v1beta2` knows in `status.v1beta2`,
    /// beside older ones of other types: they come last.
    pub fn conditions(&self) -> impl Iterator<Item = Condition<'_>> {
        let status = self.at("/status");
        let lists = [at(status, "/conditions"), at(status, "/v1beta2/conditions")];
        lists.into_iter().filter_map(Value::as_array).flatten().map(Condition)
    }

    /// The condition of a type.
    pub fn condition(&self, kind: &str) -> Option<Condition<'_>> {
        self.conditions().find(|condition| condition.kind() == kind)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_of_both_contracts_are_found() {
        let object = Object::new(json!({"status": {
            "conditions": [{"type": "Ready", "status": "False", "reason": "R",
                "message": "a\n  * b"}],
            "v1beta2": {"conditions": [
                {"type": "Available", "status": "True", "observedGeneration": 3},
                {"type": "Ready", "status": "True"}]}}}));
        let ready = object.condition("Ready").expect("it is there");
        assert!(ready.is_false() && !ready.is_true(), "the first list counts");
        assert_eq!((ready.reason(), ready.message().as_str()), ("R", "a * b"));
        let available = object.condition("Available").expect("it is there");
        assert!(available.is_true());
        assert_eq!(available.observed_generation(), Some(3));
        assert!(object.condition("Paused").is_none());
        assert!(Object::new(json!({"status": {"conditions": 3}})).conditions().next().is_none());
    }
}
