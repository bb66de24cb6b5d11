//! Objects that a target would lack, or could not take: references, namespaces, room for marks,
//! kinds that cannot be listed; and tools that would undo a move.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::population::crds::{API_VERSION, GADGET, MOVE};
use kubectl_pivot_tests::population::shapes::DOCKER;
use kubectl_pivot_tests::population::{ObjectSpec, shapes};
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use serde_json::{Value, json};

use super::bench::{Bench, code, expect};

pub(crate) fn add(suite: Suite<Bench>) -> Suite<Bench> {
    suite
        .case("references_to_what_stays", references_to_what_stays)
        .thorough("what_is_referred_to_is_copied_on_request", copied_on_request)
        .case("a_namespace_that_is_being_deleted", namespace_being_deleted)
        .case("a_new_namespace_gets_its_labels", new_namespace)
        .case("annotations_without_room_for_marks", no_room)
        .case("objects_that_another_tool_manages", managed_elsewhere)
}

fn namespaces() -> ResourceType {
    ResourceType::new("v1", "Namespace", "namespaces", false)
}

async fn patch(plane: &Plane, kind: &ResourceType, place: (Option<&str>, &str), patch: &Value) {
    let options = WriteOptions::manager("somebody");
    let patched = plane.client().patch(kind, place, (PatchKind::Merge, patch), &options).await;
    patched.expect("can be patched");
}

/// A template stops the move; a Secret is told, and so is what is in neither cluster.
async fn references_to_what_stays(bench: Arc<Bench>) {
    let namespace = "referring";
    populate_with_references(&bench, namespace).await;
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    let says = [
        "nothing was changed",
        "Gadget referring/user: DockerMachineTemplate referring/loose is referred to, but does not \
         move",
        "Gadget referring/user: Secret referring/credentials is referred to, but does not move",
        "Gadget referring/user: Secret referring/nowhere is referred to, but is in neither cluster",
        "ReferenceStays",
        "ReferenceMissing",
        MOVE,
    ];
    expect(&outcome, code::REFUSED, &says);
    bench.expect_untouched(namespace, &before, &outcome).await;
    let label = json!({"metadata": {"labels": {MOVE: ""}}});
    patch(&bench.pair().source, &templates(), (Some(namespace), "loose"), &label).await;
    let outcome = bench.run(namespace, &[]).await;
    expect(
        &outcome,
        code::MOVED,
        &["Secret referring/credentials is referred to, but does not move"],
    );
}

/// Both clusters have it then, and nobody has paused or marked it.
async fn copied_on_request(bench: Arc<Bench>) {
    let namespace = "copying";
    populate_with_references(&bench, namespace).await;
    let outcome = bench.run(namespace, &["--copy-referenced", "-o", "json"]).await;
    expect(&outcome, code::MOVED, &[]);
    let report = outcome.json();
    let kept = report["kept"].as_array().expect("a list");
    assert_eq!(kept.len(), 2, "{outcome}");
    let rules: Vec<&Value> = report["findings"].as_array().into_iter().flatten().collect();
    assert!(rules.iter().all(|finding| finding["rule"] != "ReferenceStays"), "{outcome}");
    let secrets = ResourceType::core("Secret", "secrets");
    for plane in [&bench.pair().source, &bench.pair().target] {
        for (kind, name) in [(&templates(), "loose"), (&secrets, "credentials")] {
            let found = plane.client().get(kind, Some(namespace), name).await;
            let found = found.expect("can be read").expect("both clusters have it");
            assert!(found.value()["metadata"]["annotations"].is_null(), "{found:?}");
        }
    }
    bench.clean_up(namespace).await;
}

fn templates() -> ResourceType {
    ResourceType::new(DOCKER, "DockerMachineTemplate", "dockermachinetemplates", true)
}

async fn populate_with_references(bench: &Bench, namespace: &str) {
    let mut population = Bench::population(namespace);
    let cluster = population.add(shapes::bare_cluster("second"));
    population.add(
        ObjectSpec::new(DOCKER, "DockerMachineTemplate", "loose")
            .spec(json!({"template": {"spec": {"customImage": "kindest/node:v1.36.0"}}})),
    );
    population.add(ObjectSpec::secret("credentials"));
    population.add(ObjectSpec::new(API_VERSION, GADGET, "user").owned_by(cluster).spec(json!({
        "template": {"apiVersion": DOCKER, "kind": "DockerMachineTemplate", "name": "loose"},
        "credentialsRef": {"name": "credentials"},
        "secretName": "nowhere",
    })));
    bench.pair().source.populate(&population).await;
}

async fn namespace_being_deleted(bench: Arc<Bench>) {
    let namespace = "leaving";
    bench.populate(namespace).await;
    let target = &bench.pair().target;
    let mut population = kubectl_pivot_tests::population::Population::new(namespace);
    population.add(ObjectSpec::config_map("holder").finalizer("proof.kubectl-pivot.io/hold"));
    target.populate(&population).await;
    let found = target.client().get(&namespaces(), None, namespace).await.expect("can be read");
    let uid = found.expect("is there").uid().to_owned();
    target.client().delete(&namespaces(), None, namespace, &uid).await.expect("can be deleted");
    let outcome = bench.run(namespace, &[]).await;
    let says =
        ["nothing was changed", "NamespaceTerminating", "Namespace leaving", "being deleted"];
    expect(&outcome, code::REFUSED, &says);
    let maps = ResourceType::core("ConfigMap", "configmaps");
    let free = json!({"metadata": {"finalizers": null}});
    patch(target, &maps, (Some(namespace), "holder"), &free).await;
}

/// Labels and annotations come along, but for those of the old cluster; one that is there already
/// is compared.
async fn new_namespace(bench: Arc<Bench>) {
    let namespace = "labelled";
    bench.populate(namespace).await;
    let metadata = json!({"metadata": {"labels": {"team": "blue"}, "annotations":
        {"contact": "blue", "openshift.io/sa.scc.uid-range": "1000/10"}}});
    patch(&bench.pair().source, &namespaces(), (None, namespace), &metadata).await;
    expect(&bench.run(namespace, &[]).await, code::MOVED, &[]);
    let found = bench.pair().target.client().get(&namespaces(), None, namespace).await;
    let found = found.expect("can be read").expect("was created");
    assert_eq!(found.label("team"), Some("blue"));
    assert_eq!(found.value()["metadata"]["annotations"], json!({"contact": "blue"}));
    let differing = "differing";
    bench.populate(differing).await;
    let empty = kubectl_pivot_tests::population::Population::new(differing);
    bench.pair().target.populate(&empty).await;
    patch(&bench.pair().source, &namespaces(), (None, differing), &metadata).await;
    let outcome = bench.run(differing, &[]).await;
    expect(&outcome, code::MOVED, &["NamespaceDiffers", "Namespace differing", "team"]);
}

async fn no_room(bench: Arc<Bench>) {
    let namespace = "cramped";
    let mut population = Bench::population(namespace);
    let cluster = population.add(shapes::bare_cluster("second"));
    let text = "x".repeat(256 * 1024 - 30);
    population.add(ObjectSpec::config_map("full").annotation("note", &text).owned_by(cluster));
    bench.pair().source.populate(&population).await;
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    let says = ["nothing was changed", "TooLarge", "ConfigMap cramped/full", "bytes too large"];
    expect(&outcome, code::REFUSED, &says);
    bench.expect_untouched(namespace, &before, &outcome).await;
}

async fn managed_elsewhere(bench: Arc<Bench>) {
    let namespace = "in-git";
    let mut population = Bench::population(namespace);
    let argocd = "argocd.argoproj.io/tracking-id";
    let flux = "kustomize.toolkit.fluxcd.io";
    population
        .add(shapes::bare_cluster("second").annotation(argocd, "fleet:g/Cluster:in-git/second"));
    population.add(
        shapes::bare_cluster("third")
            .label(&format!("{flux}/name"), "infra")
            .label(&format!("{flux}/namespace"), "flux-system"),
    );
    bench.pair().source.populate(&population).await;
    let says = [
        "ManagedElsewhere",
        "Cluster in-git/second: Argo CD (Application fleet)",
        "argocd app set fleet --sync-policy none",
        "Cluster in-git/third: Flux (Kustomization infra)",
        "flux suspend kustomization infra -n flux-system",
    ];
    expect(&bench.run(namespace, &["--dry-run"]).await, code::MOVED, &says);
    let clusters = ResourceType::new(shapes::CORE, "Cluster", "clusters", true);
    let listed = bench.pair().source.client().list(&clusters, Some(namespace)).await;
    assert_eq!(listed.expect("can be listed").iter().map(Object::name).count(), 3);
}
