//! Machines without kube-proxy, for a network that does its work.
//!
//! kubeadm installs kube-proxy into a cluster once, with its first control plane machine.

use capi::group_of;
use serde_json::{Value, json};

/// The phase of kubeadm that installs kube-proxy.
const PHASE: &str = "addon/kube-proxy";

/// Has kubeadm leave kube-proxy out of the cluster of these objects.
pub(super) fn leave_out(objects: &mut [Value]) {
    for object in objects.iter_mut().filter(|object| installs(object)) {
        let Some(phases) = phases_of(object) else { continue };
        match phases.as_array_mut() {
            Some(phases) => phases.push(json!(PHASE)),
            None => *phases = json!([PHASE]),
        }
    }
}

/// Returns the control plane, as kind and name, that installs kube-proxy although the network does
/// its work.
pub fn control_plane_with_kube_proxy(objects: &[Value]) -> Option<String> {
    let object = objects.iter().find(|object| installs(object))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some(format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"])))
}

fn installs(object: &Value) -> bool {
    let Some(configuration) = configuration_in(object) else { return false };
    let phases = configuration["initConfiguration"]["skipPhases"].as_array();
    let is_skipped = phases.into_iter().flatten().any(|phase| phase == PHASE);
    // kubeadm's own switch, of its configuration v1beta4.
    let is_disabled = configuration["clusterConfiguration"]["proxy"]["disabled"] == true;
    !is_skipped && !is_disabled
}

/// The path of kubeadm's configuration in a control plane, or in its template of a ClusterClass.
fn path_in(object: &Value) -> Option<&'static str> {
    let group = group_of(object["apiVersion"].as_str().unwrap_or_default());
    match object["kind"].as_str() {
        _ if group != "controlplane.cluster.x-k8s.io" => None,
        Some("KubeadmControlPlane") => Some("/spec"),
        Some("KubeadmControlPlaneTemplate") => Some("/spec/template/spec"),
        _ => None,
    }
}

fn configuration_in(object: &Value) -> Option<&Value> {
    Some(&object.pointer(path_in(object)?)?["kubeadmConfigSpec"])
}

/// The phases that kubeadm leaves out, made if there are none. `None` if a plugin put something
/// else in their way.
fn phases_of(object: &mut Value) -> Option<&mut Value> {
    let spec = object.pointer_mut(path_in(object)?)?;
    let configuration = child(spec, "kubeadmConfigSpec")?;
    child(child(configuration, "initConfiguration")?, "skipPhases")
}

/// A field of an object, made with the object if they are missing.
fn child<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    if value.is_null() {
        *value = json!({});
    }
    Some(value.as_object_mut()?.entry(key).or_insert(Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control_plane(configuration: &Value) -> Value {
        json!({"apiVersion": "controlplane.cluster.x-k8s.io/v1beta2", "kind": "KubeadmControlPlane",
            "metadata": {"name": "a"}, "spec": {"kubeadmConfigSpec": configuration}})
    }

    #[test]
    fn every_control_plane_skips_the_phase_once() {
        let mut objects = [
            control_plane(&Value::Null),
            control_plane(&json!({"initConfiguration": {"skipPhases": ["mark-control-plane"]}})),
            control_plane(&json!({"initConfiguration": {"skipPhases": [PHASE]}})),
            json!({"apiVersion": "controlplane.cluster.x-k8s.io/v1beta1",
                "kind": "KubeadmControlPlaneTemplate",
                "spec": {"template": {"spec": {"kubeadmConfigSpec": {}}}}}),
            json!({"apiVersion": "example.com/v1", "kind": "KubeadmControlPlane", "spec": {}}),
        ];
        let found = control_plane_with_kube_proxy(&objects);
        assert_eq!(found.as_deref(), Some("KubeadmControlPlane a"));
        leave_out(&mut objects);
        assert_eq!(control_plane_with_kube_proxy(&objects), None);
        let phases = |object: &Value| {
            configuration_in(object).map(|c| c["initConfiguration"]["skipPhases"].clone())
        };
        let found: Vec<_> = objects.iter().map(phases).collect();
        let one = || Some(json!([PHASE]));
        let two = Some(json!(["mark-control-plane", PHASE]));
        assert_eq!(found, [one(), two, one(), one(), None]);
    }

    #[test]
    fn an_odd_answer_of_a_plugin_stays_as_it_is() {
        let odd = [json!("x"), json!([]), json!(1), json!({"initConfiguration": "x"})];
        let mut objects: Vec<Value> = odd.iter().map(control_plane).collect();
        for spec in [json!("x"), json!([]), json!(true)] {
            let mut object = control_plane(&Value::Null);
            object["spec"] = spec;
            objects.push(object);
        }
        let before = objects.clone();
        leave_out(&mut objects);
        assert_eq!(objects, before);
    }

    #[test]
    fn the_switch_of_kubeadm_counts() {
        let disabled = json!({"clusterConfiguration": {"proxy": {"disabled": true}}});
        assert_eq!(control_plane_with_kube_proxy(&[control_plane(&disabled)]), None);
    }
}
