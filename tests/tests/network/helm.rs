//! Charts from where the user has them, with the values that follow from the cluster.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use capi::ResourceType;
use kubectl_pivot_tests::simulated_controllers::ENDPOINT;
use serde_json::json;

use super::charts::CILIUM;
use super::fixture::{Fixture, text};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("is there").permissions().mode() & 0o777
}

pub async fn a_chart_of_another_repository(fixture: Arc<Fixture>) {
    let mut scenario = fixture.scenario("mirrored");
    let secret = "hunter2-and-more";
    let values = scenario.path("values.yaml");
    std::fs::write(&values, format!("operator: {{extra: [1]}}\npassword: {secret}\n"))
        .expect("write");
    let said = text(&scenario.path("said"));
    let helm = text(&fixture.helm);
    let wrapped = scenario.script("helm", &format!("echo \"$@\" >> {said}\nexec {helm} \"$@\""));
    let mut arguments = scenario.create(&["--cni", "cilium", "--set", "operator-replicas=2"]);
    arguments.extend(["--cni-repo".to_owned(), fixture.repository.url()]);
    arguments.extend(["--cni-values".to_owned(), text(&values), "--helm".to_owned(), wrapped]);
    // These would lead helm to another cluster.
    for (name, value) in [
        ("HELM_KUBEAPISERVER", "http://127.0.0.1:1"),
        ("HELM_KUBECONTEXT", "somewhere-else"),
        ("HELM_NAMESPACE", "elsewhere"),
    ] {
        scenario.program = scenario.program.clone().env(name, value);
    }
    let line = scenario.install(&arguments).await;
    assert!(line.contains(&format!("\"cilium {CILIUM}\"")), "{line}");

    let installed = fixture.values("cilium", "kube-system").await;
    let expected = json!({
        "ipam": {"mode": "kubernetes"}, "ipv4": {"enabled": true}, "ipv6": {"enabled": false},
        "operator": {"replicas": 2, "extra": [1]}, "password": secret,
    });
    assert_eq!(installed, expected);
    for file in [
        scenario.file("target.kubeconfig"),
        scenario.file("cni-values.yaml"),
        scenario.path("out.kubeconfig"),
    ] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    let said = std::fs::read_to_string(scenario.path("said")).expect("helm was asked");
    assert!(said.contains("upgrade --install cilium cilium --repo http://127.0.0.1:"), "{said}");
    let log = std::fs::read_to_string(scenario.file("logs/network.log")).expect("there is a log");
    for (name, words) in [("arguments", &said), ("log", &log)] {
        assert!(!words.contains(secret), "the {name} tell the secret: {words}");
    }

    // Once more is once, also when the repository is out of reach by now.
    let line = scenario.install(&arguments).await;
    assert!(line.contains("was there already"), "{line}");
    let history = fixture.history("cilium", "kube-system");
    assert_eq!(history.len(), 1, "{history:?}");
}

pub async fn a_chart_that_is_here(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario("archived");
    let chart = text(&fixture.archives.flannel);
    let arguments =
        scenario.create(&["--cni", "flannel", "--pod-cidr", "10.7.0.0/16", "--cni-chart", &chart]);
    let line = scenario.install(&arguments).await;
    assert!(line.contains(".tgz\""), "{line}");
    let values = fixture.values("flannel", "kube-flannel").await;
    assert_eq!((&values["podCidr"], &values["podCidrv6"]), (&json!("10.7.0.0/16"), &json!("")));
    let kind = ResourceType::new("v1", "Namespace", "namespaces", false);
    let namespace = fixture.find(&kind, None, "kube-flannel").await.expect("it is there");
    assert_eq!(namespace.label("pod-security.kubernetes.io/enforce"), Some("privileged"));
}

/// Without kube-proxy the chart has to know the address of an API server that does not exist when
/// the run begins.
pub async fn an_address_that_is_not_known_yet(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario("unproxied");
    let url = fixture.repository.url();
    let more = ["--cni", "cilium", "--set", "kube-proxy-replacement=true", "--cni-repo", &url];
    let arguments = scenario.create(&more);
    let outline = [arguments.as_slice(), &["--dry-run".to_owned()]].concat();
    let outline = scenario.program.run(&outline).await.expect_success("dry-run");
    let url = fixture.repository.url();
    for told in [
        format!("$ helm show chart cilium --repo {url} --version {CILIUM}"),
        format!("$ helm upgrade --install cilium cilium --repo {url} --version {CILIUM}"),
        "k8sServiceHost: address-of-the-api-server.invalid".to_owned(),
        "- addon/kube-proxy".to_owned(),
    ] {
        assert!(outline.stdout.contains(&told), "{told}: {outline}");
    }
    scenario.install(&arguments).await;
    let values = fixture.values("cilium", "kube-system").await;
    // The address that nodes use, not the one by which the run reaches the API server.
    assert_eq!(values["k8sServiceHost"], ENDPOINT, "{values}");
    assert_eq!(values["k8sServicePort"], 6443, "{values}");
    let (bootstrap, _) = fixture.clients().await;
    let group = "controlplane.cluster.x-k8s.io/v1beta2";
    let kind = ResourceType::new(group, "KubeadmControlPlane", "kubeadmcontrolplanes", true);
    let name = "controlplane-unproxied";
    let found = bootstrap.get(&kind, Some("unproxied"), name).await.expect("it answers");
    let found = found.expect("the control plane is applied");
    let configuration = &found.value()["spec"]["kubeadmConfigSpec"]["initConfiguration"];
    assert_eq!(configuration["skipPhases"], json!(["addon/kube-proxy"]), "{found:?}");
}

/// Without a chart: the API server of the target takes every object.
pub async fn a_network_without_a_chart(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario("chartless");
    let line = scenario.install(&scenario.create(&["--cni", "kindnet"])).await;
    assert!(line.contains("kindnet: 4 objects"), "{line}");
    let kind = ResourceType::new("apps/v1", "DaemonSet", "daemonsets", true);
    let agents = fixture.find(&kind, Some("kube-system"), "kindnet").await.expect("it is there");
    let agent = &agents.value()["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(agent["env"][2]["value"], "192.168.0.0/16", "{agent}");
    let (_, target) = fixture.clients().await;
    let groups = "rbac.authorization.k8s.io/v1";
    for kind in [
        kind,
        ResourceType::core("ServiceAccount", "serviceaccounts"),
        ResourceType::new(groups, "ClusterRoleBinding", "clusterrolebindings", false),
        ResourceType::new(groups, "ClusterRole", "clusterroles", false),
    ] {
        let namespace = kind.namespaced.then_some("kube-system");
        let object = target.get(&kind, namespace, "kindnet").await.expect("it answers");
        let uid = object.as_ref().map(|object| object.uid()).expect("it was applied");
        target.delete(&kind, namespace, "kindnet", uid).await.expect("it is ours");
    }
}
