//! Telling an API server who converts the versions of a kind.

use serde_json::{Value, json};

use super::super::error::ControlPlaneError;
use super::super::http::Http;
use super::super::install::{each, served, set_up};
use super::endpoint::Endpoint;
use super::manager::Manager;

/// Has the objects of a manager's kinds converted by its webhook, and waits until every kind can be
/// listed again: a changed CRD has its storage set up anew.
pub(super) async fn convert_by(
    http: &Http,
    crds: &[Value],
    manager: &Manager,
    endpoint: &Endpoint,
) -> Result<(), ControlPlaneError> {
    let kinds: Vec<&Value> = crds.iter().filter(|crd| is_converted(crd, manager)).collect();
    let patch = json!({"spec": {"conversion": {
        "strategy": "Webhook",
        "webhook": {
            "conversionReviewVersions": ["v1"],
            "clientConfig": endpoint.client_config("/convert"),
        },
    }}});
    each(&kinds, |crd| set_up(http, crd, &patch)).await?;
    each(&kinds, |crd| served(http, crd)).await
}

/// A kind of one version needs no conversion.
fn is_converted(crd: &Value, manager: &Manager) -> bool {
    let versions = crd["spec"]["versions"].as_array().map_or(0, Vec::len);
    versions > 1 && crd["metadata"]["labels"]["cluster.x-k8s.io/provider"] == manager.provider
}
