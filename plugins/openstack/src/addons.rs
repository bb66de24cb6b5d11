//! Parts that the template leaves to its users. Both read the login from one Secret.

use kubectl_pivot_plugin_api::{Addon, AddonsRequest, HelmChart, PluginResult, Probe, Values};
use serde_json::{Map, Value, json};

use crate::variables::CLOUD_CONF;

const REPOSITORY: &str = "https://kubernetes.github.io/cloud-provider-openstack";
const NAMESPACE: &str = "kube-system";
/// The Secret with the login.
const SECRET: &str = "cloud-config";

/// The charts take the file in parts only, so the Secret is ours.
pub(crate) fn cloud_config(_: &AddonsRequest, values: &Values) -> PluginResult<Addon> {
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": NAMESPACE},
        "type": "Opaque",
        "data": {"cloud.conf": values.text(&CLOUD_CONF.name())?},
    });
    Ok(Addon::manifests("cloud-config", vec![secret]))
}

pub(crate) fn cloud_controller_manager(request: &AddonsRequest, _: &Values) -> PluginResult<Addon> {
    let name = "cloud-controller-manager";
    let cluster = json!({"name": request.cluster.name});
    let secret = json!({"enabled": true, "create": false, "name": SECRET});
    let values = json!({"cluster": cluster, "secret": secret});
    let chart = chart("openstack-cloud-controller-manager", values);
    let probe = Probe::daemon_set_ready(name, NAMESPACE, "openstack-cloud-controller-manager");
    Ok(Addon::chart(name, chart).awaiting([probe]))
}

/// Cinder. Its pods need nodes, which come up beside this, so it is not awaited.
pub(crate) fn block_storage(_: &AddonsRequest, _: &Values) -> PluginResult<Addon> {
    let secret = json!({"enabled": true, "create": false, "name": SECRET});
    let chart = chart("openstack-cinder-csi", json!({"secret": secret}));
    Ok(Addon::chart("block-storage", chart))
}

fn chart(name: &str, values: Value) -> HelmChart {
    HelmChart {
        repo: REPOSITORY.to_owned(),
        chart: name.to_owned(),
        namespace: NAMESPACE.to_owned(),
        release: name.to_owned(),
        values: match values {
            Value::Object(values) => values,
            _ => Map::new(),
        },
        ..HelmChart::default()
    }
}
