//! `metadata.managedFields` of a copy: the source's, with the uids of the target.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::field::at;
use super::names::{FINALIZERS_ANNOTATION, PAUSED_BY_ANNOTATION, RUN_ANNOTATION};
use super::object::{Object, set_field};
use super::resource::ResourceType;

/// Marks that only a run itself may have set on what it handles.
const MARKS: [&str; 3] = [FINALIZERS_ANNOTATION, PAUSED_BY_ANNOTATION, RUN_ANNOTATION];

/// The managed fields that a copy is to have.
///
/// Entries of `own_manager` are left out, and so are the marks of runs, no matter who has set them:
/// a copy gets none. Owner references are keyed by uid in the field sets of server-side apply;
/// `uids` (source to target) rewrites the keys, so that the manager that applied an owner reference
/// keeps it. Keys of unknown uids stay.
pub fn for_copy(source: &[Value], uids: &HashMap<String, String>, own_manager: &str) -> Vec<Value> {
    source
        .iter()
        .filter(|entry| at(entry, "/manager") != own_manager)
        .filter_map(|entry| {
            let mut entry = entry.clone();
            forget_marks(&mut entry);
            if let Some(Value::Object(references)) =
                entry.pointer_mut("/fieldsV1/f:metadata/f:ownerReferences")
            {
                *references = rewrite_keys(std::mem::take(references), uids);
            }
            let is_void = at(&entry, "/fieldsV1").as_object().is_some_and(Map::is_empty);
            (!is_void).then_some(entry)
        })
        .collect()
}

/// Takes the marks of runs out of an entry. A set that is left empty would stand for the whole map.
fn forget_marks(entry: &mut Value) {
    let Some(Value::Object(fields)) = entry.pointer_mut("/fieldsV1/f:metadata/f:annotations")
    else {
        return;
    };
    let before = fields.len();
    for mark in MARKS {
        fields.remove(&format!("f:{mark}"));
    }
    let is_left_empty = fields.len() < before && fields.keys().all(|key| key == ".");
    if !is_left_empty {
        return;
    }
    let Some(Value::Object(fields)) = entry.get_mut("fieldsV1") else { return };
    if let Some(Value::Object(metadata)) = fields.get_mut("f:metadata") {
        metadata.remove("f:annotations");
    }
    if fields.get("f:metadata").and_then(Value::as_object).is_some_and(Map::is_empty) {
        fields.remove("f:metadata");
    }
}

/// Names of those who manage fields of an object.
pub fn managers(object: &Object) -> impl Iterator<Item = &str> {
    object.managed_fields().iter().filter_map(|entry| at(entry, "/manager").as_str())
}

/// Returns the entries of the status, which the controllers of a copy have written in its own
/// cluster.
pub fn of_status(entries: &[Value]) -> Vec<Value> {
    entries.iter().filter(|entry| at(entry, "/subresource") == "status").cloned().collect()
}

/// Puts the status entries of a copy in the place of those of its source.
pub fn with_status_of(copy: &[Value], mut entries: Vec<Value>) -> Vec<Value> {
    let own = of_status(copy);
    entries.retain(|entry| !own.iter().any(|of_copy| is_same_manager(of_copy, entry)));
    entries.extend(own);
    entries
}

/// Returns the only manager of finalizers that has written them at a version with updates, as a
/// write of ours under its name would be booked; `None` if there is none, or several.
pub fn manager_of_finalizers<'a>(entries: &'a [Value], api_version: &str) -> Option<&'a str> {
    let mut managers =
        entries.iter().filter(|e| at(e, "/fieldsV1").pointer("/f:metadata/f:finalizers").is_some());
    let (first, second) = (managers.next()?, managers.next());
    let is_alike = at(first, "/operation") == "Update"
        && at(first, "/apiVersion") == api_version
        && at(first, "/subresource").is_null();
    at(first, "/manager").as_str().filter(|_| second.is_none() && is_alike)
}

/// Returns the only manager that has written the status with updates; `None` if there is none, or
/// several.
pub fn manager_of_status(entries: &[Value]) -> Option<&str> {
    let mut managers = entries.iter().filter(|entry| at(entry, "/subresource") == "status");
    let (first, second) = (managers.next()?, managers.next());
    let is_alike = at(first, "/operation") == "Update" && second.is_none();
    at(first, "/manager").as_str().filter(|_| is_alike)
}

/// Returns the value for a patch that replaces all entries. An empty list would make the API server
/// start afresh; one empty entry clears it.
pub fn replacement(entries: &[Value]) -> Value {
    if entries.is_empty() { json!([{}]) } else { json!(entries) }
}

/// Leaves out entries at versions that an API server does not serve: it would refuse to merge with
/// them, and throw all entries of the object away. Cluster API's own migrator of CRDs does the
/// same.
///
/// `served` are the versions of the object's kind; without any nothing is known, and nothing left
/// out. Returns whether all entries are still there.
pub fn keep_served(entries: &mut Vec<Value>, served: &[ResourceType]) -> bool {
    if served.is_empty() {
        return true;
    }
    let count = entries.len();
    let served: Vec<String> = served.iter().map(ResourceType::api_version).collect();
    entries.retain(|entry| {
        at(entry, "/apiVersion").as_str().is_none_or(|version| served.iter().any(|s| s == version))
    });
    entries.len() == count
}

fn rewrite_keys(
    references: Map<String, Value>,
    uids: &HashMap<String, String>,
) -> Map<String, Value> {
    references
        .into_iter()
        .map(|(key, value)| (rewrite_key(&key, uids).unwrap_or(key), value))
        .collect()
}

/// `k:{"uid":"old"}` to `k:{"uid":"new"}`; `None` for other keys and unknown uids.
fn rewrite_key(key: &str, uids: &HashMap<String, String>) -> Option<String> {
    let mut fields: Map<String, Value> = serde_json::from_str(key.strip_prefix("k:")?).ok()?;
    let new = uids.get(fields.get("uid")?.as_str()?)?;
    fields.insert("uid".to_owned(), Value::from(new.as_str()));
    Some(format!("k:{}", Value::Object(fields)))
}

/// Returns who manages a field, by its pointer into the field sets (`/f:spec/f:paused`): entries
/// without their sets.
pub fn managers_of(entries: &[Value], field: &str) -> Vec<Value> {
    let manages = |entry: &&Value| at(entry, "/fieldsV1").pointer(field).is_some();
    entries.iter().filter(manages).map(without_fields).collect()
}

/// Gives `spec.paused` back to those who managed it before `own_manager` wrote it.
///
/// `managers` is what [`managers_of`] has returned then. An entry that has gone meanwhile, because
/// the field was all it had, is made anew.
pub fn give_back(entries: &[Value], managers: &[Value], own_manager: &str) -> Vec<Value> {
    let mut entries: Vec<Value> =
        entries.iter().filter(|entry| at(entry, "/manager") != own_manager).cloned().collect();
    for manager in managers {
        let position = entries.iter().position(|entry| is_same_manager(entry, manager));
        let position = position.unwrap_or_else(|| {
            entries.push(manager.clone());
            entries.len() - 1
        });
        let Some(entry) = entries.get_mut(position) else { continue };
        set_field(entry, &["fieldsType"], Value::from("FieldsV1"));
        set_field(entry, &["fieldsV1", "f:spec", "f:paused"], Value::Object(Map::new()));
    }
    entries
}

fn without_fields(entry: &Value) -> Value {
    let mut entry = entry.clone();
    if let Value::Object(parts) = &mut entry {
        parts.remove("fieldsV1");
        parts.remove("fieldsType");
    }
    entry
}

fn is_same_manager(a: &Value, b: &Value) -> bool {
    let parts = ["/manager", "/operation", "/apiVersion", "/subresource"];
    parts.into_iter().all(|part| at(a, part) == at(b, part))
}

/// Managed fields in a form in which two objects can be compared: without times, sorted.
pub fn comparable(entries: &[Value]) -> Vec<String> {
    let mut comparable: Vec<String> = entries
        .iter()
        .map(|entry| {
            let mut entry = entry.clone();
            if let Value::Object(fields) = &mut entry {
                fields.remove("time");
            }
            entry.to_string()
        })
        .collect();
    comparable.sort();
    comparable
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn owner_uids_are_rewritten_and_own_entries_left_out() {
        let source = [
            json!({"manager": "capi", "operation": "Apply",
                "fieldsV1": {"f:metadata": {"f:ownerReferences":
                {".": {}, "k:{\"uid\":\"a\"}": {}, "k:{\"uid\":\"unknown\"}": {}}}}}),
            json!({"manager": "us", "operation": "Update",
                "fieldsV1": {"f:spec": {"f:paused": {}}}}),
        ];
        let uids = HashMap::from([("a".to_owned(), "b".to_owned())]);
        let copy = for_copy(&source, &uids, "us");
        assert_eq!(
            copy,
            [json!({"manager": "capi", "operation": "Apply",
                    "fieldsV1": {"f:metadata": {"f:ownerReferences":
                {".": {}, "k:{\"uid\":\"b\"}": {}, "k:{\"uid\":\"unknown\"}": {}}}}})]
        );
    }

    #[test]
    fn marks_that_others_have_forged_are_nobodys_in_a_copy() {
        let entry = |manager: &str, annotations: Value| {
            json!({"manager": manager, "operation": "Update", "fieldsV1":
                {"f:metadata": {"f:annotations": annotations}}})
        };
        let mark = format!("f:{RUN_ANNOTATION}");
        let source = [
            entry("tenant", json!({".": {}, mark.clone(): {}})),
            entry("user", json!({".": {}, "f:note": {}, mark: {}})),
            entry("other", json!({})),
        ];
        let copy = for_copy(&source, &HashMap::new(), "us");
        assert_eq!(
            copy,
            [entry("user", json!({".": {}, "f:note": {}})), entry("other", json!({}))]
        );
    }

    #[test]
    fn the_status_of_a_copy_is_that_of_its_own_controllers() {
        let entry = |manager: &str, subresource: Value, field: &str| {
            json!({"manager": manager, "operation": "Update", "apiVersion": "g.io/v1",
                "subresource": subresource, "fieldsV1": {field: {}}})
        };
        let source = vec![
            entry("capi", json!("status"), "f:old"),
            entry("capi", Value::Null, "f:spec"),
            entry("other", json!("status"), "f:other"),
        ];
        let copy = [entry("capi", json!("status"), "f:new"), entry("us", Value::Null, "f:spec")];
        assert_eq!(
            with_status_of(&copy, source.clone()),
            [source[1].clone(), source[2].clone(), copy[0].clone()]
        );
    }

    #[test]
    fn finalizers_may_have_one_manager_whose_name_can_be_used() {
        let entry = |manager: &str, operation: &str, version: &str| {
            json!({"manager": manager, "operation": operation, "apiVersion": version,
                "fieldsV1": {"f:metadata": {"f:finalizers": {".": {}}}}})
        };
        let [one, other] = ["capi", "other"].map(|name| entry(name, "Update", "g.io/v1"));
        let spec = json!({"manager": "kubectl", "operation": "Apply", "apiVersion": "g.io/v1",
            "fieldsV1": {"f:spec": {}}});
        let of =
            |entries: &[Value], version| manager_of_finalizers(entries, version).map(str::to_owned);
        assert_eq!(of(&[one.clone(), spec.clone()], "g.io/v1").as_deref(), Some("capi"));
        assert_eq!(of(std::slice::from_ref(&one), "g.io/v2"), None);
        assert_eq!(of(&[one, other], "g.io/v1"), None);
        assert_eq!(of(&[entry("capi", "Apply", "g.io/v1")], "g.io/v1"), None);
        assert_eq!(of(&[spec], "g.io/v1"), None);
    }

    #[test]
    fn entries_of_versions_that_are_not_served_are_left_out() {
        let entry = |version: &str| json!({"manager": version, "apiVersion": version});
        let all = ["g.io/v1", "g.io/v2", "g.io/v3"].map(entry);
        let left = |served: &[&str]| {
            let served = served.iter().map(|version| ResourceType::new(version, "T", "ts", true));
            let mut entries = all.to_vec();
            keep_served(&mut entries, &served.collect::<Vec<_>>());
            entries
        };
        assert_eq!(left(&["g.io/v3", "g.io/v2"]), all[1..]);
        assert_eq!(left(&[]), all, "a kind of which nothing is known");
    }

    #[test]
    fn a_field_goes_back_to_its_managers() {
        let before = [
            json!({"manager": "user", "operation": "Apply",
                "fieldsV1": {"f:spec": {"f:paused": {}, "f:x": {}}}}),
            json!({"manager": "tool", "operation": "Update",
                "fieldsV1": {"f:spec": {"f:paused": {}}}}),
        ];
        let managers = managers_of(&before, "/f:spec/f:paused");
        assert_eq!(managers.len(), 2);
        let now = [
            json!({"manager": "user", "operation": "Apply", "fieldsV1": {"f:spec": {"f:x": {}}}}),
            json!({"manager": "us", "operation": "Update",
                "fieldsV1": {"f:spec": {"f:paused": {}}}}),
        ];
        let after = give_back(&now, &managers, "us");
        assert_eq!(after.len(), 2);
        assert_eq!(after[0]["fieldsV1"], before[0]["fieldsV1"]);
        assert_eq!(after[1]["fieldsV1"], before[1]["fieldsV1"]);
    }

    #[test]
    fn an_entry_whose_fields_are_text_does_not_panic() {
        let manager = json!({"manager": "user", "operation": "Apply",
            "fieldsV1": {"f:spec": {"f:paused": {}}}});
        let managers = managers_of(&[manager], "/f:spec/f:paused");
        let foreign = json!({"manager": "user", "operation": "Apply", "fieldsV1": "text"});
        let after = give_back(&[foreign], &managers, "us");
        assert_eq!(after[0]["fieldsV1"], json!({"f:spec": {"f:paused": {}}}));
    }

    #[test]
    fn times_do_not_count() {
        let a = [json!({"manager": "x", "time": "1"}), json!({"manager": "y"})];
        let b = [json!({"manager": "y", "time": "3"}), json!({"manager": "x", "time": "2"})];
        assert_eq!(comparable(&a), comparable(&b));
    }
}
