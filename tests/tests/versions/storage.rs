//! A kind that both clusters serve at the same versions, and store at different ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use capi::{Object, ResourceType};
use cluster::{Client, WriteOptions};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::population::small;

const GROUP: &str = "widgets.example.com";
const PATIENCE: Duration = Duration::from_secs(30);

/// The version that the target stores lacks a field. The API server drops it without any webhook.
pub(crate) async fn refused_and_accepted(bench: Arc<Bench>) {
    let sides = [(&bench.source.client, "v1alpha1"), (&bench.target.client, "v1beta1")];
    for (client, stored) in sides {
        install(client, stored).await;
    }
    let namespace = bench.populate(|namespace| small(namespace).0).await;
    let widget = json!({"apiVersion": format!("{GROUP}/v1alpha1"), "kind": "Widget",
        "metadata": {"name": "w", "namespace": namespace}, "spec": {"kept": "a", "old": "b"}});
    let (kind, widget, options) =
        (widgets("v1alpha1"), Object::new(widget), WriteOptions::default());
    let created = bench.source.client.create(&kind, &widget, &options).await;
    created.unwrap_or_else(|error| panic!("{error}: {}", error.cause));
    let refused = bench.run(&["move", "-n", &namespace, "--dry-run"]).await;
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(refused.says("[ConversionLoss]") && refused.says("spec.old"), "{refused}");
    let accepting = ["move", "-n", &namespace, "--yes", "--accept-loss", "Widget.spec.old"];
    bench.run(&accepting).await.expect_success("the move");
    let copy = bench.target.client.get(&widgets("v1beta1"), Some(&namespace), "w").await;
    let copy = copy.expect("get").expect("it was moved");
    assert_eq!(copy.value()["spec"], json!({"kept": "a"}));
    for (client, _) in sides {
        remove(client).await;
    }
}

fn widgets(version: &str) -> ResourceType {
    ResourceType::new(&format!("{GROUP}/{version}"), "Widget", "widgets", true)
}

fn crds() -> ResourceType {
    let (version, plural) = ("apiextensions.k8s.io/v1", "customresourcedefinitions");
    ResourceType::new(version, "CustomResourceDefinition", plural, false)
}

async fn install(client: &Client, stored: &str) {
    let version = |name: &str, fields: &[&str]| {
        let fields = fields.iter().map(|field| ((*field).to_owned(), json!({"type": "string"})));
        let spec = json!({"type": "object", "properties": Value::Object(fields.collect())});
        json!({"name": name, "served": true, "storage": name == stored, "schema":
            {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}})
    };
    let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{GROUP}"), "labels": {
            "clusterctl.cluster.x-k8s.io": "", "clusterctl.cluster.x-k8s.io/move": ""}},
        "spec": {"group": GROUP, "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
            "versions": [version("v1alpha1", &["kept", "old"]), version("v1beta1", &["kept"])]}});
    let created = client.create(&crds(), &Object::new(crd), &WriteOptions::default()).await;
    created.unwrap_or_else(|error| panic!("{error}: {}", error.cause));
    let deadline = Instant::now() + PATIENCE;
    while client.list(&widgets("v1beta1"), None).await.is_err() {
        assert!(Instant::now() < deadline, "the kind is not served");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// With its objects.
async fn remove(client: &Client) {
    let name = format!("widgets.{GROUP}");
    let crd = client.get(&crds(), None, &name).await.expect("get").expect("it is there");
    client.delete(&crds(), None, &name, crd.uid()).await.expect("the deletion");
    let deadline = Instant::now() + PATIENCE;
    while client.get(&crds(), None, &name).await.expect("get").is_some() {
        assert!(Instant::now() < deadline, "the CRD does not go");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
