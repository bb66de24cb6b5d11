//! The inspection of a cluster in which something is wrong.

use capi::{Object, ResourceType};
use cluster::{Client, WriteOptions};
use kubectl_pivot_tests::kubelet::Kubelet;
use serde_json::json;

const NAMESPACE: &str = "capi-kubeadm-control-plane-system";

/// The message to a user: the event once, and the end of the log without its beginning.
pub const TOLD: [&str; 3] = [
    "event: Machine pivot-0: BootstrapFailed: kubeadm init has timed out\n      last lines of",
    "last lines of capi-kubeadm-control-plane-system/manager-x:\n        | {\"line\":13}",
    "    | {\"line\":20}\n",
];

/// Has a Machine fail in the words of an event, twice, and a controller's pod that is not ready.
pub async fn something_unwell(cluster: &Client) -> Kubelet {
    let kubelet = Kubelet::begin((1..=20).map(|n| format!("{{\"line\":{n}}}\n")).collect()).await;
    kubelet.run(cluster, NAMESPACE, "manager-x").await;
    let kind = ResourceType::core("Event", "events");
    for (name, time) in [("first", "2026-01-01T00:00:00Z"), ("second", "2026-01-01T00:00:10Z")] {
        let event = json!({"apiVersion": "v1", "kind": "Event", "type": "Warning",
            "metadata": {"name": name, "namespace": "default"},
            "involvedObject": {"kind": "Machine", "namespace": "default", "name": "pivot-0"},
            "reason": "BootstrapFailed", "message": "kubeadm init\nhas timed out",
            "lastTimestamp": time});
        let options = WriteOptions::default();
        cluster.create(&kind, &Object::new(event), &options).await.expect("events can be made");
    }
    kubelet
}
