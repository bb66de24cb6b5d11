//! `--cni-via addon`: the provider is initialised, the HelmChartProxy accepted and followed, and
//! both proxies move.

use std::sync::Arc;
use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::Client;
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::addon::{INSTALLED, Outcome, accept, begin_release, end_release, kind};
use serde_json::json;

use super::charts::CILIUM;
use super::fixture::{Fixture, expect, text};

const NAME: &str = "proxied";

async fn proxy(client: &Client) -> Object {
    let found = client.get(&kind("HelmChartProxy"), Some(NAME), "proxied-cni").await;
    found.expect("it answers").expect("the proxy is there")
}

async fn cluster(client: &Client) -> Object {
    let kind = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
    client.get(&kind, Some(NAME), NAME).await.expect("it answers").expect("the cluster is there")
}

/// Waits for what the run asks for, and plays a provider that cannot install it.
async fn refuse(client: &Client) -> (Object, Object) {
    let served = async || {
        let found = client.get(&kind("HelmChartProxy"), Some(NAME), "proxied-cni").await;
        found.ok().flatten().is_some()
    };
    while !served().await {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let asked = proxy(client).await;
    // Ready, and there is nothing yet.
    let accepted = accept(client, &asked).await.expect("it answers");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let cluster = cluster(client).await;
    let release = begin_release(client, &accepted, &cluster).await.expect("it answers");
    let failed = Outcome::Failed("no such host");
    end_release(client, &accepted, &release, failed).await.expect("it answers");
    (accepted, release)
}

pub async fn the_add_on_provider_is_asked_and_followed(fixture: Arc<Fixture>) {
    let scenario = fixture.whole_scenario(NAME);
    let values = scenario.path("values.yaml");
    std::fs::write(&values, "format: '{{ .Release.Name }}'\n").expect("write");
    let (url, config, values) = ("https://charts.invalid", text(&fixture.config), text(&values));
    let more =
        ["--cni", "cilium", "--cni-via", "addon", "--cni-repo", url, "--cni-values", &values];
    let rest = [
        "--clusterctl-config",
        &config,
        "--timeout",
        "30",
        "--settle",
        "1",
        "--skip-probes",
        "cilium",
    ];
    let arguments = scenario.create(&[&more[..], &rest[..]].concat());
    let (source, target) = fixture.clients().await;

    let mut run = scenario.program.start(&arguments);
    let (asked, release) = tokio::select! {
        played = refuse(&source) => played,
        ended = run.end() => panic!("nothing was asked of the provider: {ended}"),
    };
    let told = [
        "the step `network` failed",
        "timed out after 30 s waiting until the Helm add-on provider has installed the network; \
         last seen: HelmReleaseProxy proxied/cilium-proxied-",
        "Ready is False (IssuesReported) * HelmReleaseReady: no such host",
        "kubectl pivot resume proxied",
    ];
    expect(&run.end().await, exit::UNFINISHED, &told);

    let spec = asked.value()["spec"].clone();
    let selector = json!({"matchLabels": {"kubectl-pivot.io/cni": NAME}});
    assert_eq!(spec["clusterSelector"], selector);
    assert_eq!(cluster(&source).await.label("kubectl-pivot.io/cni"), Some(NAME));
    assert_eq!((&spec["repoURL"], &spec["version"]), (&json!(url), &json!(CILIUM)), "{spec}");
    assert_eq!(
        (&spec["releaseName"], &spec["namespace"]),
        (&json!("cilium"), &json!("kube-system"))
    );
    // Defaults of its webhook, and below them those of its schema.
    let options = json!({"timeout": "10m0s", "enableClientCache": false,
        "install": {"createNamespace": true}, "upgrade": {"maxHistory": 10}});
    assert_eq!(spec["options"], options);
    let template = spec["valuesTemplate"].as_str().expect("a text");
    assert!(template.contains(r#"{{"{{"}} .Release.Name }}"#), "{template}");

    end_release(&source, &asked, &release, Outcome::Deployed).await.expect("it answers");
    // Nobody runs the pods of the network here.
    let resume = ["resume", NAME, "--skip-probes", "cilium"];
    let outcome = scenario.program.run(resume).await.expect_success("resume");
    assert!(outcome.says("by the Helm add-on provider"), "{outcome}");

    // Both have moved, and the provider is there to keep the release.
    let moved = proxy(&target).await;
    assert_eq!(moved.value()["spec"], spec);
    let releases = target.list(&kind("HelmReleaseProxy"), Some(NAME)).await.expect("it answers");
    let [copy] = &releases[..] else { panic!("not one release: {releases:?}") };
    assert_eq!(copy.value()["spec"], release.value()["spec"]);
    let owners: Vec<_> = copy.owner_references().into_iter().map(|owner| owner.uid).collect();
    assert_eq!(owners, [moved.uid()]);
    assert_eq!(copy.annotation(INSTALLED), Some("true"));
    for (object, finalizer) in [(&moved, "helmchartproxy"), (copy, "helmreleaseproxy")] {
        assert_eq!(object.annotation("cluster.x-k8s.io/paused"), None);
        let finalizers = json!([format!("{finalizer}.addons.cluster.x-k8s.io")]);
        assert_eq!(object.value()["metadata"]["finalizers"], finalizers);
    }
    for kind in ["HelmChartProxy", "HelmReleaseProxy"].map(kind) {
        let left = source.list(&kind, Some(NAME)).await.expect("it answers");
        assert!(left.is_empty(), "{left:?}");
    }
    let kind =
        ResourceType::new("clusterctl.cluster.x-k8s.io/v1alpha3", "Provider", "providers", true);
    let provider = fixture.find(&kind, Some("caaph-system"), "addon-helm").await;
    assert!(provider.is_some(), "the target has no Helm add-on provider");
}
