//! Kinds, and versions of kinds, that only one of the two clusters has.

use std::sync::Arc;

use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::program::Outcome;
use serde_json::json;

use crate::bench::Bench;
use crate::crd::{Widgets, create, widgets};
use crate::population::small;

const BOTH: &str = "both.example.com";
const ALPHA: (&str, &[&str]) = ("v1alpha1", &["kept"]);
const BETA: (&str, &[&str]) = ("v1beta1", &["kept"]);

/// A version that the target does not serve: the kind moves in another one, and what was managed at
/// it is managed by nobody. Kinds of one side without objects are in nobody's way.
pub(crate) async fn of_versions(bench: Arc<Bench>) {
    let older = Widgets { group: BOTH, versions: &[ALPHA, BETA], stored: "v1alpha1" };
    let newer = Widgets { versions: &[BETA], stored: "v1beta1", ..older };
    let [here, there] = ["source.example.com", "target.example.com"].map(|group| Widgets {
        group,
        versions: &[BETA],
        stored: "v1beta1",
    });
    let (source, target) = (&bench.source.client, &bench.target.client);
    older.install(source).await;
    here.install(source).await;
    newer.install(target).await;
    there.install(target).await;
    let namespace = bench.populate(|namespace| small(namespace).0).await;
    let place = (Some(namespace.as_str()), "w");
    create(source, &widgets(BOTH, "v1alpha1"), (&namespace, "w"), json!({"kept": "a"})).await;
    let change = json!({"metadata": {"labels": {"newer": "yes"}}});
    let (kind, options) = (widgets(BOTH, "v1beta1"), WriteOptions::manager("newer-tool"));
    source.patch(&kind, place, (PatchKind::Merge, &change), &options).await.expect("the patch");

    let moved = bench.run(&["move", "-n", &namespace, "--yes"]).await;
    let moved = moved.expect_success("the move");
    assert!(moved.says("[FieldManagersDropped]"), "{moved}");
    let copy = target.get(&kind, place.0, place.1).await.expect("get").expect("it was moved");
    assert_eq!(copy.value()["spec"], json!({"kept": "a"}));
    let managers = copy.value()["metadata"]["managedFields"].as_array().expect("a list");
    let managers: Vec<&str> =
        managers.iter().filter_map(|entry| entry["manager"].as_str()).collect();
    assert_eq!(managers, ["newer-tool"]);
    for (widgets, client) in [(&older, source), (&here, source), (&newer, target), (&there, target)]
    {
        widgets.remove(client).await;
    }
}

/// Objects that the target cannot read at any version: the plan and the move are refused.
pub(crate) async fn unreadable(bench: Arc<Bench>) {
    let older = Widgets { group: BOTH, versions: &[ALPHA], stored: "v1alpha1" };
    let newer = Widgets { versions: &[BETA], stored: "v1beta1", ..older };
    let (source, target) = (&bench.source.client, &bench.target.client);
    older.install(source).await;
    let namespace = bench.populate(|namespace| small(namespace).0).await;
    create(source, &widgets(BOTH, "v1alpha1"), (&namespace, "w"), json!({"kept": "a"})).await;
    check_refused(&bench.run(&["move", "-n", &namespace, "--dry-run"]).await);
    newer.install(target).await;
    for command in ["move", "replace"] {
        check_refused(&bench.run(&[command, "-n", &namespace, "--yes"]).await);
    }
    assert!(bench.dump(&bench.target, &namespace).await.is_empty());
    older.remove(source).await;
    newer.remove(target).await;
    bench.run(&["move", "-n", &namespace, "--yes"]).await.expect_success("the move without it");
}

fn check_refused(outcome: &Outcome) {
    assert_eq!(outcome.code, Some(3), "{outcome}");
    assert!(outcome.says("[KindNotServed]") && outcome.says("v1alpha1"), "{outcome}");
}
