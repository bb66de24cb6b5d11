//! Providers that the operator of Cluster API, Helm or plain manifests have installed: clusterctl
//! has no inventory of them, and their Deployments say what they are.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::WriteOptions;
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use serde_json::json;

use super::bench::{Bench, code, expect};

const PROVIDERS: [(&str, &str); 2] =
    [("capi-system", "cluster-api"), ("capd-system", "infrastructure-docker")];

pub(crate) fn add(suite: Suite<Bench>) -> Suite<Bench> {
    suite.thorough("providers_without_an_inventory_are_known_by_their_deployments", known)
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
            "metadata": {"name": label, "namespace": namespace, "labels": {"cluster.x-k8s.io/provider": label}},
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
