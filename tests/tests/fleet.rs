//! The fleet generator against real API servers, and its product against the real clusterctl.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::process::Command;

use capi::{Object, ResourceType};
use cluster::{Client, KubeconfigRef, Verb};
use kubectl_pivot_tests::parts;
use sandbox::fleet::{self, FleetError, FleetOptions, FleetSummary};
use sandbox::{ControlPlane, ControlPlaneOptions, Part, Parts};
use support::journal::Events;

/// Kinds of a fleet: group, kind, objects of a cluster with three workers, and who manages fields.
const KINDS: [(&str, &str, usize, &str); 11] = [
    ("cluster", "Cluster", 1, "Apply kubectl, Update manager, Update manager status"),
    ("cluster", "MachineDeployment", 1, "Apply kubectl, Update manager, Update manager status"),
    (
        "cluster",
        "MachineSet",
        1,
        "Apply capi-machinedeployment, Update manager, Update manager status",
    ),
    ("cluster", "Machine", 4, "Apply capi-*, Update manager, Update manager status"),
    (
        "infrastructure.cluster",
        "DockerCluster",
        1,
        "Apply kubectl, Update manager, Update manager status",
    ),
    ("infrastructure.cluster", "DockerMachineTemplate", 2, "Apply kubectl, Update manager"),
    (
        "infrastructure.cluster",
        "DockerMachine",
        4,
        "Apply capi-*, Apply capi-*-metadata, Update manager, Update manager status",
    ),
    (
        "bootstrap.cluster",
        "KubeadmConfig",
        4,
        "Apply capi-*, Apply capi-*-metadata, Update manager, Update manager status",
    ),
    ("bootstrap.cluster", "KubeadmConfigTemplate", 1, "Apply kubectl, Update manager"),
    (
        "controlplane.cluster",
        "KubeadmControlPlane",
        1,
        "Apply kubectl, Update manager, Update manager status",
    ),
    ("", "Secret", 9, "Update manager"),
];

async fn control_plane(dir: &Path, name: &str) -> (ControlPlane, Client) {
    let parts = Parts::resolve(&parts::options(), &Events::none()).await;
    let parts =
        parts.unwrap_or_else(|error| panic!("{error}: {}", error.hint().unwrap_or_default()));
    let options = ControlPlaneOptions { name: name.to_owned(), ..ControlPlaneOptions::default() };
    let plane = ControlPlane::start(dir.join(name), &parts, options, &Events::none()).await;
    let mut plane = plane.expect("a control plane");
    plane.start_controller_manager(&Events::none()).await.expect("a garbage collector");
    let client = Client::connect(name, &KubeconfigRef::file(plane.kubeconfig())).await;
    (plane, client.expect("a client"))
}

fn options(clusters: usize, workers: usize) -> FleetOptions {
    FleetOptions { clusters, workers, ..FleetOptions::default() }
}

fn resource_type(group: &str, kind: &str) -> ResourceType {
    if group.is_empty() {
        return ResourceType::core(kind, "secrets");
    }
    let api_version = format!("{group}.x-k8s.io/v1beta2");
    ResourceType::new(&api_version, kind, &format!("{}s", kind.to_lowercase()), true)
}

async fn objects(client: &Client) -> BTreeMap<&'static str, Vec<Object>> {
    let mut all = BTreeMap::new();
    for (group, kind, _, _) in KINDS {
        let list = client.list(&resource_type(group, kind), Some("default")).await;
        all.insert(kind, list.expect("a list"));
    }
    all
}

/// Returns the managers of fields, without the owner's name in that of the manager.
fn managers(object: &Object) -> String {
    let entry = |entry: &serde_json::Value| {
        let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        let manager = match text("manager").as_str() {
            "capi-machineset" | "capi-kubeadmcontrolplane" => "capi-*".to_owned(),
            "capi-machineset-metadata" | "capi-kubeadmcontrolplane-metadata" => {
                "capi-*-metadata".to_owned()
            }
            other => other.to_owned(),
        };
        format!("{} {manager} {}", text("operation"), text("subresource")).trim_end().to_owned()
    };
    let entries: BTreeSet<_> = object.managed_fields().iter().map(entry).collect();
    entries.into_iter().collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn a_fleet_is_complete_and_a_second_one_of_the_same_names_is_refused() {
    let dir = tempfile::tempdir().expect("temp dir");
    let (_plane, client) = control_plane(dir.path(), "source").await;
    let summary = fleet::create(&client, &options(2, 3), &Events::none()).await.expect("a fleet");
    assert_eq!(summary, FleetSummary { clusters: 2, objects: 58 });

    let all = objects(&client).await;
    let uids: HashSet<_> = all.values().flatten().map(|object| object.uid().to_owned()).collect();
    for (_, kind, count, expected) in KINDS {
        assert_eq!(all[kind].len(), 2 * count, "{kind}");
        for object in &all[kind] {
            assert_eq!(managers(object), expected, "{}", object.id());
            for owner in object.owner_references() {
                assert!(uids.contains(&owner.uid), "{} owned by {owner:?}", object.id());
            }
            let generation = &object.value()["metadata"]["generation"];
            for condition in object.value()["status"]["conditions"].as_array().into_iter().flatten()
            {
                assert_eq!(&condition["observedGeneration"], generation, "{}", object.id());
            }
        }
    }

    let before = client.requests();
    assert_eq!(before[&Verb::Create] + before[&Verb::Patch], 2 * 74, "requests for 2 x 29 objects");
    let refused = fleet::create(&client, &options(1, 0), &Events::none()).await;
    assert!(matches!(refused, Err(FleetError::Taken { count: 17, .. })), "{refused:?}");
    let nothing = fleet::create(&client, &options(0, 3), &Events::none()).await.expect("no fleet");
    assert_eq!(nothing, FleetSummary::default());
    let writes = |counts: BTreeMap<_, u64>| {
        counts.into_iter().filter(|(verb, _)| *verb >= Verb::Create).collect::<Vec<_>>()
    };
    assert_eq!(writes(before), writes(client.requests()));

    let nowhere = FleetOptions { namespace: "nowhere".to_owned(), ..options(1, 0) };
    let refused =
        fleet::create(&client, &nowhere, &Events::none()).await.expect_err("no namespace");
    assert!(refused.hint().contains("kubectl create namespace"), "{refused}");
}

#[tokio::test]
#[ignore = "a case of the thorough run"]
async fn clusterctl_moves_a_fleet() {
    let dir = tempfile::tempdir().expect("temp dir");
    let (source, from) = control_plane(dir.path(), "source").await;
    let (target, to) = control_plane(dir.path(), "target").await;
    let fleet = FleetOptions { workers: 0, name_prefix: "lone".to_owned(), ..options(1, 0) };
    fleet::create(&from, &fleet, &Events::none()).await.expect("a cluster without workers");
    fleet::create(&from, &options(2, 3), &Events::none()).await.expect("a fleet");

    let clusterctl = Part::Clusterctl.resolve(&parts::options(), &Events::none()).await;
    let output = Command::new(clusterctl.expect("clusterctl"))
        .args(["move", "--namespace", "default", "--kubeconfig"])
        .arg(source.kubeconfig())
        .arg("--to-kubeconfig")
        .arg(target.kubeconfig())
        .env("CLUSTERCTL_DISABLE_VERSIONCHECK", "true")
        .env("XDG_CONFIG_HOME", dir.path())
        .env("HOME", dir.path())
        .output()
        .expect("clusterctl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (kind, left) in objects(&from).await {
        assert_eq!(left, [], "{kind}");
    }
    let moved: usize = objects(&to).await.values().map(Vec::len).sum();
    assert_eq!(moved, 58 + 17);
}

#[tokio::test]
async fn without_cluster_api_nothing_is_written() {
    let dir = tempfile::tempdir().expect("temp dir");
    let parts = Parts::resolve(&parts::options(), &Events::none()).await.expect("parts");
    let bare = ControlPlaneOptions { bare: true, ..ControlPlaneOptions::default() };
    let plane = ControlPlane::start(dir.path(), &parts, bare, &Events::none()).await;
    let plane = plane.expect("a control plane");
    let client = Client::connect("bare", &KubeconfigRef::file(plane.kubeconfig())).await;
    let client = client.expect("a client");
    let refused = fleet::create(&client, &options(1, 1), &Events::none()).await;
    assert!(matches!(refused, Err(FleetError::NotServed { .. })), "{refused:?}");
}
