//! The time of the owner graph, with up to 100,000 objects: what a move of thousands of Clusters
//! spends on it before its first write.
//!
//! `cargo bench -p kubectl-pivot-capi --bench graph`.

use std::hint::black_box;
use std::sync::Arc;

use capi::{Chosen, Graph, MoveKind, Object, ResourceType, Scope};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;

/// Namespaces over which the Clusters are spread.
const NAMESPACES: usize = 20;

/// Machines of each Cluster; each has two objects of its own.
const MACHINES: usize = 8;

/// `apiVersion` and kind, in the order of [`kinds`].
const KINDS: [(&str, &str); 6] = [
    ("cluster.x-k8s.io/v1beta2", "Cluster"),
    ("cluster.x-k8s.io/v1beta2", "Machine"),
    ("infrastructure.cluster.x-k8s.io/v1beta2", "DockerMachine"),
    ("bootstrap.cluster.x-k8s.io/v1beta2", "KubeadmConfig"),
    ("cluster.x-k8s.io/v1beta2", "ClusterClass"),
    ("v1", "Secret"),
];

const CLUSTER: usize = 0;
const MACHINE: usize = 1;
const DOCKER_MACHINE: usize = 2;
const KUBEADM_CONFIG: usize = 3;
const CLUSTER_CLASS: usize = 4;
const SECRET: usize = 5;

fn graphs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("graph");
    group.sample_size(10);
    for count in [1_000, 10_000, 100_000] {
        let objects = objects(count);
        let kinds = Arc::new(kinds());
        group.throughput(Throughput::Elements(objects.len() as u64));
        for (name, scope) in [("all", Scope::default()), ("half", half(&objects))] {
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                let build = |objects| Graph::build(Arc::clone(&kinds), objects, &scope);
                bencher.iter_batched(|| objects.clone(), build, BatchSize::LargeInput);
            });
        }
        let graph = Graph::build(Arc::clone(&kinds), objects, &Scope::default());
        let graph = graph.expect("nothing owns itself");
        group.bench_function(BenchmarkId::new("usage", count), |bencher| {
            bencher.iter(|| black_box(graph.usage()));
        });
    }
    group.finish();
}

fn kinds() -> Vec<MoveKind> {
    let kind = |(api_version, kind): (&str, &str)| MoveKind {
        resource: ResourceType::new(api_version, kind, &format!("{kind}s").to_lowercase(), true),
        moves: api_version != "v1",
        moves_hierarchy: kind == "Cluster" || kind == "ClusterClass",
        has_status_subresource: true,
        converted_to: None,
        knowledge: None,
    };
    KINDS.map(kind).to_vec()
}

/// Clusters with their Machines, and a class for each namespace, about as many as asked for.
fn objects(count: usize) -> Vec<(usize, Object)> {
    let clusters = count / (2 + 3 * MACHINES);
    let classes = (0..NAMESPACES).map(|n| object(CLUSTER_CLASS, n, "class", None));
    classes.chain((0..clusters).flat_map(cluster)).collect()
}

fn cluster(number: usize) -> Vec<(usize, Object)> {
    let namespace = number % NAMESPACES;
    let cluster = format!("c{number}");
    let below_cluster = Some((CLUSTER, cluster.as_str()));
    let mut objects = vec![
        object(CLUSTER, namespace, &cluster, None),
        object(SECRET, namespace, &format!("{cluster}-kubeconfig"), below_cluster),
    ];
    for machine in 0..MACHINES {
        let machine = format!("{cluster}-m{machine}");
        let below_machine = Some((MACHINE, machine.as_str()));
        objects.push(object(MACHINE, namespace, &machine, below_cluster));
        objects.push(object(DOCKER_MACHINE, namespace, &machine, below_machine));
        objects.push(object(KUBEADM_CONFIG, namespace, &machine, below_machine));
    }
    objects
}

fn object(
    kind: usize,
    namespace: usize,
    name: &str,
    owner: Option<(usize, &str)>,
) -> (usize, Object) {
    let [api_version, kind_name] = type_of(kind);
    let uid = |kind: &str, name: &str| format!("{namespace}-{kind}-{name}");
    let owners = owner.map(|(kind, name)| {
        let [api_version, kind] = type_of(kind);
        json!([{"apiVersion": api_version, "kind": kind, "name": name, "uid": uid(kind, name)}])
    });
    let class = json!({"topology": {"classRef": {"name": "class"}}});
    let value = json!({
        "apiVersion": api_version,
        "kind": kind_name,
        "metadata": {
            "namespace": format!("team-{namespace}"),
            "name": name,
            "uid": uid(kind_name, name),
            "ownerReferences": owners.unwrap_or_else(|| json!([])),
        },
        "spec": if kind == CLUSTER { class } else { json!({}) },
    });
    (kind, Object::new(value))
}

fn type_of(kind: usize) -> [&'static str; 2] {
    KINDS.get(kind).map(|(api_version, kind)| [*api_version, *kind]).expect("a known kind")
}

/// Every second Cluster is chosen.
fn half(objects: &[(usize, Object)]) -> Scope {
    let mut chosen = Chosen { copy_shared: true, ..Chosen::default() };
    let clusters = objects.iter().filter(|(kind, _)| *kind == CLUSTER);
    for (_, cluster) in clusters.step_by(2) {
        let namespace = cluster.namespace().unwrap_or_default().to_owned();
        chosen.clusters.entry(namespace).or_default().insert(cluster.name().to_owned());
    }
    Scope { chosen: Some(Arc::new(chosen)), ..Scope::default() }
}

criterion_group!(benches, graphs);
criterion_main!(benches);
