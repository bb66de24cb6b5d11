//! A kind that both clusters serve at the same versions, and store at different ones.

use std::sync::Arc;

use serde_json::json;

use crate::bench::Bench;
use crate::crd::{Widgets, create, widgets};
use crate::population::small;

const GROUP: &str = "widgets.example.com";

/// The version that the target stores lacks a field. The API server drops it without any webhook.
pub(crate) async fn refused_and_accepted(bench: Arc<Bench>) {
    let versions: &[(&str, &[&str])] = &[("v1alpha1", &["kept", "old"]), ("v1beta1", &["kept"])];
    let older = Widgets { group: GROUP, versions, stored: "v1alpha1" };
    let newer = Widgets { stored: "v1beta1", ..older };
    older.install(&bench.source.client).await;
    newer.install(&bench.target.client).await;
    let namespace = bench.populate(|namespace| small(namespace).0).await;
    let spec = json!({"kept": "a", "old": "b"});
    let kind = widgets(GROUP, "v1alpha1");
    create(&bench.source.client, &kind, (&namespace, "w"), spec).await;
    let refused = bench.run(&["move", "-n", &namespace, "--dry-run"]).await;
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(refused.says("[ConversionLoss]") && refused.says("spec.old"), "{refused}");
    let accepting = ["move", "-n", &namespace, "--yes", "--accept-loss", "Widget.spec.old"];
    bench.run(&accepting).await.expect_success("the move");
    let copy = bench.target.client.get(&widgets(GROUP, "v1beta1"), Some(&namespace), "w").await;
    let copy = copy.expect("get").expect("it was moved");
    assert_eq!(copy.value()["spec"], json!({"kept": "a"}));
    older.remove(&bench.source.client).await;
    newer.remove(&bench.target.client).await;
}
