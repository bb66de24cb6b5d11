use kubectl_pivot_plugin_api::{CniCluster, HelmChart};
use serde_json::{Value, json};

use super::*;

fn chart(pod_cidrs: &[&str], variables: Value) -> HelmChart {
    let request = CniRequest {
        cluster: CniCluster {
            pod_cidrs: pod_cidrs.iter().map(|&range| range.to_owned()).collect(),
            ..CniCluster::default()
        },
        variables: variables.as_object().cloned().expect("the test gives an object"),
        ..CniRequest::default()
    };
    match Calico.plan(&request).expect("the request is valid").plan {
        CniPlan::HelmChart(chart) => chart,
        other => panic!("not a chart: {other:?}"),
    }
}

#[test]
fn conforms() {
    kubectl_pivot_plugin_api::testing::assert_cni(&Calico);
}

#[test]
fn pools_follow_the_ranges_of_the_cluster() {
    let chart = chart(&["192.168.0.0/16", "fd00:10:244::/56"], json!({"encapsulation": "IPIP"}));
    assert_eq!(chart.chart, "tigera-operator");
    assert_eq!(chart.namespace, "tigera-operator");
    let pool = |range: &str, encapsulation: &str| {
        json!({
            "cidr": range,
            "encapsulation": encapsulation,
            "natOutgoing": "Enabled",
            "nodeSelector": "all()",
        })
    };
    let values = json!({"installation": {
        "enabled": true,
        "cni": {"type": "Calico"},
        "calicoNetwork": {
            "bgp": "Enabled",
            "ipPools": [pool("192.168.0.0/16", "IPIP"), pool("fd00:10:244::/56", "VXLAN")],
        },
    }});
    assert_eq!(Value::from(chart.values), values);
}

#[test]
fn vxlan_needs_no_bgp() {
    let chart = chart(&["192.168.0.0/16"], json!({}));
    let network = &chart.values["installation"]["calicoNetwork"];
    assert_eq!(network["bgp"], "Disabled");
    assert_eq!(network["ipPools"][0]["encapsulation"], "VXLAN");
}
