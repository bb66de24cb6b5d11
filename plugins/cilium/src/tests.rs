use kubectl_pivot_plugin_api::{CniCluster, Endpoint, ErrorCode, HelmChart};
use serde_json::{Value, json};

use super::*;

fn request(pod_cidrs: &[&str], variables: Value) -> CniRequest {
    CniRequest {
        cluster: CniCluster {
            name: "pivot".to_owned(),
            pod_cidrs: pod_cidrs.iter().map(|&range| range.to_owned()).collect(),
            ..CniCluster::default()
        },
        variables: variables.as_object().cloned().expect("the test gives an object"),
        ..CniRequest::default()
    }
}

fn chart(request: &CniRequest) -> HelmChart {
    match Cilium.plan(request).expect("the request is valid").plan {
        CniPlan::HelmChart(chart) => chart,
        other => panic!("not a chart: {other:?}"),
    }
}

#[test]
fn conforms() {
    kubectl_pivot_plugin_api::testing::assert_cni(&Cilium);
}

#[test]
fn the_release_is_that_of_step_5() {
    let chart = chart(&request(&["192.168.0.0/16"], json!({})));
    assert_eq!(chart.repo, "https://helm.cilium.io/");
    assert_eq!(chart.chart, "cilium");
    assert_eq!(chart.release, "cilium");
    assert_eq!(chart.namespace, "kube-system");
    let values = json!({
        "ipam": {"mode": "kubernetes"},
        "ipv4": {"enabled": true},
        "ipv6": {"enabled": false},
        "operator": {"replicas": 1},
    });
    assert_eq!(Value::from(chart.values), values);
}

#[test]
fn pools_follow_the_ranges_of_the_cluster() {
    let ranges = ["10.244.0.0/16", "fd00:10:244::/56"];
    let values = chart(&request(&ranges, json!({"ipam-mode": "cluster-pool"}))).values;
    let ipam = json!({
        "mode": "cluster-pool",
        "operator": {
            "clusterPoolIPv4PodCIDRList": ["10.244.0.0/16"],
            "clusterPoolIPv6PodCIDRList": ["fd00:10:244::/56"],
        },
    });
    assert_eq!(values["ipam"], ipam);
    assert_eq!(values["ipv6"], json!({"enabled": true}));
}

#[test]
fn replacing_kube_proxy_needs_the_api_server() {
    let mut request = request(&["10.0.0.0/8"], json!({"kube-proxy-replacement": true}));
    let error = Cilium.plan(&request).expect_err("the address is not known");
    assert_eq!(error.code, ErrorCode::InvalidVariable);
    request.cluster.api_endpoint = Some(Endpoint { host: "172.18.0.3".to_owned(), port: 6443 });
    let values = chart(&request).values;
    assert_eq!(values["kubeProxyReplacement"], json!(true));
    assert_eq!(values["k8sServiceHost"], "172.18.0.3");
    assert_eq!(values["k8sServicePort"], 6443);
    assert!(Cilium.plan(&request).expect("the request is valid").replaces_kube_proxy);
}

#[test]
fn values_of_the_user_can_replace_kube_proxy_too() {
    let mut request = request(&["10.0.0.0/8"], json!({}));
    assert!(!Cilium.plan(&request).expect("the request is valid").replaces_kube_proxy);
    request.values.insert("kubeProxyReplacement".to_owned(), json!(true));
    request.values.insert("k8sServiceHost".to_owned(), json!("api.example"));
    request.cluster.api_endpoint = Some(Endpoint { host: "172.18.0.3".to_owned(), port: 6443 });
    let install = Cilium.plan(&request).expect("the request is valid");
    assert!(install.replaces_kube_proxy);
    let CniPlan::HelmChart(chart) = install.plan else { panic!("not a chart") };
    assert_eq!(chart.values["k8sServiceHost"], "api.example");
    assert_eq!(chart.values["k8sServicePort"], 6443);
}

#[test]
fn the_user_has_the_last_word() {
    let mut request = request(&["10.0.0.0/8"], json!({}));
    request.values.insert("operator".to_owned(), json!({"replicas": 2}));
    assert_eq!(chart(&request).values["operator"], json!({"replicas": 2}));
}
