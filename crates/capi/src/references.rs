//! Finds references in the spec of an object, whatever its kind: objects of the form `{kind, name}`
//! and fields that name Secrets and ConfigMaps by convention.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use super::names::CORE_GROUP;
use super::object::{Object, group_of};

/// The object that a reference names. A cluster-scoped object gets the namespace of the object that
/// refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// API group; empty for the core group of Kubernetes.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace; none for a cluster-scoped object.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl Reference {
    /// The reference that names this object.
    pub fn to(object: &Object) -> Self {
        Self {
            group: object.group().to_owned(),
            kind: object.kind().to_owned(),
            namespace: object.namespace().map(str::to_owned),
            name: object.name().to_owned(),
        }
    }

    /// Returns whether machines cannot be made without the object: infrastructure, bootstrap,
    /// control planes and their templates.
    pub fn is_essential(&self) -> bool {
        let is_contract = ["infrastructure.", "bootstrap.", "controlplane."]
            .iter()
            .any(|prefix| self.group.strip_prefix(prefix) == Some(CORE_GROUP));
        is_contract || self.group == CORE_GROUP || self.kind.ends_with("Template")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// All references in the spec of an object, each once.
pub fn references(object: &Object) -> BTreeSet<Reference> {
    Walk::through(object).found
}

/// Secrets and ConfigMaps that the spec of an object may name, in forms that do not tell the kind:
/// `{name}` in fields such as `identityRef` and `clientSecret`. Only those that exist count.
pub(crate) fn possible_references(object: &Object) -> BTreeSet<Reference> {
    Walk::through(object).possible
}

struct Walk<'a> {
    object: &'a Object,
    found: BTreeSet<Reference>,
    possible: BTreeSet<Reference>,
}

impl<'a> Walk<'a> {
    fn through(object: &'a Object) -> Self {
        let mut walk = Self { object, found: BTreeSet::new(), possible: BTreeSet::new() };
        walk.value("spec", object.at("/spec"));
        walk.found.remove(&Reference::to(object));
        walk.possible.remove(&Reference::to(object));
        walk
    }

    fn value(&mut self, key: &str, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some((group, kind)) = self.type_of(key, fields) {
                    self.add(group, kind, fields.get("namespace"), fields.get("name"));
                } else if key.ends_with("Ref") || key.ends_with("Secret") {
                    self.add_possible(fields.get("namespace"), fields.get("name"));
                }
                fields.iter().for_each(|(key, value)| self.value(key, value));
            }
            Value::Array(items) => items.iter().for_each(|item| self.value(key, item)),
            Value::String(_) if is_named(key, "secretName") => {
                self.add(String::new(), "Secret".to_owned(), None, Some(value));
            }
            Value::String(_) if is_named(key, "secretRef") => self.add_possible(None, Some(value)),
            _ => {}
        }
    }

    /// Group and kind of what these fields name, if they are a reference.
    fn type_of(&self, key: &str, fields: &Map<String, Value>) -> Option<(String, String)> {
        let text = |field: &str| fields.get(field).and_then(Value::as_str);
        if let Some(kind) = text("kind") {
            let group = match (text("apiGroup"), text("apiVersion")) {
                (Some(group), _) => group,
                (None, Some(api_version)) => group_of(api_version),
                (None, None) if matches!(kind, "Secret" | "ConfigMap") => "",
                // Identities of infrastructure providers are named by kind and name alone.
                (None, None) if key.ends_with("Ref") => self.object.group(),
                (None, None) => return None,
            };
            return Some((group.to_owned(), kind.to_owned()));
        }
        let kind = match key {
            "secret" | "credentialsRef" => "Secret",
            key if is_named(key, "secretRef") || is_named(key, "secretKeyRef") => "Secret",
            key if is_named(key, "configMapRef") || is_named(key, "configMapKeyRef") => "ConfigMap",
            _ => return None,
        };
        Some((String::new(), kind.to_owned()))
    }

    fn add(
        &mut self,
        group: String,
        kind: String,
        namespace: Option<&Value>,
        name: Option<&Value>,
    ) {
        if let Some((namespace, name)) = self.place(namespace, name) {
            self.found.insert(Reference { group, kind, namespace, name });
        }
    }

    fn add_possible(&mut self, namespace: Option<&Value>, name: Option<&Value>) {
        let Some((namespace, name)) = self.place(namespace, name) else { return };
        self.possible.extend(["Secret", "ConfigMap"].map(|kind| Reference {
            group: String::new(),
            kind: kind.to_owned(),
            namespace: namespace.clone(),
            name: name.clone(),
        }));
    }

    /// Namespace and name of what these values name, if they name something.
    fn place(
        &self,
        namespace: Option<&Value>,
        name: Option<&Value>,
    ) -> Option<(Option<String>, String)> {
        let text = |value: Option<&Value>| {
            value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let namespace = text(namespace).or(self.object.namespace().map(str::to_owned));
        Some((namespace, text(name)?))
    }
}

/// Returns whether a field has this name, or ends with it as a word: `dataSecretName` for
/// `secretName`.
fn is_named(key: &str, name: &str) -> bool {
    let mut word = name.to_owned();
    word[..1].make_ascii_uppercase();
    key == name || key.ends_with(&word)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_found_in_every_form() {
        for (spec, wanted) in [
            (
                json!({"infrastructureRef": {"apiGroup": "i.io", "kind": "IMachine", "name": "a"}}),
                &["i.io IMachine ns/a"][..],
            ),
            (
                json!({"ref": {"apiVersion": "i.io/v1", "kind": "IMachine", "name": "a",
                    "namespace": "x"}}),
                &["i.io IMachine x/a"],
            ),
            (
                json!({"template": {"spec": {"bootstrap": {"dataSecretName": "data", "configRef":
                {"apiGroup": "b.io", "kind": "BConfig", "name": "a"}}}}}),
                &[" Secret ns/data", "b.io BConfig ns/a"],
            ),
            (json!({"identityRef": {"kind": "Identity", "name": "a"}}), &["own.io Identity ns/a"]),
            (json!({"identityRef": {"kind": "Secret", "name": "a"}}), &[" Secret ns/a"]),
            (
                json!({"files": [{"contentFrom": {"secret": {"name": "a", "key": "k"}}}]}),
                &[" Secret ns/a"],
            ),
            (
                json!({"env": [{"valueFrom": {"secretKeyRef": {"name": "a"}}},
                {"valueFrom": {"configMapKeyRef": {"name": "b"}}}]}),
                &[" ConfigMap ns/b", " Secret ns/a"],
            ),
            (json!({"variablesFrom": [{"kind": "ConfigMap", "name": "a"}]}), &[" ConfigMap ns/a"]),
            (json!({"cloudSecretRef": {"name": "a", "namespace": "x"}}), &[" Secret x/a"]),
            (json!({"kind": "Thing", "name": "no reference"}), &[]),
            (json!({"secretName": "", "dataSecretName": null, "secretNames": ["a"]}), &[]),
        ] {
            let object = json!({"apiVersion": "own.io/v1", "kind": "Own", "spec": spec,
                "metadata": {"namespace": "ns", "name": "me"}});
            let found = references(&Object::new(object));
            let found: Vec<String> =
                found.iter().map(|reference| format!("{} {reference}", reference.group)).collect();
            assert_eq!(found, wanted, "{spec}");
        }
    }

    #[test]
    fn a_name_without_a_kind_may_be_that_of_a_secret_or_config_map() {
        for (spec, wanted) in [
            (json!({"identityRef": {"name": "a", "cloudName": "c"}}), &["ns/a"][..]),
            (json!({"clientSecret": {"name": "a", "namespace": "x"}}), &["x/a"]),
            (json!({"cloud": {"loginSecretRef": "a"}}), &["ns/a"]),
            (json!({"identityRef": {"kind": "Secret", "name": "a"}}), &[]),
            (json!({"clientSecret": "a password", "pool": {"name": "a"}, "someRef": {}}), &[]),
        ] {
            let object = json!({"apiVersion": "own.io/v1", "kind": "Own", "spec": spec,
                "metadata": {"namespace": "ns", "name": "me"}});
            let found = possible_references(&Object::new(object));
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            let expected = ["ConfigMap", "Secret"]
                .into_iter()
                .flat_map(|kind| wanted.iter().map(move |place| format!("{kind} {place}")));
            assert_eq!(found, expected.collect::<Vec<_>>(), "{spec}");
        }
    }
}
