//! A kind of our own, `Widget`, at versions of our choice.

use std::time::{Duration, Instant};

use capi::{Object, ResourceType};
use cluster::{Client, WriteOptions};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

/// The kind as one cluster has it.
pub(crate) struct Widgets<'a> {
    pub(crate) group: &'a str,
    /// The versions that it serves, with the fields of each.
    pub(crate) versions: &'a [(&'a str, &'a [&'a str])],
    pub(crate) stored: &'a str,
}

impl Widgets<'_> {
    pub(crate) async fn install(&self, client: &Client) {
        let crd = Object::new(self.crd());
        let created = client.create(&crds(), &crd, &WriteOptions::default()).await;
        created.unwrap_or_else(|error| panic!("{error}: {}", error.cause));
        let deadline = Instant::now() + PATIENCE;
        while client.list(&widgets(self.group, self.stored), None).await.is_err() {
            assert!(Instant::now() < deadline, "the kind is not served");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn crd(&self) -> Value {
        let version = |(name, fields): &(&str, &[&str])| {
            let fields =
                fields.iter().map(|field| ((*field).to_owned(), json!({"type": "string"})));
            let spec = json!({"type": "object", "properties": Value::Object(fields.collect())});
            json!({"name": name, "served": true, "storage": *name == self.stored, "schema":
                {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}})
        };
        let versions: Vec<Value> = self.versions.iter().map(version).collect();
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("widgets.{}", self.group), "labels": {
                "clusterctl.cluster.x-k8s.io": "", "clusterctl.cluster.x-k8s.io/move": ""}},
            "spec": {"group": self.group, "scope": "Namespaced", "versions": versions,
                "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"}}})
    }

    /// Removes the kind with its objects.
    pub(crate) async fn remove(&self, client: &Client) {
        let name = format!("widgets.{}", self.group);
        let crd = client.get(&crds(), None, &name).await.expect("get").expect("it is there");
        client.delete(&crds(), None, &name, crd.uid()).await.expect("the deletion");
        let deadline = Instant::now() + PATIENCE;
        while client.get(&crds(), None, &name).await.expect("get").is_some() {
            assert!(Instant::now() < deadline, "the CRD does not go");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

pub(crate) fn widgets(group: &str, version: &str) -> ResourceType {
    ResourceType::new(&format!("{group}/{version}"), "Widget", "widgets", true)
}

/// Creates a widget with this spec.
pub(crate) async fn create(client: &Client, kind: &ResourceType, place: (&str, &str), spec: Value) {
    let widget = json!({"apiVersion": kind.api_version(), "kind": "Widget",
        "metadata": {"name": place.1, "namespace": place.0}, "spec": spec});
    let options = WriteOptions::manager("older-tool");
    let created = client.create(kind, &Object::new(widget), &options).await;
    created.unwrap_or_else(|error| panic!("{error}: {}", error.cause));
}

fn crds() -> ResourceType {
    let (version, plural) = ("apiextensions.k8s.io/v1", "customresourcedefinitions");
    ResourceType::new(version, "CustomResourceDefinition", plural, false)
}
