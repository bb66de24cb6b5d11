//! The cloud controller manager, of which the project releases no chart.

use kubectl_pivot_plugin_api::{Addon, AddonsRequest, PluginResult, Probe, Values};
use serde_json::{Value, json};

use crate::variables::CCM_IMAGE;

const NAME: &str = "cloud-controller-manager";
const NAMESPACE: &str = "kube-system";
/// Version of the image if the user wants no other one.
const IMAGE: &str = "registry.k8s.io/cloud-provider-gcp/cloud-controller-manager:v35.1.3";

pub(crate) fn cloud_controller_manager(
    request: &AddonsRequest,
    values: &Values,
) -> PluginResult<Addon> {
    let image = values.optional_text(&CCM_IMAGE.name()).unwrap_or(IMAGE);
    let mut objects = access();
    objects.push(daemon_set(image, &request.cluster.pod_cidrs.join(",")));
    let probe = Probe::daemon_set_ready(NAME, NAMESPACE, NAME);
    Ok(Addon::manifests(NAME, objects).awaiting([probe]))
}

/// On the control plane, before there is a network and before the nodes are initialised: that is
/// its work.
fn daemon_set(image: &str, ranges: &str) -> Value {
    let labels = json!({"k8s-app": NAME});
    let exists = json!([{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]);
    let tolerations = [
        "node.cloudprovider.kubernetes.io/uninitialized",
        "node.kubernetes.io/not-ready",
        "node-role.kubernetes.io/control-plane",
    ]
    .map(|key| json!({"key": key, "operator": "Exists"}));
    let container = json!({
        "name": NAME,
        "image": image,
        "command": ["/cloud-controller-manager"],
        "args": [
            "--cloud-provider=gce",
            format!("--cluster-cidr={ranges}"),
            "--allocate-node-cidrs=false",
            "--configure-cloud-routes=false",
            "--leader-elect=true",
            "--use-service-account-credentials=true",
        ],
        "resources": {"requests": {"cpu": "200m"}},
    });
    let spec = json!({
        "hostNetwork": true,
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": NAME,
        "tolerations": tolerations,
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": exists}],
        }}},
        "containers": [container],
    });
    json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    })
}

/// The account, and its rights: nodes, services and what leader election needs. Controllers use
/// accounts of their own, whose tokens it asks for.
fn access() -> Vec<Value> {
    let subject = json!([{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}]);
    let role = format!("system:{NAME}");
    let rule = |group: &str, resources: &[&str], verbs: &[&str]| {
        let group = [group];
        json!({"apiGroups": group, "resources": resources, "verbs": verbs})
    };
    let read = ["get", "list", "watch"];
    let write = ["create", "get", "list", "patch", "update", "watch"];
    let rbac = "rbac.authorization.k8s.io/v1";
    let group = "rbac.authorization.k8s.io";
    let refers = |kind: &str, name: &str| json!({"apiGroup": group, "kind": kind, "name": name});
    let reader = "extension-apiserver-authentication-reader";
    let binding = format!("{NAME}:apiserver-authentication-reader");
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": NAME, "namespace": NAMESPACE}}),
        json!({"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": role}, "rules": [
            rule("", &["events"], &["create", "patch", "update"]),
            rule("", &["nodes"], &["delete", "get", "list", "patch", "update", "watch"]),
            rule("", &["nodes/status", "services/status"], &["patch", "update"]),
            rule("", &["services"], &["get", "list", "patch", "update", "watch"]),
            rule("", &["configmaps", "endpoints", "serviceaccounts"], &write),
            rule("", &["serviceaccounts/token"], &["create"]),
            rule("", &["namespaces", "pods", "secrets"], &read),
            rule("coordination.k8s.io", &["leases"], &write),
            rule("discovery.k8s.io", &["endpointslices"], &read),
        ]}),
        json!({"apiVersion": rbac, "kind": "ClusterRoleBinding", "metadata": {"name": role},
            "roleRef": refers("ClusterRole", &role), "subjects": subject}),
        json!({"apiVersion": rbac, "kind": "RoleBinding",
            "metadata": {"name": binding, "namespace": NAMESPACE},
            "roleRef": refers("Role", reader), "subjects": subject}),
    ]
}
