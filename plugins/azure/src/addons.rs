//! Parts that the template leaves to its users.

use kubectl_pivot_plugin_api::{
    Addon, AddonsRequest, HelmChart, PluginResult, Probe, Values, merge_values,
};
use serde_json::{Map, json};

/// Both projects have their charts beside their sources.
const SOURCES: &str = "https://raw.githubusercontent.com/kubernetes-sigs";

/// The chart chooses the version of its images by that of Kubernetes, so its newest version is
/// taken.
pub(crate) fn cloud_controller_manager(request: &AddonsRequest, _: &Values) -> PluginResult<Addon> {
    let ranges = request.cluster.pod_cidrs.join(",");
    let values = json!({
        "infra": {"clusterName": request.cluster.name},
        "cloudControllerManager": {"clusterCIDR": ranges},
    });
    let mut chart = HelmChart {
        repo: format!("{SOURCES}/cloud-provider-azure/master/helm/repo"),
        chart: "cloud-provider-azure".to_owned(),
        namespace: "kube-system".to_owned(),
        release: "cloud-provider-azure".to_owned(),
        ..HelmChart::default()
    };
    merge_values(&mut chart.values, values.as_object().unwrap_or(&Map::new()));
    let name = "cloud-controller-manager";
    let probe = Probe::deployment_available(name, "kube-system", name);
    Ok(Addon::chart(name, chart).awaiting([probe]))
}

/// The driver of managed disks. Its pods need nodes, which come up beside this, so it is not
/// awaited.
pub(crate) fn disk_storage(_: &AddonsRequest, _: &Values) -> PluginResult<Addon> {
    let chart = HelmChart {
        repo: format!("{SOURCES}/azuredisk-csi-driver/master/charts"),
        chart: "azuredisk-csi-driver".to_owned(),
        namespace: "kube-system".to_owned(),
        release: "azuredisk-csi-driver".to_owned(),
        ..HelmChart::default()
    };
    Ok(Addon::chart("disk-storage", chart))
}
