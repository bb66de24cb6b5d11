//! ClusterClass with managed topology, in the namespace of its clusters and in another one.

use serde_json::{Value, json};

use super::shapes::{BOOTSTRAP, CLUSTER_NAME, CONTROL_PLANE, CORE, DOCKER, provisioned};
use super::{Handle, ObjectSpec, Population};

/// A cluster in the namespace of its class.
pub fn same_namespace(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    class(&mut population, "quick-start", namespace);
    topology_cluster(&mut population, "managed", ("quick-start", None));
    population
}

/// Two clusters whose class is in `class_namespace`.
pub fn other_namespace(namespace: &str, class_namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    class(&mut population, "shared-class", class_namespace);
    for name in ["managed-a", "managed-b"] {
        topology_cluster(&mut population, name, ("shared-class", Some(class_namespace)));
    }
    population
}

/// A class in the moved namespace with one cluster there and one in `user_namespace`, which stays.
pub fn used_elsewhere(namespace: &str, user_namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    class(&mut population, "lent-class", namespace);
    topology_cluster(&mut population, "at-home", ("lent-class", None));
    population
        .add(topology("abroad", ("lent-class", Some(namespace))).in_namespace(user_namespace));
    population
}

/// Three clusters of which two have a class in common, and one has a class of its own; nobody uses
/// the third class.
pub fn choosable(namespace: &str) -> Population {
    three(namespace, [("red", "common-class"), ("blue", "common-class"), ("green", "green-class")])
}

/// As [`choosable`], but `blue` and `green` have the class in common: in batches of one Cluster,
/// nobody needs it any more when the last one, `red`, moves.
pub fn first_two_alike(namespace: &str) -> Population {
    three(namespace, [("red", "green-class"), ("blue", "common-class"), ("green", "common-class")])
}

fn three(namespace: &str, classes: [(&str, &str); 3]) -> Population {
    let mut population = Population::new(namespace);
    for name in ["common-class", "green-class", "unused-class"] {
        class(&mut population, name, namespace);
    }
    for (name, of) in classes {
        let tier = if name == "blue" { "prod" } else { "dev" };
        let cluster = topology(name, (of, None)).label("tier", tier);
        topology_of(&mut population, name, cluster);
        population.add(
            ObjectSpec::cluster_secret(&format!("{name}-kubeconfig")).label(CLUSTER_NAME, name),
        );
    }
    population
}

pub(super) fn class(population: &mut Population, name: &str, namespace: &str) -> Handle {
    let template = |kind: &str, api_version: &str| {
        json!({"templateRef": {"apiVersion": api_version,
        "kind": kind, "name": name}})
    };
    let class = population.add(
        ObjectSpec::new(CORE, "ClusterClass", name).in_namespace(namespace).annotation("team",
            "platform").spec(json!({
            "infrastructure": template("DockerClusterTemplate", DOCKER),
            "controlPlane": {
                "templateRef": {"apiVersion": CONTROL_PLANE, "kind": "KubeadmControlPlaneTemplate",
                    "name": name},
                "machineInfrastructure": template("DockerMachineTemplate", DOCKER),
            },
            "workers": {"machineDeployments": [{
                "class": "default-worker",
                "bootstrap": template("KubeadmConfigTemplate", BOOTSTRAP),
                "infrastructure": template("DockerMachineTemplate", DOCKER),
            }]},
        })),
    );
    let registration =
        json!({"nodeRegistration": {"criSocket": "unix:///run/containerd/containerd.sock"}});
    let templates = [
        ("DockerClusterTemplate", DOCKER, json!({"loadBalancer": {}})),
        ("DockerMachineTemplate", DOCKER, json!({"customImage": "kindest/node:v1.36.0"})),
        (
            "KubeadmControlPlaneTemplate",
            CONTROL_PLANE,
            json!({"kubeadmConfigSpec": {"initConfiguration": registration}}),
        ),
        ("KubeadmConfigTemplate", BOOTSTRAP, json!({"joinConfiguration": registration})),
    ];
    for (kind, api_version, spec) in templates {
        population.add(
            ObjectSpec::new(api_version, kind, name)
                .in_namespace(namespace)
                .owned_by(class)
                .spec(json!({"template": {"spec": spec}})),
        );
    }
    class
}

fn topology(name: &str, (class, class_namespace): (&str, Option<&str>)) -> ObjectSpec {
    let mut class_ref = json!({"name": class});
    if let Some(namespace) = class_namespace {
        class_ref["namespace"] = namespace.into();
    }
    ObjectSpec::new(CORE, "Cluster", name)
        .finalizer("cluster.cluster.x-k8s.io")
        .label("topology.cluster.x-k8s.io/owned", "")
        .manager("kubectl-client-side-apply")
        .spec(json!({
            "infrastructureRef": super::shapes::infrastructure_ref("DockerCluster", name),
            "topology": {
                "classRef": class_ref,
                "version": "v1.36.0",
                "controlPlane": {"replicas": 1},
                "workers": {"machineDeployments": [{"class": "default-worker", "name": "md-0",
                    "replicas": 1}]},
            },
        }))
        .status(provisioned())
}

pub(super) fn topology_cluster(
    population: &mut Population,
    name: &str,
    class: (&str, Option<&str>),
) -> Handle {
    topology_of(population, name, topology(name, class))
}

fn topology_of(population: &mut Population, name: &str, cluster: ObjectSpec) -> Handle {
    let cluster = population.add(cluster);
    population.add(
        ObjectSpec::new(DOCKER, "DockerCluster", name)
            .label(CLUSTER_NAME, name)
            .label("topology.cluster.x-k8s.io/owned", "")
            .controlled_by(cluster)
            .manager("capd")
            .spec(json!({"controlPlaneEndpoint": {"host": "172.18.0.3", "port": 6443}}))
            .applied("capi-topology", topology_fields(name)),
    );
    population.add(
        ObjectSpec::new(CORE, "MachineDeployment", &format!("{name}-md-0"))
            .label(CLUSTER_NAME, name)
            .label("topology.cluster.x-k8s.io/deployment-name", "md-0")
            .controlled_by(cluster)
            .spec(machine_deployment(name)),
    );
    cluster
}

/// Fields that the topology controller applies: they must stay its own after a move.
fn topology_fields(name: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"topology.cluster.x-k8s.io/owned": ""},
        "annotations": {"cluster.x-k8s.io/cloned-from-name": "quick-start"}},
        "spec": {"loadBalancer": {"imageTag": "v3"}}})
}

fn machine_deployment(cluster: &str) -> Value {
    json!({
        "clusterName": cluster,
        "replicas": 1,
        "selector": {"matchLabels": {CLUSTER_NAME: cluster}},
        "template": {
            "metadata": {"labels": {CLUSTER_NAME: cluster}},
            "spec": {
                "clusterName": cluster,
                "version": "v1.36.0",
                "bootstrap": {"configRef": {"apiGroup": "bootstrap.cluster.x-k8s.io",
                    "kind": "KubeadmConfigTemplate", "name": cluster}},
                "infrastructureRef": super::shapes::infrastructure_ref("DockerMachineTemplate",
                    cluster),
            },
        },
    })
}
