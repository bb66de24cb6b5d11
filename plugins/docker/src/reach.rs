//! The port at which Docker publishes the load balancer of a cluster.

use kubectl_pivot_plugin_api::{ClusterRequest, Query, Reach};

/// The port of an API server, which the load balancer listens on.
const PORT: &str = "6443/tcp";
/// A name that kubeadm puts into every certificate of an API server.
const SERVER_NAME: &str = "kubernetes";

/// Docker Desktop, Colima, rootless and remote engines have networks that this machine has no route
/// to. The Docker provider publishes the port for that, on all addresses of the engine's machine.
pub(crate) fn reach(cluster: &ClusterRequest) -> Reach {
    let balancer = format!("{}-lb", cluster.name);
    Reach {
        addresses: Some(Query::new("docker", &["port", &balancer, PORT])),
        // Without a name it is the context that is in use, and DOCKER_HOST wins over all of them.
        machine: Some(Query::new(
            "docker",
            &["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"],
        )),
        server_name: SERVER_NAME.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{ClusterRequest, InfrastructureProvider as _};

    use crate::Docker;

    #[test]
    fn the_load_balancer_is_that_of_the_cluster() {
        let reach = Docker.reach(&ClusterRequest::named("prod")).expect("it is always known");
        let addresses = reach.addresses.expect("Docker publishes the port");
        assert_eq!(addresses.program, "docker");
        assert_eq!(addresses.arguments, ["port", "prod-lb", "6443/tcp"]);
    }
}
