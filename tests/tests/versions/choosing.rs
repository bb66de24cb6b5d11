//! A choice of Clusters and a conversion in one move.

use std::sync::Arc;

use capi::Object;

use crate::bench::Bench;
use crate::ids;
use crate::population::fleet;

/// One Cluster of two; the other one and its class stay as they are, and move later.
pub(crate) async fn chosen(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet).await;
    let args = ["move", "-n", &namespace, "--cluster", "plain", "--yes", "-o", "json"];
    let report = bench.run(&args).await.expect_success("the move of one Cluster").json();
    let converted = report["conversions"].as_array().expect("a list");
    assert!(converted.iter().any(|kind| kind["resource"] == "clusters.cluster.x-k8s.io"));
    let left = bench.dump(&bench.source, &namespace).await;
    let arrived = bench.dump(&bench.target, &namespace).await;
    assert_eq!(named(&left, "Cluster"), ["managed"]);
    assert_eq!(named(&left, "ClusterClass"), ["standard"]);
    assert_eq!(named(&arrived, "Cluster"), ["plain"]);
    assert_eq!(named(&arrived, "ClusterClass"), Vec::<&str>::new());
    for object in left.iter().filter(|object| !object.group().is_empty()) {
        let marks = object.value()["metadata"]["annotations"].to_string();
        assert!(!marks.contains("kubectl-pivot.io"), "{}: {marks}", object.id());
    }
    bench.run(&["move", "-n", &namespace, "--yes"]).await.expect_success("the move of the rest");
    assert_eq!(ids(&bench.dump(&bench.source, &namespace).await), Vec::<String>::new());
}

fn named<'a>(objects: &'a [Object], kind: &str) -> Vec<&'a str> {
    objects.iter().filter(|object| object.kind() == kind).map(Object::name).collect()
}
