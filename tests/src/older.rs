//! The CRDs of a Cluster API that knows `v1beta1` only, as a management cluster has them that was never
//! upgraded. They convert nothing: there is one version.
//!
//! The module with the Docker provider is not served for these versions. Its CRDs are those of the pinned
//! version without `v1beta2`, and without the kinds that have nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use kubectl_pivot::causes::in_one_line;
use kubectl_pivot::journal::Events;
use kubectl_pivot::sandbox::{Parts, PinnedFiles, Wrapper};
use kubectl_pivot::yaml;
use serde_json::{Value, json};

use crate::parts;

/// The only version of the API.
const VERSION: &str = "v1beta1";

const FILES: PinnedFiles = PinnedFiles {
    wrapper: Wrapper {
        go_mod: include_str!("../modules/cluster-api-v1.10/go.mod"),
        go_sum: include_str!("../modules/cluster-api-v1.10/go.sum"),
        tools_go: include_str!("../modules/cluster-api-v1.10/tools.go"),
    },
    module: "sigs.k8s.io/cluster-api",
    files: &[
        "config/crd/bases/addons.cluster.x-k8s.io_clusterresourcesetbindings.yaml",
        "config/crd/bases/addons.cluster.x-k8s.io_clusterresourcesets.yaml",
        "config/crd/bases/cluster.x-k8s.io_clusterclasses.yaml",
        "config/crd/bases/cluster.x-k8s.io_clusters.yaml",
        "config/crd/bases/cluster.x-k8s.io_machinedeployments.yaml",
        "config/crd/bases/cluster.x-k8s.io_machinedrainrules.yaml",
        "config/crd/bases/cluster.x-k8s.io_machinehealthchecks.yaml",
        "config/crd/bases/cluster.x-k8s.io_machinepools.yaml",
        "config/crd/bases/cluster.x-k8s.io_machines.yaml",
        "config/crd/bases/cluster.x-k8s.io_machinesets.yaml",
        "config/crd/bases/ipam.cluster.x-k8s.io_ipaddressclaims.yaml",
        "config/crd/bases/ipam.cluster.x-k8s.io_ipaddresses.yaml",
        "config/crd/bases/runtime.cluster.x-k8s.io_extensionconfigs.yaml",
        "bootstrap/kubeadm/config/crd/bases/bootstrap.cluster.x-k8s.io_kubeadmconfigs.yaml",
        "bootstrap/kubeadm/config/crd/bases/bootstrap.cluster.x-k8s.io_kubeadmconfigtemplates.yaml",
        "controlplane/kubeadm/config/crd/bases/controlplane.cluster.x-k8s.io_kubeadmcontrolplanes.yaml",
        "controlplane/kubeadm/config/crd/bases/controlplane.cluster.x-k8s.io_kubeadmcontrolplanetemplates.yaml",
    ],
    name: "cluster-api-v1beta1-crds",
    what: "the CRDs of Cluster API with v1beta1 only",
};

/// The version of the older Cluster API, for example `v1.10.4`.
#[must_use]
pub fn version() -> &'static str {
    FILES.version()
}

/// Writes the CRDs into a folder that is laid out as that of [`Parts::crds`].
///
/// # Panics
/// When the Go module cannot be fetched, or a file cannot be read or written.
pub async fn write_crds(parts: &Parts, to: &Path) {
    let files = FILES.resolve(&parts::options(), &Events::none()).await;
    let files = files.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()));
    for path in entries(&files) {
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut crd = yaml::documents(&text).expect("YAML").remove(0);
        let provider = provider(crd["spec"]["group"].as_str().unwrap_or_default());
        label(&mut crd, provider);
        write(to, provider, &crd);
    }
    for (provider, change) in
        [("infrastructure-docker", without_v1beta2 as fn(&mut Value)), ("clusterctl", |_| {})]
    {
        for path in entries(&parts.crds.join(provider)) {
            let text = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let mut crd = serde_json::from_slice(&text).expect("JSON");
            change(&mut crd);
            if crd["spec"]["versions"].as_array().is_some_and(|versions| !versions.is_empty()) {
                write(to, provider, &crd);
            }
        }
    }
}

fn provider(group: &str) -> &'static str {
    match group {
        "bootstrap.cluster.x-k8s.io" => "bootstrap-kubeadm",
        "controlplane.cluster.x-k8s.io" => "control-plane-kubeadm",
        _ => "cluster-api",
    }
}

/// The labels that kustomize and clusterctl give the CRDs of a release with this contract.
fn label(crd: &mut Value, provider: &str) {
    crd["metadata"]["labels"] = json!({
        "clusterctl.cluster.x-k8s.io": "",
        "cluster.x-k8s.io/provider": provider,
        "cluster.x-k8s.io/v1beta1": VERSION,
    });
}

fn without_v1beta2(crd: &mut Value) {
    label(crd, "infrastructure-docker");
    let versions = crd["spec"]["versions"].as_array_mut().expect("a CRD has versions");
    versions.retain(|version| version["name"] == VERSION);
    for version in versions {
        version["storage"] = true.into();
        version["served"] = true.into();
    }
}

fn write(to: &Path, provider: &str, crd: &Value) {
    let folder = to.join(provider);
    fs::create_dir_all(&folder).expect("the folder is writable");
    let name = crd["metadata"]["name"].as_str().expect("a CRD has a name");
    fs::write(folder.join(format!("{name}.json")), crd.to_string()).expect("write");
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries.map(|entry| entry.expect("readable").path()).collect()
}
