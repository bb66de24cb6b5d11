//! The populations by name, each moved in a namespace of its own.

use std::sync::Arc;

use kubectl_pivot_tests::population::{
    Population, class, dashes, identity, ipam, labels, large, old_version, pools, resource_set,
    shared, unlabelled,
};
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use sandbox::fleet::{self, FleetOptions};
use support::journal::Events;

use crate::Parity;
use crate::alike::{Scope, moves_alike, populations_move_alike};

/// The namespace of the Docker provider, where global identities keep their Secrets.
const PROVIDER_NAMESPACE: &str = "capd-system";

type Builder = fn(&str) -> Population;

const PLAIN: [(&str, Builder); 4] = [
    ("cluster_resource_set", resource_set::population),
    ("shared_secret", shared::population),
    ("machine_pool_and_health_check", pools::population),
    ("created_as_v1beta1", old_version::population),
];

/// Of these the random graphs, the fleet or another population show most.
const THOROUGH: [(&str, Builder); 5] = [
    ("class_in_same_namespace", class::same_namespace),
    ("move_labels", labels::population),
    ("ip_addresses", ipam::population),
    ("dashed_names", dashes::population),
    ("large_secret", large::population),
];

pub(crate) fn add(suite: Suite<Parity>) -> Suite<Parity> {
    let suite = PLAIN.into_iter().fold(suite, |suite, (name, build)| {
        suite.case(name, move |parity| async move { plain(&parity, name, build).await })
    });
    let suite = THOROUGH.into_iter().fold(suite, |suite, (name, build)| {
        suite.thorough(name, move |parity| async move { plain(&parity, name, build).await })
    });
    suite
        .case("plain_fleet", plain_fleet)
        .case("class_in_other_namespace", class_in_other_namespace)
        .thorough("class_used_elsewhere", class_used_elsewhere)
        .case("strangers_and_orphans", strangers_and_orphans)
}

/// Comes last: a global object stays in the source, and so is in scope of every later move.
pub(crate) fn add_global(suite: Suite<Parity>) -> Suite<Parity> {
    suite.case("global_identity", global_identity)
}

fn namespace_of(case: &str) -> String {
    format!("proof-{}", case.replace('_', "-"))
}

async fn plain(parity: &Parity, case: &str, build: Builder) {
    let namespace = namespace_of(case);
    let scope = Scope { case, namespace: &namespace, others: &[] };
    let moved = populations_move_alike(parity, &scope, &build(&namespace)).await;
    moved.unwrap_or_else(|difference| panic!("{difference}"));
}

async fn plain_fleet(parity: Arc<Parity>) {
    let namespace = namespace_of("plain_fleet");
    let empty = Population::new(&namespace);
    parity.twins.populate(&empty).await;
    tokio::join!(
        grow(&parity.twins.theirs.source, &namespace),
        grow(&parity.twins.ours.source, &namespace)
    );
    let scope = Scope { case: "plain_fleet", namespace: &namespace, others: &[] };
    moves_alike(&parity, &scope).await.unwrap_or_else(|difference| panic!("{difference}"));
}

async fn grow(plane: &Plane, namespace: &str) {
    let options = FleetOptions {
        clusters: 2,
        workers: 2,
        namespace: namespace.to_owned(),
        ..FleetOptions::default()
    };
    fleet::create(plane.client(), &options, &Events::none()).await.expect("a fleet");
}

async fn class_in_other_namespace(parity: Arc<Parity>) {
    let scope = Scope {
        case: "class_in_other_namespace",
        namespace: "proof-class-user",
        others: &["proof-class-home"],
    };
    let population = class::other_namespace("proof-class-user", "proof-class-home");
    let moved = populations_move_alike(&parity, &scope, &population).await;
    moved.unwrap_or_else(|difference| panic!("{difference}"));
}

async fn class_used_elsewhere(parity: Arc<Parity>) {
    let scope = Scope {
        case: "class_used_elsewhere",
        namespace: "proof-class-lent",
        others: &["proof-class-abroad"],
    };
    let population = class::used_elsewhere("proof-class-lent", "proof-class-abroad");
    let moved = populations_move_alike(&parity, &scope, &population).await;
    moved.unwrap_or_else(|difference| panic!("{difference}"));
}

/// An object that does not move must be named in the report, with a reason.
async fn strangers_and_orphans(parity: Arc<Parity>) {
    let namespace = namespace_of("strangers_and_orphans");
    let scope = Scope { case: "strangers_and_orphans", namespace: &namespace, others: &[] };
    let moved = populations_move_alike(&parity, &scope, &unlabelled::population(&namespace)).await;
    let report = moved.unwrap_or_else(|difference| panic!("{difference}")).json();
    let unmoved = report["notMoved"].as_array().cloned().unwrap_or_default();
    for (kind, name) in [
        ("RelatedObject", "stranger"),
        ("Secret", "of-stranger"),
        ("Secret", "orphan-secret"),
        ("Gadget", "orphan-gadget"),
    ] {
        let entry = unmoved.iter().find(|entry| entry["kind"] == kind && entry["name"] == name);
        let entry = entry.unwrap_or_else(|| panic!("{kind} {name} is not reported: {report:#}"));
        assert!(entry["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{entry}");
        assert_eq!(entry["namespace"], namespace.as_str());
    }
}

/// Moved twice: the identity stays in the source, so the second move meets it on the target.
async fn global_identity(parity: Arc<Parity>) {
    let first = namespace_of("global_identity");
    let scope = Scope { case: "global_identity", namespace: &first, others: &[PROVIDER_NAMESPACE] };
    let population = identity::population(&first, PROVIDER_NAMESPACE);
    let moved = populations_move_alike(&parity, &scope, &population).await;
    let report = moved.unwrap_or_else(|difference| panic!("{difference}")).json();
    let kept = report["kept"].as_array().cloned().unwrap_or_default();
    for (kind, name) in [("GlobalIdentity", identity::NAME), ("Secret", "account-credentials")] {
        assert!(
            kept.iter().any(|k| k["kind"] == kind && k["name"] == name),
            "{kind} {name} is not reported: {report:#}"
        );
    }
    let second = namespace_of("global_identity_again");
    let scope =
        Scope { case: "global_identity", namespace: &second, others: &[PROVIDER_NAMESPACE] };
    let moved = populations_move_alike(&parity, &scope, &shared::population(&second)).await;
    moved.unwrap_or_else(|difference| panic!("{difference}"));
}
