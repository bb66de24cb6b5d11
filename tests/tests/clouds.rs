//! Plugins over the cluster templates of providers: the real clusterctl fills in the providers' own
//! templates, and real API servers with the providers' CRDs take the objects. No cloud is reached.

use std::path::{Path, PathBuf};

use capi::ResourceType;
use cluster::{Client, KubeconfigRef, PatchKind, Served, WriteOptions};
use kubectl_pivot_tests::clouds::{CLOUDS, Cloud};
use kubectl_pivot_tests::parts;
use kubectl_pivot_tests::plugins::User;
use kubectl_pivot_tests::program::{Outcome, Program};
use sandbox::{ControlPlane, ControlPlaneOptions, Part, Parts};
use serde_json::{Value, json};
use support::causes::in_one_line;
use support::journal::Events;
use support::yaml;

const CRDS: (&str, &str, &str) =
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions");

/// A small template in the form of the providers', which knows nothing of the number of workers.
const STUBBORN: &str = r#"
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: "${CLUSTER_NAME}"}
spec:
  clusterNetwork: {pods: {cidrBlocks: [192.168.0.0/16]}}
  controlPlaneRef:
    {apiGroup: controlplane.cluster.x-k8s.io, kind: KubeadmControlPlane, name: "${CLUSTER_NAME}"}
  infrastructureRef:
    {apiGroup: infrastructure.cluster.x-k8s.io, kind: AWSCluster, name: "${CLUSTER_NAME}"}
---
apiVersion: controlplane.cluster.x-k8s.io/v1beta2
kind: KubeadmControlPlane
metadata: {name: "${CLUSTER_NAME}"}
spec:
  replicas: ${CONTROL_PLANE_MACHINE_COUNT}
  version: ${KUBERNETES_VERSION}
  kubeadmConfigSpec:
    files: [{path: /etc/token, content: "region ${AWS_REGION}, token ${TOKEN:=none}"}]
---
apiVersion: cluster.x-k8s.io/v1beta2
kind: MachineDeployment
metadata: {name: "${CLUSTER_NAME}-md-0"}
spec: {clusterName: "${CLUSTER_NAME}", replicas: 2, template: {}}
"#;

async fn clusterctl() -> PathBuf {
    let resolved = Part::Clusterctl.resolve(&parts::options(), &Events::none()).await;
    resolved.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()))
}

/// A user of a provider, with everything that its template needs in the environment.
async fn customer(user: &User, cloud: &Cloud) -> Program {
    let program = user.program().env("KUBECTL_PIVOT_CLUSTERCTL", &text(&clusterctl().await));
    cloud.environment.iter().fold(program, |program, (name, value)| program.env(name, value))
}

#[tokio::test]
async fn api_servers_with_the_crds_of_the_providers_take_their_own_templates() {
    let names: Vec<_> = CLOUDS.iter().map(|cloud| cloud.name).collect();
    let user = User::with(&names).await;
    let dir = tempfile::tempdir().expect("there is room for a folder");
    let parts = Parts::resolve(&parts::options(), &Events::none()).await;
    let parts = parts.unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()));
    let options = ControlPlaneOptions::default();
    let plane =
        ControlPlane::start(&dir.path().join("plane"), &parts, options, &Events::none()).await;
    let plane = plane.unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()));
    let client = Client::connect("management", &KubeconfigRef::file(plane.kubeconfig())).await;
    let client = client.expect("the kubeconfig is valid");
    let crds = ResourceType::new(CRDS.0, CRDS.1, CRDS.2, false);
    for cloud in &CLOUDS {
        for crd in cloud.crds() {
            apply_as(&client, &crds, None, &crd).await;
        }
    }
    for cloud in &CLOUDS {
        let folder = dir.path().join(cloud.name);
        let config = text(&cloud.repository(&folder));
        let args = ["render", "pivot", "-i", cloud.name, "-n", cloud.name, "--clusterctl-config"];
        let wanted = ["--kubernetes-version", "1.33.4", "--set", "worker-replicas=3"];
        let more = ["--set", "pod-cidrs=10.7.0.0/16", "--kubeconfig", &text(plane.kubeconfig())];
        let args = [&args[..], &[&config], &wanted, &more].concat();
        let outcome = customer(&user, cloud).await.run(args).await.expect_success(cloud.name);
        let objects = yaml::documents(&outcome.stdout).expect("YAML");
        assert_eq!(objects.len(), cloud.objects, "{}: {outcome}", cloud.name);
        assert!(outcome.says("never reached"), "{outcome}");
        check(cloud, &objects);
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cloud.name}});
        let kind = ResourceType::new("v1", "Namespace", "namespaces", false);
        apply_as(&client, &kind, None, &namespace).await;
        for object in &objects {
            apply(&client, cloud.name, object).await;
        }
    }
    plane.stop().await;
}

/// The flags are in the objects, and the secrets in Secrets only.
fn check(cloud: &Cloud, objects: &[Value]) {
    let of = |kind: &str| {
        let found = objects.iter().find(|object| object["kind"] == kind);
        found.unwrap_or_else(|| panic!("{} has no {kind}", cloud.name))
    };
    let ranges = &of("Cluster")["spec"]["clusterNetwork"]["pods"]["cidrBlocks"];
    assert_eq!(*ranges, json!(["10.7.0.0/16"]), "{}", cloud.name);
    assert_eq!(of("KubeadmControlPlane")["spec"]["version"], "v1.33.4", "{}", cloud.name);
    assert_eq!(of("MachineDeployment")["spec"]["replicas"], 3, "{}", cloud.name);
    for object in objects {
        assert_eq!(object["metadata"]["namespace"], cloud.name, "{object}");
        let is_secret = object["kind"] == "Secret";
        let is_shown = object.to_string().contains("s3cret");
        assert!(is_secret || !is_shown, "{}: {object}", cloud.name);
    }
    if cloud.name == "gcp" {
        let text = json!(objects).to_string();
        assert!(!text.contains("feature-gates") && !text.contains("gce"), "{text}");
    }
}

#[tokio::test]
async fn a_dry_run_of_create_shows_every_step_and_no_secret() {
    let names: Vec<_> = CLOUDS.iter().map(|cloud| cloud.name).chain(["calico", "cilium"]).collect();
    let user = User::with(&names).await;
    let dir = tempfile::tempdir().expect("there is room for a folder");
    for cloud in &CLOUDS {
        let config = text(&cloud.repository(&dir.path().join(cloud.name)));
        let args =
            ["create", "pivot", "-i", cloud.name, "--dry-run", "--clusterctl-config", &config];
        let program = customer(&user, cloud).await;
        let outcome = program.run(args).await.expect_success(cloud.name);
        let init = format!("--infrastructure {}:{}", cloud.name, cloud.version);
        for part in [init.as_str(), "[addons] (after network)", "kind: KubeadmControlPlane"] {
            assert!(outcome.stdout.contains(part), "{part}: {outcome}");
        }
        for (name, value) in cloud.environment {
            let is_secret = name.contains("SECRET") || name.contains("PASSWORD");
            assert!(!is_secret || !outcome.says(value), "{name}: {outcome}");
        }
        let needs = |name: &str| cloud.environment.iter().any(|(known, _)| *known == name);
        for credential in ["AWS_B64ENCODED_CREDENTIALS", "GCP_B64ENCODED_CREDENTIALS"] {
            if needs(credential) {
                let poor = customer(&user, cloud).await.env(credential, "");
                let outcome = poor.run(args).await;
                assert_eq!(outcome.code, Some(3), "{outcome}");
                assert!(outcome.says(&format!("{credential} is not set")), "{outcome}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_template_cannot_do_is_refused_with_words() {
    let user = User::with(&["aws", "calico"]).await;
    let dir = tempfile::tempdir().expect("there is room for a folder");
    let aws = &CLOUDS[0];
    let templates = [
        ("cluster-template.yaml", STUBBORN),
        ("cluster-template-empty.yaml", "{}\n"),
        ("cluster-template-text.yaml", "a: [\n"),
        ("cluster-template-more.yaml", "a: ${WITHOUT_A_VALUE}\n"),
    ];
    let config = text(&aws.repository_with(dir.path(), &templates));
    let program = customer(&user, aws).await;
    let run = async |more: &[&str]| -> Outcome {
        let args = ["create", "pivot", "-i", "aws", "--dry-run", "--clusterctl-config", &config];
        program.run([&args[..], more].concat()).await
    };
    run(&["--worker-replicas", "2"]).await.expect_success("as the template has it");
    for (more, code, parts) in [
        (
            &["--worker-replicas", "3"][..],
            2,
            &["ignores --worker-replicas", "the number of workers is 2", "--cluster-manifest"][..],
        ),
        (&["--set", "flavour=empty"], 3, &["has no Cluster default/pivot"]),
        (&["--set", "flavour=none"], 3, &["cluster-template-none.yaml"]),
        (&["--set", "flavour=more"], 3, &["WITHOUT_A_VALUE"]),
        (&["--set", "flavour=text"], 3, &["`clusterctl generate cluster"]),
        (&["--set", "provider-version=v9.9.9"], 3, &["v9.9.9"]),
        (&["--provider", "infrastructure=aws:v9.9.8"], 3, &["v9.9.8"]),
        (&["--set", "addons=storage"], 2, &["there is no add-on `storage`"]),
    ] {
        let outcome = run(more).await;
        assert_eq!(outcome.code, Some(code), "{more:?}: {outcome}");
        for part in parts {
            assert!(outcome.says(part), "{more:?} {part}: {outcome}");
        }
    }
    let poor = ["AWS_REGION", "AWS_SSH_KEY_NAME"];
    let poor = poor.iter().fold(customer(&user, aws).await, |program, name| program.env(name, ""));
    let args = ["create", "pivot", "-i", "aws", "--dry-run", "--clusterctl-config", &config];
    let outcome = poor.run(args).await;
    assert_eq!(outcome.code, Some(2), "{outcome}");
    for part in ["`aws-region`", "`aws-ssh-key-name`", "AWS_REGION, AWS_SSH_KEY_NAME"] {
        assert!(outcome.says(part), "{part}: {outcome}");
    }
}

async fn apply(client: &Client, namespace: &str, object: &Value) {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let Some((group, version)) = api_version.split_once('/') else {
        let kind = ResourceType::new("v1", &kind, &format!("{}s", kind.to_lowercase()), true);
        return apply_as(client, &kind, Some(namespace), object).await;
    };
    // Aggregated discovery lags behind new CRDs.
    for _ in 0..60 {
        let served = Served::read(client).await.expect("the API server answers");
        let mut versions = served.versions(group, &kind).iter();
        if let Some(resource) = versions.find(|resource| resource.version == version) {
            return apply_as(client, resource, Some(namespace), object).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    panic!("{api_version} {kind} is not served");
}

/// Server-side apply refuses fields that the CRDs do not have.
async fn apply_as(client: &Client, kind: &ResourceType, namespace: Option<&str>, object: &Value) {
    let name = object["metadata"]["name"].as_str().expect("it has a name");
    let patch = (PatchKind::Apply, object);
    let stored = client.patch(kind, (namespace, name), patch, &WriteOptions::default()).await;
    stored.unwrap_or_else(|error| panic!("{} {name}: {error}: {}", kind.kind, error.hint()));
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
