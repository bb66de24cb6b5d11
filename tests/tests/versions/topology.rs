//! Fields that the topology controller of the source has applied through `v1beta1`: that of the
//! target removes them through `v1beta2`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use capi::Object;
use kubectl_pivot_tests::population::{Handle, ObjectSpec, Population};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::population::{
    BOOTSTRAP, CLUSTER_NAME, CORE, DOCKER, KUBERNETES, class, managed_cluster,
};

const MANAGER: &str = "capi-topology";
const NAME: &str = "managed-md-0";
const PATIENCE: Duration = Duration::from_secs(120);

/// Fields that the class says nothing of any more go; those of others stay.
pub(crate) async fn removes_its_own_fields(bench: Arc<Bench>) {
    let namespace = bench.populate(population).await;
    bench.run(&["move", "-n", &namespace, "--yes"]).await.expect_success("the move");
    let deadline = Instant::now() + PATIENCE;
    let deployment = loop {
        let now = deployment(&bench, &namespace).await;
        if now.label("of-the-class").is_none() {
            break now;
        }
        assert!(Instant::now() < deadline, "nobody has removed it: {:#}", now.value());
        tokio::time::sleep(Duration::from_millis(250)).await;
    };
    let spec = &deployment.value()["spec"]["template"]["spec"];
    assert_eq!(spec["deletion"]["nodeDrainTimeoutSeconds"], Value::Null, "{spec:#}");
    assert_eq!(deployment.label("of-a-user"), Some("yes"));
    let entries = deployment.managed_fields().iter();
    let of_topology = entries.filter(|entry| entry["manager"] == MANAGER);
    let versions: Vec<&str> = of_topology.filter_map(|e| e["apiVersion"].as_str()).collect();
    assert_eq!(versions, ["cluster.x-k8s.io/v1beta2"]);
}

async fn deployment(bench: &Bench, namespace: &str) -> Object {
    let kind = bench.target.kinds.of("cluster.x-k8s.io/v1beta2", "MachineDeployment");
    let found = bench.target.client.get(&kind, Some(namespace), NAME).await;
    found.expect("get").expect("it was moved")
}

fn population(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    class(&mut population);
    let cluster = population.add(managed_cluster(false));
    templates(&mut population, cluster);
    let bootstrap = reference(BOOTSTRAP, "KubeadmConfigTemplate", namespace);
    let machine = reference(DOCKER, "DockerMachineTemplate", namespace);
    let labels = json!({CLUSTER_NAME: "managed", "topology.cluster.x-k8s.io/owned": "",
        "topology.cluster.x-k8s.io/deployment-name": "md-0"});
    let deployment = owned(ObjectSpec::new(CORE, "MachineDeployment", NAME), cluster)
        .label("topology.cluster.x-k8s.io/deployment-name", "md-0")
        .label("of-a-user", "yes")
        .manager("kubectl-label")
        .spec(json!({"clusterName": "managed", "replicas": 1, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "clusterName": "managed", "version": KUBERNETES,
                "bootstrap": {"configRef": bootstrap},
                "infrastructureRef": machine}}}))
        .applied(
            MANAGER,
            json!({"metadata": {"name": NAME, "labels": {"of-the-class": "yes"}},
                "spec": {"template": {"spec": {"nodeDrainTimeout": "10s"}}}}),
        );
    population.add(deployment);
    population
}

fn reference(api_version: &str, kind: &str, namespace: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "name": NAME, "namespace": namespace})
}

fn templates(population: &mut Population, cluster: Handle) {
    let registration = json!({"joinConfiguration": {"nodeRegistration": {}}});
    for (api_version, kind, spec) in [
        (BOOTSTRAP, "KubeadmConfigTemplate", registration),
        (DOCKER, "DockerMachineTemplate", json!({"customImage": "kindest/node:v1.33.0"})),
    ] {
        let template = owned(ObjectSpec::new(api_version, kind, NAME), cluster);
        population.add(template.spec(json!({"template": {"spec": spec}})));
    }
}

fn owned(object: ObjectSpec, cluster: Handle) -> ObjectSpec {
    let object = object.label(CLUSTER_NAME, "managed").label("topology.cluster.x-k8s.io/owned", "");
    object.owned_by(cluster)
}
