//! Facts about Clusters, ClusterClasses and Machines that the move needs, in any served version.

use serde_json::Value;

use super::condition::Condition;
use super::field::at;
use super::names::{ADDONS_GROUP, CLUSTER_NAME_LABEL, CORE_GROUP, PAUSED_ANNOTATION};
use super::object::Object;

/// Returns whether this is a `Cluster` of Cluster API.
pub fn is_cluster(object: &Object) -> bool {
    object.kind() == "Cluster" && object.group() == CORE_GROUP
}

/// Returns whether this is a `ClusterClass`.
pub fn is_cluster_class(object: &Object) -> bool {
    object.kind() == "ClusterClass" && object.group() == CORE_GROUP
}

/// Group and kind of what a move pauses itself, in the order in which it is resumed.
///
/// ClusterClasses come first, so that no Cluster reconciles against a paused class. What selects
/// Clusters comes last, so that its controller sees the Clusters: HelmChartProxies and
/// ClusterResourceSets, whose controllers do not look at the pause of the Clusters that they
/// select. Other kinds get pauses of their own by what their controllers report.
pub const PAUSABLE: [(&str, &str); 5] = [
    (CORE_GROUP, "ClusterClass"),
    (CORE_GROUP, "Cluster"),
    (ADDONS_GROUP, "HelmReleaseProxy"),
    (ADDONS_GROUP, "HelmChartProxy"),
    (ADDONS_GROUP, "ClusterResourceSet"),
];

/// Returns whether clusterctl pauses objects of this kind, and resumes those that it reads from
/// files.
pub fn is_resumed_by_clusterctl(object: &Object) -> bool {
    is_cluster(object) || is_cluster_class(object)
}

/// Returns whether a move pauses this itself.
pub fn is_pausable(object: &Object) -> bool {
    PAUSABLE.contains(&(object.group(), object.kind()))
}

/// Returns whether this is a `Machine`.
pub fn is_machine(object: &Object) -> bool {
    object.kind() == "Machine" && object.group() == CORE_GROUP
}

/// Returns whether this is a `ClusterResourceSetBinding`.
pub(crate) fn is_resource_set_binding(object: &Object) -> bool {
    object.kind() == "ClusterResourceSetBinding" && object.group() == ADDONS_GROUP
}

/// Returns whether this is a `ClusterResourceSet`.
pub fn is_resource_set(object: &Object) -> bool {
    object.kind() == "ClusterResourceSet" && object.group() == ADDONS_GROUP
}

/// Returns whether objects of this kind carry everything below them along, without any label.
pub fn moves_its_hierarchy(group: &str, kind: &str) -> bool {
    matches!(
        (group, kind),
        (CORE_GROUP, "Cluster" | "ClusterClass") | (ADDONS_GROUP, "ClusterResourceSet")
    )
}

/// Returns whether the controllers leave this object, and everything below it, alone.
///
/// For a Cluster only `spec.paused` does that. Its annotation pauses the Cluster object itself: the
/// controllers of Machines and of infrastructure look at the field and at annotations of their own
/// (`util/annotations` and `util/paused` of Cluster API).
pub fn is_paused(object: &Object) -> bool {
    if is_cluster(object) {
        *at(spec(object), "/paused") == Value::Bool(true)
    } else {
        has_paused_annotation(object)
    }
}

/// Returns whether an annotation can pause this: a Secret or ConfigMap has no controller that would
/// look at it.
pub fn is_custom_resource(object: &Object) -> bool {
    !object.group().is_empty()
}

/// Returns whether the object carries the annotation that pauses it alone.
pub fn has_paused_annotation(object: &Object) -> bool {
    object.annotation(PAUSED_ANNOTATION).is_some()
}

/// Returns whether the controller of an object has reported that it leaves the object alone, as it
/// is now; `None` when it does not report this at all.
pub fn reports_pause(object: &Object) -> Option<bool> {
    let paused = object.condition("Paused")?;
    let generation = object.at("/metadata/generation").as_u64().unwrap_or_default();
    // Some kinds have conditions without a generation.
    let is_current = paused.observed_generation().is_none_or(|seen| seen >= generation);
    Some(paused.is_true() && is_current)
}

/// Namespace and name of the ClusterClass of a Cluster with a managed topology.
pub fn cluster_class_of(cluster: &Object) -> Option<(String, String)> {
    let topology = at(spec(cluster), "/topology");
    let v1beta2 = at(topology, "/classRef");
    let (name, namespace) = match at(v1beta2, "/name").as_str() {
        Some(name) => (name, at(v1beta2, "/namespace").as_str()),
        None => (at(topology, "/class").as_str()?, at(topology, "/classNamespace").as_str()),
    };
    let namespace = namespace.filter(|namespace| !namespace.is_empty()).or(cluster.namespace())?;
    Some((namespace.to_owned(), name.to_owned()))
}

/// Returns namespace and name of the Clusters that an object says it belongs to.
pub fn clusters_named_by(object: &Object) -> Vec<(Option<&str>, &str)> {
    let spec = object.at("/spec");
    let reference = at(spec, "/clusterRef");
    let namespace = object.namespace();
    let of_reference = at(reference, "/namespace").as_str().or(namespace);
    let is_cluster = at(reference, "/kind").as_str().is_none_or(|kind| kind == "Cluster");
    let named = [
        (namespace, object.label(CLUSTER_NAME_LABEL)),
        (namespace, at(spec, "/clusterName").as_str()),
        (of_reference, at(reference, "/name").as_str().filter(|_| is_cluster)),
    ];
    named.into_iter().filter_map(|(place, name)| Some((place, name?))).collect()
}

/// The reason why a Cluster or Machine is not yet far enough for a move; `None` when it is, and for
/// all other kinds.
///
/// The rule is clusterctl's: infrastructure provisioned, control plane initialised, and each
/// Machine with a Node.
pub fn unprovisioned_reason(object: &Object) -> Option<&'static str> {
    let status = object.at("/status");
    if is_machine(object) {
        let has_node = at(status, "/nodeRef/name").as_str().is_some_and(|name| !name.is_empty());
        return (!has_node).then_some("its Node has not joined yet (status.nodeRef is not set)");
    }
    if !is_cluster(object) {
        return None;
    }
    let initialization = at(status, "/initialization");
    if !(is_true(at(initialization, "/infrastructureProvisioned"))
        || is_true(at(status, "/infrastructureReady")))
    {
        return Some("its infrastructure is still being provisioned");
    }
    let is_initialized = |condition: Condition<'_>| {
        condition.kind() == "ControlPlaneInitialized" && condition.is_true()
    };
    if !object.conditions().any(is_initialized) {
        return Some(
            "its control plane is not initialised (condition ControlPlaneInitialized is not True)",
        );
    }
    let by_reference = at(spec(object), "/controlPlaneRef/name").is_string();
    if by_reference
        && !(is_true(at(initialization, "/controlPlaneInitialized"))
            || is_true(at(status, "/controlPlaneReady")))
    {
        return Some(
            "its control plane is not initialised (status.initialization.controlPlaneInitialized \
             is not true)",
        );
    }
    None
}

fn spec(object: &Object) -> &Value {
    object.at("/spec")
}

fn is_true(value: &Value) -> bool {
    *value == Value::Bool(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cluster(spec: Value, status: Value) -> Object {
        Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
            "metadata": {"name": "c", "namespace": "ns"}, "spec": spec, "status": status}))
    }

    #[test]
    fn classes_are_found_in_both_versions() {
        let found = |topology: Value| {
            cluster_class_of(&cluster(json!({"topology": topology}), Value::Null))
        };
        assert_eq!(found(json!({"classRef": {"name": "a"}})), Some(("ns".into(), "a".into())));
        assert_eq!(
            found(json!({"classRef": {"name": "a", "namespace": "x"}})),
            Some(("x".into(), "a".into()))
        );
        assert_eq!(
            found(json!({"class": "a", "classNamespace": "x"})),
            Some(("x".into(), "a".into()))
        );
        assert_eq!(found(Value::Null), None);
    }

    #[test]
    fn provisioning_follows_clusterctl() {
        let ready = json!({"initialization": {"infrastructureProvisioned": true,
            "controlPlaneInitialized": true},
            "conditions": [{"type": "ControlPlaneInitialized", "status": "True"}]});
        assert_eq!(unprovisioned_reason(&cluster(json!({}), ready.clone())), None);
        assert!(unprovisioned_reason(&cluster(json!({}), json!({}))).is_some());
        let mut no_condition = ready.clone();
        no_condition["conditions"] = json!([]);
        assert!(unprovisioned_reason(&cluster(json!({}), no_condition)).is_some());
        let mut not_reported = ready;
        not_reported["initialization"]["controlPlaneInitialized"] = json!(false);
        assert_eq!(unprovisioned_reason(&cluster(json!({}), not_reported.clone())), None);
        let by_reference = cluster(json!({"controlPlaneRef": {"name": "kcp"}}), not_reported);
        assert!(unprovisioned_reason(&by_reference).is_some());
    }

    #[test]
    fn a_cluster_is_paused_by_its_field_only() {
        assert!(is_paused(&cluster(json!({"paused": true}), Value::Null)));
        assert!(!is_paused(&cluster(json!({"paused": false}), Value::Null)));
        let mut annotated = cluster(json!({}), Value::Null);
        annotated.set_annotation(PAUSED_ANNOTATION, "");
        assert!(!is_paused(&annotated));
        assert!(has_paused_annotation(&annotated));
    }

    #[test]
    fn other_kinds_are_paused_by_their_annotation() {
        for (group, kind) in PAUSABLE.into_iter().filter(|(_, kind)| *kind != "Cluster") {
            let mut object = Object::new(json!({"apiVersion": format!("{group}/v1"), "kind": kind,
                "metadata": {"name": "a"}, "spec": {"paused": true}}));
            assert!(!is_paused(&object), "{kind}");
            object.set_annotation(PAUSED_ANNOTATION, "");
            assert!(is_paused(&object), "{kind}");
        }
    }
}
