//! Managers of the fields of copies, where the target does not let the source's managers stand.

use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, Served, WriteOptions};
use kubectl_pivot_tests::policy::{Forgetful, Stamping};
use kubectl_pivot_tests::population::Population;
use kubectl_pivot_tests::proxied_pair::cluster_type;
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::{FaultBench, Shared, check_nothing_left, fresh, move_args};

const NEW: &str = "infrastructure.cluster.x-k8s.io/v1beta2";
const OLD: &str = "infrastructure.cluster.x-k8s.io/v1beta1";
const CRD: &str = "dockerclusters.infrastructure.cluster.x-k8s.io";
const WARNING: &str = "FieldManagersDiffer";

pub(crate) fn add(suite: Suite<FaultBench>) -> Suite<FaultBench> {
    suite
        .case("managers_at_a_version_that_the_target_does_not_serve_are_left_out", old_version)
        .case("a_policy_that_changes_field_managers_is_a_warning", forgotten)
        .thorough("a_policy_that_stamps_every_update_does_not_stop_a_move", stamped)
}

async fn old_version(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let (source, target) =
        (proxied_pair.pair().source.client(), proxied_pair.pair().target.client());
    let tag = fresh(proxied_pair).await;
    let label = json!({"metadata": {"labels": {"written-at": "v1beta1"}}});
    let options = WriteOptions::manager("veteran");
    let place = (Some(tag.as_str()), "plain");
    let written =
        source.patch(&docker_clusters(OLD), place, (PatchKind::Merge, &label), &options).await;
    let managers = managers(&written.expect("v1beta1 is served"));
    assert!(managers.contains(&format!("veteran {OLD}")), "{managers:?}");

    let versions = stop_serving_old(target).await;
    let moved = proxied_pair.program().run(report_args(&fault_bench, &tag)).await;
    set_versions(target, &versions).await;

    let report = moved.expect_success("the move").json();
    assert_eq!(warnings(&report), Vec::<&Value>::new(), "{report:#}");
    let copy = target.get(&docker_clusters(NEW), Some(&tag), "plain").await.expect("readable");
    let wanted: Vec<String> =
        managers.into_iter().filter(|manager| !manager.ends_with(OLD)).collect();
    assert_eq!(self::managers(&copy.expect("has moved")), wanted);
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

async fn forgotten(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let target = proxied_pair.pair().target.client();
    let tag = fresh(proxied_pair).await;
    let policy = Forgetful { name: "forgetful", secret: "plain-worker" };
    policy.install(target).await;
    let moved = proxied_pair.program().run(report_args(&fault_bench, &tag)).await;
    policy.remove(target).await;

    let report = moved.expect_success("the move").json();
    let [warning] = warnings(&report)[..] else { panic!("one warning: {report:#}") };
    assert_eq!(warning["object"]["name"], "plain-worker");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// In both clusters, so that neither side is ever as the run has written it.
async fn stamped(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let pair = proxied_pair.pair();
    pair.target.populate(&Population::new(&tag)).await;
    let policy = Stamping { name: "stamped", namespace: &tag };
    for client in [pair.source.client(), pair.target.client()] {
        policy.install(client).await;
    }
    let moved = proxied_pair.program().run(move_args(proxied_pair, &tag)).await;
    for client in [pair.source.client(), pair.target.client()] {
        policy.remove(client).await;
    }
    let moved = moved.expect_success("the move");
    let ends = proxied_pair.ends(&tag).await;
    assert_eq!(ends.source.payload(), fault_bench.undisturbed.source.payload(), "{moved}");
    assert_eq!(ends.target.payload(), fault_bench.undisturbed.target.payload(), "{moved}");
    let cluster = pair.target.client().get(&cluster_type(), Some(&tag), "plain").await;
    let cluster = cluster.expect("can be read").expect("was moved");
    assert!(cluster.annotation("stamped").is_some(), "nothing was stamped: {cluster:?}");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

fn report_args(fault_bench: &FaultBench, tag: &str) -> Vec<String> {
    let mut args = move_args(&fault_bench.proxied_pair, tag);
    args.extend(["-o", "json"].map(str::to_owned));
    args
}

fn warnings(report: &Value) -> Vec<&Value> {
    let findings = report["findings"].as_array().into_iter().flatten();
    findings.filter(|finding| finding["rule"] == WARNING).collect()
}

/// Manager and API version of every entry that does not come from pausing, sorted.
fn managers(object: &Object) -> Vec<String> {
    let entries = object.value()["metadata"]["managedFields"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut managers: Vec<String> = entries
        .map(|entry| format!("{} {}", text(&entry["manager"]), text(&entry["apiVersion"])))
        .filter(|manager| !manager.starts_with("kubectl-pivot "))
        .collect();
    managers.sort();
    managers
}

fn docker_clusters(api_version: &str) -> ResourceType {
    ResourceType::new(api_version, "DockerCluster", "dockerclusters", true)
}

/// Takes `v1beta1` out of the CRD of DockerClusters, and waits until the API server does without
/// it. Returns the versions that it had.
async fn stop_serving_old(client: &Client) -> Value {
    let crd = client.get(&crds(), None, CRD).await.expect("readable").expect("is installed");
    let all = crd.value()["spec"]["versions"].clone();
    let mut left = all.as_array().cloned().expect("a list");
    left.retain(|version| version["name"] != "v1beta1");
    set_versions(client, &Value::from(left)).await;
    for _ in 0..600 {
        let served = Served::read(client).await.expect("discovery answers");
        let is_named = served.has(&docker_clusters(OLD));
        let list = client.list(&docker_clusters(OLD), Some("default")).await;
        if !is_named && list.is_err_and(|error| error.is_not_found()) {
            return all;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{OLD} is served although its CRD does not name it");
}

async fn set_versions(client: &Client, versions: &Value) {
    let patch = json!({"spec": {"versions": versions}});
    let patch = (PatchKind::Merge, &patch);
    let patched = client.patch(&crds(), (None, CRD), patch, &WriteOptions::default()).await;
    patched.expect("a valid CRD");
}

fn crds() -> ResourceType {
    let plural = "customresourcedefinitions";
    ResourceType::new("apiextensions.k8s.io/v1", "CustomResourceDefinition", plural, false)
}
