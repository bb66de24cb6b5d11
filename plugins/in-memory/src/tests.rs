use kubectl_pivot_plugin_api::{ErrorCode, InfrastructureProvider as _};
use serde_json::{Value, json};

use super::*;

fn render(variables: Value) -> PluginResult<Manifests> {
    let variables = variables.as_object().cloned().expect("the test gives an object");
    InMemory.render(&ClusterRequest { variables, ..ClusterRequest::named("pivot") })
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let wanted = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    objects.iter().find(wanted).expect("the object was rendered")
}

#[test]
fn conforms() {
    kubectl_pivot_plugin_api::testing::assert_infrastructure(&InMemory);
}

#[test]
fn machines_start_within_a_second() {
    let found = render(json!({})).expect("the defaults are usable").objects;
    let second = json!({"provisioning": {"startupDuration": "1s"}});
    let control_plane = json!({
        "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2",
        "kind": "DevMachineTemplate",
        "metadata": {"name": "controlplane", "namespace": "default"},
        "spec": {"template": {"spec": {"backend": {"inMemory": {
            "vm": second, "node": second, "apiServer": second, "etcd": second,
        }}}}},
    });
    assert_eq!(*find(&found, "DevMachineTemplate", "controlplane"), control_plane);
    let worker = json!({
        "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2",
        "kind": "DevMachineTemplate",
        "metadata": {"name": "worker", "namespace": "default"},
        "spec": {"template": {"spec": {"backend": {"inMemory": {"vm": second, "node": second}}}}},
    });
    assert_eq!(*find(&found, "DevMachineTemplate", "worker"), worker);
    let cluster = json!({
        "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2",
        "kind": "DevCluster",
        "metadata": {"name": "pivot", "namespace": "default",
            "annotations": {LISTENER: "default/pivot"}},
        "spec": {"backend": {"inMemory": {}}},
    });
    assert_eq!(*find(&found, "DevCluster", "pivot"), cluster);
    let reference = json!({
        "apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "DevCluster", "name": "pivot",
    });
    assert_eq!(find(&found, "Cluster", "pivot")["spec"]["infrastructureRef"], reference);
    assert_eq!(found.len(), 7);
}

#[test]
fn start_up_times_are_set_and_checked() {
    let given = json!({"vm-startup": "10s", "startup-jitter": "0.2"});
    let found = render(given).expect("the values are durations").objects;
    let machine = find(&found, "DevMachineTemplate", "worker");
    let vm = machine.pointer("/spec/template/spec/backend/inMemory/vm/provisioning");
    assert_eq!(vm, Some(&json!({"startupDuration": "10s", "startupJitter": "0.2"})));
    for (variable, value) in [("node-startup", "soon"), ("startup-jitter", "2")] {
        let error = render(json!({variable: value})).expect_err("the value is refused");
        assert_eq!(error.code, ErrorCode::InvalidVariable);
        assert_eq!(error.variable.as_deref(), Some(variable));
    }
}

#[test]
fn needs_no_network() {
    let cni = InMemory.cni(&ClusterRequest::named("pivot"));
    assert_eq!(cni, Ok(CniChoice::NotNeeded));
}
