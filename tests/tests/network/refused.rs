//! Problems of a chart, its repository or its values, and the messages about them.

use std::sync::Arc;

use kubectl_pivot::commands::exit;

use super::charts::WAITING;
use super::fixture::{Fixture, expect, text};

pub async fn missing_charts_are_reported_before_anything_is_created(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario("nowhere");
    let url = fixture.repository.url();
    let nothing = format!("{url}/nothing");
    let missing = text(&scenario.path("missing.tgz"));
    let rubbish = scenario.path("rubbish.tgz");
    std::fs::write(&rubbish, "not an archive").expect("write");
    let rubbish = text(&rubbish);
    let closed = "http://127.0.0.1:1";
    let (repo, chart) = (["--cni-repo", &url], "--cni-chart");
    for (more, told) in [
        (
            &["--cni-repo", closed][..],
            &["connection refused", "--cni-repo URL", "--cni-chart PATH"][..],
        ),
        (&["--cni-repo", &nothing], &["404", "--cni-repo URL"]),
        (
            &[repo[0], repo[1], "--set", "chart-version=9.9.9"],
            &["9.9.9", "not found", "chart-version"],
        ),
        (&[chart, &missing], &["missing.tgz", "not found", "--cni-chart PATH"]),
        (&[chart, &rubbish], &["rubbish.tgz"]),
        (&[repo[0], repo[1], "--helm", "/no/such/helm"], &["helm was not found", "--helm"]),
    ] {
        let arguments = scenario.create(&[&["--cni", "cilium"], more].concat());
        let outcome = scenario.program.run(&arguments).await;
        expect(&outcome, exit::REFUSED, told);
        assert!(!scenario.file("target.kubeconfig").exists());
    }
    let none = scenario.program.run(scenario.create(&repo)).await;
    expect(&none, exit::REFUSED, &["the network of in-memory is no chart"]);
    // What is wrong with the command line alone.
    for (more, told) in [
        (&["--cni-repo", "https://me:secret@charts.invalid"][..], "it holds a password"),
        (&["--cni-repo", "charts"], "it is not an address of a repository"),
        (&["--cni-values", &missing], "cannot read the values"),
        (&["--cni-values", &rubbish], "it is not a single mapping of values"),
        (&["--cni-via", "addon", chart, &missing], "reads charts from repositories only"),
    ] {
        let arguments = scenario.create(&[&["--cni", "cilium"], more].concat());
        expect(&scenario.program.run(&arguments).await, exit::USAGE, &[told]);
    }
}

pub async fn values_that_the_chart_refuses(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario("too-many");
    let url = fixture.repository.url();
    let more = ["--cni", "cilium", "--cni-repo", &url, "--set", "operator-replicas=9"];
    let outcome = scenario.program.run(scenario.create(&more)).await;
    let told = [
        "the step `network` failed",
        "`helm upgrade --install cilium cilium",
        "don't meet the specifications of the schema",
        "replicas",
        "--cni-values FILE",
        "kubectl pivot resume too-many",
    ];
    expect(&outcome, exit::UNFINISHED, &told);
    assert!(fixture.history("cilium", "kube-system").is_empty());
}

pub async fn a_network_that_never_gets_ready_is_reported(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario("waiting");
    let (url, version) = (fixture.repository.url(), format!("chart-version={WAITING}"));
    let more = ["--cni", "cilium", "--cni-repo", &url, "--set", &version, "--timeout", "10"];
    let outcome = scenario.program.run(scenario.create(&more)).await;
    let told = ["pre-install", "timed out waiting", "--timeout SECONDS"];
    expect(&outcome, exit::UNFINISHED, &told);
    assert_eq!(fixture.history("cilium", "kube-system")[0]["status"], "failed");
}

/// A manifest of the user is not changed, so it has to leave kube-proxy out itself.
pub async fn kube_proxy_in_a_manifest_of_the_user(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario("manifested");
    let rendered = ["render", "manifested", "-n", "manifested", "-i", "in-memory"];
    let rendered = scenario.program.run(rendered).await.expect_success("render").stdout;
    let manifest = scenario.path("cluster.yaml");
    std::fs::write(&manifest, rendered).expect("write");
    let (manifest, url) = (text(&manifest), fixture.repository.url());
    let network = ["--cni", "cilium", "--cni-repo", &url, "--set", "kube-proxy-replacement=true"];
    let arguments = scenario.create(&[&network[..], &["--cluster-manifest", &manifest]].concat());
    let outcome = scenario.program.run(&arguments).await;
    let said = "KubeadmControlPlane controlplane-manifested installs it";
    expect(&outcome, exit::REFUSED, &[said, "`addon/kube-proxy`"]);
}

/// The limits of the plugins, held against the management cluster and against what is asked for.
pub async fn a_plugin_does_not_support_what_is_there(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario("limited");
    let arguments = scenario.create(&[]);
    let program = scenario.program.clone().env("HOSTING_CLUSTER_API_BELOW", "1.2");
    let told =
        ["plugin `in-memory` supports Cluster API older than 1.2", "the bootstrap cluster has"];
    expect(&program.run(&arguments).await, exit::REFUSED, &told);
    let old = [&arguments[..], &["--kubernetes-version".to_owned(), "v1.19.0".to_owned()]].concat();
    let told = ["supports Kubernetes 1.20 or newer, not v1.19.0", "--kubernetes-version"];
    expect(&scenario.program.run(&old).await, exit::REFUSED, &told);
    // A dry-run is as strict.
    let dry = [&old[..], &["--dry-run".to_owned()]].concat();
    expect(&scenario.program.run(&dry).await, exit::REFUSED, &told);
}
