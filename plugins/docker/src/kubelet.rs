//! Settings of kubelets that share the disk of one machine, and of control planes without workers.

use kubectl_pivot_plugin_api::capi::{BOOTSTRAP, CONTROL_PLANE, names};
use kubectl_pivot_plugin_api::{PluginResult, Values};
use serde_json::{Value, json};

/// As in the examples of the Docker provider: nodes see the disk of the machine, and a disk that is
/// nearly full is no reason to evict the controllers.
const EVICTION_HARD: &str = "nodefs.available<0%,nodefs.inodesFree<0%,imagefs.available<0%";

pub(crate) fn configure(objects: &mut [Value], values: &Values) -> PluginResult<()> {
    let has_workers = values.integer(names::WORKER_REPLICAS)? > 0;
    for object in objects {
        let is_v1beta1 = object["apiVersion"].as_str().is_some_and(|v| v.ends_with("/v1beta1"));
        let arguments = match is_v1beta1 {
            true => json!({"eviction-hard": EVICTION_HARD}),
            false => json!([{"name": "eviction-hard", "value": EVICTION_HARD}]),
        };
        let mut registration = json!({"kubeletExtraArgs": arguments});
        let group = object["apiVersion"].as_str().and_then(|version| version.split('/').next());
        match (group, object["kind"].as_str()) {
            (Some(CONTROL_PLANE), Some("KubeadmControlPlane")) => {
                // The providers run on the only nodes that there are.
                if !has_workers {
                    registration["taints"] = json!([]);
                }
                let kubeadm = &mut object["spec"]["kubeadmConfigSpec"];
                kubeadm["initConfiguration"] = json!({"nodeRegistration": registration});
                kubeadm["joinConfiguration"] = json!({"nodeRegistration": registration});
            }
            (Some(BOOTSTRAP), Some("KubeadmConfigTemplate")) => {
                let kubeadm = &mut object["spec"]["template"]["spec"];
                kubeadm["joinConfiguration"] = json!({"nodeRegistration": registration});
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{ClusterRequest, InfrastructureProvider as _};
    use serde_json::{Value, json};

    use crate::Docker;

    fn control_plane(workers: u32) -> Value {
        let variables = json!({"worker-replicas": workers});
        let variables = variables.as_object().cloned().expect("an object");
        let request = ClusterRequest { variables, ..ClusterRequest::named("pivot") };
        let objects = Docker.render(&request).expect("it is valid").objects;
        let found = objects.into_iter().find(|object| object["kind"] == "KubeadmControlPlane");
        found.expect("there is one")["spec"]["kubeadmConfigSpec"].clone()
    }

    #[test]
    fn a_control_plane_without_workers_takes_pods() {
        for (workers, taints) in [(0, json!([])), (1, Value::Null)] {
            for configuration in ["initConfiguration", "joinConfiguration"] {
                let registration = &control_plane(workers)[configuration]["nodeRegistration"];
                assert_eq!(registration["taints"], taints, "{configuration}, {workers} workers");
                assert!(
                    registration["kubeletExtraArgs"].to_string().contains("nodefs.available<0%")
                );
            }
        }
    }
}
