//! The chart, with values that follow from the cluster.

use kubectl_pivot_plugin_api::values::invalid;
use kubectl_pivot_plugin_api::{
    CniCluster, CniRequest, HelmChart, PluginResult, Values, merge_values,
};
use serde_json::{Map, Value, json};

use crate::variables;

/// The value of the chart that has Cilium do the work of kube-proxy.
const REPLACEMENT: &str = "kubeProxyReplacement";

pub(crate) fn chart(request: &CniRequest, values: &Values) -> PluginResult<HelmChart> {
    let mut chart_values = derive(&request.cluster, values)?;
    merge_values(&mut chart_values, &request.values);
    // Values of the user may replace kube-proxy, too, and may name another address.
    if replaces_kube_proxy(&chart_values) {
        let mut whole = without_kube_proxy(&request.cluster)?;
        merge_values(&mut whole, &chart_values);
        chart_values = whole;
    }
    Ok(HelmChart {
        repo: "https://helm.cilium.io/".to_owned(),
        chart: "cilium".to_owned(),
        version: values.text(variables::CHART_VERSION)?.to_owned(),
        namespace: "kube-system".to_owned(),
        release: "cilium".to_owned(),
        values: chart_values,
        ..HelmChart::default()
    })
}

fn derive(cluster: &CniCluster, values: &Values) -> PluginResult<Map<String, Value>> {
    let families = cluster.pod_ip_versions()?;
    let mut derived = Map::from_iter([
        ("ipam".to_owned(), ipam(cluster, values)?),
        // Without known ranges, Cilium's own default: IPv4 only.
        ("ipv4".to_owned(), json!({"enabled": families.v4 || !families.v6})),
        ("ipv6".to_owned(), json!({"enabled": families.v6})),
        ("operator".to_owned(), json!({"replicas": values.integer(variables::OPERATOR_REPLICAS)?})),
    ]);
    if values.boolean(variables::KUBE_PROXY_REPLACEMENT)? {
        derived.insert(REPLACEMENT.to_owned(), json!(true));
    }
    Ok(derived)
}

/// Says that Cilium does the work of kube-proxy. Charts before 1.16 have words for it.
pub(crate) fn replaces_kube_proxy(chart_values: &Map<String, Value>) -> bool {
    match chart_values.get(REPLACEMENT) {
        Some(Value::Bool(replaces)) => *replaces,
        Some(Value::String(word)) => matches!(word.as_str(), "true" | "strict"),
        _ => false,
    }
}

fn ipam(cluster: &CniCluster, values: &Values) -> PluginResult<Value> {
    let mode = values.text(variables::IPAM_MODE)?;
    let mut ipam = json!({"mode": mode});
    if mode == "cluster-pool" {
        let (v4, v6) = cluster.pod_cidrs_by_version()?;
        let mut pools = Map::new();
        if !v4.is_empty() {
            pools.insert("clusterPoolIPv4PodCIDRList".to_owned(), json!(v4));
        }
        if !v6.is_empty() {
            pools.insert("clusterPoolIPv6PodCIDRList".to_owned(), json!(v6));
        }
        if !pools.is_empty() {
            ipam["operator"] = pools.into();
        }
    }
    Ok(ipam)
}

/// Without kube-proxy, the agents cannot reach the API server by its service address.
fn without_kube_proxy(cluster: &CniCluster) -> PluginResult<Map<String, Value>> {
    let Some(endpoint) = &cluster.api_endpoint else {
        let variable = variables::declared(variables::KUBE_PROXY_REPLACEMENT);
        return Err(invalid(&variable, "it needs the address of the API server, not known yet"));
    };
    Ok(Map::from_iter([
        ("k8sServiceHost".to_owned(), json!(endpoint.host)),
        ("k8sServicePort".to_owned(), json!(endpoint.port)),
    ]))
}
