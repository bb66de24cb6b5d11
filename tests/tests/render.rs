//! `kubectl pivot render`: what it prints is what the nine steps apply, and real API servers take
//! it.

use std::path::Path;

use capi::ResourceType;
use cluster::{Client, KubeconfigRef, PatchKind, Served, WriteOptions};
use kubectl_pivot_tests::parts;
use kubectl_pivot_tests::plugins::{User, in_go, library};
use sandbox::{ControlPlane, ControlPlaneOptions, Parts};
use serde_json::{Value, json};
use support::journal::Events;
use support::yaml;

async fn render(user: &User, args: &[&str]) -> Vec<Value> {
    let outcome = user.run(&[&["render", "pivot"], args].concat()).await;
    let text = outcome.expect_success("render").stdout;
    yaml::documents(&text).expect("it is YAML")
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let wanted = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    objects.iter().find(wanted).unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

/// The manifest of the nine steps, field by field.
#[tokio::test]
async fn docker_is_the_manifest_of_the_nine_steps() {
    let user = User::with(&["docker", "cilium"]).await;
    let socket =
        json!([{"hostPath": "/var/run/docker.sock", "containerPath": "/var/run/docker.sock"}]);
    for (version, kinds) in
        [("v1beta1", "docker"), ("v1beta2", "docker"), ("v1beta1", "dev"), ("v1beta2", "dev")]
    {
        let (set_version, set_kinds) = (format!("api-version={version}"), format!("kinds={kinds}"));
        let args = ["--infrastructure", "docker", "--set", &set_version, "--set", &set_kinds];
        let objects = render(&user, &args).await;
        let (cluster, template, machine, network) = match kinds {
            "docker" => ("DockerCluster", "DockerMachineTemplate", "", None),
            _ => ("DevCluster", "DevMachineTemplate", "/backend/docker", Some(json!({}))),
        };
        let v1beta1 = version == "v1beta1";
        let to_template = if v1beta1 { "" } else { "/spec" };
        let to_template = format!("/spec/machineTemplate{to_template}/infrastructureRef");
        let mounts = format!("/spec/template/spec{machine}/extraMounts");
        let sans = "/spec/kubeadmConfigSpec/clusterConfiguration/apiServer/certSANs";
        let selected = "/spec/selector/matchLabels/cluster.x-k8s.io~1cluster-name";
        let core = "cluster.x-k8s.io";
        let (infrastructure, control_plane, bootstrap) = (
            format!("infrastructure.{core}"),
            format!("controlplane.{core}"),
            format!("bootstrap.{core}"),
        );
        let fields: [(&str, &str, &str, Value); 18] = [
            (
                "Cluster",
                "pivot",
                "/spec/clusterNetwork/services/cidrBlocks",
                json!(["10.96.0.0/12"]),
            ),
            ("Cluster", "pivot", "/spec/clusterNetwork/pods/cidrBlocks", json!(["192.168.0.0/16"])),
            ("Cluster", "pivot", "/spec/clusterNetwork/serviceDomain", json!("cluster.local")),
            ("Cluster", "pivot", "/spec/controlPlaneRef/kind", json!("KubeadmControlPlane")),
            ("Cluster", "pivot", "/spec/controlPlaneRef/name", json!("controlplane-pivot")),
            ("Cluster", "pivot", "/spec/infrastructureRef/kind", json!(cluster)),
            ("Cluster", "pivot", "/spec/infrastructureRef/name", json!("pivot")),
            ("KubeadmControlPlane", "controlplane-pivot", "/spec/replicas", json!(1)),
            ("KubeadmControlPlane", "controlplane-pivot", "/spec/version", json!("v1.36.1")),
            (
                "KubeadmControlPlane",
                "controlplane-pivot",
                sans,
                json!(["localhost", "127.0.0.1", "0.0.0.0"]),
            ),
            (template, "controlplane", &mounts, socket.clone()),
            (template, "worker", &mounts, socket.clone()),
            ("MachineDeployment", "worker-md-0", "/spec/clusterName", json!("pivot")),
            ("MachineDeployment", "worker-md-0", "/spec/replicas", json!(1)),
            ("MachineDeployment", "worker-md-0", selected, json!("pivot")),
            ("MachineDeployment", "worker-md-0", "/spec/template/spec/version", json!("v1.36.1")),
            ("MachineDeployment", "worker-md-0", "/spec/template/spec/clusterName", json!("pivot")),
            (
                "MachineDeployment",
                "worker-md-0",
                "/spec/template/spec/bootstrap/configRef/name",
                json!("worker"),
            ),
        ];
        for (kind, name, path, value) in &fields {
            let found = find(&objects, kind, name).pointer(path);
            assert_eq!(found, Some(value), "{version} {kinds}: {kind} {name} {path}");
        }
        let references = [
            (
                "Cluster",
                "pivot",
                "/spec/controlPlaneRef",
                &control_plane,
                "KubeadmControlPlane",
                "controlplane-pivot",
            ),
            ("Cluster", "pivot", "/spec/infrastructureRef", &infrastructure, cluster, "pivot"),
            (
                "KubeadmControlPlane",
                "controlplane-pivot",
                &to_template,
                &infrastructure,
                template,
                "controlplane",
            ),
            (
                "MachineDeployment",
                "worker-md-0",
                "/spec/template/spec/infrastructureRef",
                &infrastructure,
                template,
                "worker",
            ),
            (
                "MachineDeployment",
                "worker-md-0",
                "/spec/template/spec/bootstrap/configRef",
                &bootstrap,
                "KubeadmConfigTemplate",
                "worker",
            ),
        ];
        for (kind, name, path, group, to, to_name) in references {
            let expected = match v1beta1 {
                true => {
                    json!({"apiVersion": format!("{group}/{version}"), "kind": to, "name": to_name,
                    "namespace": "default"})
                }
                false => json!({"apiGroup": group, "kind": to, "name": to_name}),
            };
            assert_eq!(find(&objects, kind, name).pointer(path), Some(&expected), "{kind} {path}");
        }
        let backend = find(&objects, cluster, "pivot").pointer("/spec/backend/docker");
        assert_eq!(backend, network.as_ref(), "{version} {kinds}");
        find(&objects, "KubeadmConfigTemplate", "worker");
        assert_eq!(objects.len(), 7, "and nothing else");
        for object in &objects {
            assert_eq!(object["metadata"]["namespace"], "default");
            let api_version = object["apiVersion"].as_str().unwrap_or_default();
            assert!(api_version.ends_with(&format!("/{version}")), "{api_version}");
        }
    }
}

#[tokio::test]
async fn the_other_parts_are_those_of_the_nine_steps() {
    let user = User::with(&["docker", "cilium", "in-memory"]).await;
    let [kind] = &render(&user, &["-i", "docker", "--part", "bootstrap"]).await[..] else {
        panic!("one configuration")
    };
    let mounts =
        json!([{"hostPath": "/var/run/docker.sock", "containerPath": "/var/run/docker.sock"}]);
    let expected = json!({"apiVersion": "kind.x-k8s.io/v1alpha4", "kind": "Cluster",
        "name": "bootstrap",
        "networking": {"ipFamily": "dual"}, "nodes": [{"role": "control-plane",
            "extraMounts": mounts}]});
    assert_eq!(*kind, expected);

    let args = ["-i", "docker", "--part", "cni", "--set", "pod-cidrs=10.1.0.0/16,fd00::/56"];
    let [plan] = &render(&user, &args).await[..] else { panic!("one plan") };
    assert_eq!((&plan["kind"], &plan["spec"]["chart"]), (&json!("CniPlan"), &json!("cilium")));
    assert_eq!(plan["spec"]["values"]["ipv6"]["enabled"], true, "from the cluster's ranges");

    assert_eq!(render(&user, &["-i", "in-memory", "--part", "cni"]).await, Vec::<Value>::new());
    assert_eq!(render(&user, &["-i", "docker", "--part", "all"]).await.len(), 9);
    let json = user.run(&["render", "pivot", "-i", "docker", "-o", "json"]).await;
    assert_eq!(json.json()["items"], json!(render(&user, &["-i", "docker"]).await));
}

#[tokio::test]
async fn mistakes_are_named_and_have_their_exit_codes() {
    let user = User::with(&["docker", "cilium", "aws"]).await;
    for (args, code, parts) in [
        (
            &["-i", "docker", "--set", "worker-replica=3"][..],
            2,
            &["`worker-replica`", "did you mean worker-replicas"][..],
        ),
        (
            &["-i", "docker", "--set", "worker-replicas=many"],
            2,
            &["type integer", "--set worker-replicas=VALUE"],
        ),
        (&["-i", "docker", "--set", "ipam-mode=none"], 2, &["ipam-mode", "cluster-pool"]),
        (&["-i", "docker", "--set", "worker-replicas"], 2, &["NAME=VALUE"]),
        (&["-i", "docker", "--capi-version", "new"], 2, &["such as v1.14.2"]),
        (&["-i", "docker", "--kubernetes-version", "1"], 2, &["kubernetes-version"]),
        (&["-i", "dokcer"], 2, &["did you mean docker"]),
        (&["-i", "cilium"], 2, &["has the kind cni, not infrastructure"]),
        (&["-i", "aws"], 2, &["`aws-region`", "`aws-node-machine-type`", "AWS_REGION"]),
        (&["-i", "aws", "--set", "aws-regoin=x"], 2, &["did you mean aws-region"]),
        (&["-i", "docker", "--kubeconfig", "/none"], 3, &["management cluster", "/none"]),
    ] {
        let outcome = user.run(&[&["render", "pivot"], args].concat()).await;
        assert_eq!(outcome.code, Some(code), "{args:?}: {outcome}");
        assert_eq!(outcome.stdout, "", "{args:?}");
        for part in parts {
            assert!(outcome.stderr.contains(part), "{args:?}: {outcome}");
        }
    }
}

/// Server-side apply refuses fields that the CRDs do not have.
#[tokio::test]
async fn a_real_api_server_accepts_everything() {
    let user = User::with(&["docker", "in-memory"]).await;
    let dir = tempfile::tempdir().expect("there is room for a folder");
    let parts = Parts::resolve(&parts::options(), &Events::none()).await;
    let parts = parts.unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()));
    let options = ControlPlaneOptions::default();
    let plane = ControlPlane::start(dir.path(), &parts, options, &Events::none()).await;
    let plane = plane.unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()));
    let client = Client::connect("management", &KubeconfigRef::file(plane.kubeconfig())).await;
    let client = client.expect("the kubeconfig is valid");
    // The CRDs are a moment old: discovery may not name them yet, and is waited for.
    let newest = ["-i", "docker", "--set", "kinds=dev", "--kubeconfig", path(plane.kubeconfig())];
    assert_eq!(render(&user, &newest).await.len(), 7);
    let served = discovered(&client).await;
    for (infrastructure, kinds) in [("docker", "docker"), ("docker", "dev"), ("in-memory", "")] {
        for version in ["auto", "v1beta1", "v1beta2"] {
            let namespace = format!("{infrastructure}{kinds}-{version}");
            create_namespace(&client, &namespace).await;
            let (kinds, version) = (format!("kinds={kinds}"), format!("api-version={version}"));
            let mut args = vec!["-i", infrastructure, "-n", &namespace, "--set", &version];
            if infrastructure == "docker" {
                args.extend(["--set", &kinds]);
            }
            args.extend(["--kubeconfig", path(plane.kubeconfig())]);
            let objects = render(&user, &args).await;
            assert_eq!(objects.len(), 7);
            for object in &objects {
                apply(&client, &served, &namespace, object).await;
            }
        }
    }
    for version in ["v1beta1", "v1beta2"] {
        let namespace = format!("settings-{version}");
        create_namespace(&client, &namespace).await;
        let version = format!("api-version={version}");
        let more = ["-n", &namespace, "--set", &version, "--kubeconfig", path(plane.kubeconfig())];
        let settings = ["--set", CONTROL_PLANE, "--set", WORKERS, "--set", POOLS];
        let settings = [&settings[..], &["--set", "health-check=true"]].concat();
        let counted = ["--set", "control-plane-replicas=3", "--set", "prefix-names=true"];
        let objects =
            render(&user, &[&["-i", "docker"], &more[..], &settings, &counted].concat()).await;
        assert_eq!(objects.len(), 12, "a pool is three objects, and there are two health checks");
        let topology = [
            &["-i", "docker", "--set", "topology=true", "--set", "kinds=dev"],
            &more[..],
            &settings,
        ]
        .concat();
        let of_class = render(&user, &topology).await;
        assert_eq!(of_class.len(), 10);
        for object in objects.iter().chain(&of_class) {
            apply(&client, &served, &namespace, object).await;
        }
    }
    check_with(&user, path(plane.kubeconfig()), &dir.path().join("golden.yaml")).await;
    user.install(&[in_go().to_owned()]).await;
    create_namespace(&client, "docker-go").await;
    let in_go = ["-i", "docker-go", "-n", "docker-go", "--kubeconfig", path(plane.kubeconfig())];
    let objects = render(&user, &in_go).await;
    assert_eq!(objects.len(), 7);
    for object in &objects {
        apply(&client, &served, "docker-go", object).await;
    }
    plane.stop().await;
}

const CONTROL_PLANE: &str = r#"control-plane-nodes={"name": "{{ local_hostname }}", "taints": [],
    "kubeletArgs": {"eviction-hard": "nodefs.available<0%"}, "patches": "/etc/kubeadm/patches",
    "kubeVip": {"address": "172.18.0.9", "interface": "eth0"}}"#;
const WORKERS: &str = r#"worker-nodes={
    "preKubeadmCommands": ["true"], "postKubeadmCommands": ["true"],
    "files": [{"path": "/etc/a", "content": "a", "owner": "root:root", "permissions": "0600"}],
    "users": [{"name": "admin", "sudo": "ALL", "sshAuthorizedKeys": ["ssh-ed25519 AAAA"]}]}"#;
const POOLS: &str = r#"worker-pools=[{"name": "gpu", "replicas": 2, "failureDomain": "b",
    "nodes": {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}}]"#;

/// As an author does in CI: the objects as they were, and an API server that takes them.
async fn check_with(user: &User, kubeconfig: &str, golden: &Path) {
    let docker = library("docker");
    let golden = path(golden);
    let check = async |more: &[&str]| {
        let args =
            ["plugin", "check", path(&docker), "--kubeconfig", kubeconfig, "--golden", golden];
        user.run(&[&args[..], more].concat()).await
    };
    check(&[]).await.expect_success("the file is written");
    assert!(std::fs::read_to_string(golden).expect("it is there").contains("kind: DockerCluster"));
    check(&[]).await.expect_success("nothing has changed");
    let changed = check(&["--set", "worker-replicas=2"]).await;
    assert_eq!(changed.code, Some(7), "{changed}");
    assert!(changed.says("`  replicas: 1` is now `  replicas: 2`"), "{changed}");
    std::fs::remove_file(golden).expect("it is there");
    let refused = check(&["--set", r#"worker-pools=[{"name": "a", "failureDomain": ""}]"#]).await;
    assert_eq!(refused.code, Some(7), "{refused}");
    assert!(
        refused.says("MachineDeployment `worker-a`") && refused.says("failureDomain"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_cluster_without_cluster_api_is_refused() {
    let user = User::with(&["docker"]).await;
    let dir = tempfile::tempdir().expect("there is room for a folder");
    let parts = Parts::resolve(&parts::options(), &Events::none()).await;
    let parts = parts.unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()));
    let options = ControlPlaneOptions { bare: true, ..ControlPlaneOptions::default() };
    let plane = ControlPlane::start(dir.path(), &parts, options, &Events::none()).await;
    let plane = plane.unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()));
    let args = ["render", "pivot", "-i", "docker", "--kubeconfig", path(plane.kubeconfig())];
    let outcome = user.run(&args).await;
    assert_eq!(outcome.code, Some(3), "{outcome}");
    assert!(outcome.says("serves no kinds of Cluster API"), "{outcome}");
    plane.stop().await;
}

/// Aggregated discovery lags behind new CRDs.
async fn discovered(client: &Client) -> Served {
    for _ in 0..60 {
        let served = Served::read(client).await.expect("the API server answers");
        let kinds = ["DockerCluster", "DockerMachineTemplate", "DevCluster", "DevMachineTemplate"];
        let group = "infrastructure.cluster.x-k8s.io";
        if kinds.iter().all(|kind| served.versions(group, kind).len() > 1) {
            return served;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    panic!("the kinds of the Docker provider are not discovered in 30 s");
}

async fn apply(client: &Client, served: &Served, namespace: &str, object: &Value) {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let (group, version) = api_version.split_once('/').expect("no core kinds");
    let resource: &ResourceType = served
        .versions(group, &kind)
        .iter()
        .find(|resource| resource.version == version)
        .unwrap_or_else(|| panic!("{api_version} {kind} is not served"));
    let name = text(&object["metadata"]["name"]);
    let key = (Some(namespace), name.as_str());
    let patch = (PatchKind::Apply, object);
    let stored = client.patch(resource, key, patch, &WriteOptions::default()).await;
    let stored = stored.unwrap_or_else(|error| panic!("{error}: {}", error.hint()));
    // Without Cluster API's conversion webhooks, what only v1beta1 has is accepted and not stored.
    if version == "v1beta2" {
        assert_contains(stored.value(), object, &format!("{kind} {name}"));
    }
}

/// Everything that was rendered is there; the API server adds defaults.
fn assert_contains(found: &Value, expected: &Value, at: &str) {
    match expected {
        Value::Object(fields) => {
            for (field, value) in fields {
                assert_contains(&found[field], value, &format!("{at}.{field}"));
            }
        }
        other => assert_eq!(found, other, "{at}"),
    }
}

async fn create_namespace(client: &Client, name: &str) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    let patch = (PatchKind::Apply, &namespace);
    let resource = ResourceType::new("v1", "Namespace", "namespaces", false);
    let created = client.patch(&resource, (None, name), patch, &WriteOptions::default()).await;
    created.expect("namespaces can be created");
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
