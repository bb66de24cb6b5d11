//! Settings of kubelets that share the disk of one machine, and of control planes without workers.

use kubectl_pivot_plugin_api::PluginResult;
use kubectl_pivot_plugin_api::capi::KubeadmCluster;

/// As in the examples of the Docker provider: nodes see the disk of the machine, and a disk that is
/// nearly full is no reason to evict the controllers.
const EVICTION_HARD: &str = "nodefs.available<0%,nodefs.inodesFree<0%,imagefs.available<0%";

pub(crate) fn configure(cluster: &mut KubeadmCluster<'_>) -> PluginResult<()> {
    let has_workers = cluster.has_workers()?;
    for settings in cluster.all_settings() {
        let argument = settings.kubelet_args.entry("eviction-hard".to_owned());
        argument.or_insert_with(|| EVICTION_HARD.to_owned());
    }
    // The providers run on the only nodes that there are.
    if !has_workers {
        cluster.control_plane_settings().taints.get_or_insert_default();
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
