//! The identity of the controllers: a service principal, whose password is in a Secret.

use kubectl_pivot_plugin_api::capi::INFRASTRUCTURE;
use kubectl_pivot_plugin_api::{PluginResult, TemplatePatch, Values};
use serde_json::{Value, json};

use crate::variables::{CLIENT_SECRET, IDENTITY};

/// The template has the identity of a workload, and no place for a password.
pub(crate) fn patches(values: &Values) -> PluginResult<Vec<TemplatePatch>> {
    let spec = json!({"type": "ServicePrincipal", "clientSecret": {"name": secret_name(values)?}});
    Ok(vec![TemplatePatch::new(INFRASTRUCTURE, "AzureClusterIdentity", json!({"spec": spec}))])
}

/// The label has the Secret move with the identity.
pub(crate) fn objects(namespace: &str, values: &Values) -> PluginResult<Vec<Value>> {
    Ok(vec![json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": secret_name(values)?,
            "namespace": namespace,
            "labels": {"clusterctl.cluster.x-k8s.io/move-hierarchy": "true"},
        },
        "type": "Opaque",
        "stringData": {"clientSecret": values.text(&CLIENT_SECRET.name())?},
    })])
}

fn secret_name(values: &Values) -> PluginResult<String> {
    Ok(format!("{}-secret", values.text(&IDENTITY.name())?))
}
