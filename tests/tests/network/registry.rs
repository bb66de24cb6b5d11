//! Charts in a real registry, where the real helm has pushed them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use capi::ResourceType;
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::registry::Registry;
use serde_json::json;

use super::charts::CILIUM;
use super::stage::{Stage, expect, text};

/// Returns whether a run has written anything for a cluster of this name.
async fn has_begun(stage: &Stage, name: &str) -> bool {
    let (bootstrap, _) = stage.clients().await;
    let kind = ResourceType::new("v1", "Namespace", "namespaces", false);
    let namespace = bootstrap.get(&kind, None, name).await.expect("it answers");
    namespace.is_some() || !stage.history("cilium", "kube-system").is_empty()
}

fn assert_deployed(stage: &Stage) {
    let history = stage.history("cilium", "kube-system");
    let [only] = history.as_slice() else { panic!("one revision: {history:?}") };
    assert_eq!(only["status"], "deployed", "{only}");
    assert_eq!(only["chart"], format!("cilium-{CILIUM}"), "{only}");
}

pub async fn a_chart_of_a_registry(stage: Arc<Stage>) {
    let mut scene = stage.scene("registered");
    let registry = Registry::open(&stage.registry).await;
    registry.push(&stage.helm, &stage.archives.cilium);
    scene.program = scene.program.clone().env("SSL_CERT_FILE", &text(&registry.authority()));
    let url = registry.url();
    let more = ["--cni", "cilium", "--cni-repo", &url, "--set", "operator-replicas=3"];
    let arguments = scene.create(&more);
    let line = scene.install(&arguments).await;
    assert!(line.contains(&format!("\"cilium {CILIUM}\"")), "{line}");
    assert_deployed(&stage);
    let values = stage.values("cilium", "kube-system").await;
    assert_eq!(values["operator"]["replicas"], 3, "{values}");
    let log = std::fs::read_to_string(scene.file("logs/network.log")).expect("there is a log");
    let called = format!("upgrade --install cilium {url}/cilium --version {CILIUM} ");
    assert!(log.contains(&called), "{called}: {log}");

    // Once more is once, and asks no registry.
    drop(registry);
    let line = scene.install(&arguments).await;
    assert!(line.contains("was there already"), "{line}");
    assert_deployed(&stage);
}

pub async fn a_registry_that_wants_a_login(stage: Arc<Stage>) {
    let mut scene = stage.scene("logged-in");
    let registry = Registry::closed(&stage.registry).await;
    registry.log_in(&stage.helm);
    registry.push(&stage.helm, &stage.archives.cilium);
    let arguments = scene.create(&["--cni", "cilium", "--cni-repo", &registry.url()]);
    let stranger = scene.program.clone().env("SSL_CERT_FILE", &text(&registry.authority()));
    let login = format!("`helm registry login {}`", registry.address());
    let outcome = stranger.run(&arguments).await;
    expect(&outcome, exit::REFUSED, &["basic credential not found", &login]);

    let outdated = scene.path("outdated.json");
    let credentials =
        json!({"auths": {registry.address(): {"auth": STANDARD.encode("reader:password-of-old")}}});
    std::fs::write(&outdated, credentials.to_string()).expect("write");
    let outdated = stranger.clone().env("HELM_REGISTRY_CONFIG", &text(&outdated));
    let outcome = outdated.run(&arguments).await;
    expect(&outcome, exit::REFUSED, &["401", &login, "HELM_REGISTRY_CONFIG"]);
    assert!(!has_begun(&stage, "logged-in").await);

    scene.program = stranger.env("HELM_REGISTRY_CONFIG", &text(&registry.credentials()));
    scene.install(&arguments).await;
    assert_deployed(&stage);
    assert!(has_begun(&stage, "logged-in").await);
}

pub async fn a_chart_that_a_registry_does_not_give_is_reported_before_anything_is_created(
    stage: Arc<Stage>,
) {
    let scene = stage.scene("unregistered");
    let registry = Registry::open(&stage.registry).await;
    registry.push(&stage.helm, &stage.archives.cilium);
    let program = scene.program.clone().env("SSL_CERT_FILE", &text(&registry.authority()));
    let (url, nothing) = (registry.url(), format!("{}/nothing", registry.url()));
    let create = |url: &str, more: &[&str]| {
        scene.create(&[&["--cni", "cilium", "--cni-repo", url], more].concat())
    };
    let other = create(&url, &["--set", "chart-version=9.9.9"]);
    let outcome = program.run(other).await;
    expect(&outcome, exit::REFUSED, &["cilium:9.9.9: not found", "chart-version=VERSION"]);
    let outcome = program.run(create(&nothing, &[])).await;
    expect(&outcome, exit::REFUSED, &["nothing/cilium", "not found", "--cni-repo URL"]);
    let outcome = scene.program.run(create(&url, &[])).await;
    expect(&outcome, exit::REFUSED, &["unknown authority", "SSL_CERT_FILE"]);
    drop(registry);
    let outcome = program.run(create(&url, &[])).await;
    let told = ["connection refused", "has to be reachable", "--cni-chart PATH"];
    expect(&outcome, exit::REFUSED, &told);
    assert!(!has_begun(&stage, "unregistered").await);
}
