//! Users who are not known, or may not do all that a move needs.

use std::path::PathBuf;
use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::WriteOptions;
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use serde_json::{Value, json};

use super::bench::{Bench, code, create, expect, kubeconfig};

const RBAC: &str = "rbac.authorization.k8s.io/v1";

pub(crate) fn add(suite: Suite<Bench>) -> Suite<Bench> {
    suite
        .case("wrong_credentials", wrong_credentials)
        .case("stranger_to_the_source", stranger_to_the_source)
        .case("reader_of_the_source", reader_of_the_source)
        .case("no_update_of_the_finalizers_of_owners", no_finalizers_of_owners)
        .case("the_roles_that_rbac_prints_are_enough", printed_roles)
        .thorough("reader_of_the_target", reader_of_the_target)
        .thorough("no_new_namespaces_on_the_target", no_new_namespaces)
}

async fn wrong_credentials(bench: Arc<Bench>) {
    bench.populate("unknown-user").await;
    let before = bench.snapshot("unknown-user").await;
    let folder = bench.fixture().folder("kubeconfigs");
    let wrong = |plane: &Plane, name: &str| {
        kubeconfig(&folder, name, &plane.control().url(), &json!({"token": "not-a-token"}))
    };
    let (source, target) = (bench.pair().source.kubeconfig(), bench.pair().target.kubeconfig());
    let outcome =
        bench.run_as(source, &wrong(&bench.pair().target, "wrong-target"), "unknown-user").await;
    expect(
        &outcome,
        code::REFUSED,
        &["nothing was changed", "target cluster", "401", "credentials"],
    );
    let outcome =
        bench.run_as(&wrong(&bench.pair().source, "wrong-source"), target, "unknown-user").await;
    expect(
        &outcome,
        code::REFUSED,
        &["nothing was changed", "source cluster", "401", "credentials"],
    );
    bench.expect_untouched("unknown-user", &before, &outcome).await;
}

/// A user without any rule.
async fn stranger_to_the_source(bench: Arc<Bench>) {
    let namespace = "not-invited";
    bench.populate(namespace).await;
    let before = bench.snapshot(namespace).await;
    let user = user(&bench.pair().source, "stranger");
    let outcome = bench.run_as(&user, bench.pair().target.kubeconfig(), namespace).await;
    expect(
        &outcome,
        code::REFUSED,
        &["nothing was changed", "source", "forbidden", "list", "hint:"],
    );
    bench.expect_untouched(namespace, &before, &outcome).await;
}

/// May read everything, but neither pause nor delete.
async fn reader_of_the_source(bench: Arc<Bench>) {
    let namespace = "read-only";
    bench.populate(namespace).await;
    let before = bench.snapshot(namespace).await;
    let user = user(&bench.pair().source, "reader");
    grant(&bench.pair().source, "reader", &rules(&["get", "list", "watch"])).await;
    let outcome = bench.run_as(&user, bench.pair().target.kubeconfig(), namespace).await;
    let says = [
        "nothing was changed",
        "source",
        "may not delete, patch machines.cluster.x-k8s.io in namespace read-only",
        "may not delete, patch clusters.cluster.x-k8s.io in namespace read-only",
        "grant",
    ];
    expect(&outcome, code::REFUSED, &says);
    bench.expect_untouched(namespace, &before, &outcome).await;
}

async fn reader_of_the_target(bench: Arc<Bench>) {
    let namespace = "look-only";
    bench.populate(namespace).await;
    let before = bench.snapshot(namespace).await;
    let user = user(&bench.pair().target, "onlooker");
    grant(&bench.pair().target, "onlooker", &rules(&["get", "list", "watch"])).await;
    let outcome = bench.run_as(bench.pair().source.kubeconfig(), &user, namespace).await;
    let says = [
        "nothing was changed",
        "target",
        "may not create, delete, patch, update secrets in namespace look-only",
        "grant",
    ];
    expect(&outcome, code::REFUSED, &says);
    bench.expect_untouched(namespace, &before, &outcome).await;
}

/// May write every kind of a move, but the namespace is not there and the user may not create it.
async fn no_new_namespaces(bench: Arc<Bench>) {
    let namespace = "unheard-of";
    bench.populate(namespace).await;
    let before = bench.snapshot(namespace).await;
    let user = user(&bench.pair().target, "tenant");
    let all = ["get", "list", "watch", "create", "update", "patch", "delete"];
    let mut rules = rules(&["get", "list", "watch"]);
    let kinds = ["secrets", "configmaps"];
    rules.push(json!({"apiGroups": [""], "resources": kinds, "verbs": all}));
    let groups = ["", "infrastructure.", "bootstrap.", "controlplane."]
        .map(|group| format!("{group}cluster.x-k8s.io"));
    rules.push(json!({"apiGroups": groups, "resources": ["*"], "verbs": all}));
    rules
        .push(json!({"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": all}));
    grant(&bench.pair().target, "tenant", &rules).await;
    let outcome = bench.run_as(bench.pair().source.kubeconfig(), &user, namespace).await;
    expect(
        &outcome,
        code::REFUSED,
        &["nothing was changed", "target", "may not create, patch namespaces"],
    );
    bench.expect_untouched(namespace, &before, &outcome).await;
}

/// May write every kind of a move, but not its subresource `finalizers`, which an API server can
/// ask for where an object holds up the deletion of its owner.
async fn no_finalizers_of_owners(bench: Arc<Bench>) {
    let namespace = "no-finalizers";
    bench.populate(namespace).await;
    let before = bench.snapshot(namespace).await;
    let user = user(&bench.pair().target, "owner");
    let groups = ["", "infrastructure.", "bootstrap.", "controlplane."]
        .map(|group| format!("{group}cluster.x-k8s.io"));
    let kinds = ["clusters", "machines", "dockerclusters", "dockermachines", "kubeadmconfigs"];
    let mut rules = rules(&["get", "list", "watch"]);
    rules.push(json!({"apiGroups": groups, "resources": kinds, "verbs": ["*"]}));
    let core = ["secrets", "configmaps", "namespaces"];
    rules.push(json!({"apiGroups": [""], "resources": core, "verbs": ["*"]}));
    let leases = ["coordination.k8s.io"];
    rules.push(json!({"apiGroups": leases, "resources": ["leases"], "verbs": ["*"]}));
    grant(&bench.pair().target, "owner", &rules).await;
    let outcome = bench.run_as(bench.pair().source.kubeconfig(), &user, namespace).await;
    let says = [
        "nothing was changed",
        "cannot set blockOwnerDeletion",
        "the verb update on the subresource finalizers of Machine.cluster.x-k8s.io",
    ];
    expect(&outcome, code::REFUSED, &says);
    bench.expect_untouched(namespace, &before, &outcome).await;

    let user = self::user(&bench.pair().target, "landlord");
    let finalizers = kinds.map(|kind| format!("{kind}/finalizers"));
    rules.push(json!({"apiGroups": groups, "resources": finalizers, "verbs": ["update"]}));
    grant(&bench.pair().target, "landlord", &rules).await;
    let outcome = bench.run_as(bench.pair().source.kubeconfig(), &user, namespace).await;
    expect(&outcome, code::MOVED, &[]);
}

/// Users who may do what `rbac` prints, and nothing else.
async fn printed_roles(bench: Arc<Bench>) {
    let namespace = "by-roles";
    bench.populate(namespace).await;
    let mut users = Vec::new();
    for (plane, role) in [(&bench.pair().source, "source"), (&bench.pair().target, "target")] {
        let name = format!("mover-{role}");
        let kubeconfig = plane.kubeconfig().display().to_string();
        let args = ["rbac", role, "--kubeconfig", &kubeconfig, "-n", namespace, "--user", &name];
        let printed = bench.fixture().kubectl_pivot().run(args.iter().chain(&["-o", "json"])).await;
        if role == "target" {
            // Whoever grants a role in a namespace needs the namespace.
            create(
                plane,
                "namespaces",
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
            )
            .await;
        }
        let list = printed.expect_success("rbac").json();
        for object in list["items"].as_array().expect("a List") {
            let object = Object::new(object.clone());
            let plural = format!("{}s", object.kind().to_lowercase());
            let is_namespaced = object.namespace().is_some();
            let kind = ResourceType::new(RBAC, object.kind(), &plural, is_namespaced);
            let created = plane.client().create(&kind, &object, &WriteOptions::default()).await;
            created.expect("a valid role or binding");
        }
        users.push(user(plane, &name));
    }
    let outcome = bench.run_as(&users[0], &users[1], namespace).await;
    expect(&outcome, code::MOVED, &[]);
}

pub(crate) fn user(plane: &Plane, name: &str) -> PathBuf {
    plane.control().kubeconfig_for(name, None).expect("a certificate")
}

fn rules(verbs: &[&str]) -> Vec<Value> {
    vec![
        json!({"apiGroups": ["*"], "resources": ["*"], "verbs": verbs}),
        json!({"nonResourceURLs": ["*"], "verbs": ["get"]}),
    ]
}

pub(crate) async fn grant(plane: &Plane, user: &str, rules: &[Value]) {
    let name = format!("proof-{user}");
    create(
        plane,
        "clusterroles",
        json!({"apiVersion": RBAC, "kind": "ClusterRole",
        "metadata": {"name": name}, "rules": rules}),
    )
    .await;
    let binding = json!({
        "apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    });
    create(plane, "clusterrolebindings", binding).await;
}
