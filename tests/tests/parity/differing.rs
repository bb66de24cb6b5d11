//! Cases in which the two programs deliberately do not come to the same outcome.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::history::{Change, History};
use kubectl_pivot_tests::population::{ObjectSpec, Population, shapes, unlabelled};
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::{Pair, Plane};
use serde_json::json;

use crate::Parity;

/// The mark that a move leaves on what it deletes.
const DELETE_FOR_MOVE: &str = "clusterctl.cluster.x-k8s.io/delete-for-move";

pub(crate) fn add(suite: Suite<Parity>) -> Suite<Parity> {
    suite
        .thorough("annotations_during_delete", annotations_during_delete)
        .case("user_paused_cluster", user_paused_cluster)
        .case("taken_names", taken_names)
        .thorough("owner_cycle", owner_cycle)
        .thorough("orphan_of_deleted_cluster", orphan_of_deleted_cluster)
        .case("torn_hierarchy", torn_hierarchy)
}

fn secrets() -> ResourceType {
    ResourceType::core("Secret", "secrets")
}

fn clusters() -> ResourceType {
    ResourceType::new(shapes::CORE, "Cluster", "clusters", true)
}

/// The last annotations of an object before it went, seen through a watch.
async fn annotations_during_delete(parity: Arc<Parity>) {
    let namespace = "proof-annotations";
    let mut population = Population::new(namespace);
    let owner = shapes::cluster(&mut population, "noted");
    population.add(ObjectSpec::secret("noted-secret").annotation("team", "blue").owned_by(owner));
    parity.twins.populate(&population).await;
    let twins = &parity.twins;
    let their_versions = now(&twins.theirs.source).await;
    let our_versions = now(&twins.ours.source).await;
    twins
        .theirs
        .move_by_clusterctl(&parity.fixture, namespace)
        .await
        .expect_success("clusterctl move");
    twins.ours.move_by_us(&parity.fixture, namespace).await.expect_success("our move");
    let theirs = last_seen(&twins.theirs.source, namespace, &their_versions).await;
    let ours = last_seen(&twins.ours.source, namespace, &our_versions).await;
    assert_eq!(theirs.value()["metadata"]["annotations"], json!({DELETE_FOR_MOVE: ""}));
    assert_eq!(
        ours.value()["metadata"]["annotations"],
        json!({DELETE_FOR_MOVE: "", "team": "blue"})
    );
}

async fn now(plane: &Plane) -> String {
    History::connect(plane.kubeconfig()).await.now(&secrets()).await
}

async fn last_seen(plane: &Plane, namespace: &str, version: &str) -> Object {
    let history = History::connect(plane.kubeconfig()).await;
    let changes = history.since(&secrets(), namespace, version).await;
    let deleted = |(change, object): &(Change, Object)| {
        *change == Change::Deleted && object.name() == "noted-secret"
    };
    changes.into_iter().find(deleted).expect("the secret has been deleted").1
}

async fn user_paused_cluster(parity: Arc<Parity>) {
    let namespace = "proof-user-paused";
    let mut population = Population::new(namespace);
    shapes::cluster(&mut population, "resting");
    shapes::cluster(&mut population, "working");
    parity.twins.populate(&population).await;
    for pair in [&parity.twins.theirs, &parity.twins.ours] {
        let patch = json!({"spec": {"paused": true}});
        let place = (Some(namespace), "resting");
        let options = WriteOptions::manager("kubectl-edit");
        pair.source
            .client()
            .patch(&clusters(), place, (PatchKind::Merge, &patch), &options)
            .await
            .expect("pause");
    }
    let theirs = parity.twins.theirs.move_by_clusterctl(&parity.fixture, namespace).await;
    assert!(theirs.stderr.contains("are paused: proof-user-paused/resting"), "{theirs}");
    parity.twins.ours.move_by_us(&parity.fixture, namespace).await.expect_success("our move");
    let target = &parity.twins.ours.target;
    assert_eq!(paused(target, namespace, "resting").await, Some(true));
    assert_eq!(paused(target, namespace, "working").await, None);
    assert!(
        parity
            .twins
            .ours
            .source
            .client()
            .list(&clusters(), Some(namespace))
            .await
            .expect("list")
            .is_empty()
    );
}

async fn paused(plane: &Plane, namespace: &str, name: &str) -> Option<bool> {
    let cluster = plane.client().get(&clusters(), Some(namespace), name).await.expect("get");
    cluster.expect("is there").value()["spec"]["paused"].as_bool()
}

/// An object of another origin under the name of a moved one.
async fn taken_names(parity: Arc<Parity>) {
    let namespace = "proof-taken-names";
    let mut population = Population::new(namespace);
    shapes::cluster(&mut population, "wanted");
    parity.twins.populate(&population).await;
    let mut foreign = Population::new(namespace);
    foreign
        .add(ObjectSpec::cluster_secret("wanted-kubeconfig").annotation("owner", "somebody else"));
    let is_foreign = async |pair: &Pair| {
        let secret = pair
            .target
            .client()
            .get(&secrets(), Some(namespace), "wanted-kubeconfig")
            .await
            .expect("get");
        secret.expect("is there").annotation("owner") == Some("somebody else")
    };
    for pair in [&parity.twins.theirs, &parity.twins.ours] {
        pair.target.populate(&foreign).await;
        assert!(is_foreign(pair).await);
    }
    parity
        .twins
        .theirs
        .move_by_clusterctl(&parity.fixture, namespace)
        .await
        .expect_success("clusterctl move");
    assert!(!is_foreign(&parity.twins.theirs).await, "clusterctl has left it alone");
    let ours = parity.twins.ours.move_by_us(&parity.fixture, namespace).await;
    assert_eq!(ours.code, Some(3), "{ours}");
    assert!(ours.says("Secret proof-taken-names/wanted-kubeconfig"), "{ours}");
    assert!(is_foreign(&parity.twins.ours).await, "{ours}");
}

async fn owner_cycle(parity: Arc<Parity>) {
    let namespace = "proof-owner-cycle";
    let (population, _) = unlabelled::cycle(namespace);
    parity.twins.populate(&population).await;
    let theirs = parity.twins.theirs.move_by_clusterctl(&parity.fixture, namespace).await;
    theirs.expect_success("clusterctl move, which leaves the cycle behind");
    let before = parity.twins.ours.source.dump(&[namespace]).await;
    let ours = parity.twins.ours.move_by_us(&parity.fixture, namespace).await;
    assert_eq!(ours.code, Some(3), "{ours}");
    for name in ["chicken", "egg"] {
        assert!(ours.says(&format!("Gadget {namespace}/{name}")), "{ours}");
    }
    let after = parity.twins.ours.source.dump(&[namespace]).await;
    assert_eq!(before.objects(), after.objects());
}

/// clusterctl tries for half a minute to read the Cluster that an orphan names, and only once when
/// it is a dry-run.
async fn orphan_of_deleted_cluster(parity: Arc<Parity>) {
    let namespace = "proof-widowed";
    parity.twins.populate(&unlabelled::of_deleted_cluster(namespace)).await;
    let mut args = parity.twins.theirs.move_args(namespace);
    args.push("--dry-run".to_owned());
    let theirs = parity.fixture.clusterctl().run(args).await;
    let ours = parity.twins.ours.move_by_us(&parity.fixture, namespace).await;
    assert!(theirs.stderr.contains("error reading Cluster /gone-long-ago"), "{theirs}");
    let report = ours.expect_success("our move").json();
    let unmoved = report["notMoved"].as_array().cloned().unwrap_or_default();
    assert!(unmoved.iter().any(|entry| entry["name"] == "widowed"), "{report:#}");
}

/// clusterctl moves the owners, and leaves what the garbage collector of the source then takes.
async fn torn_hierarchy(parity: Arc<Parity>) {
    let namespace = "proof-torn";
    parity.twins.populate(&unlabelled::torn(namespace)).await;
    let before = parity.twins.ours.source.dump(&[namespace]).await;
    let theirs = parity.twins.theirs.move_by_clusterctl(&parity.fixture, namespace).await;
    theirs.expect_success("clusterctl move");
    let ours = parity.twins.ours.move_by_us(&parity.fixture, namespace).await;
    assert_eq!(ours.code, Some(3), "{ours}");
    let findings = ours.json()["findings"].clone();
    for (rule, name) in [
        ("TornHierarchy", "ConfigMap proof-torn/half-orphan"),
        ("TornHierarchy", "ConfigMap proof-torn/half-strange"),
        ("WouldBeCollected", "RelatedObject proof-torn/owned-stranger"),
        ("WouldBeCollected", "Gadget proof-torn/below-widget"),
    ] {
        let is_it = |finding: &&serde_json::Value| {
            let message = finding["message"].as_str().unwrap_or_default();
            finding["rule"] == rule && message.starts_with(name)
        };
        let findings = findings.as_array().cloned().unwrap_or_default();
        assert!(findings.iter().any(|finding| is_it(&finding)), "{rule} {name}: {findings:#?}");
    }
    let after = parity.twins.ours.source.dump(&[namespace]).await;
    assert_eq!(before.objects(), after.objects());
}
