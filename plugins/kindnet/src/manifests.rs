//! The objects, in the form in which kind's node images carry them.

use kubectl_pivot_plugin_api::CniCluster;
use serde_json::{Value, json};

pub(crate) const NAMESPACE: &str = "kube-system";
pub(crate) const NAME: &str = "kindnet";

pub(crate) fn all(image: &str, cluster: &CniCluster) -> Vec<Value> {
    vec![role(), binding(), account(), daemon_set(image, &cluster.pod_cidrs.join(","))]
}

fn role() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": NAME},
        "rules": [
            {"apiGroups": [""], "resources": ["nodes", "pods", "namespaces"],
             "verbs": ["list", "watch"]},
            {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"],
             "verbs": ["list", "watch"]},
        ],
    })
}

fn binding() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": NAME},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    })
}

fn account() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
    })
}

fn daemon_set(image: &str, pod_subnet: &str) -> Value {
    let labels = json!({"app": NAME, "k8s-app": NAME, "tier": "node"});
    json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "selector": {"matchLabels": {"app": NAME}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "hostNetwork": true,
                    "nodeSelector": {"kubernetes.io/os": "linux"},
                    "tolerations": [{"operator": "Exists"}],
                    "priorityClassName": "system-node-critical",
                    "serviceAccountName": NAME,
                    "containers": [agent(image, pod_subnet)],
                    "volumes": [
                        path("cni-cfg", "/etc/cni/net.d", None),
                        path("xtables-lock", "/run/xtables.lock", Some("FileOrCreate")),
                        path("lib-modules", "/lib/modules", None),
                        path("nri-plugin", "/var/run/nri", None),
                    ],
                },
            },
        },
    })
}

fn agent(image: &str, pod_subnet: &str) -> Value {
    let of_pod = |name: &str, field: &str| {
        json!({"name": name,
        "valueFrom": {"fieldRef": {"fieldPath": field}}})
    };
    json!({
        "name": "kindnet-cni",
        "image": image,
        "env": [
            of_pod("HOST_IP", "status.hostIP"),
            of_pod("POD_IP", "status.podIP"),
            {"name": "POD_SUBNET", "value": pod_subnet},
        ],
        "volumeMounts": [
            {"name": "cni-cfg", "mountPath": "/etc/cni/net.d"},
            {"name": "xtables-lock", "mountPath": "/run/xtables.lock"},
            {"name": "lib-modules", "mountPath": "/lib/modules", "readOnly": true},
            {"name": "nri-plugin", "mountPath": "/var/run/nri"},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "50Mi"}},
        "securityContext": {
            "privileged": false,
            "capabilities": {"add": ["NET_RAW", "NET_ADMIN"]},
        },
    })
}

fn path(name: &str, host: &str, kind: Option<&str>) -> Value {
    let mut volume = json!({"name": name, "hostPath": {"path": host}});
    if let Some(kind) = kind {
        volume["hostPath"]["type"] = kind.into();
    }
    volume
}
