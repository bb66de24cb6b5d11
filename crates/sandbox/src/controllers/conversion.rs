//! Telling an API server who converts the versions of a kind.

use capi::names::PROVIDER_LABEL;
use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::manager::Manager;
use crate::error::ControlPlaneError;
use crate::install::{each, served, set_up};
use crate::young_server::YoungServer;

/// Has the objects of a manager's kinds converted by its webhook, and waits until every kind can be
/// listed again: a changed CRD has its storage set up anew.
pub(super) async fn convert_by(
    server: &YoungServer,
    crds: &[Value],
    manager: &Manager,
    endpoint: &Endpoint,
) -> Result<(), ControlPlaneError> {
    let kinds: Vec<&Value> = crds.iter().filter(|crd| is_converted(crd, manager)).collect();
    let patch = json!({"spec": {"conversion": conversion(endpoint)}});
    each(&kinds, |crd| set_up(server, crd, &patch)).await?;
    each(&kinds, |crd| served(server, crd)).await
}

/// A CRD whose objects are converted by the manager that it is of, if it is of one of these.
pub(super) fn with_conversion(crd: &Value, managers: &[(&Manager, &Endpoint)]) -> Value {
    let mut crd = crd.clone();
    let mut converting = managers.iter().filter(|(manager, _)| is_converted(&crd, manager));
    if let Some((_, endpoint)) = converting.next() {
        crd["spec"]["conversion"] = conversion(endpoint);
    }
    crd
}

fn conversion(endpoint: &Endpoint) -> Value {
    json!({
        "strategy": "Webhook",
        "webhook": {
            "conversionReviewVersions": ["v1"],
            "clientConfig": endpoint.client_config("/convert"),
        },
    })
}

/// A kind of one version needs no conversion.
fn is_converted(crd: &Value, manager: &Manager) -> bool {
    let versions = crd["spec"]["versions"].as_array().map_or(0, Vec::len);
    versions > 1 && crd["metadata"]["labels"][PROVIDER_LABEL] == manager.provider
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::manager::STATELESS;

    #[test]
    fn a_kind_is_converted_by_its_own_manager() {
        let crd = |provider: &str, versions: Value| {
            json!({"metadata": {"labels": {"cluster.x-k8s.io/provider": provider}},
                "spec": {"versions": versions}})
        };
        let endpoint = |port| Endpoint { port, ca: String::new() };
        let (core, bootstrap) = (endpoint(1), endpoint(2));
        let managers = [(&STATELESS[0], &core), (&STATELESS[1], &bootstrap)];
        let url = |crd: &Value| {
            let converted = with_conversion(crd, &managers);
            converted["spec"]["conversion"]["webhook"]["clientConfig"]["url"].clone()
        };
        let two = json!([{"name": "v1beta1"}, {"name": "v1beta2"}]);
        assert_eq!(url(&crd("bootstrap-kubeadm", two.clone())), "https://127.0.0.1:2/convert");
        assert_eq!(url(&crd("bootstrap-kubeadm", json!([{"name": "v1beta2"}]))), Value::Null);
        assert_eq!(url(&crd("another", two)), Value::Null);
    }
}
