use kubectl_pivot_plugin_api::{ErrorCode, InfrastructureProvider as _, PluginError, ServedKind};

use super::*;
use crate::Docker;

/// The manifest of the nine steps, as JSON, with a newer Kubernetes and the eviction settings of
/// the examples of Cluster API.
const NINE_STEPS: &str = include_str!("../tests/pivot-v1beta1.json");
/// The same cluster in the storage version.
const V1BETA2: &str = include_str!("../tests/pivot-v1beta2.json");
/// The same cluster in the kinds that Cluster API 1.15 leaves.
const DEV: &str = include_str!("../tests/pivot-dev-v1beta2.json");

const CLUSTER_API: [(&str, &str); 7] = [
    ("cluster.x-k8s.io", "Cluster"),
    ("cluster.x-k8s.io", "ClusterClass"),
    ("cluster.x-k8s.io", "MachineDeployment"),
    ("cluster.x-k8s.io", "MachineHealthCheck"),
    ("bootstrap.cluster.x-k8s.io", "KubeadmConfigTemplate"),
    ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane"),
    ("controlplane.cluster.x-k8s.io", "KubeadmControlPlaneTemplate"),
];
const DOCKER: [&str; 3] = ["DockerCluster", "DockerClusterTemplate", "DockerMachineTemplate"];
const DEVELOPMENT: [&str; 3] = ["DevCluster", "DevClusterTemplate", "DevMachineTemplate"];

fn serving(infrastructure: &[&str], versions: &[&str]) -> ClusterRequest {
    let infrastructure =
        infrastructure.iter().map(|&kind| ("infrastructure.cluster.x-k8s.io", kind));
    let kinds = CLUSTER_API.into_iter().chain(infrastructure);
    let served = kinds.map(|(group, kind)| ServedKind {
        group: group.to_owned(),
        kind: kind.to_owned(),
        versions: versions.iter().map(|&version| version.to_owned()).collect(),
    });
    ClusterRequest { served: served.collect(), ..ClusterRequest::named("pivot") }
}

fn with(mut request: ClusterRequest, variables: Value) -> ClusterRequest {
    request.variables = variables.as_object().cloned().expect("the test gives an object");
    request
}

fn objects(request: &ClusterRequest) -> Vec<Value> {
    Docker.render(request).expect("the request is valid").objects
}

fn refusal(request: &ClusterRequest) -> PluginError {
    Docker.render(request).expect_err("the request is refused")
}

fn expected(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("the expectation is JSON")
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let wanted = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    objects.iter().find(wanted).expect("the object was rendered")
}

#[test]
fn the_defaults_are_the_manifest_of_the_nine_steps_with_a_newer_kubernetes() {
    assert_eq!(objects(&serving(&DOCKER, &["v1beta1"])), expected(NINE_STEPS));
}

#[test]
fn the_storage_version_is_taken_where_it_is_served() {
    assert_eq!(objects(&serving(&DOCKER, &["v1beta1", "v1beta2"])), expected(V1BETA2));
}

#[test]
fn dev_kinds_are_taken_where_docker_kinds_are_gone() {
    let versions = ["v1beta2", "v1beta1"];
    assert_eq!(objects(&serving(&DEVELOPMENT, &versions)), expected(DEV));
    let both = serving(&[DOCKER, DEVELOPMENT].concat(), &versions);
    assert_eq!(objects(&both), expected(V1BETA2));
    assert_eq!(objects(&with(both, json!({"kinds": "dev"}))), expected(DEV));
}

#[test]
fn dev_kinds_exist_in_v1beta1_too() {
    let found = objects(&serving(&DEVELOPMENT, &["v1beta1"]));
    let mount =
        json!({"hostPath": "/var/run/docker.sock", "containerPath": "/var/run/docker.sock"});
    for name in ["controlplane", "worker"] {
        let template = find(&found, "DevMachineTemplate", name);
        assert_eq!(template["apiVersion"], "infrastructure.cluster.x-k8s.io/v1beta1");
        let machine = json!({"backend": {"docker": {"extraMounts": [mount]}}});
        assert_eq!(template["spec"]["template"]["spec"], machine);
    }
    assert_eq!(find(&found, "DevCluster", "pivot")["spec"], json!({"backend": {"docker": {}}}));
    let reference = &find(&found, "Cluster", "pivot")["spec"]["infrastructureRef"];
    assert_eq!(reference["apiVersion"], "infrastructure.cluster.x-k8s.io/v1beta1");
    assert_eq!(reference["kind"], "DevCluster");
}

#[test]
fn the_version_of_cluster_api_stands_in_for_what_is_served() {
    for (version, text) in
        [("v1.10.4", NINE_STEPS), ("v1.11.0", V1BETA2), ("v1.14.2", V1BETA2), ("v1.15.0", DEV)]
    {
        let capi_version = Some(version.to_owned());
        let request = ClusterRequest { capi_version, ..ClusterRequest::named("pivot") };
        assert_eq!(objects(&request), expected(text), "{version}");
    }
    let request = with(ClusterRequest::named("pivot"), json!({"api-version": "v1beta1"}));
    assert_eq!(objects(&request), expected(NINE_STEPS));
}

#[test]
fn deprecation_is_said_where_it_holds() {
    let notes = |version: &str| {
        let capi_version = Some(version.to_owned());
        let request = ClusterRequest { capi_version, ..ClusterRequest::named("pivot") };
        Docker.render(&request).expect("the request is valid").notes.len()
    };
    assert_eq!((notes("v1.13.1"), notes("v1.14.0"), notes("v1.15.0")), (0, 1, 0));
}

#[test]
fn references_name_the_version_of_their_target() {
    let mut request = serving(&DOCKER, &["v1beta1"]);
    for served in request.served.iter_mut().filter(|served| served.kind.starts_with("Docker")) {
        served.versions = vec!["v1beta2".to_owned()];
    }
    let found = objects(&request);
    let cluster = find(&found, "Cluster", "pivot");
    assert_eq!(cluster["apiVersion"], "cluster.x-k8s.io/v1beta1");
    let reference = &cluster["spec"]["infrastructureRef"];
    assert_eq!(reference["apiVersion"], "infrastructure.cluster.x-k8s.io/v1beta2");
}

#[test]
fn another_socket_of_docker_is_mounted_into_the_machines_too() {
    let socket = |variables: Value| {
        let request = with(ClusterRequest::named("pivot"), variables);
        let found = objects(&request);
        let template = find(&found, "DockerMachineTemplate", "worker").clone();
        template["spec"]["template"]["spec"]["extraMounts"].clone()
    };
    let expected =
        json!([{"hostPath": "/run/user/1/docker.sock", "containerPath": "/var/run/docker.sock"}]);
    let given = json!({"docker-socket": "/run/user/1/docker.sock"});
    assert_eq!(socket(given), expected);
    let mount = "/run/user/1/docker.sock:/var/run/docker.sock";
    let own = json!({"docker-socket": "/a", "extra-mounts": mount});
    assert_eq!(socket(own), expected, "the user has said it");
}

#[test]
fn every_variable_has_its_place() {
    let variables = json!({
        "control-plane-replicas": "3",
        "worker-replicas": 5,
        "pod-cidrs": "10.244.0.0/16,fd00:10:244::/56",
        "service-cidrs": ["10.112.0.0/12"],
        "service-domain": "pivot.local",
        "cert-sans": ["pivot.example"],
        "extra-mounts": ["/var/run/docker.sock", "/etc/ssl/certs:/usr/local/ca:ro"],
        "custom-image": "registry.example/node:1",
        "prefix-names": true,
    });
    let request = ClusterRequest {
        namespace: "fleet".to_owned(),
        kubernetes_version: Some("1.34.1".to_owned()),
        ..with(ClusterRequest::named("prod"), variables)
    };
    let found = objects(&request);
    assert!(found.iter().all(|object| object["metadata"]["namespace"] == "fleet"));
    let network = json!({
        "pods": {"cidrBlocks": ["10.244.0.0/16", "fd00:10:244::/56"]},
        "services": {"cidrBlocks": ["10.112.0.0/12"]},
        "serviceDomain": "pivot.local",
    });
    assert_eq!(find(&found, "Cluster", "prod")["spec"]["clusterNetwork"], network);
    let control_plane = &find(&found, "KubeadmControlPlane", "controlplane-prod")["spec"];
    assert_eq!(control_plane["replicas"], 3);
    assert_eq!(control_plane["version"], "v1.34.1");
    let sans = "/kubeadmConfigSpec/clusterConfiguration/apiServer/certSANs";
    assert_eq!(control_plane.pointer(sans), Some(&json!(["pivot.example"])));
    let template = "/machineTemplate/spec/infrastructureRef/name";
    assert_eq!(control_plane.pointer(template), Some(&json!("prod-controlplane")));
    let workers = &find(&found, "MachineDeployment", "prod-worker-md-0")["spec"];
    assert_eq!(workers["replicas"], 5);
    assert_eq!(workers["template"]["spec"]["version"], "v1.34.1");
    assert_eq!(workers["template"]["spec"]["bootstrap"]["configRef"]["name"], "prod-worker");
    assert_eq!(workers["template"]["spec"]["infrastructureRef"]["name"], "prod-worker");
    find(&found, "KubeadmConfigTemplate", "prod-worker");
    for name in ["prod-controlplane", "prod-worker"] {
        let machine = &find(&found, "DockerMachineTemplate", name)["spec"]["template"]["spec"];
        let expected = json!({
            "customImage": "registry.example/node:1",
            "extraMounts": [
                {"hostPath": "/var/run/docker.sock", "containerPath": "/var/run/docker.sock"},
                {"hostPath": "/etc/ssl/certs", "containerPath": "/usr/local/ca", "readOnly": true},
            ],
        });
        assert_eq!(*machine, expected);
    }
}

#[test]
fn empty_fields_are_left_out() {
    let variables = json!({"cert-sans": [], "extra-mounts": []});
    let request = with(ClusterRequest::named("pivot"), variables);
    let found = objects(&request);
    let control_plane = &find(&found, "KubeadmControlPlane", "controlplane-pivot")["spec"];
    assert_eq!(control_plane["kubeadmConfigSpec"].get("clusterConfiguration"), None);
    let template = &find(&found, "DockerMachineTemplate", "worker")["spec"];
    assert_eq!(*template, json!({"template": {"spec": {}}}));
}

#[test]
fn refuses_what_cluster_api_would_refuse_later() {
    let given = |variables| with(ClusterRequest::named("pivot"), variables);
    for (request, variable, part) in [
        (given(json!({"control-plane-replicas": 2})), "control-plane-replicas", "odd number"),
        (given(json!({"kubernetes-version": "1.33"})), "kubernetes-version", "such as v1.33.0"),
        (given(json!({"extra-mounts": "docker.sock"})), "extra-mounts", "/host/path"),
    ] {
        let error = refusal(&request);
        assert_eq!(error.code, ErrorCode::InvalidVariable);
        assert_eq!(error.variable.as_deref(), Some(variable));
        assert!(error.message.contains(part), "{}", error.message);
    }
    for name in ["", "Pivot", "1st", "a.b", "pivot-"] {
        assert_eq!(refusal(&ClusterRequest::named(name)).code, ErrorCode::InvalidRequest, "{name}");
    }
}

#[test]
fn refuses_kinds_that_are_not_served() {
    let request = with(serving(&DEVELOPMENT, &["v1beta2"]), json!({"kinds": "docker"}));
    let error = refusal(&request);
    assert_eq!(error.code, ErrorCode::Unsupported);
    assert!(error.message.contains("does not serve DockerCluster"), "{}", error.message);
}

#[test]
fn settings_of_kubeadm_reach_every_machine() {
    let variables = json!({
        "control-plane-replicas": 3,
        "control-plane-nodes": {
            "name": "node", "taints": [], "patches": "/etc/patches",
            "kubeletArgs": {"eviction-hard": "nodefs.available<0%"},
            "kubeVip": {"address": "10.0.0.9", "interface": "eth0"},
        },
        "worker-nodes": {
            "preKubeadmCommands": ["true"], "postKubeadmCommands": ["false"],
            "files": [{"path": "/etc/a", "content": "b", "permissions": "0600"}],
            "users": [{"name": "admin", "sudo": "ALL", "sshAuthorizedKeys": ["key"]}],
        },
        "worker-pools": [{"name": "gpu", "replicas": 2, "failureDomain": "b",
            "nodes": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}}],
        "health-check": true,
    });
    for (version, arguments) in [
        ("v1beta1", json!({"eviction-hard": "nodefs.available<0%"})),
        ("v1beta2", json!([{"name": "eviction-hard", "value": "nodefs.available<0%"}])),
    ] {
        let objects = objects(&with(serving(&DOCKER, &[version]), variables.clone()));
        let plane = &find(&objects, "KubeadmControlPlane", "controlplane-pivot")["spec"];
        let configuration = &plane["kubeadmConfigSpec"];
        for part in ["initConfiguration", "joinConfiguration"] {
            let registration = &configuration[part]["nodeRegistration"];
            assert_eq!(registration["kubeletExtraArgs"], arguments, "{version} {part}");
            assert_eq!(
                (&registration["name"], &registration["taints"]),
                (&json!("node"), &json!([]))
            );
            assert_eq!(configuration[part]["patches"]["directory"], "/etc/patches");
        }
        assert_eq!(configuration["files"][0]["path"], "/etc/kubernetes/manifests/kube-vip.yaml");
        assert_eq!(configuration["clusterConfiguration"]["apiServer"]["certSANs"][0], "localhost");
        let workers =
            &find(&objects, "KubeadmConfigTemplate", "worker")["spec"]["template"]["spec"];
        assert_eq!(workers["users"][0]["sshAuthorizedKeys"], json!(["key"]));
        assert_eq!(workers["postKubeadmCommands"], json!(["false"]));
        let pool = &find(&objects, "MachineDeployment", "worker-gpu")["spec"];
        assert_eq!(
            (&pool["replicas"], &pool["template"]["spec"]["failureDomain"]),
            (&json!(2), &json!("b"))
        );
        assert_eq!(pool["selector"]["matchLabels"], pool["template"]["metadata"]["labels"]);
        let nodes =
            &find(&objects, "KubeadmConfigTemplate", "worker-gpu")["spec"]["template"]["spec"];
        let taints = &nodes["joinConfiguration"]["nodeRegistration"]["taints"];
        assert_eq!(*taints, json!([{"key": "gpu", "effect": "NoSchedule"}]));
        assert_eq!(nodes["files"], Value::Null, "the settings of the other workers are theirs");
        for check in ["pivot-workers", "pivot-control-plane"] {
            find(&objects, "MachineHealthCheck", check);
        }
    }
}

#[test]
fn settings_with_mistakes_are_refused_by_name() {
    for (name, value, part) in [
        ("worker-nodes", json!({"kubeletArg": {}}), "unknown field `kubeletArg`"),
        ("worker-nodes", json!("text"), "invalid type"),
        ("worker-pools", json!([{"name": "md-0"}]), "two pools `md-0`"),
        ("worker-pools", json!([{"name": "a"}, {"name": "a"}]), "two pools `a`"),
        ("worker-pools", json!([{"name": "A"}]), "lowercase"),
        ("control-plane-nodes", json!({"taints": [{"key": "a"}]}), "missing field `effect`"),
    ] {
        let mut variables = serde_json::Map::new();
        variables.insert(name.to_owned(), value);
        let error = refusal(&with(serving(&DOCKER, &["v1beta2"]), variables.into()));
        assert_eq!(error.code, ErrorCode::InvalidVariable, "{name}");
        assert!(error.message.contains(part), "{}", error.message);
        assert_eq!(error.variable.as_deref(), Some(name));
    }
}

#[test]
fn a_topology_names_its_class_and_the_class_its_templates() {
    let variables = json!({"topology": true, "worker-replicas": 2,
        "worker-pools": [{"name": "gpu", "failureDomain": "b"}]});
    for (version, class_of) in [("v1beta1", "/class"), ("v1beta2", "/classRef/name")] {
        let objects = objects(&with(serving(&DOCKER, &[version]), variables.clone()));
        let topology = &find(&objects, "Cluster", "pivot")["spec"]["topology"];
        assert_eq!(topology.pointer(class_of), Some(&json!("pivot-class")), "{version}");
        assert_eq!(topology["workers"]["machineDeployments"][0]["replicas"], 2);
        assert_eq!(topology["workers"]["machineDeployments"][1]["failureDomain"], "b");
        let class = find(&objects, "ClusterClass", "pivot-class").to_string();
        let templates =
            objects.iter().filter(|o| o["kind"].as_str().is_some_and(|k| k.ends_with("Template")));
        for template in templates {
            let (kind, name) = (&template["kind"], &template["metadata"]["name"]);
            assert!(
                class.contains(&format!(r#""kind":{kind},"name":{name}"#)),
                "{kind} {name}: {class}"
            );
        }
        assert_eq!(objects.len(), 9, "{version}");
    }
}
