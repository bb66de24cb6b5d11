//! API servers that refuse: policies and webhooks, on the target and on the source.

use std::sync::Arc;
use std::time::Duration;

use kubectl_pivot::capi::{Object, ResourceType};
use kubectl_pivot::cluster::WriteOptions;
use kubectl_pivot_tests::population::{Piece, Population, shapes};
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use serde_json::{Value, json};

use crate::bench::{Bench, code, create, delete, expect};
use crate::clusters::closed_port;

const ADMISSION: &str = "admissionregistration.k8s.io/v1";
/// Objects with this label are refused by the policy or webhook of its value.
const REFUSED_BY: &str = "proof.kubectl-pivot.io/refused-by";

pub(crate) fn add(suite: Suite<Bench>) -> Suite<Bench> {
    suite
        .case("policy_refuses_a_kind", policy_refuses_a_kind)
        .case("policy_refuses_half_way", policy_refuses_half_way)
        .case("dead_webhook", dead_webhook)
        .case("policy_refuses_deletion", policy_refuses_deletion)
}

/// Seen by the rehearsal, before anything is changed.
async fn policy_refuses_a_kind(bench: Arc<Bench>) {
    let mut population = Population::new("unwanted");
    population.add(shapes::bare_cluster("unwanted").label(REFUSED_BY, "no-clusters"));
    bench.pair.source.populate(&population).await;
    let policy = Policy {
        name: "no-clusters",
        operation: "CREATE",
        groups: "cluster.x-k8s.io",
        resources: "clusters",
    };
    policy.install(&bench.pair.target).await;
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
    policy.remove(&bench.pair.target).await;
}

/// The rehearsal tries one object of each kind; the one that is refused is another one.
async fn policy_refuses_half_way(bench: Arc<Bench>) {
    let namespace = "stopped";
    let mut population = Bench::population(namespace);
    let owner = population.add(shapes::bare_cluster("last"));
    let config = population.add(Piece::config_map("carrier").owned_by(owner));
    let machine = population.add(Piece::secret("carried").owned_by(config));
    population.add(Piece::secret("refused").label(REFUSED_BY, "not-this-secret").owned_by(machine));
    bench.pair.source.populate(&population).await;
    let policy =
        Policy { name: "not-this-secret", operation: "CREATE", groups: "", resources: "secrets" };
    policy.install(&bench.pair.target).await;
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    let says = [
        "put back",
        "create Secret stopped/refused in the target cluster",
        "not-this-secret refuses it",
        "hint:",
    ];
    expect(&outcome, code::UNDONE, &says);
    bench.expect_untouched(namespace, &before, &outcome).await;
    let outcome = bench.run(namespace, &["--preflight", "full"]).await;
    expect(
        &outcome,
        code::REFUSED,
        &["nothing was changed", "Secret stopped/refused", "not-this-secret refuses it"],
    );
    bench.expect_untouched(namespace, &before, &outcome).await;
    policy.remove(&bench.pair.target).await;
    let outcome = bench.run(namespace, &[]).await;
    expect(&outcome, code::MOVED, &[]);
}

async fn dead_webhook(bench: Arc<Bench>) {
    let namespace = "unanswered";
    let mut population = Population::new(namespace);
    population.add(shapes::bare_cluster(namespace).label(REFUSED_BY, "nobody-home"));
    bench.pair.source.populate(&population).await;
    let webhook = json!({
        "apiVersion": ADMISSION, "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "nobody-home"},
        "webhooks": [{
            "name": "nobody-home.proof.kubectl-pivot.io",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Fail",
            "timeoutSeconds": 2,
            "clientConfig": {"url": format!("https://127.0.0.1:{}/validate", closed_port())},
            "objectSelector": {"matchLabels": {REFUSED_BY: "nobody-home"}},
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"]}],
        }],
    });
    create(&bench.pair.target, "validatingwebhookconfigurations", webhook).await;
    wait_refused(&bench.pair.target, "nobody-home").await;
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
    delete(&bench.pair.target, ADMISSION, kind, plural, "nobody-home").await;
}

/// Beyond the point of no return: nothing is lost, nothing is active twice, and the run can be
/// finished once the cause is gone.
async fn policy_refuses_deletion(bench: Arc<Bench>) {
    let namespace = "clinging";
    let mut population = Bench::population(namespace);
    let first = population.add(shapes::bare_cluster("clinging-too"));
    population.add(Piece::config_map("clingy").label(REFUSED_BY, "no-delete").owned_by(first));
    let all = population.len();
    bench.pair.source.populate(&population).await;
    let policy =
        Policy { name: "no-delete", operation: "DELETE", groups: "", resources: "configmaps" };
    policy.install(&bench.pair.source).await;
    let outcome = bench.run(namespace, &[]).await;
    expect(
        &outcome,
        code::UNFINISHED,
        &[
            "delete ConfigMap clinging/clingy in the source cluster",
            "no-delete refuses it",
            "hint:",
            "complete and verified copy",
            "--continue",
        ],
    );
    let payload = |objects: &[Object]| {
        objects.iter().filter(|object| object.namespace() == Some(namespace)).count()
    };
    assert_eq!(payload(bench.pair.target.dump(&[namespace]).await.objects()), all, "{outcome}");
    let clusters = ResourceType::new(shapes::CORE, "Cluster", "clusters", true);
    let active = async |plane: &Plane| -> Vec<String> {
        let list = plane.client().list(&clusters, Some(namespace)).await.expect("list");
        let active = list.iter().filter(|cluster| cluster.value()["spec"]["paused"] != true);
        active.map(|cluster| cluster.name().to_owned()).collect()
    };
    assert_eq!(
        active(&bench.pair.source).await,
        Vec::<String>::new(),
        "active in the source: {outcome}"
    );
    policy.remove(&bench.pair.source).await;
    let run = run_id(&outcome.stderr);
    let outcome = bench.run(namespace, &["--continue", &run]).await;
    expect(&outcome, code::MOVED, &[]);
    assert_eq!(payload(bench.pair.source.dump(&[namespace]).await.objects()), 0, "{outcome}");
    assert_eq!(payload(bench.pair.target.dump(&[namespace]).await.objects()), all, "{outcome}");
    assert_eq!(active(&bench.pair.target).await, ["clinging", "clinging-too"], "{outcome}");
}

/// The word after `--continue` in what the program has said.
fn run_id(text: &str) -> String {
    let after = text.split("--continue ").nth(1).expect("it names the run");
    after.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// A ValidatingAdmissionPolicy that refuses objects labelled with its name.
struct Policy {
    name: &'static str,
    operation: &'static str,
    groups: &'static str,
    resources: &'static str,
}

impl Policy {
    async fn install(&self, plane: &Plane) {
        let name = self.name;
        let subject = if self.operation == "DELETE" { "oldObject" } else { "object" };
        let labels = format!("{subject}.metadata.?labels['{REFUSED_BY}'].orValue('')");
        create(plane, "validatingadmissionpolicies", json!({
            "apiVersion": ADMISSION, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [{"apiGroups": [self.groups], "apiVersions": ["*"],
                    "operations": [self.operation], "resources": [self.resources]}]},
                "validations": [{"expression": format!("{labels} != '{name}'"), "message": format!("{name} refuses it")}],
            },
        }))
        .await;
        create(plane, "validatingadmissionpolicybindings", json!({
            "apiVersion": ADMISSION, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        }))
        .await;
        self.wait(plane, true).await;
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

    async fn refuses(&self, plane: &Plane) -> bool {
        let clusters = ResourceType::new(shapes::CORE, "Cluster", "clusters", true);
        let kind = match self.resources {
            "clusters" => clusters,
            "configmaps" => ResourceType::core("ConfigMap", "configmaps"),
            _ => ResourceType::core("Secret", "secrets"),
        };
        if self.operation == "DELETE" {
            return refuses_deletion(plane, &kind, self.name).await;
        }
        refuses_creation(plane, &kind, self.name).await
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

/// Tries it on a probe that is really there, as deletions have no dry-run here.
async fn refuses_deletion(plane: &Plane, kind: &ResourceType, name: &str) -> bool {
    let client = plane.client();
    let created = client.create(kind, &probe(kind, name), &WriteOptions::default()).await;
    let uid = match created {
        Ok(object) => object.uid().to_owned(),
        Err(_) => {
            let object = client.get(kind, Some("default"), "probe").await.expect("can be read");
            object.expect("is there").uid().to_owned()
        }
    };
    client.delete(kind, Some("default"), "probe", &uid).await.is_err()
}

fn probe(kind: &ResourceType, name: &str) -> Object {
    let labels: Value = json!({REFUSED_BY: name});
    Object::new(json!({"apiVersion": kind.api_version(), "kind": kind.kind,
        "metadata": {"name": "probe", "namespace": "default", "labels": labels},
        "spec": {"clusterNetwork": {"services": {"cidrBlocks": ["10.0.0.0/24"]}}}}))
}
