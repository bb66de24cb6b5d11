use kubectl_pivot_plugin_api::{CniCluster, ErrorCode};

use super::*;

fn request(pod_cidrs: &[&str]) -> CniRequest {
    let pod_cidrs = pod_cidrs.iter().map(|&range| range.to_owned()).collect();
    CniRequest { cluster: CniCluster { pod_cidrs, ..CniCluster::default() }, ..Default::default() }
}

#[test]
fn conforms() {
    kubectl_pivot_plugin_api::testing::assert_cni(&Kindnet);
}

#[test]
fn the_agents_know_all_ranges_of_pods() {
    let install = Kindnet.plan(&request(&["10.244.0.0/16", "fd00::/56"])).expect("two ranges");
    let CniPlan::Manifests { objects } = install.plan else { panic!("not objects") };
    let kinds: Vec<_> = objects.iter().filter_map(|object| object["kind"].as_str()).collect();
    assert_eq!(kinds, ["ClusterRole", "ClusterRoleBinding", "ServiceAccount", "DaemonSet"]);
    let agent = &objects[3]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(agent["env"][2]["value"], "10.244.0.0/16,fd00::/56");
    assert!(agent["image"].as_str().is_some_and(|image| image.starts_with("kindest/kindnetd:v")));
}

#[test]
fn refuses_a_cluster_without_ranges() {
    let error = Kindnet.plan(&request(&[])).expect_err("it could not masquerade");
    assert_eq!(error.code, ErrorCode::Unsupported);
    assert!(error.hint.is_some_and(|hint| hint.contains("--pod-cidr")));
}
