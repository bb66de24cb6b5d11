//! A fleet as Cluster API 1.10 has it: written through `v1beta1`, with fields that `v1beta2` has
//! renamed, turned into lists or removed.

use kubectl_pivot_tests::population::{Handle, ObjectSpec, Population, made_up_uid};
use serde_json::{Value, json};

use crate::bench::source;
use crate::everything::everything;

pub(crate) const CORE: &str = "cluster.x-k8s.io/v1beta1";
pub(crate) const BOOTSTRAP: &str = "bootstrap.cluster.x-k8s.io/v1beta1";
pub(crate) const CONTROL_PLANE: &str = "controlplane.cluster.x-k8s.io/v1beta1";
pub(crate) const DOCKER: &str = "infrastructure.cluster.x-k8s.io/v1beta1";
const ADDONS: &str = "addons.cluster.x-k8s.io/v1beta1";
pub(crate) const IPAM: &str = "ipam.cluster.x-k8s.io/v1beta1";

pub(crate) const CLUSTER_NAME: &str = "cluster.x-k8s.io/cluster-name";
const SINCE: &str = "2026-01-01T00:00:00Z";
pub(crate) const KUBERNETES: &str = "v1.33.0";

/// The Machines of the fleet.
pub(crate) const MACHINES: [&str; 2] = ["plain-control-plane", "plain-worker"];

/// A cluster with a control plane, a worker and a health check, a class with a cluster of it, a
/// pool, a resource set and a claim of an address.
pub(crate) fn fleet(namespace: &str) -> Population {
    built(namespace, false)
}

fn built(namespace: &str, paused: bool) -> Population {
    let mut population = Population::new(namespace);
    let cluster = population.add(plain_cluster(namespace, paused));
    for purpose in ["ca", "etcd", "kubeconfig", "proxy", "sa"] {
        let secret = ObjectSpec::cluster_secret(&format!("plain-{purpose}"));
        population.add(secret.label(CLUSTER_NAME, "plain").owned_by(cluster));
    }
    infrastructure_cluster(&mut population, cluster);
    control_plane(&mut population, cluster, namespace);
    workers(&mut population, cluster);
    health_check(&mut population, cluster);
    class(&mut population);
    population.add(managed_cluster(paused));
    addons(&mut population);
    claim(&mut population, cluster);
    if paused {
        everything(&mut population, cluster);
    }
    population
}

/// As [`fleet`], with Clusters that their user has paused, and with everything else there is.
pub(crate) fn fleet_at_rest(namespace: &str) -> Population {
    built(namespace, true)
}

/// As [`fleet`], small: a Cluster and its kubeconfig. Returns the handle of the Cluster too.
pub(crate) fn small(namespace: &str) -> (Population, Handle) {
    let mut population = Population::new(namespace);
    let cluster = population.add(plain_cluster(namespace, false));
    infrastructure_cluster(&mut population, cluster);
    let secret = ObjectSpec::cluster_secret("plain-kubeconfig").label(CLUSTER_NAME, "plain");
    population.add(secret.owned_by(cluster));
    (population, cluster)
}

/// A reference as `v1beta1` has them: with a version, a namespace and a uid.
fn reference(api_version: &str, kind: &str, name: &str, namespace: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "name": name, "namespace": namespace,
        "uid": made_up_uid(&format!("{kind} {name}"))})
}

fn template(api_version: &str, kind: &str, name: &str) -> Value {
    json!({"ref": {"apiVersion": api_version, "kind": kind, "name": name}})
}

fn condition(name: &str) -> Value {
    json!({"type": name, "status": "True", "lastTransitionTime": SINCE})
}

/// A source that stores `v1beta2` keeps both sorts of conditions, and a move reads those of
/// `v1beta2`.
fn provisioned() -> Value {
    let mut status = json!({"infrastructureReady": true, "controlPlaneReady": true,
        "phase": "Provisioned",
        "conditions": [condition("Ready"), condition("ControlPlaneInitialized")]});
    if source().has_v1beta2() {
        let mut initialized = condition("ControlPlaneInitialized");
        initialized["reason"] = "Initialized".into();
        initialized["message"] = "".into();
        status["v1beta2"] = json!({"conditions": [initialized]});
    }
    status
}

fn plain_cluster(namespace: &str, paused: bool) -> ObjectSpec {
    let mut control_plane_ref = reference(CONTROL_PLANE, "KubeadmControlPlane", "plain", namespace);
    control_plane_ref.as_object_mut().expect("fields").remove("uid");
    // Older versions do not know them and leave them out.
    let gates = match source() >= "1.10.0".parse().expect("a version") {
        true => json!([{"conditionType": "MyGate"}]),
        false => json!([]),
    };
    ObjectSpec::new(CORE, "Cluster", "plain")
        .finalizer("cluster.cluster.x-k8s.io")
        .label("environment", "proof")
        .manager("kubectl-client-side-apply")
        .spec(json!({
            "paused": paused,
            "clusterNetwork": {"apiServerPort": 6443, "serviceDomain": "cluster.local",
                "services": {"cidrBlocks": ["10.96.0.0/12"]},
                "pods": {"cidrBlocks": ["192.168.0.0/16"]}},
            "controlPlaneEndpoint": {"host": "172.18.0.3", "port": 6443},
            "controlPlaneRef": control_plane_ref,
            "infrastructureRef": reference(DOCKER, "DockerCluster", "plain", namespace),
            "availabilityGates": gates,
        }))
        .status(provisioned())
}

fn infrastructure_cluster(population: &mut Population, cluster: Handle) {
    population.add(
        ObjectSpec::new(DOCKER, "DockerCluster", "plain")
            .label(CLUSTER_NAME, "plain")
            .finalizer("dockercluster.infrastructure.cluster.x-k8s.io")
            .controlled_by(cluster)
            .spec(json!({"controlPlaneEndpoint": {"host": "172.18.0.3", "port": 6443},
                "failureDomains": {"a": {"controlPlane": true}, "b": {"controlPlane": false}},
                "loadBalancer": {}}))
            .applied(
                "capi-topology",
                json!({"metadata": {"name": "plain", "labels": {"applied": "yes"}},
                    "spec": {"loadBalancer": {"imageTag": "v3"}}}),
            ),
    );
}

fn control_plane(population: &mut Population, cluster: Handle, namespace: &str) {
    let infrastructure = reference(DOCKER, "DockerMachineTemplate", "plain", namespace);
    let control_plane = population.add(
        ObjectSpec::new(CONTROL_PLANE, "KubeadmControlPlane", "plain")
            .label(CLUSTER_NAME, "plain")
            .finalizer("kubeadm.controlplane.cluster.x-k8s.io")
            .controlled_by(cluster)
            .spec(json!({
                "replicas": 1,
                "version": KUBERNETES,
                "machineTemplate": {"metadata": {"labels": {"role": "control-plane"}},
                    "infrastructureRef": infrastructure, "nodeDrainTimeout": "5m0s",
                    "nodeVolumeDetachTimeout": "1m0s", "nodeDeletionTimeout": "10s"},
                "kubeadmConfigSpec": kubeadm(),
                "rolloutBefore": {"certificatesExpiryDays": 21},
                "rolloutStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
                "remediationStrategy": {"maxRetry": 3, "retryPeriod": "1m0s",
                    "minHealthyPeriod": "1h0m0s"},
            }))
            .status(json!({"initialized": true, "ready": true, "replicas": 1, "readyReplicas": 1,
                "version": KUBERNETES})),
    );
    population.add(
        ObjectSpec::new(DOCKER, "DockerMachineTemplate", "plain").owned_by(cluster).spec(
            json!({"template": {"spec": {"customImage": "kindest/node:v1.33.0",
                "extraMounts": [{"containerPath": "/run/x", "hostPath": "/run/x",
                    "readOnly": false}]}}}),
        ),
    );
    machine(population, MACHINES[0], (control_plane, true));
}

/// A KubeadmConfigSpec with everything that `v1beta2` has changed.
fn kubeadm() -> Value {
    json!({
        "clusterConfiguration": {
            "apiServer": {"certSANs": ["localhost", "127.0.0.1"],
                "extraArgs": {"v": "2", "audit-log-maxage": "7"},
                "timeoutForControlPlane": "4m0s",
                "extraVolumes": [{"name": "audit", "hostPath": "/var/log",
                "mountPath": "/var/log", "readOnly": false, "pathType": "DirectoryOrCreate"}]},
            "controllerManager": {"extraArgs": {"enable-hostpath-provisioner": "true"}},
            "scheduler": {}, "dns": {"imageRepository": "registry.k8s.io/coredns",
                "imageTag": "v1.12.0"},
            "etcd": {"local": {"dataDir": "/var/lib/etcd",
                "extraArgs": {"quota-backend-bytes": "8589934592"}}},
            "networking": {"dnsDomain": "cluster.local", "podSubnet": "192.168.0.0/16"},
            "certificatesDir": "/etc/kubernetes/pki", "featureGates": {"EtcdLearnerMode": true},
        },
        "initConfiguration": {"localAPIEndpoint": {"bindPort": 6443},
            "nodeRegistration": registration(), "skipPhases": ["addon/kube-proxy"]},
        "joinConfiguration": {"controlPlane": {"localAPIEndpoint": {"bindPort": 6443}},
            "nodeRegistration": registration(), "patches": {"directory": "/etc/patches"},
            "discovery": {"bootstrapToken": {"token": "abcdef.0123456789abcdef",
                "apiServerEndpoint": "172.18.0.3:6443", "unsafeSkipCAVerification": false,
                "caCertHashes": ["sha256:0000"]}}},
        "files": [{"path": "/etc/motd", "content": "hello", "owner": "root:root",
            "permissions": "0644", "append": false}],
        "preKubeadmCommands": ["true"],
        "users": [{"name": "admin", "sudo": "ALL=(ALL) NOPASSWD:ALL", "lockPassword": false,
            "inactive": false}],
        "ntp": {"enabled": true, "servers": ["time.example.com"]},
        "format": "cloud-config",
        "verbosity": 2,
        "useExperimentalRetryJoin": true,
    })
}

fn registration() -> Value {
    json!({"criSocket": "unix:///run/containerd/containerd.sock", "imagePullPolicy": "IfNotPresent",
        "kubeletExtraArgs": {"eviction-hard": "nodefs.available<0%", "v": "2"},
        "taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]})
}

fn workers(population: &mut Population, cluster: Handle) {
    let spec = |replicas: u32| {
        json!({
            "clusterName": "plain", "replicas": replicas, "minReadySeconds": 0,
            "selector": {"matchLabels": {CLUSTER_NAME: "plain", "pool": "a"}},
            "template": {"metadata": {"labels": {CLUSTER_NAME: "plain", "pool": "a"}}, "spec": {
                "clusterName": "plain", "version": KUBERNETES, "nodeDrainTimeout": "10s",
                "bootstrap": {"configRef": {"apiVersion": BOOTSTRAP,
                    "kind": "KubeadmConfigTemplate", "name": "plain"}},
                "infrastructureRef": {"apiVersion": DOCKER, "kind": "DockerMachineTemplate",
                    "name": "plain"},
            }},
        })
    };
    let mut deployment_spec = spec(1);
    deployment_spec["progressDeadlineSeconds"] = 600.into();
    deployment_spec["revisionHistoryLimit"] = 1.into();
    deployment_spec["rolloutAfter"] = "2026-01-01T00:00:00Z".into();
    deployment_spec["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate":
        {"maxSurge": 1, "maxUnavailable": 0, "deletePolicy": "Oldest"},
        "remediation": {"maxInFlight": 1}});
    let deployment = population.add(
        ObjectSpec::new(CORE, "MachineDeployment", "plain-md")
            .label(CLUSTER_NAME, "plain")
            .annotation("machinedeployment.clusters.x-k8s.io/revision", "1")
            .owned_by(cluster)
            .spec(deployment_spec),
    );
    population
        .add(ObjectSpec::new(BOOTSTRAP, "KubeadmConfigTemplate", "plain").owned_by(cluster).spec(
        json!({"template": {"spec": {"joinConfiguration": {"nodeRegistration": registration()}}}}),
    ));
    let mut set_spec = spec(1);
    set_spec["deletePolicy"] = "Oldest".into();
    set_spec["template"]["metadata"]["labels"]["machine-template-hash"] = "abcde".into();
    set_spec["selector"]["matchLabels"]["machine-template-hash"] = "abcde".into();
    let set = population.add(
        ObjectSpec::new(CORE, "MachineSet", "plain-md-abcde")
            .label(CLUSTER_NAME, "plain")
            .label("pool", "a")
            .label("machine-template-hash", "abcde")
            .annotation("machinedeployment.clusters.x-k8s.io/revision", "1")
            .controlled_by(deployment)
            .spec(set_spec),
    );
    machine(population, MACHINES[1], (set, false));
}

fn machine(population: &mut Population, name: &str, (owner, is_control_plane): (Handle, bool)) {
    let namespace = population.namespace().to_owned();
    let mut object_spec = ObjectSpec::new(CORE, "Machine", name)
        .label(CLUSTER_NAME, "plain")
        .finalizer("machine.cluster.x-k8s.io")
        .controlled_by(owner)
        .spec(json!({
            "clusterName": "plain", "version": KUBERNETES, "nodeDeletionTimeout": "10s",
            "bootstrap": {"dataSecretName": name,
                "configRef": reference(BOOTSTRAP, "KubeadmConfig", name, &namespace)},
            "infrastructureRef": reference(DOCKER, "DockerMachine", name, &namespace),
            "providerID": format!("docker:////{name}"), "failureDomain": "a",
        }))
        .status(json!({"phase": "Running", "bootstrapReady": true, "infrastructureReady": true,
            "nodeRef": {"apiVersion": "v1", "kind": "Node", "name": name,
                "uid": made_up_uid(name)}}));
    object_spec = match is_control_plane {
        true => object_spec.label("cluster.x-k8s.io/control-plane", ""),
        false => object_spec.label("pool", "a").label("machine-template-hash", "abcde"),
    };
    let machine = population.add(object_spec);
    let config = population.add(
        ObjectSpec::new(BOOTSTRAP, "KubeadmConfig", name)
            .label(CLUSTER_NAME, "plain")
            .controlled_by(machine)
            .spec(kubeadm())
            .status(json!({"ready": true, "dataSecretName": name})),
    );
    population
        .add(ObjectSpec::cluster_secret(name).label(CLUSTER_NAME, "plain").controlled_by(config));
    population.add(
        ObjectSpec::new(DOCKER, "DockerMachine", name)
            .label(CLUSTER_NAME, "plain")
            .finalizer("dockermachine.infrastructure.cluster.x-k8s.io")
            .controlled_by(machine)
            .spec(json!({"customImage": "kindest/node:v1.33.0", "bootstrapped": true,
                "providerID": format!("docker:////{name}")})),
    );
}

fn health_check(population: &mut Population, cluster: Handle) {
    population.add(
        ObjectSpec::new(CORE, "MachineHealthCheck", "plain")
            .label(CLUSTER_NAME, "plain")
            .owned_by(cluster)
            .spec(json!({
                "clusterName": "plain", "maxUnhealthy": "40%",
                "selector": {"matchLabels": {"pool": "none"}},
                "unhealthyConditions": [{"type": "Ready", "status": "Unknown", "timeout": "5m0s"},
                    {"type": "Ready", "status": "False", "timeout": "300s"}],
            })),
    );
}

pub(crate) fn class(population: &mut Population) {
    let class = population.add(ObjectSpec::new(CORE, "ClusterClass", "standard").annotation("team",
        "platform").spec(json!({
        "infrastructure": template(DOCKER, "DockerClusterTemplate", "standard"),
        "controlPlane": {
            "ref": {"apiVersion": CONTROL_PLANE, "kind": "KubeadmControlPlaneTemplate",
                "name": "standard"},
            "machineInfrastructure": template(DOCKER, "DockerMachineTemplate", "standard"),
            "nodeDrainTimeout": "10s",
            "machineHealthCheck": {"maxUnhealthy": "33%", "nodeStartupTimeout": "15m0s",
                "unhealthyConditions":
                [{"type": "Ready", "status": "Unknown", "timeout": "5m0s"}]},
        },
        "workers": {"machineDeployments": [{
            "class": "default-worker",
            "template": {"metadata": {"labels": {"pool": "b"}},
                "bootstrap": template(BOOTSTRAP, "KubeadmConfigTemplate", "standard"),
                "infrastructure": template(DOCKER, "DockerMachineTemplate", "standard")},
        }]},
        "variables": [{"name": "imageRepository", "required": true, "schema": {"openAPIV3Schema":
            {"type": "string", "default": "registry.k8s.io",
                "description": "Where images are from.", "example": "a"}}}],
        "patches": [{"name": "imageRepository", "definitions": [{
            "selector": {"apiVersion": CONTROL_PLANE, "kind": "KubeadmControlPlaneTemplate",
                "matchResources": {"controlPlane": true}},
            "jsonPatches": [{"op": "add",
                "path": "/spec/template/spec/kubeadmConfigSpec/clusterConfiguration/imageRepository",
                "valueFrom": {"variable": "imageRepository"}}],
        }]}],
    })));
    let templates = [
        ("DockerClusterTemplate", DOCKER, json!({"loadBalancer": {}})),
        ("DockerMachineTemplate", DOCKER, json!({"customImage": "kindest/node:v1.33.0"})),
        (
            "KubeadmControlPlaneTemplate",
            CONTROL_PLANE,
            json!({"kubeadmConfigSpec": {"clusterConfiguration": {"apiServer": {"certSANs": ["localhost"]}},
                "initConfiguration": {"nodeRegistration": {"criSocket": "unix:///run/containerd/containerd.sock"}}}}),
        ),
        (
            "KubeadmConfigTemplate",
            BOOTSTRAP,
            json!({"joinConfiguration": {"nodeRegistration": registration()}}),
        ),
    ];
    for (kind, api_version, spec) in templates {
        let object_spec = ObjectSpec::new(api_version, kind, "standard").owned_by(class);
        population.add(object_spec.spec(json!({"template": {"spec": spec}})));
    }
}

pub(crate) fn managed_cluster(paused: bool) -> ObjectSpec {
    ObjectSpec::new(CORE, "Cluster", "managed")
        .finalizer("cluster.cluster.x-k8s.io")
        .label("topology.cluster.x-k8s.io/owned", "")
        .spec(json!({
            "paused": paused,
            "clusterNetwork": {"pods": {"cidrBlocks": ["192.168.0.0/16"]}},
            "topology": {
                "class": "standard", "version": KUBERNETES,
                "controlPlane": {"replicas": 1, "nodeDrainTimeout": "10s"},
                "workers": {"machineDeployments": [{"class": "default-worker", "name": "md-0",
                    "replicas": 1}]},
                "variables": [{"name": "imageRepository", "value": "registry.k8s.io"}],
            },
        }))
        .status(provisioned())
}

fn addons(population: &mut Population) {
    let set = population.add(
        ObjectSpec::new(ADDONS, "ClusterResourceSet", "addons")
            .finalizer("addons.cluster.x-k8s.io")
            .spec(json!({"strategy": "ApplyOnce",
                "clusterSelector": {"matchLabels": {"environment": "none"}},
                "resources": [{"kind": "ConfigMap", "name": "addon-config"}]})),
    );
    population.add(ObjectSpec::config_map("addon-config").owned_by(set));
}

fn claim(population: &mut Population, cluster: Handle) {
    population.add(
        ObjectSpec::new(IPAM, "IPAddressClaim", "plain")
            .label(CLUSTER_NAME, "plain")
            .owned_by(cluster)
            .spec(json!({"clusterName": "plain",
                "poolRef": {"apiGroup": "ipam.cluster.x-k8s.io", "kind": "InClusterIPPool",
                    "name": "pool"}})),
    );
}
