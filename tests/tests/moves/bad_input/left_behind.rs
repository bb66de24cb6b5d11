//! Objects that belong to what moves and would not come along, or would be lost.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::WriteOptions;
use kubectl_pivot_tests::population::crds::{
    API_VERSION, GADGET, GLOBAL_IDENTITY, MOVE, STRANGER, WIDGET,
};
use kubectl_pivot_tests::population::shapes::{CORE, DOCKER};
use kubectl_pivot_tests::population::unlabelled::UNSERVED;
use kubectl_pivot_tests::population::{ObjectSpec, Population, made_up_uid, shapes};
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::access;
use super::bench::{Bench, code, create, delete, expect};

pub(crate) fn add(suite: Suite<Bench>) -> Suite<Bench> {
    suite
        .case("workloads_owned_by_what_moves", workloads_owned_by_what_moves)
        .case("a_stranger_owned_by_what_moves", stranger_owned_by_what_moves)
        .case("a_kind_that_may_not_be_listed", kind_that_may_not_be_listed)
        .case("a_group_whose_api_service_is_away", group_that_is_away)
        .case("an_owner_under_another_uid", owner_under_another_uid)
        .case("an_object_that_names_its_cluster_without_owner", names_its_cluster)
        .case("an_object_between_an_owner_that_moves_and_one_that_stays", torn)
        .case("a_cluster_that_would_stay_too", cluster_that_stays)
        .case("nothing_but_labelled_objects", nothing_but_labelled_objects)
}

/// Refused, with the rule on this object in the report, and nothing is changed.
async fn refused(bench: &Bench, namespace: &str, rule: &str, says: &[&str]) {
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    expect(&outcome, code::REFUSED, &["nothing was changed", rule]);
    expect(&outcome, code::REFUSED, says);
    bench.expect_untouched(namespace, &before, &outcome).await;
}

/// The rules of the errors of a dry-run.
async fn errors(bench: &Bench, namespace: &str) -> Vec<(String, String)> {
    let report = bench.run(namespace, &["--dry-run", "-o", "json"]).await.json();
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let errors = findings.iter().filter(|finding| finding["severity"] == "error");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    errors.map(|finding| (text(&finding["rule"]), text(&finding["message"]))).collect()
}

/// Uid of an object of the source.
async fn uid(bench: &Bench, kind: &ResourceType, namespace: &str, name: &str) -> String {
    let found = bench.pair().source.client().get(kind, Some(namespace), name).await;
    found.expect("can be read").expect("is there").uid().to_owned()
}

fn clusters() -> ResourceType {
    ResourceType::new(CORE, "Cluster", "clusters", true)
}

/// Creates an object of a built-in kind that belongs to these owners.
async fn owned(
    bench: &Bench,
    kind: &ResourceType,
    id: (&str, &str),
    owners: &[Value],
    body: Value,
) {
    let (namespace, name) = id;
    let mut object = body;
    object["apiVersion"] = kind.api_version().into();
    object["kind"] = kind.kind.clone().into();
    object["metadata"] = json!({"namespace": namespace, "name": name, "ownerReferences": owners});
    let object = Object::new(object);
    let created =
        bench.pair().source.client().create(kind, &object, &WriteOptions::default()).await;
    created.expect("a valid object");
}

fn stateful_set() -> Value {
    let labels = json!({"app": "etcd"});
    json!({"spec": {"serviceName": "etcd", "selector": {"matchLabels": labels}, "template":
        {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "etcd",
            "image": "etcd"}]}}}})
}

/// The hosted control plane of a cluster: with its owner gone, the garbage collector deletes it.
async fn workloads_owned_by_what_moves(bench: Arc<Bench>) {
    let namespace = "hosted";
    bench.populate(namespace).await;
    let cluster = json!({"apiVersion": CORE, "kind": "Cluster", "name": namespace,
        "uid": uid(&bench, &clusters(), namespace, namespace).await});
    let sets = ResourceType::new("apps/v1", "StatefulSet", "statefulsets", true);
    let claims = ResourceType::core("PersistentVolumeClaim", "persistentvolumeclaims");
    let accounts = ResourceType::core("ServiceAccount", "serviceaccounts");
    let claim = json!({"spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}}}});
    owned(&bench, &accounts, (namespace, "remaining"), &[], json!({})).await;
    let remaining = json!({"apiVersion": "v1", "kind": "ServiceAccount", "name": "remaining",
        "uid": uid(&bench, &accounts, namespace, "remaining").await});
    let gone = json!({"apiVersion": "v1", "kind": "ServiceAccount", "name": "gone",
        "uid": made_up_uid("gone")});
    let only = std::slice::from_ref(&cluster);
    owned(&bench, &sets, (namespace, "etcd"), only, stateful_set()).await;
    owned(&bench, &claims, (namespace, "data-0"), &[cluster.clone(), gone], claim.clone()).await;
    owned(&bench, &claims, (namespace, "data-1"), only, claim).await;
    owned(&bench, &accounts, (namespace, "held"), &[cluster, remaining], json!({})).await;
    let says = [
        "StatefulSet hosted/etcd",
        "its owner Cluster hosted does",
        "garbage collector",
        "--allow-collected StatefulSet.apps",
        "PersistentVolumeClaim hosted/data-0, PersistentVolumeClaim hosted/data-1",
        "--allow-collected PersistentVolumeClaim",
    ];
    refused(&bench, namespace, "WouldBeCollected", &says).await;
    let found = errors(&bench, namespace).await;
    assert_eq!(found.len(), 2, "what an owner that remains holds is not lost: {found:?}");
    let allowed = ["--allow-collected", "StatefulSet"];
    expect(&bench.run(namespace, &allowed).await, code::REFUSED, &["data-0"]);
    let allowed = ["--allow-collected", "StatefulSet,persistentvolumeclaim", "-o", "json"];
    let outcome = bench.run(namespace, &allowed).await;
    expect(&outcome, code::MOVED, &[]);
    let report = outcome.json();
    let collected = report["collected"].as_array().cloned().unwrap_or_default();
    let names: Vec<_> = collected.iter().filter_map(|entry| entry["name"].as_str()).collect();
    assert_eq!(names, ["data-0", "data-1", "etcd"], "{report:#}");
}

async fn stranger_owned_by_what_moves(bench: Arc<Bench>) {
    let namespace = "estranged";
    let mut population = Population::new(namespace);
    let owner = shapes::cluster(&mut population, namespace);
    let stranger =
        population.add(ObjectSpec::new(API_VERSION, STRANGER, "release").owned_by(owner));
    population.add(ObjectSpec::secret("of-stranger").owned_by(stranger));
    // A dependent of something that moves alone.
    let widget = population.add(ObjectSpec::new(API_VERSION, WIDGET, "widget"));
    population.add(ObjectSpec::new(API_VERSION, GADGET, "left").owned_by(widget));
    bench.pair().source.populate(&population).await;
    let says = [
        "RelatedObject estranged/release",
        "Gadget estranged/left",
        "its owner Widget widget does",
    ];
    refused(&bench, namespace, "WouldBeCollected", &says).await;
    assert_eq!(errors(&bench, namespace).await.len(), 2, "what hangs on them is not told again");
}

async fn kind_that_may_not_be_listed(bench: Arc<Bench>) {
    let namespace = "unseen";
    bench.populate(namespace).await;
    let before = bench.snapshot(namespace).await;
    let source = &bench.pair().source;
    let user = access::user(source, "nearly-all");
    let all = json!(["*"]);
    let groups = [
        "",
        "cluster.x-k8s.io",
        "infrastructure.cluster.x-k8s.io",
        "bootstrap.cluster.x-k8s.io",
        "controlplane.cluster.x-k8s.io",
        "addons.cluster.x-k8s.io",
        "ipam.cluster.x-k8s.io",
        "runtime.cluster.x-k8s.io",
        "clusterctl.cluster.x-k8s.io",
        "coordination.k8s.io",
        "proof.kubectl-pivot.io",
        "apiextensions.k8s.io",
        "authorization.k8s.io",
        "batch",
    ];
    let rules = [
        json!({"apiGroups": groups, "resources": all, "verbs": all}),
        json!({"nonResourceURLs": all, "verbs": ["get"]}),
    ];
    access::grant(source, "nearly-all", &rules).await;
    let target = bench.pair().target.kubeconfig();
    let outcome = bench.run_as(&user, target, namespace).await;
    let says = ["nothing was changed", "may not list", "statefulsets.apps", "--allow-unlisted"];
    expect(&outcome, code::REFUSED, &says);
    bench.expect_untouched(namespace, &before, &outcome).await;
    let outcome = bench.run_as_with(&user, target, namespace, &["--allow-unlisted", "*"]).await;
    expect(&outcome, code::MOVED, &["may not list", "warning"]);
}

/// As an aggregated API whose pods have gone.
async fn group_that_is_away(bench: Arc<Bench>) {
    let namespace = "deaf";
    bench.populate(namespace).await;
    let registration = "apiregistration.k8s.io/v1";
    let service = json!({"apiVersion": registration, "kind": "APIService",
        "metadata": {"name": "v1.away.example.com"},
        "spec": {"group": "away.example.com", "version": "v1", "groupPriorityMinimum": 100,
            "versionPriority": 1,
            "insecureSkipTLSVerify": true, "service": {"name": "nobody", "namespace": "default"}}});
    create(&bench.pair().source, "apiservices", service).await;
    wait_stale(&bench).await;
    let says = ["away.example.com", "does not answer", "--allow-unlisted '*.away.example.com'"];
    refused(&bench, namespace, "NotLooked", &says).await;
    let outcome = bench.run(namespace, &["--allow-unlisted", "*.away.example.com"]).await;
    expect(&outcome, code::MOVED, &[]);
    delete(&bench.pair().source, registration, "APIService", "apiservices", "v1.away.example.com")
        .await;
}

/// Waits until discovery names the group.
async fn wait_stale(bench: &Bench) {
    for _ in 0..300 {
        let groups = bench.pair().source.client().aggregated_discovery().await.expect("discovery");
        if groups.to_string().contains("away.example.com") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the API service is not seen");
}

/// The work of a backup tool: the owner has been created again, under another uid.
async fn owner_under_another_uid(bench: Arc<Bench>) {
    let namespace = "restored";
    let mut population = Bench::population(namespace);
    let below = ObjectSpec::new(DOCKER, "DockerMachine", "stale-below")
        .label(shapes::CLUSTER_NAME, namespace);
    let stale =
        population.add(below.owned_by_missing(UNSERVED, "Machine", "restored-0").spec(json!({})));
    population
        .add(ObjectSpec::secret("deeper").label(shapes::CLUSTER_NAME, namespace).owned_by(stale));
    bench.pair().source.populate(&population).await;
    let machines = ResourceType::new(CORE, "Machine", "machines", true);
    let (old, new) =
        (made_up_uid("Machine restored-0"), uid(&bench, &machines, namespace, "restored-0").await);
    let says = ["DockerMachine restored/stale-below", "Machine restored-0", &old, &new];
    refused(&bench, namespace, "StaleOwner", &says).await;
    let rules: Vec<_> = errors(&bench, namespace).await.into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(rules, ["StaleOwner", "LeftBehind"]);
    let outcome = bench.back_up(namespace, "stale").await;
    expect(&outcome, code::REFUSED, &["StaleOwner", &old, &new, "Secret restored/deeper"]);
}

async fn names_its_cluster(bench: Arc<Bench>) {
    let namespace = "unowned";
    let mut population = Bench::population(namespace);
    population.add(ObjectSpec::new(CORE, "MachineHealthCheck", "check").spec(json!({
        "clusterName": namespace,
        "selector": {"matchLabels": {"pool": "workers"}},
        "checks": {"unhealthyNodeConditions": [{"type": "Ready", "status": "Unknown",
            "timeoutSeconds": 300}]},
    })));
    for name in ["first", "second"] {
        population.add(ObjectSpec::secret(name).label(shapes::CLUSTER_NAME, namespace));
    }
    bench.pair().source.populate(&population).await;
    let says = [
        "MachineHealthCheck unowned/check",
        "Secret unowned/first, Secret unowned/second",
        "Cluster unowned moves",
        MOVE,
    ];
    refused(&bench, namespace, "LeftBehind", &says).await;
    expect(&bench.back_up(namespace, "unowned").await, code::REFUSED, &["LeftBehind"]);
}

/// An object of a cluster-scoped owner is copied and stays, and a Cluster would be active twice
/// then.
async fn cluster_that_stays(bench: Arc<Bench>) {
    let namespace = "credentialed";
    let mut population = Bench::population(namespace);
    let identity = ObjectSpec::new(API_VERSION, GLOBAL_IDENTITY, namespace).global();
    let identity = population.add(identity.spec(json!({"secretRef": "none"})));
    population.add(shapes::bare_cluster("kept").owned_by(identity));
    bench.pair().source.populate(&population).await;
    refused(&bench, namespace, "WouldBeActiveTwice", &["Cluster credentialed/kept"]).await;
    // Others move all namespaces: the garbage collector would hold a Cluster up to them that is
    // being deleted.
    bench.clean_up(namespace).await;
}

async fn torn(bench: Arc<Bench>) {
    let namespace = "torn";
    let mut population = Bench::population(namespace);
    let cluster = population.add(shapes::bare_cluster("second"));
    let pool = population.add(ObjectSpec::new(API_VERSION, STRANGER, "pool"));
    population.add(ObjectSpec::config_map("address").owned_by(cluster).owned_by(pool));
    bench.pair().source.populate(&population).await;
    let says = [
        "ConfigMap torn/address",
        "its owner Cluster torn/second moves",
        "its owner RelatedObject pool",
    ];
    refused(&bench, namespace, "TornHierarchy", &says).await;
    expect(&bench.back_up(namespace, "torn").await, code::REFUSED, &["TornHierarchy"]);
}

/// A wrong namespace, in which there happens to be something that moves by its label.
async fn nothing_but_labelled_objects(bench: Arc<Bench>) {
    let namespace = "wrong-one";
    let mut population = Population::new(namespace);
    population.add(ObjectSpec::secret("labelled").label(MOVE, ""));
    bench.pair().source.populate(&population).await;
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &["-o", "json"]).await;
    expect(&outcome, code::NOTHING_IN_SCOPE, &[]);
    let report = outcome.json();
    assert_eq!(report["outcome"], "nothingInScope");
    assert_eq!(report["moved"], json!([]));
    assert_eq!(report["notMoved"][0]["name"], "labelled", "{report:#}");
    bench.expect_untouched(namespace, &before, &outcome).await;
    let outcome = bench.back_up(namespace, "wrong-one").await;
    expect(&outcome, code::NOTHING_IN_SCOPE, &["wrong-one"]);
}
