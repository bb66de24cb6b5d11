use kubectl_pivot_plugin_api::{CniCluster, ErrorCode};
use serde_json::{Value, json};

use super::*;

fn request(infrastructure: &str, pod_cidrs: &[&str]) -> CniRequest {
    CniRequest {
        cluster: CniCluster {
            infrastructure: infrastructure.to_owned(),
            pod_cidrs: pod_cidrs.iter().map(|&range| range.to_owned()).collect(),
            ..CniCluster::default()
        },
        ..CniRequest::default()
    }
}

#[test]
fn conforms() {
    kubectl_pivot_plugin_api::testing::assert_cni(&Flannel);
}

#[test]
fn values_follow_the_ranges_of_the_cluster() {
    let install = Flannel.plan(&request("aws", &["192.168.0.0/16"])).expect("one range");
    assert_eq!(install.notes, Vec::<String>::new());
    let CniPlan::HelmChart(chart) = install.plan else { panic!("not a chart") };
    assert_eq!(chart.namespace, "kube-flannel");
    assert_eq!(chart.namespace_labels["pod-security.kubernetes.io/enforce"], "privileged");
    let values = json!({
        "flannel": {"backend": "vxlan"},
        "podCidr": "192.168.0.0/16",
        "podCidrv6": "",
    });
    assert_eq!(Value::from(chart.values), values);
}

#[test]
fn refuses_nodes_of_kind_that_have_no_bridge() {
    let mut request = request("docker", &["192.168.0.0/16"]);
    let error = Flannel.plan(&request).expect_err("nothing could work");
    assert_eq!(error.code, ErrorCode::Unsupported);
    assert!(error.message.contains("`bridge`"), "{error}");
    request.variables.insert(variables::BRIDGE_INSTALLED.to_owned(), json!(true));
    Flannel.plan(&request).expect("the image is another one");
}

#[test]
fn refuses_two_ranges_of_one_ip_version() {
    let error = Flannel.plan(&request("aws", &["10.0.0.0/16", "10.1.0.0/16"]));
    assert_eq!(error.expect_err("two ranges").code, ErrorCode::Unsupported);
}
