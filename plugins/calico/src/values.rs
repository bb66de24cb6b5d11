//! The operator's chart, with an installation that follows from the cluster.

use kubectl_pivot_plugin_api::{CniRequest, HelmChart, PluginResult, Values, merge_values};
use serde_json::{Map, Value, json};

use crate::variables;

pub(crate) fn chart(request: &CniRequest, values: &Values) -> PluginResult<HelmChart> {
    let encapsulation = values.text(variables::ENCAPSULATION)?;
    let (v4, v6) = request.cluster.pod_cidrs_by_version()?;
    let pool = |range: &&str, encapsulation: &str| {
        json!({
            "cidr": range,
            "encapsulation": encapsulation,
            "natOutgoing": "Enabled",
            "nodeSelector": "all()",
        })
    };
    let pools: Vec<Value> = v4
        .iter()
        .map(|range| pool(range, encapsulation))
        // IPIP does not exist for IPv6, and routing needs neighbours that know the way.
        .chain(v6.iter().map(|range| pool(range, "VXLAN")))
        .collect();
    let mut installation = json!({"enabled": true, "cni": {"type": "Calico"}});
    if !pools.is_empty() {
        // IPIP and unencapsulated pools learn their routes by BGP.
        let needs_bgp = !encapsulation.starts_with("VXLAN") && !v4.is_empty();
        installation["calicoNetwork"] = json!({
            "bgp": if needs_bgp { "Enabled" } else { "Disabled" },
            "ipPools": pools,
        });
    }
    let mut chart_values = Map::from_iter([("installation".to_owned(), installation)]);
    merge_values(&mut chart_values, &request.values);
    Ok(HelmChart {
        repo: "https://docs.tigera.io/calico/charts".to_owned(),
        chart: "tigera-operator".to_owned(),
        version: values.text(variables::CHART_VERSION)?.to_owned(),
        namespace: "tigera-operator".to_owned(),
        release: "calico".to_owned(),
        values: chart_values,
        ..HelmChart::default()
    })
}
