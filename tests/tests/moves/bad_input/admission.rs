//! API servers that refuse: policies and webhooks, on the target and on the source.

use std::sync::Arc;
use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::parent_webhook::ParentWebhook;
use kubectl_pivot_tests::population::{ObjectSpec, Population, shapes};
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use serde_json::{Value, json};

use super::bench::{Bench, code, create, delete, expect};
use super::clusters::closed_port;

const ADMISSION: &str = "admissionregistration.k8s.io/v1";
/// Objects with this label are refused by the policy or webhook of its value.
const REFUSED_BY: &str = "proof.kubectl-pivot.io/refused-by";

pub(crate) fn add(suite: Suite<Bench>) -> Suite<Bench> {
    suite
        .thorough("policy_refuses_a_kind", policy_refuses_a_kind)
        .case("policy_refuses_half_way", policy_refuses_half_way)
        .thorough("a_webhook_that_looks_for_a_parent_stops_no_move", webhook_with_parent)
        .thorough("dead_webhook", dead_webhook)
        .case("policy_refuses_deletion", policy_refuses_deletion)
        .thorough("policy_refuses_deletion_for_a_while", policy_refuses_deletion_for_a_while)
        .thorough("policy_refuses_to_free", policy_refuses_to_free)
        .case("policy_refuses_to_resume", policy_refuses_to_resume)
}

/// In the rehearsal the parent is not there, and that is a warning; the copies come after theirs.
async fn webhook_with_parent(bench: Arc<Bench>) {
    let namespace = "childish";
    bench.populate(namespace).await;
    let webhook = ParentWebhook::install(bench.pair().target.client(), namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    let denied = webhook.remove().await;
    expect(&outcome, code::MOVED, &["RefusedAlone", "its Machine is not there"]);
    assert_eq!(denied, 1, "{outcome}");
    bench.clean_up(namespace).await;
}

/// Seen by the rehearsal, before anything is changed.
async fn policy_refuses_a_kind(bench: Arc<Bench>) {
    let mut population = Population::new("unwanted");
    population.add(shapes::bare_cluster("unwanted").label(REFUSED_BY, "no-clusters"));
    bench.pair().source.populate(&population).await;
    let policy = Policy {
        name: "no-clusters",
        operation: "CREATE",
        groups: "cluster.x-k8s.io",
        resources: "clusters",
    };
    policy.install(&bench.pair().target).await;
    let before = bench.snapshot("unwanted").await;
    let outcome = bench.run("unwanted", &[]).await;
    let says = [
        "nothing was changed",
        "target",
        "Cluster unwanted/unwanted",
        "no-clusters refuses it",
        "policy",
    ];
    expect(&outcome, code::REFUSED, &says);
    bench.expect_untouched("unwanted", &before, &outcome).await;
    policy.remove(&bench.pair().target).await;
}

/// The rehearsal tries one object of each kind; the one that is refused is another one.
async fn policy_refuses_half_way(bench: Arc<Bench>) {
    let namespace = "stopped";
    let mut population = Bench::population(namespace);
    let owner = population.add(shapes::bare_cluster("last"));
    let config = population.add(ObjectSpec::config_map("carrier").owned_by(owner));
    let machine = population.add(ObjectSpec::secret("carried").owned_by(config));
    population
        .add(ObjectSpec::secret("refused").label(REFUSED_BY, "not-this-secret").owned_by(machine));
    bench.pair().source.populate(&population).await;
    let policy =
        Policy { name: "not-this-secret", operation: "CREATE", groups: "", resources: "secrets" };
    policy.install(&bench.pair().target).await;
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    let says = [
        "rolled back",
        "create Secret stopped/refused in the target cluster",
        "not-this-secret refuses it",
        "hint:",
    ];
    expect(&outcome, code::UNDONE, &says);
    bench.expect_untouched(namespace, &before, &outcome).await;
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &["--preflight", "full"]).await;
    expect(
        &outcome,
        code::REFUSED,
        &["nothing was changed", "Secret stopped/refused", "not-this-secret refuses it"],
    );
    bench.expect_untouched(namespace, &before, &outcome).await;
    policy.remove(&bench.pair().target).await;
    let outcome = bench.run(namespace, &[]).await;
    expect(&outcome, code::MOVED, &[]);
}

async fn dead_webhook(bench: Arc<Bench>) {
    let namespace = "unanswered";
    let mut population = Population::new(namespace);
    population.add(shapes::bare_cluster(namespace).label(REFUSED_BY, "nobody-home"));
    bench.pair().source.populate(&population).await;
    let webhook = json!({
        "apiVersion": ADMISSION, "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "nobody-home"},
        "webhooks": [{
            "name": "nobody-home.proof.kubectl-pivot.io",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Fail",
            "timeoutSeconds": 2,
            "clientConfig": {"url": format!("https://127.0.0.1:{}/validate", closed_port())},
            "objectSelector": {"matchLabels": {REFUSED_BY: "nobody-home"}},
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE"],
                "resources": ["*"]}],
        }],
    });
    create(&bench.pair().target, "validatingwebhookconfigurations", webhook).await;
    wait_refused(&bench.pair().target, "nobody-home").await;
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    let says = [
        "nothing was changed",
        "target",
        "Cluster unanswered/unanswered",
        "nobody-home.proof.kubectl-pivot.io",
        "webhook",
    ];
    expect(&outcome, code::REFUSED, &says);
    bench.expect_untouched(namespace, &before, &outcome).await;
    let (kind, plural) = ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations");
    delete(&bench.pair().target, ADMISSION, kind, plural, "nobody-home").await;
}

/// Beyond the point of no return: nothing is lost, nothing is active twice, and the run can be
/// finished once the cause is gone.
async fn policy_refuses_deletion(bench: Arc<Bench>) {
    let policy =
        Policy { name: "no-delete", operation: "DELETE", groups: "", resources: "configmaps" };
    let says = ["delete ConfigMap clinging/held in the source cluster", "no-delete refuses it"];
    fails_and_is_continued(&bench, "clinging", Side::Source, &policy, &says).await;
}

/// A refusal that ends is waited for.
async fn policy_refuses_deletion_for_a_while(bench: Arc<Bench>) {
    let policy =
        Policy { name: "not-yet", operation: "DELETE", groups: "", resources: "configmaps" };
    let namespace = "patient";
    let all = populate_refused(&bench, namespace, &policy).await;
    let (source, target) = (&bench.pair().source, &bench.pair().target);
    policy.install(source).await;
    let lift = async {
        while !is_going(source, namespace).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        policy.remove(source).await;
    };
    let (outcome, ()) = tokio::join!(bench.run(namespace, &["--delete-timeout", "300"]), lift);
    expect(&outcome, code::MOVED, &["trying again", "not-yet refuses it"]);
    assert_eq!(payload(source, namespace).await, 0, "{outcome}");
    assert_eq!(payload(target, namespace).await, all, "{outcome}");
}

/// Returns whether the object that is refused has been marked for deletion.
async fn is_going(plane: &Plane, namespace: &str) -> bool {
    let kind = ResourceType::core("ConfigMap", "configmaps");
    let held = plane.client().get(&kind, Some(namespace), "held").await.expect("can be read");
    held.is_some_and(|held| is_marked(&held))
}

/// The object is being deleted by then, and stays so.
async fn policy_refuses_to_free(bench: Arc<Bench>) {
    let policy =
        Policy { name: "no-free", operation: "UPDATE", groups: "", resources: "configmaps" };
    let says = ["patch ConfigMap bound/held in the source cluster", "no-free refuses it"];
    fails_and_is_continued(&bench, "bound", Side::Source, &policy, &says).await;
}

/// Nothing is left in the source by then, and the target is paused.
async fn policy_refuses_to_resume(bench: Arc<Bench>) {
    let policy = Policy {
        name: "no-resume",
        operation: "UPDATE",
        groups: "cluster.x-k8s.io",
        resources: "clusters",
    };
    let says = ["patch Cluster asleep/", "in the target cluster", "no-resume refuses it"];
    fails_and_is_continued(&bench, "asleep", Side::Target, &policy, &says).await;
}

enum Side {
    Source,
    Target,
}

/// Two clusters, of which the second and its ConfigMap are refused by the policy. Returns the
/// number of objects.
async fn populate_refused(bench: &Bench, namespace: &str, policy: &Policy) -> usize {
    let mut population = Bench::population(namespace);
    let other = shapes::bare_cluster(&second_name(namespace));
    let second = population.add(other.label(REFUSED_BY, policy.name));
    let held = ObjectSpec::config_map("held").label(REFUSED_BY, policy.name);
    population.add(held.finalizer("proof.kubectl-pivot.io/hold").owned_by(second));
    bench.pair().source.populate(&population).await;
    population.len()
}

fn second_name(namespace: &str) -> String {
    format!("{namespace}-too")
}

async fn fails_and_is_continued(
    bench: &Bench,
    namespace: &str,
    side: Side,
    policy: &Policy,
    says: &[&str],
) {
    let all = populate_refused(bench, namespace, policy).await;
    let other = second_name(namespace);
    let (source, target) = (&bench.pair().source, &bench.pair().target);
    let refusing = match side {
        Side::Source => source,
        Side::Target => target,
    };
    policy.install(refusing).await;
    let outcome = bench.run(namespace, &["--delete-timeout", "1"]).await;
    expect(&outcome, code::UNFINISHED, says);
    expect(&outcome, code::UNFINISHED, &["can be resumed", "hint:", "kubectl pivot resume"]);
    assert_eq!(payload(target, namespace).await, all, "{outcome}");
    assert_eq!(active(source, namespace).await, Vec::<String>::new(), "in the source: {outcome}");
    if let Side::Source = side {
        expect_the_rest_is_gone(bench, namespace, &outcome).await;
    }
    policy.remove(refusing).await;
    let outcome = bench.resume().await;
    expect(&outcome, code::MOVED, &[]);
    assert_eq!(payload(source, namespace).await, 0, "{outcome}");
    assert_eq!(payload(target, namespace).await, all, "{outcome}");
    assert_eq!(active(target, namespace).await, [namespace, &other], "{outcome}");
    let left = target.dump(&[namespace]).await;
    let marked: Vec<_> = left.objects().iter().filter(|object| is_marked(object)).collect();
    assert!(marked.is_empty(), "marks of the run are left: {marked:?}");
}

/// Fails unless the first cluster has left the source, and the outcome names the second.
async fn expect_the_rest_is_gone(bench: &Bench, namespace: &str, outcome: &Outcome) {
    let left = payload(&bench.pair().source, namespace).await;
    assert_eq!(left, 2, "the second Cluster, and its object: {outcome}");
    let of = format!("could not be deleted, of Cluster {namespace}/{}", second_name(namespace));
    expect(outcome, code::UNFINISHED, &["1 object", &of]);
    let active = active(&bench.pair().target, namespace).await;
    assert_eq!(active, Vec::<String>::new(), "in the target: {outcome}");
}

async fn payload(plane: &Plane, namespace: &str) -> usize {
    let dump = plane.dump(&[namespace]).await;
    dump.objects().iter().filter(|object| object.namespace() == Some(namespace)).count()
}

async fn active(plane: &Plane, namespace: &str) -> Vec<String> {
    let clusters = ResourceType::new(shapes::CORE, "Cluster", "clusters", true);
    let list = plane.client().list(&clusters, Some(namespace)).await.expect("list");
    let active = list.iter().filter(|cluster| cluster.value()["spec"]["paused"] != true);
    active.map(|cluster| cluster.name().to_owned()).collect()
}

/// Returns whether a move's own annotations are on an object.
fn is_marked(object: &Object) -> bool {
    let annotations = object.value()["metadata"]["annotations"].to_string();
    annotations.contains("kubectl-pivot.io/") || annotations.contains("delete-for-move")
}

/// A ValidatingAdmissionPolicy that refuses objects labelled with its name: their creation, their
/// deletion, or an update that takes away the finalizers or the pause.
struct Policy {
    name: &'static str,
    operation: &'static str,
    groups: &'static str,
    resources: &'static str,
}

impl Policy {
    async fn install(&self, plane: &Plane) {
        let name = self.name;
        create(
            plane,
            "validatingadmissionpolicies",
            json!({
                "apiVersion": ADMISSION, "kind": "ValidatingAdmissionPolicy",
                "metadata": {"name": name},
                "spec": {
                    "failurePolicy": "Fail",
                    "matchConstraints": {"resourceRules": [{"apiGroups": [self.groups],
                        "apiVersions": ["*"],
                        "operations": [self.operation], "resources": [self.resources]}]},
                    "validations": [{"expression": format!("!({})", self.refusal()),
                        "message": format!("{name} refuses it")}],
                },
            }),
        )
        .await;
        create(
            plane,
            "validatingadmissionpolicybindings",
            json!({
                "apiVersion": ADMISSION, "kind": "ValidatingAdmissionPolicyBinding",
                "metadata": {"name": name},
                "spec": {"policyName": name, "validationActions": ["Deny"]},
            }),
        )
        .await;
        self.wait(plane, true).await;
    }

    /// Refused requests, as CEL.
    fn refusal(&self) -> String {
        let labelled = |object: &str| {
            format!("{object}.metadata.?labels['{REFUSED_BY}'].orValue('') == '{}'", self.name)
        };
        match (self.operation, self.resources) {
            ("DELETE", _) => labelled("oldObject"),
            ("UPDATE", "clusters") => {
                let paused = |object: &str| format!("{object}.spec.?paused.orValue(false)");
                format!(
                    "{} && {} && !{}",
                    labelled("object"),
                    paused("oldObject"),
                    paused("object")
                )
            }
            ("UPDATE", _) => {
                let held =
                    |object: &str| format!("{object}.metadata.?finalizers.orValue([]).size() > 0");
                format!("{} && {} && !({})", labelled("object"), held("oldObject"), held("object"))
            }
            _ => labelled("object"),
        }
    }

    async fn remove(&self, plane: &Plane) {
        let (kind, plural) =
            ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings");
        delete(plane, ADMISSION, kind, plural, self.name).await;
        let (kind, plural) = ("ValidatingAdmissionPolicy", "validatingadmissionpolicies");
        delete(plane, ADMISSION, kind, plural, self.name).await;
        self.wait(plane, false).await;
    }

    /// Policies come into force, and out of it, some time after the API server has stored them.
    async fn wait(&self, plane: &Plane, in_force: bool) {
        for _ in 0..300 {
            if self.refuses(plane).await == in_force {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the policy {} does not change its force", self.name);
    }

    /// Tries it on a probe, with dry-run.
    async fn refuses(&self, plane: &Plane) -> bool {
        let kind = match self.resources {
            "clusters" => ResourceType::new(shapes::CORE, "Cluster", "clusters", true),
            "configmaps" => ResourceType::core("ConfigMap", "configmaps"),
            _ => ResourceType::core("Secret", "secrets"),
        };
        match self.operation {
            "CREATE" => refuses_creation(plane, &kind, self.name).await,
            "DELETE" => refuses_deletion(plane, &kind, self.name).await,
            _ => refuses_update(plane, &kind, self.name).await,
        }
    }
}

async fn wait_refused(plane: &Plane, name: &str) {
    let secrets = ResourceType::core("Secret", "secrets");
    for _ in 0..300 {
        if refuses_creation(plane, &secrets, name).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the webhook {name} is not called");
}

async fn refuses_creation(plane: &Plane, kind: &ResourceType, name: &str) -> bool {
    let result = plane.client().create(kind, &probe(kind, name), &WriteOptions::dry_run()).await;
    result.is_err_and(|error| !error.is_already_exists())
}

/// Deletions have no dry-run here, so the probe is really there, and really goes.
async fn refuses_deletion(plane: &Plane, kind: &ResourceType, name: &str) -> bool {
    let uid = ensure_probe(plane, kind, name).await;
    plane.client().delete(kind, Some("default"), name, &uid).await.is_err()
}

async fn refuses_update(plane: &Plane, kind: &ResourceType, name: &str) -> bool {
    ensure_probe(plane, kind, name).await;
    let patch = json!({"metadata": {"finalizers": null}, "spec": {"paused": null}});
    let place = (Some("default"), name);
    let options = WriteOptions::dry_run();
    plane.client().patch(kind, place, (PatchKind::Merge, &patch), &options).await.is_err()
}

async fn ensure_probe(plane: &Plane, kind: &ResourceType, name: &str) -> String {
    let client = plane.client();
    match client.create(kind, &probe(kind, name), &WriteOptions::default()).await {
        Ok(object) => object.uid().to_owned(),
        Err(_) => {
            let object = client.get(kind, Some("default"), name).await.expect("can be read");
            object.expect("is there").uid().to_owned()
        }
    }
}

/// An object that every policy of its name is about.
fn probe(kind: &ResourceType, name: &str) -> Object {
    let labels: Value = json!({REFUSED_BY: name});
    Object::new(json!({"apiVersion": kind.api_version(), "kind": kind.kind,
        "metadata": {"name": name, "namespace": "default", "labels": labels,
            "finalizers": ["proof.kubectl-pivot.io/probe"]},
        "spec": {"paused": true, "clusterNetwork": {"services": {"cidrBlocks": ["10.0.0.0/24"]}}}}))
}
