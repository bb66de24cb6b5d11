//! Moved objects beside those that were created in the target through the same version.

use std::collections::BTreeMap;
use std::sync::Arc;

use capi::Object;
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::population::{ObjectSpec, Population};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::ids;
use crate::population::{fleet_at_rest, small};

/// Clusters that their user has paused: controllers change nothing on either side.
pub(crate) async fn as_created_there(bench: Arc<Bench>) {
    let moved = bench.populate(fleet_at_rest).await;
    let created = format!("{moved}-created");
    let population = fleet_at_rest(&created);
    let there = population.create(&bench.target.client, &bench.target.kinds).await;
    there.unwrap_or_else(|error| panic!("{error}"));
    let run = bench.run(&["move", "-n", &moved, "--yes"]).await;
    run.expect_success("the move");
    let expected = contents(&bench.dump(&bench.target, &created).await, &created);
    let found = contents(&bench.dump(&bench.target, &moved).await, &moved);
    assert_eq!(
        expected.keys().collect::<Vec<_>>(),
        found.keys().collect::<Vec<_>>(),
        "the same objects"
    );
    for (name, content) in &expected {
        assert_eq!(&found[name], content, "{name}");
    }
    check_applied(&bench, &moved).await;
}

/// A manager that has applied fields through the older version removes them through the newer one.
async fn check_applied(bench: &Bench, namespace: &str) {
    let api_version = "infrastructure.cluster.x-k8s.io/v1beta2";
    let kind = bench.target.kinds.of(api_version, "DockerCluster");
    let nothing =
        json!({"apiVersion": api_version, "kind": "DockerCluster", "metadata": {"name": "plain"}});
    let place = (Some(namespace), "plain");
    let before = bench.target.client.get(&kind, place.0, place.1).await.expect("get");
    let before = before.expect("it was moved");
    assert_eq!(before.label("applied"), Some("yes"));
    let options = WriteOptions::manager("capi-topology");
    let patch = (PatchKind::Apply, &nothing);
    let applied = bench.target.client.patch(&kind, place, patch, &options).await.expect("apply");
    assert_eq!(applied.label("applied"), None);
    assert_eq!(applied.value()["spec"]["loadBalancer"]["imageTag"], Value::Null);
}

/// A template that the target has already is used if it is what the target would make of the
/// source's.
pub(crate) async fn used_as_it_is(bench: Arc<Bench>) {
    let namespace = bench.populate(with_template).await;
    let mut same = Population::new(&namespace);
    same.add(shared(4));
    let created = same.create(&bench.target.client, &bench.target.kinds).await;
    created.unwrap_or_else(|error| panic!("{error}"));
    let report = bench.run(&["move", "-n", &namespace, "--yes", "-o", "json"]).await;
    let report = report.expect_success("the move").json();
    let reused = report["reused"].as_array().expect("a list");
    assert!(reused.iter().any(|object| object["name"] == "shared"), "{reused:?}");
    let other = bench.populate(with_template).await;
    let mut different = Population::new(&other);
    different.add(shared(5));
    let created = different.create(&bench.target.client, &bench.target.kinds).await;
    created.unwrap_or_else(|error| panic!("{error}"));
    let refused = bench.run(&["move", "-n", &other, "--yes"]).await;
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(refused.says("[Exists]"), "{refused}");
    assert!(!ids(&bench.dump(&bench.source, &other).await).is_empty());
}

fn with_template(namespace: &str) -> Population {
    let (mut population, _) = small(namespace);
    population.add(shared(4));
    population
}

fn shared(verbosity: u32) -> ObjectSpec {
    ObjectSpec::new("bootstrap.cluster.x-k8s.io/v1beta1", "KubeadmConfigTemplate", "shared")
        .label("clusterctl.cluster.x-k8s.io/move", "")
        .spec(json!({"template": {"spec": {"verbosity": verbosity,
            "useExperimentalRetryJoin": true}}}))
}

/// Labels, annotations, owners and everything but metadata and status, by kind and name, without
/// the namespace. References to owners count as they were written, but for the uid.
pub(crate) fn contents(objects: &[Object], namespace: &str) -> BTreeMap<String, Value> {
    let content = |object: &Object| {
        let mut value = object.value().clone();
        let metadata = &value["metadata"];
        let kept = json!({"labels": metadata["labels"], "annotations": metadata["annotations"],
            "owners": owners(object)});
        let fields = value.as_object_mut().expect("an object");
        fields.insert("metadata".to_owned(), kept);
        fields.remove("status");
        let text = value.to_string().replace(namespace, "NAMESPACE");
        let name = format!("{} {}", object.kind(), object.name());
        (name, serde_json::from_str(&text).expect("only words are replaced"))
    };
    objects.iter().map(content).collect()
}

fn owners(object: &Object) -> Vec<Value> {
    let written = object.value()["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let mut owners: Vec<Value> = written.cloned().collect();
    for owner in &mut owners {
        owner.as_object_mut().expect("an owner").remove("uid");
    }
    owners.sort_by_key(Value::to_string);
    owners
}
