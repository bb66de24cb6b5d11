//! Deeds of the controllers of Cluster API to an object, by their own rules: the judge of what a
//! run of the program may do. It shares nothing with the program.
//!
//! The rules are those of `util/paused` and `util/annotations` of Cluster API: a controller leaves
//! an object alone when the Cluster of the object has `spec.paused: true`, or when the object
//! itself has the annotation. So the annotation on a Cluster pauses the Cluster object alone:
//! whatever is below it is worked on. The Helm add-on provider and the controller of
//! ClusterResourceSets look at the annotation of their own objects only; and so may a provider of
//! which no object was seen to report that it is paused.

use serde_json::Value;

const CORE: &str = "cluster.x-k8s.io";
const ADDONS: &str = "addons.cluster.x-k8s.io";
const INFRASTRUCTURE: &str = "infrastructure.cluster.x-k8s.io";
const PAUSED: &str = "cluster.x-k8s.io/paused";
const CLUSTER_NAME: &str = "cluster.x-k8s.io/cluster-name";

/// Returns whether controllers work on what this object stands for: for a Cluster its whole
/// hierarchy, for a ClusterClass, ClusterResourceSet, proxy of Helm releases or the infrastructure
/// of a Cluster that object.
///
/// # Panics
/// When it is none of these: there is no rule for it.
pub fn is_active(object: &Value) -> bool {
    match (group(object), text(&object["kind"])) {
        (CORE, "Cluster") => object["spec"]["paused"] != true,
        (CORE, "ClusterClass")
        | (ADDONS, "ClusterResourceSet" | "HelmChartProxy" | "HelmReleaseProxy") => {
            !has_annotation(object)
        }
        (INFRASTRUCTURE, "DockerCluster") => !has_annotation(object) && !reports_pause(object),
        (group, kind) => panic!("there is no rule for {kind}.{group}"),
    }
}

/// Returns whether the controllers of an active Cluster would carry out the deletion of this object
/// now: destroy the machine behind a Machine, and so on.
pub fn is_being_torn_down(object: &Value) -> bool {
    let metadata = &object["metadata"];
    group(object).ends_with(CORE)
        && metadata["deletionTimestamp"].is_string()
        && metadata["finalizers"].as_array().is_some_and(|all| !all.is_empty())
        && (is_cluster(object) || !has_annotation(object))
}

/// Returns true if a controller that may ignore pauses sees a deletion: it holds the object by a
/// finalizer, and was never seen to report that it leaves the object alone.
pub fn is_deletion_shown(object: &Value) -> bool {
    let metadata = &object["metadata"];
    metadata["deletionTimestamp"].is_string()
        && metadata["finalizers"].as_array().is_some_and(|all| !all.is_empty())
        && !reports_pause(object)
}

/// Returns true if no controller acts on an object, even if its Cluster is not paused or somebody
/// deletes it. So every copy has to be as long as it is not handed over. No controller looks for a
/// pause of Secrets and ConfigMaps, and that of a ClusterClass touches nothing but its templates.
pub fn is_inert(object: &Value) -> bool {
    let finalizers = object["metadata"]["finalizers"].as_array();
    let is_class = (group(object), text(&object["kind"])) == (CORE, "ClusterClass");
    let is_left_alone = group(object).is_empty() || is_class || has_annotation(object);
    is_left_alone && finalizers.is_none_or(Vec::is_empty)
}

/// Namespace and name of the Cluster whose pause decides about an object: the object itself if it
/// is a Cluster; by label, field or owner otherwise.
pub fn cluster_of(object: &Value) -> Option<(&str, &str)> {
    let metadata = &object["metadata"];
    let owners = metadata["ownerReferences"].as_array().into_iter().flatten();
    let mut owning = owners.filter(|owner| is_cluster(owner)).map(|owner| &owner["name"]);
    let name = if is_cluster(object) {
        metadata["name"].as_str()
    } else {
        let label = &metadata["labels"][CLUSTER_NAME];
        let field = &object["spec"]["clusterName"];
        label.as_str().or(field.as_str()).or_else(|| owning.next()?.as_str())
    };
    Some((metadata["namespace"].as_str()?, name?))
}

fn is_cluster(object: &Value) -> bool {
    group(object) == CORE && object["kind"] == "Cluster"
}

fn reports_pause(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions
        .into_iter()
        .any(|condition| condition["type"] == "Paused" && condition["status"] == "True")
}

fn has_annotation(object: &Value) -> bool {
    object["metadata"]["annotations"].get(PAUSED).is_some()
}

fn group(object: &Value) -> &str {
    text(&object["apiVersion"]).split_once('/').map_or("", |(group, _)| group)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(kind: &str, metadata: Value, spec: Value) -> Value {
        let group = match kind {
            "ClusterResourceSet" | "HelmChartProxy" | "HelmReleaseProxy" => ADDONS,
            "DockerMachine" | "DockerCluster" => INFRASTRUCTURE,
            _ => CORE,
        };
        json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": metadata,
            "spec": spec})
    }

    #[test]
    fn a_pause_counts_where_controllers_look_for_it() {
        let marked = || json!({"annotations": {PAUSED: ""}});
        let other = || json!({"annotations": {"note": "paused"}});
        for (kind, metadata, spec, active) in [
            ("Cluster", json!({}), json!({}), true),
            ("Cluster", json!({}), Value::Null, true),
            ("Cluster", json!({}), json!({"paused": false}), true),
            ("Cluster", json!({}), json!({"paused": "true"}), true),
            ("Cluster", json!({}), json!({"paused": true}), false),
            ("Cluster", marked(), json!({}), true),
            ("Cluster", marked(), json!({"paused": false}), true),
            ("Cluster", marked(), json!({"paused": true}), false),
            ("ClusterClass", json!({}), json!({"paused": true}), true),
            ("ClusterClass", marked(), json!({}), false),
            ("ClusterResourceSet", json!({}), json!({}), true),
            ("ClusterResourceSet", other(), json!({}), true),
            ("ClusterResourceSet", marked(), json!({}), false),
            ("HelmChartProxy", json!({}), json!({}), true),
            ("HelmChartProxy", marked(), json!({}), false),
            ("HelmReleaseProxy", json!({}), json!({}), true),
            ("HelmReleaseProxy", marked(), json!({}), false),
            ("DockerCluster", json!({}), json!({"paused": true}), true),
            ("DockerCluster", marked(), json!({}), false),
        ] {
            let object = object(kind, metadata, spec);
            assert_eq!(is_active(&object), active, "{object}");
        }
    }

    #[test]
    #[should_panic(expected = "there is no rule for Machine.cluster.x-k8s.io")]
    fn a_kind_without_a_rule_is_not_guessed() {
        is_active(&object("Machine", json!({}), json!({})));
    }

    #[test]
    fn a_deletion_is_carried_out_while_finalizers_hold_it() {
        let deleted = "2026-01-01T00:00:00Z";
        for (kind, metadata, torn_down) in [
            ("Machine", json!({"deletionTimestamp": deleted, "finalizers": ["m"]}), true),
            ("DockerMachine", json!({"deletionTimestamp": deleted, "finalizers": ["m"]}), true),
            ("Cluster", json!({"deletionTimestamp": deleted, "finalizers": ["c"]}), true),
            ("Machine", json!({"deletionTimestamp": deleted, "finalizers": []}), false),
            ("Machine", json!({"deletionTimestamp": deleted}), false),
            ("Machine", json!({"finalizers": ["m"]}), false),
        ] {
            let mut object = object(kind, metadata, json!({}));
            assert_eq!(is_being_torn_down(&object), torn_down, "{object}");
            object["metadata"]["annotations"][PAUSED] = "".into();
            let below_the_annotation = torn_down && kind == "Cluster";
            assert_eq!(is_being_torn_down(&object), below_the_annotation, "{object}");
        }
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"deletionTimestamp": deleted, "finalizers": ["s"]}});
        assert!(!is_being_torn_down(&secret));
    }

    #[test]
    fn a_deletion_is_shown_to_a_controller_that_has_not_reported_the_pause() {
        let deleted = json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["f"]});
        let mut machine = object("DockerMachine", deleted, json!({}));
        assert!(is_deletion_shown(&machine));
        machine["status"]["conditions"] = json!([{"type": "Paused", "status": "False"}]);
        assert!(is_deletion_shown(&machine));
        machine["status"]["conditions"][0]["status"] = "True".into();
        assert!(!is_deletion_shown(&machine));
        let freed = json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": []});
        assert!(!is_deletion_shown(&object("DockerMachine", freed, json!({}))));
        assert!(!is_deletion_shown(&object(
            "DockerMachine",
            json!({"finalizers": ["f"]}),
            json!({})
        )));
    }

    #[test]
    fn a_paused_object_that_nothing_holds_is_inert() {
        for (kind, metadata, inert) in [
            ("Machine", json!({"annotations": {PAUSED: ""}}), true),
            ("Machine", json!({"annotations": {PAUSED: ""}, "finalizers": []}), true),
            ("Cluster", json!({"annotations": {PAUSED: ""}, "finalizers": ["f"]}), false),
            ("DockerMachine", json!({}), false),
            ("ClusterClass", json!({}), true),
        ] {
            let object = object(kind, metadata, json!({"paused": true}));
            assert_eq!(is_inert(&object), inert, "{object}");
        }
        assert!(is_inert(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}})));
    }

    #[test]
    fn the_cluster_of_an_object_is_found_where_controllers_look() {
        let owner =
            json!({"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Cluster", "name": "o"});
        for (kind, metadata, spec, found) in [
            ("Cluster", json!({"name": "c"}), json!({}), Some("c")),
            ("Machine", json!({"name": "m"}), json!({"clusterName": "f"}), Some("f")),
            ("DockerMachine", json!({"labels": {CLUSTER_NAME: "l"}}), json!({}), Some("l")),
            (
                "DockerMachine",
                json!({"ownerReferences": [{"kind": "Machine", "name": "m"}, owner]}),
                json!({}),
                Some("o"),
            ),
            ("DockerMachine", json!({"name": "d"}), json!({}), None),
        ] {
            let mut object = object(kind, metadata, spec);
            object["metadata"]["namespace"] = "n".into();
            assert_eq!(cluster_of(&object), found.map(|name| ("n", name)), "{object}");
        }
    }
}
