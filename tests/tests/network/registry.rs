//! Charts in a real registry, where the real helm has pushed them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use capi::ResourceType;
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::registry::Registry;
use serde_json::json;

use super::charts::CILIUM;
use super::fixture::{Fixture, expect, text};

/// Returns whether a run has written anything for a cluster of this name.
async fn has_begun(fixture: &Fixture, name: &str) -> bool {
    let (bootstrap, _) = fixture.clients().await;
    let kind = ResourceType::new("v1", "Namespace", "namespaces", false);
    let namespace = bootstrap.get(&kind, None, name).await.expect("it answers");
    namespace.is_some() || !fixture.history("cilium", "kube-system").is_empty()
}

fn assert_deployed(fixture: &Fixture) {
    let history = fixture.history("cilium", "kube-system");
    let [only] = history.as_slice() else { panic!("one revision: {history:?}") };
    assert_eq!(only["status"], "deployed", "{only}");
    assert_eq!(only["chart"], format!("cilium-{CILIUM}"), "{only}");
}

pub async fn a_chart_of_a_registry(fixture: Arc<Fixture>) {
    let mut scenario = fixture.scenario("registered");
    let registry = Registry::open(&fixture.registry).await;
    registry.push(&fixture.helm, &fixture.archives.cilium);
    scenario.program = scenario.program.clone().env("SSL_CERT_FILE", &text(&registry.authority()));
    let url = registry.url();
    let more = ["--cni", "cilium", "--cni-repo", &url, "--set", "operator-replicas=3"];
    let arguments = scenario.create(&more);
    let line = scenario.install(&arguments).await;
    assert!(line.contains(&format!("\"cilium {CILIUM}\"")), "{line}");
    assert_deployed(&fixture);
    let values = fixture.values("cilium", "kube-system").await;
    assert_eq!(values["operator"]["replicas"], 3, "{values}");
    let log = std::fs::read_to_string(scenario.file("logs/network.log")).expect("there is a log");
    let called = format!("upgrade --install cilium {url}/cilium --version {CILIUM} ");
    assert!(log.contains(&called), "{called}: {log}");

    // Once more is once, and asks no registry.
    drop(registry);
    let line = scenario.install(&arguments).await;
    assert!(line.contains("was there already"), "{line}");
    assert_deployed(&fixture);
}

pub async fn a_registry_that_wants_a_login(fixture: Arc<Fixture>) {
    let mut scenario = fixture.scenario("logged-in");
    let registry = Registry::closed(&fixture.registry).await;
    registry.log_in(&fixture.helm);
    registry.push(&fixture.helm, &fixture.archives.cilium);
    let arguments = scenario.create(&["--cni", "cilium", "--cni-repo", &registry.url()]);
    let stranger = scenario.program.clone().env("SSL_CERT_FILE", &text(&registry.authority()));
    let login = format!("`helm registry login {}`", registry.address());
    let outcome = stranger.run(&arguments).await;
    expect(&outcome, exit::REFUSED, &["basic credential not found", &login]);

    let outdated = scenario.path("outdated.json");
    let credentials =
        json!({"auths": {registry.address(): {"auth": STANDARD.encode("reader:password-of-old")}}});
    std::fs::write(&outdated, credentials.to_string()).expect("write");
    let outdated = stranger.clone().env("HELM_REGISTRY_CONFIG", &text(&outdated));
    let outcome = outdated.run(&arguments).await;
    expect(&outcome, exit::REFUSED, &["401", &login, "HELM_REGISTRY_CONFIG"]);
    assert!(!has_begun(&fixture, "logged-in").await);

    scenario.program = stranger.env("HELM_REGISTRY_CONFIG", &text(&registry.credentials()));
    scenario.install(&arguments).await;
    assert_deployed(&fixture);
    assert!(has_begun(&fixture, "logged-in").await);
}

pub async fn a_chart_that_a_registry_does_not_give_is_reported_before_anything_is_created(
    fixture: Arc<Fixture>,
) {
    let scenario = fixture.scenario("unregistered");
    let registry = Registry::open(&fixture.registry).await;
    registry.push(&fixture.helm, &fixture.archives.cilium);
    let program = scenario.program.clone().env("SSL_CERT_FILE", &text(&registry.authority()));
    let (url, nothing) = (registry.url(), format!("{}/nothing", registry.url()));
    let create = |url: &str, more: &[&str]| {
        scenario.create(&[&["--cni", "cilium", "--cni-repo", url], more].concat())
    };
    let other = create(&url, &["--set", "chart-version=9.9.9"]);
    let outcome = program.run(other).await;
    expect(&outcome, exit::REFUSED, &["cilium:9.9.9: not found", "chart-version=VERSION"]);
    let outcome = program.run(create(&nothing, &[])).await;
    expect(&outcome, exit::REFUSED, &["nothing/cilium", "not found", "--cni-repo URL"]);
    let outcome = scenario.program.run(create(&url, &[])).await;
    expect(&outcome, exit::REFUSED, &["unknown authority", "SSL_CERT_FILE"]);
    drop(registry);
    let outcome = program.run(create(&url, &[])).await;
    let told = ["connection refused", "has to be reachable", "--cni-chart PATH"];
    expect(&outcome, exit::REFUSED, &told);
    assert!(!has_begun(&fixture, "unregistered").await);
}
