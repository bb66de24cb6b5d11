//! Work that the garbage collector still has in a dump: a comparison that does not wait for it
//! compares how fast it was.

use std::collections::BTreeSet;

use capi::Object;
use serde_json::Value;

use super::raw::{Kinds, RawDump, identity};

/// Objects that the garbage collector is going to delete or to free from a reference, by its own
/// rules: the kinds of all owners are served, and one of the owners does not exist.
pub fn garbage(dump: &RawDump, kinds: &Kinds) -> Vec<String> {
    let uids: BTreeSet<&str> = dump.objects().iter().map(Object::uid).collect();
    let is_garbage = |object: &&Object| {
        let owners = object.value()["metadata"]["ownerReferences"].as_array();
        let owners = owners.map_or(&[][..], Vec::as_slice);
        let text =
            |owner: &Value, field: &str| owner[field].as_str().unwrap_or_default().to_owned();
        !object.is_being_deleted()
            && owners.iter().all(|o| kinds.serve(&text(o, "apiVersion"), &text(o, "kind")))
            && owners.iter().any(|owner| !uids.contains(text(owner, "uid").as_str()))
    };
    dump.objects().iter().filter(is_garbage).map(identity).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn garbage_has_lost_an_owner_of_a_kind_that_is_served() {
        let object = |name: &str, owners: Value| {
            Object::new(json!({"apiVersion": "v1", "kind": "Secret", "metadata":
                {"name": name, "namespace": "n", "uid": name, "ownerReferences": owners}}))
        };
        let owner = |version: &str, uid: &str| {
            json!({"apiVersion": version, "kind": "ConfigMap",
            "uid": uid})
        };
        let dump = RawDump::from(vec![
            object("free", Value::Null),
            object("owned", json!([owner("v1", "free")])),
            object("lost", json!([owner("v1", "gone")])),
            object("half", json!([owner("v1", "free"), owner("v1", "gone")])),
            object("unserved", json!([owner("v0", "gone")])),
            object("half-unserved", json!([owner("v1", "gone"), owner("v0", "gone")])),
        ]);
        let kinds = Kinds::serving(&[("v1", "ConfigMap")]);
        assert_eq!(garbage(&dump, &kinds), ["Secret n/lost", "Secret n/half"]);
    }
}
