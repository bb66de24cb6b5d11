//! Variables that users can set.

use kubectl_pivot_plugin_api::capi::common_variables;
use kubectl_pivot_plugin_api::{Variable, VariableType};
use serde_json::json;

pub(crate) const EXTRA_MOUNTS: &str = "extra-mounts";
pub(crate) const CUSTOM_IMAGE: &str = "custom-image";
pub(crate) const KINDS: &str = "kinds";
pub(crate) const TOPOLOGY: &str = "topology";
pub(crate) const HELM_ADDON: &str = "helm-addon";
pub(crate) const DOCKER_SOCKET: &str = "docker-socket";
pub(crate) const REGISTRY_MIRRORS: &str = "registry-mirrors";
pub(crate) const HTTP_PROXY: &str = "http-proxy";
pub(crate) const HTTPS_PROXY: &str = "https-proxy";
pub(crate) const NO_PROXY: &str = "no-proxy";
pub(crate) const BOOTSTRAP_IP_FAMILY: &str = "bootstrap-ip-family";

/// The place where the controller of the Docker provider looks for the socket, and where most
/// engines have it.
pub(crate) const SOCKET: &str = "/var/run/docker.sock";

pub(crate) fn all() -> Vec<Variable> {
    use VariableType::{Boolean, List, String};
    let mut variables = common_variables();
    variables.extend([
        Variable::new(
            EXTRA_MOUNTS,
            List,
            "Paths of the Docker host that every machine sees, as HOST[:CONTAINER][:ro]; without \
             the socket of Docker the target cannot manage clusters",
        )
        .with_default(json!([SOCKET])),
        Variable::new(
            CUSTOM_IMAGE,
            String,
            "Image of the machines instead of the kindest/node image of the Kubernetes version",
        ),
        Variable::new(
            KINDS,
            String,
            "Kinds to render; auto takes Docker* kinds where they are served, else Dev* kinds",
        )
        .with_default("auto")
        .one_of(&["auto", "docker", "dev"]),
        Variable::new(
            TOPOLOGY,
            Boolean,
            "Render a ClusterClass, and a Cluster with a topology that names it",
        )
        .with_default(false),
        Variable::new(HELM_ADDON, Boolean, "Install the Helm add-on provider, too")
            .with_default(true),
        Variable::new(
            DOCKER_SOCKET,
            String,
            "Socket of Docker on its machine, mounted into the bootstrap cluster, and into the \
             machines in the place of /var/run/docker.sock",
        )
        .with_default(SOCKET),
        Variable::new(
            REGISTRY_MIRRORS,
            List,
            "Mirrors from which the machines pull, as REGISTRY=URL, for example \
             docker.io=https://mirror.example",
        )
        .with_default(json!([])),
        Variable::new(HTTP_PROXY, String, "Proxy for HTTP through which machines pull images"),
        Variable::new(HTTPS_PROXY, String, "Proxy for HTTPS through which machines pull images"),
        Variable::new(NO_PROXY, String, "Hosts and networks that machines reach without a proxy"),
        Variable::new(BOOTSTRAP_IP_FAMILY, String, "IP versions of the bootstrap cluster")
            .with_default("dual")
            .one_of(&["ipv4", "ipv6", "dual"]),
    ]);
    variables
}

/// The declaration of one variable, for errors about its value.
pub(crate) fn declared(name: &str) -> Variable {
    all().into_iter().find(|variable| variable.name == name).unwrap_or_default()
}
