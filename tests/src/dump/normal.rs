//! The normal form of a dump: what twins must have in common, and nothing else.
//!
//! Uids become the identity of the object that they name, wherever they stand. Bookkeeping of the
//! API server (versions, times) is dropped. Lists without an order are sorted.

use std::collections::{BTreeMap, HashMap};

use capi::Object;
use serde_json::{Map, Value};

use super::raw::{RawDump, identity};

/// Length of a uid in text.
const UID_LENGTH: usize = 36;

/// Metadata that says nothing about what an object is.
const BOOKKEEPING: [&str; 4] = ["uid", "resourceVersion", "generation", "creationTimestamp"];

/// Objects by uid.
#[derive(Clone, Debug, Default)]
pub struct Uids(HashMap<String, String>);

impl Uids {
    /// The uids of a dump.
    pub fn of(dump: &RawDump) -> Self {
        let uids = dump.objects().iter().map(|object| (object.uid().to_owned(), identity(object)));
        Self(uids.collect())
    }

    /// Adds those of another dump.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(uid, name)| (uid.clone(), name.clone())));
    }

    fn name(&self, uid: &str) -> Option<&str> {
        self.0.get(uid).map(String::as_str)
    }
}

/// The normal form of a cluster's objects, by identity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dump(pub BTreeMap<String, Value>);

impl Dump {
    /// Identities of the objects, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// As [`Dump::names`], without namespaces.
    pub fn payload(&self) -> Vec<&str> {
        self.names().filter(|name| !is_namespace(name)).collect()
    }

    /// Leaves out namespaces that an earlier dump does not have: those that a rollback leaves.
    #[must_use]
    pub fn without_new_namespaces(&self, before: &Self) -> Self {
        let mut dump = self.clone();
        dump.0.retain(|name, _| !is_namespace(name) || before.0.contains_key(name));
        dump
    }

    /// One object.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

/// Returns whether an identity is that of a namespace.
fn is_namespace(identity: &str) -> bool {
    identity.starts_with("Namespace ")
}

/// Rules that bring a dump into its normal form.
#[derive(Clone, Copy, Debug)]
pub struct Normal<'a> {
    /// Uids of the dumped cluster: become `uid(<identity>)`.
    pub own: &'a Uids,
    /// Uids of the cluster the objects came from: become `source-uid(<identity>)`.
    pub foreign: Option<&'a Uids>,
}

impl Normal<'_> {
    /// The normal form of a dump.
    #[must_use]
    pub fn form(&self, dump: &RawDump) -> Dump {
        Dump(dump.objects().iter().map(|object| (identity(object), self.object(object))).collect())
    }

    fn object(&self, object: &Object) -> Value {
        let mut value = object.value().clone();
        if let Some(metadata) = value["metadata"].as_object_mut() {
            for field in BOOKKEEPING {
                metadata.remove(field);
            }
            if let Some(time) = metadata.get_mut("deletionTimestamp") {
                *time = Value::from("set");
            }
            if let Some(entries) = metadata.get_mut("managedFields") {
                *entries = managers(entries);
            }
        }
        let mut value = self.replace(value);
        if let Some(owners) = value["metadata"]["ownerReferences"].as_array_mut() {
            owners.sort_by_key(ToString::to_string);
        }
        value
    }

    fn replace(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.replace_text(&text)),
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.replace(item)).collect())
            }
            Value::Object(map) => {
                let pairs = map
                    .into_iter()
                    .map(|(key, item)| (self.replace_text(&key), self.replace(item)));
                Value::Object(pairs.collect())
            }
            other => other,
        }
    }

    fn replace_text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = find_uid(rest) {
            let (before, tail) = rest.split_at(start);
            let (uid, after) = tail.split_at(UID_LENGTH);
            out.push_str(before);
            out.push_str(&self.name(uid));
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn name(&self, uid: &str) -> String {
        if let Some(name) = self.own.name(uid) {
            return format!("uid({name})");
        }
        let foreign = self.foreign.and_then(|uids| uids.name(uid));
        foreign.map_or_else(|| uid.to_owned(), |name| format!("source-uid({name})"))
    }
}

/// Returns the start of the first text of the form `8-4-4-4-12` hexadecimal digits.
fn find_uid(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..(bytes.len() + 1).saturating_sub(UID_LENGTH))
        .find(|start| is_uid(&bytes[*start..*start + UID_LENGTH]))
}

fn is_uid(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
    })
}

/// `managedFields` by manager, operation, version and subresource; the order and the times of the
/// entries say nothing.
fn managers(entries: &Value) -> Value {
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or("-").to_owned();
    let entries = entries.as_array().map_or(&[][..], Vec::as_slice);
    let named: Map<String, Value> = entries
        .iter()
        .map(|entry| {
            let key = ["manager", "operation", "apiVersion", "subresource"]
                .map(|field| text(entry, field));
            (key.join(" "), entry["fieldsV1"].clone())
        })
        .collect();
    Value::Object(named)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OWNER: &str = "11111111-2222-3333-4444-555555555555";
    const SELF: &str = "aaaaaaaa-2222-3333-4444-555555555555";
    const ELSEWHERE: &str = "bbbbbbbb-2222-3333-4444-555555555555";

    fn named(kind: &str, name: &str, uid: &str) -> Object {
        Object::new(json!({"apiVersion": "g.io/v1", "kind": kind,
                "metadata": {"name": name, "namespace": "n", "uid": uid}}))
    }

    fn dump() -> RawDump {
        let mut secret = named("Thing", "a", SELF);
        secret.metadata_mut().extend(
            json!({
                "resourceVersion": "7", "generation": 3,
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "ownerReferences": [{"name": "z", "uid": OWNER}, {"name": "o", "uid": ELSEWHERE}],
                "managedFields": [{"manager": "m", "operation": "Update", "apiVersion": "g.io/v1",
                    "time": "2026-01-01T00:00:00Z",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:metadata": {"f:ownerReferences": {(format!("k:{{\"uid\":\"{ELSEWHERE}\"}}")): {}}}}}],
            })
            .as_object()
            .cloned()
            .unwrap_or_default(),
        );
        RawDump::from(vec![secret, named("Owner", "z", OWNER)])
    }

    #[test]
    fn uids_become_names_in_values_and_keys() {
        let dump = dump();
        let foreign = Uids::of(&RawDump::from(vec![named("Owner", "o", ELSEWHERE)]));
        let own = Uids::of(&dump);
        let form = Normal { own: &own, foreign: Some(&foreign) }.form(&dump);
        let metadata = &form.get("Thing.g.io n/a").expect("is in the dump")["metadata"];
        assert_eq!(
            metadata,
            &json!({"name": "a", "namespace": "n",
                "ownerReferences": [
                    {"name": "o", "uid": "source-uid(Owner.g.io n/o)"},
                    {"name": "z", "uid": "uid(Owner.g.io n/z)"}],
                "managedFields": {"m Update g.io/v1 -": {"f:metadata": {"f:ownerReferences":
                    {"k:{\"uid\":\"source-uid(Owner.g.io n/o)\"}": {}}}}}})
        );
    }

    #[test]
    fn unknown_uids_stay_as_they_are() {
        let own = Uids::default();
        let normal = Normal { own: &own, foreign: None };
        assert_eq!(normal.replace_text(&format!("x{OWNER}y")), format!("x{OWNER}y"));
        assert_eq!(normal.replace_text("short"), "short");
        assert_eq!(
            normal.replace_text("ä-not-a-uid-but-longer-than-36-characters"),
            "ä-not-a-uid-but-longer-than-36-characters"
        );
    }

    #[test]
    fn several_uids_in_one_text() {
        let own = Uids::of(&dump());
        let normal = Normal { own: &own, foreign: None };
        assert_eq!(
            normal.replace_text(&format!("{SELF},{OWNER}")),
            "uid(Thing.g.io n/a),uid(Owner.g.io n/z)"
        );
    }
}
