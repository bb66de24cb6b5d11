//! The cloud as an affair of the cloud controller manager and no longer of the kubelet.

use kubectl_pivot_plugin_api::capi::{BOOTSTRAP, CONTROL_PLANE};
use kubectl_pivot_plugin_api::{PluginResult, TemplatePatch, Values};
use serde_json::{Value, json};

/// The version of the objects in the template.
const VERSION: &str = "v1beta1";

pub(crate) fn patches(_: &Values) -> PluginResult<Vec<TemplatePatch>> {
    let registration = || json!({"nodeRegistration": {"kubeletExtraArgs": external()}});
    let control_plane = json!({"spec": {"kubeadmConfigSpec": {
        "clusterConfiguration": {"controllerManager": {"extraArgs": external()}},
        "initConfiguration": registration(),
        "joinConfiguration": registration(),
    }}});
    let workers = json!({"spec": {"template": {"spec": {"joinConfiguration": registration()}}}});
    Ok(vec![
        TemplatePatch::new(CONTROL_PLANE, "KubeadmControlPlane", control_plane).of_version(VERSION),
        TemplatePatch::new(BOOTSTRAP, "KubeadmConfigTemplate", workers).of_version(VERSION),
    ])
}

/// The gates of the template are unknown to newer versions of Kubernetes.
fn external() -> Value {
    json!({"cloud-provider": "external", "feature-gates": null})
}
