//! Checks that images and providers can be fetched.

use std::env;
use std::time::Duration;

use futures::future::join_all;
use tokio::net::TcpStream;

use super::clusterctl_config::ClusterctlConfig;
use super::diagnosis::HealthCheck;

const REGISTRY_TIMEOUT: Duration = Duration::from_secs(5);
/// Images of Kubernetes, of nodes and of cert-manager.
const REGISTRIES: [&str; 3] = ["registry.k8s.io", "registry-1.docker.io", "quay.io"];
/// Manifests of providers.
const REPOSITORIES: &str = "github.com";

/// A host, and why it cannot be reached.
pub(super) type Reached = (String, Result<(), String>);

/// The hosts that matter: those of the user, else those that `clusterctl.yaml` leaves over.
pub(super) fn hosts(given: &[String], config: &ClusterctlConfig) -> Vec<String> {
    if !given.is_empty() {
        return given.to_vec();
    }
    let mut hosts = match config.image_registries.as_slice() {
        [] => REGISTRIES.map(str::to_owned).to_vec(),
        configured => configured.to_vec(),
    };
    if !config.is_local() {
        hosts.push(REPOSITORIES.to_owned());
    }
    hosts
}

/// Opens a connection to each host, or to the proxy that stands before it.
pub(super) async fn connect(hosts: &[String]) -> Vec<Reached> {
    let proxy = ["HTTPS_PROXY", "https_proxy"].into_iter().find_map(|name| env::var(name).ok());
    let proxy = proxy.as_deref().and_then(host_of_proxy);
    let attempts = hosts.iter().map(|host| {
        let address = proxy.clone().unwrap_or_else(|| with_port(host));
        async move { (host.clone(), reach(&address).await) }
    });
    join_all(attempts).await
}

async fn reach(address: &str) -> Result<(), String> {
    match tokio::time::timeout(REGISTRY_TIMEOUT, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", REGISTRY_TIMEOUT.as_secs())),
    }
}

fn with_port(host: &str) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port { host.to_owned() } else { format!("{host}:443") }
}

/// `http://user:password@proxy:3128/` is `proxy:3128`.
fn host_of_proxy(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next()?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let has_port = host.contains(':');
    (!host.is_empty()).then(|| if has_port { host.to_owned() } else { format!("{host}:80") })
}

pub(super) fn judge(reached: &[Reached], has_local_repository: bool) -> HealthCheck {
    const NAME: &str = "registries";
    let failed: Vec<_> = reached
        .iter()
        .filter_map(|(host, result)| Some(format!("{host} ({})", result.as_ref().err()?)))
        .collect();
    if failed.is_empty() {
        let hosts: Vec<_> = reached.iter().map(|(host, _)| host.as_str()).collect();
        return HealthCheck::good(NAME, format!("{} can be reached", hosts.join(", ")));
    }
    let found = format!("cannot be reached: {}", failed.join(", "));
    if has_local_repository {
        let fix = "providers come from local repositories; their images, and those of the nodes, \
                   must be in Docker already";
        return HealthCheck::warning(NAME, found, fix);
    }
    let fix = "connect to the network, set HTTPS_PROXY, or name repositories and registries of \
               your own in clusterctl.yaml (providers, cert-manager, images)";
    HealthCheck::problem(NAME, found, fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::diagnosis::Health;

    #[test]
    fn the_hosts_follow_the_configuration() {
        let none = ClusterctlConfig::default();
        assert_eq!(hosts(&[], &none).len(), 4);
        assert_eq!(hosts(&["mirror".to_owned()], &none), ["mirror"]);
        let local = |name: &str| (name.to_owned(), "/repo/x.yaml".to_owned());
        let config = ClusterctlConfig {
            repositories: ["cluster-api", "kubeadm", "cert-manager"].map(local).to_vec(),
            image_registries: vec!["mirror:5000".to_owned()],
            ..ClusterctlConfig::default()
        };
        assert_eq!(hosts(&[], &config), ["mirror:5000"]);
    }

    #[test]
    fn addresses_have_ports() {
        assert_eq!(with_port("quay.io"), "quay.io:443");
        assert_eq!(with_port("mirror:5000"), "mirror:5000");
        assert_eq!(host_of_proxy("http://u:p@proxy:3128/").as_deref(), Some("proxy:3128"));
        assert_eq!(host_of_proxy("proxy").as_deref(), Some("proxy:80"));
        assert_eq!(host_of_proxy(""), None);
    }

    #[tokio::test]
    async fn a_host_that_refuses_is_a_problem_unless_everything_is_here() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let open = listener.local_addr().expect("bound").to_string();
        let closed = {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            listener.local_addr().expect("bound").to_string()
        };
        let reached =
            vec![(open.clone(), reach(&open).await), (closed.clone(), reach(&closed).await)];
        assert_eq!(judge(&reached[..1], false).health, Health::Good);
        let check = judge(&reached, false);
        assert_eq!(check.health, Health::Problem);
        assert!(check.found.contains(&closed) && !check.found.contains(&open), "{}", check.found);
        assert_eq!(judge(&reached, true).health, Health::Warning);
    }
}
