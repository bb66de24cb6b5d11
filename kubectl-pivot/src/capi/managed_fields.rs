//! `metadata.managedFields` of a copy: the source's, with the uids of the target.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::resource::ResourceType;

/// The managed fields that a copy is to have.
///
/// Entries of `own_manager` are left out. Owner references are keyed by uid in the field sets of
/// server-side apply; `uids` (source to target) rewrites the keys, so that whoever applied an owner
/// reference goes on owning it. Keys of unknown uids stay.
pub fn for_copy(source: &[Value], uids: &HashMap<String, String>, own_manager: &str) -> Vec<Value> {
    source
        .iter()
        .filter(|entry| entry["manager"] != own_manager)
        .map(|entry| {
            let mut entry = entry.clone();
            if let Some(Value::Object(references)) =
                entry.pointer_mut("/fieldsV1/f:metadata/f:ownerReferences")
            {
                *references = rewrite_keys(std::mem::take(references), uids);
            }
            entry
        })
        .collect()
}

/// Returns the value for a patch that replaces all entries. An empty list would make the API server start
/// afresh; one empty entry clears it.
pub fn replacement(entries: &[Value]) -> Value {
    if entries.is_empty() { json!([{}]) } else { json!(entries) }
}

/// Leaves out entries at versions that an API server does not serve: it would refuse to merge with them, and
/// throw all entries of the object away. Cluster API's own migrator of CRDs does the same.
///
/// `served` are the versions of the object's kind; without any nothing is known, and nothing left out.
pub fn keep_served(entries: &mut Vec<Value>, served: &[ResourceType]) {
    if served.is_empty() {
        return;
    }
    let served: Vec<String> = served.iter().map(ResourceType::api_version).collect();
    entries.retain(|entry| {
        entry["apiVersion"].as_str().is_none_or(|version| served.iter().any(|s| s == version))
    });
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

/// Who manages a field, by its pointer into the field sets (`/f:spec/f:paused`): entries without
/// their sets.
pub fn managers_of(entries: &[Value], field: &str) -> Vec<Value> {
    let manages = |entry: &&Value| entry["fieldsV1"].pointer(field).is_some();
    entries.iter().filter(manages).map(without_fields).collect()
}

/// Gives `spec.paused` back to those who managed it before `own_manager` wrote it.
///
/// `managers` is what [`managers_of`] has returned then. An entry that has gone meanwhile, because
/// the field was all it had, is made anew.
pub fn give_back(entries: &[Value], managers: &[Value], own_manager: &str) -> Vec<Value> {
    let mut entries: Vec<Value> =
        entries.iter().filter(|entry| entry["manager"] != own_manager).cloned().collect();
    for manager in managers {
        let position = entries.iter().position(|entry| is_same_manager(entry, manager));
        let position = position.unwrap_or_else(|| {
            entries.push(manager.clone());
            entries.len() - 1
        });
        entries[position]["fieldsType"] = Value::from("FieldsV1");
        entries[position]["fieldsV1"]["f:spec"]["f:paused"] = Value::Object(Map::new());
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
    ["manager", "operation", "apiVersion", "subresource"].iter().all(|part| a[part] == b[part])
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
            json!({"manager": "capi", "operation": "Apply", "fieldsV1": {"f:metadata": {"f:ownerReferences":
                {".": {}, "k:{\"uid\":\"a\"}": {}, "k:{\"uid\":\"unknown\"}": {}}}}}),
            json!({"manager": "us", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}}),
        ];
        let uids = HashMap::from([("a".to_owned(), "b".to_owned())]);
        let copy = for_copy(&source, &uids, "us");
        assert_eq!(
            copy,
            [
                json!({"manager": "capi", "operation": "Apply", "fieldsV1": {"f:metadata": {"f:ownerReferences":
                {".": {}, "k:{\"uid\":\"b\"}": {}, "k:{\"uid\":\"unknown\"}": {}}}}})
            ]
        );
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
            json!({"manager": "user", "operation": "Apply", "fieldsV1": {"f:spec": {"f:paused": {}, "f:x": {}}}}),
            json!({"manager": "tool", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}}),
        ];
        let managers = managers_of(&before, "/f:spec/f:paused");
        assert_eq!(managers.len(), 2);
        let now = [
            json!({"manager": "user", "operation": "Apply", "fieldsV1": {"f:spec": {"f:x": {}}}}),
            json!({"manager": "us", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}}),
        ];
        let after = give_back(&now, &managers, "us");
        assert_eq!(after.len(), 2);
        assert_eq!(after[0]["fieldsV1"], before[0]["fieldsV1"]);
        assert_eq!(after[1]["fieldsV1"], before[1]["fieldsV1"]);
    }

    #[test]
    fn times_do_not_count() {
        let a = [json!({"manager": "x", "time": "1"}), json!({"manager": "y"})];
        let b = [json!({"manager": "y", "time": "3"}), json!({"manager": "x", "time": "2"})];
        assert_eq!(comparable(&a), comparable(&b));
    }
}
