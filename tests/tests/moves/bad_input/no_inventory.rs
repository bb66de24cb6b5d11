//! Providers that the operator of Cluster API, Helm or plain manifests have installed: clusterctl
//! has no inventory of them, and their Deployments say what they are.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::population::crds::DISCOVERED;
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use serde_json::{Value, json};

use super::bench::{Bench, code, expect};

const PROVIDERS: [(&str, &str); 2] =
    [("capi-system", "cluster-api"), ("capd-system", "infrastructure-docker")];

pub(crate) fn add(suite: Suite<Bench>) -> Suite<Bench> {
    suite
        .thorough("providers_without_an_inventory_are_known_by_their_deployments", known)
        .thorough("crds_that_clusterctl_has_not_labelled_are_known_by_their_provider", unlabelled)
}

async fn known(bench: Arc<Bench>) {
    let namespace = "installed-otherwise";
    bench.populate(namespace).await;
    let (source, target) = (&bench.pair().source, &bench.pair().target);
    let inventories = [forget(source).await, forget(target).await];
    let no_source = bench.run(namespace, &["--dry-run"]).await;
    deploy(source, &PROVIDERS, "v1.14.2").await;
    deploy(target, &PROVIDERS[..1], "v1.14.2").await;
    let missing = bench.run(namespace, &["--dry-run"]).await;
    deploy(target, &PROVIDERS[1..], "v1.13.0").await;
    let older = bench.run(namespace, &["--dry-run"]).await;
    remove(target, &PROVIDERS[1..]).await;
    deploy(target, &PROVIDERS[1..], "v1.14.2").await;
    let moved = bench.run(namespace, &[]).await;
    for (plane, inventory) in [source, target].into_iter().zip(&inventories) {
        remove(plane, &PROVIDERS).await;
        remember(plane, inventory).await;
    }
    expect(&no_source, code::REFUSED, &["[NotInitialised]", "cluster.x-k8s.io/provider"]);
    expect(&missing, code::REFUSED, &["[ProviderMissing]", "InfrastructureProvider docker"]);
    expect(&older, code::REFUSED, &["[ProviderOlder]", "1.13.0"]);
    expect(&moved, code::MOVED, &[]);
    bench.clean_up(namespace).await;
}

/// The released manifests have the label of the provider only.
async fn unlabelled(bench: Arc<Bench>) {
    let namespace = "applied-by-hand";
    bench.populate(namespace).await;
    let before = bench.snapshot(namespace).await;
    let (source, target) = (&bench.pair().source, &bench.pair().target);
    let of_clusterctl = [take_labels(source).await, take_labels(target).await];
    let planned = bench.run(namespace, &["--dry-run"]).await;
    label(source, CLUSTERS, PROVIDER, Value::Null).await;
    let unknown = bench.run(namespace, &[]).await;
    label(source, CLUSTERS, PROVIDER, "cluster-api".into()).await;
    label(target, CLUSTERS, PROVIDER, Value::Null).await;
    let not_taken = bench.run(namespace, &[]).await;
    label(target, CLUSTERS, PROVIDER, "cluster-api".into()).await;
    bench.expect_untouched(namespace, &before, &not_taken).await;
    let moved = bench.run(namespace, &[]).await;
    let left = source.client().list(&clusters(), Some(namespace)).await.expect("can be listed");
    for (plane, crds) in [source, target].into_iter().zip(&of_clusterctl) {
        for crd in crds {
            label(plane, crd, DISCOVERED, "".into()).await;
        }
    }
    expect(&planned, 0, &["[CrdsNotLabelled]", "kubectl label crd -l"]);
    expect(&unknown, code::REFUSED, &["[ClusterNotLabelled]", CLUSTERS]);
    expect(&not_taken, code::REFUSED, &["[KindNotLabelled]", CLUSTERS]);
    expect(&moved, code::MOVED, &["[CrdsNotLabelled]"]);
    assert_eq!(left.len(), 0, "{moved}");
    bench.clean_up(namespace).await;
}

const CLUSTERS: &str = "clusters.cluster.x-k8s.io";
const PROVIDER: &str = "cluster.x-k8s.io/provider";

fn clusters() -> ResourceType {
    ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true)
}

fn crds() -> ResourceType {
    let kind = "CustomResourceDefinition";
    ResourceType::new("apiextensions.k8s.io/v1", kind, "customresourcedefinitions", false)
}

/// Takes clusterctl's label from the CRDs of providers, and returns their names.
async fn take_labels(plane: &Plane) -> Vec<String> {
    let selector = format!("{PROVIDER},{DISCOVERED}");
    let found = plane.client().list_selected(&crds(), None, &selector).await;
    let found = found.expect("can be listed");
    let names: Vec<String> = found.iter().map(|crd| crd.name().to_owned()).collect();
    for name in &names {
        label(plane, name, DISCOVERED, Value::Null).await;
    }
    names
}

async fn label(plane: &Plane, crd: &str, key: &str, value: Value) {
    let patch = json!({"metadata": {"labels": {key: value}}});
    let options = WriteOptions::manager("administrator");
    let (crds, client) = (crds(), plane.client());
    let done = client.patch(&crds, (None, crd), (PatchKind::Merge, &patch), &options);
    done.await.expect("a CRD of the cluster");
}

fn inventory() -> ResourceType {
    ResourceType::new("clusterctl.cluster.x-k8s.io/v1alpha3", "Provider", "providers", true)
}

fn deployments() -> ResourceType {
    ResourceType::new("apps/v1", "Deployment", "deployments", true)
}

/// Takes clusterctl's inventory out of a cluster.
async fn forget(plane: &Plane) -> Vec<Object> {
    let found = plane.client().list(&inventory(), None).await.expect("can be listed");
    for provider in &found {
        let (namespace, name) = (provider.namespace(), provider.name());
        let deleted = plane.client().delete(&inventory(), namespace, name, provider.uid()).await;
        deleted.expect("can be deleted");
    }
    found
}

async fn remember(plane: &Plane, inventory_of: &[Object]) {
    for provider in inventory_of {
        let mut provider = provider.clone();
        provider.remove_server_fields();
        let options = WriteOptions::default();
        let created = plane.client().create(&inventory(), &provider, &options).await;
        created.expect("it was there before");
    }
}

async fn deploy(plane: &Plane, providers: &[(&str, &str)], version: &str) {
    for (namespace, label) in providers {
        let image = format!("registry.example/{label}:{version}");
        let object = Object::new(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": label, "namespace": namespace,
                "labels": {"cluster.x-k8s.io/provider": label}},
            "spec": {
                "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}},
                    "spec": {"containers": [{"name": "manager", "image": image}]}},
            },
        }));
        let options = WriteOptions::default();
        let created = plane.client().create(&deployments(), &object, &options).await;
        created.expect("a valid Deployment");
    }
}

async fn remove(plane: &Plane, providers: &[(&str, &str)]) {
    for (namespace, label) in providers {
        let client = plane.client();
        let found = client.get(&deployments(), Some(namespace), label).await;
        let found = found.expect("can be read").expect("is there");
        let deleted = client.delete(&deployments(), Some(namespace), label, found.uid()).await;
        deleted.expect("can be deleted");
    }
}
