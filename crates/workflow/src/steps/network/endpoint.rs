//! The address at which nodes reach the API server of the target.
//!
//! It is that of the Cluster. A kubeconfig may have another one, by which this machine reaches it.

use capi::Object;
use cluster::Client;
use kubectl_pivot_plugin_api::Endpoint;

use crate::context::StepContext;
use crate::error::StepError;
use crate::steps::control_plane::the_cluster;

/// Returns the address, once the infrastructure or the control plane has written it into the
/// Cluster.
pub(in crate::steps) async fn endpoint(
    step_context: &StepContext<'_>,
    bootstrap: &Client,
    target: &Client,
) -> Result<Option<Endpoint>, StepError> {
    let cluster = match the_cluster(step_context, bootstrap).await? {
        Some(cluster) => Some(cluster),
        // It has moved already.
        None => the_cluster(step_context, target).await?,
    };
    Ok(cluster.as_ref().and_then(endpoint_of))
}

fn endpoint_of(cluster: &Object) -> Option<Endpoint> {
    let endpoint = &cluster.value()["spec"]["controlPlaneEndpoint"];
    let host = endpoint["host"].as_str().filter(|host| !host.is_empty())?.to_owned();
    let port = u16::try_from(endpoint["port"].as_u64()?).ok().filter(|port| *port > 0)?;
    Some(Endpoint { host, port })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        let of = |endpoint: Value| {
            endpoint_of(&Object::new(json!({"spec": {"controlPlaneEndpoint": endpoint}})))
        };
        let known = of(json!({"host": "172.18.0.3", "port": 6443}));
        assert_eq!(known, Some(Endpoint { host: "172.18.0.3".to_owned(), port: 6443 }));
        for unknown in [json!(null), json!({"host": "", "port": 0}), json!({"host": "a"})] {
            assert_eq!(of(unknown), None);
        }
    }
}
