//! Requirements before the cluster: providers, kind's configuration, Docker.

use kubectl_pivot_plugin_api::{
    BootstrapRequirements, IpFamily, Mount, PluginResult, ProvidersToInit, Tool, Values,
};

use crate::variables;

pub(crate) fn providers(values: &Values) -> PluginResult<ProvidersToInit> {
    let mut providers = ProvidersToInit::kubeadm("docker");
    if values.boolean(variables::HELM_ADDON)? {
        providers.addon.push("helm".to_owned());
    }
    if values.boolean(variables::TOPOLOGY)? {
        providers.environment.insert("CLUSTER_TOPOLOGY".to_owned(), "true".to_owned());
    }
    Ok(providers)
}

/// The controller in the bootstrap cluster starts containers on the host, so its node needs the
/// socket, always in the place where the controller looks for it.
pub(crate) fn requirements(values: &Values) -> PluginResult<BootstrapRequirements> {
    let socket = Mount {
        host_path: values.text(variables::DOCKER_SOCKET)?.to_owned(),
        ..Mount::same(variables::SOCKET)
    };
    let ip_family = match values.text(variables::BOOTSTRAP_IP_FAMILY)? {
        "ipv4" => IpFamily::Ipv4,
        "ipv6" => IpFamily::Ipv6,
        _ => IpFamily::Dual,
    };
    Ok(BootstrapRequirements {
        ip_family: Some(ip_family),
        extra_mounts: vec![socket],
        tools: vec![Tool {
            name: "docker".to_owned(),
            check: vec!["info".to_owned()],
            purpose: "run the machines of the bootstrap cluster and the target".to_owned(),
            hint: "start Docker, or let your user reach it, until `docker info` works".to_owned(),
        }],
        credentials: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{ClusterRequest, InfrastructureProvider as _};
    use serde_json::{Map, Value, json};

    use crate::Docker;

    fn request(variables: Value) -> ClusterRequest {
        let variables: Map<_, _> = variables.as_object().cloned().expect("an object");
        ClusterRequest { variables, ..ClusterRequest::named("pivot") }
    }

    #[test]
    fn the_kind_config_is_that_of_step_1() {
        let found = Docker.bootstrap(&request(json!({}))).expect("the defaults are usable");
        let expected = json!({
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "name": "bootstrap",
            "networking": {"ipFamily": "dual"},
            "nodes": [{
                "role": "control-plane",
                "extraMounts": [{
                    "hostPath": "/var/run/docker.sock",
                    "containerPath": "/var/run/docker.sock",
                }],
            }],
        });
        assert_eq!(found.kind_config("bootstrap"), expected);
        assert_eq!(found.tools[0].name, "docker");
        assert_eq!(found.tools[0].check, ["info"]);
    }

    #[test]
    fn another_socket_appears_in_the_usual_place() {
        let given = json!({"docker-socket": "/run/user/1000/docker.sock"});
        let found = Docker.bootstrap(&request(given)).expect("the socket is a path");
        assert_eq!(found.extra_mounts[0].host_path, "/run/user/1000/docker.sock");
        assert_eq!(found.extra_mounts[0].container_path, "/var/run/docker.sock");
    }

    #[test]
    fn the_providers_are_those_of_step_2() {
        let found = Docker.providers(&request(json!({}))).expect("the defaults are usable");
        assert_eq!(found.core.as_deref(), Some("cluster-api"));
        assert_eq!(found.bootstrap, ["kubeadm"]);
        assert_eq!(found.control_plane, ["kubeadm"]);
        assert_eq!(found.infrastructure, ["docker"]);
        assert_eq!(found.addon, ["helm"]);
        let without = Docker.providers(&request(json!({"helm-addon": "false"})));
        assert!(without.expect("a boolean as text").addon.is_empty());
    }
}
