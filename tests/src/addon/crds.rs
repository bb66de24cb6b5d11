//! The provider in a local repository of clusterctl: its CRDs as a release has them.

use std::fs;
use std::path::{Path, PathBuf};

use sandbox::{GoSum, PinnedFiles, Wrapper};
use serde_json::{Value, json};
use support::causes::in_one_line;
use support::journal::Events;
use support::yaml;

use crate::parts;
use crate::repository::{deployment, namespace_object, stream};

const FILES: PinnedFiles = PinnedFiles {
    wrapper: Wrapper {
        go_mod: include_str!("../../modules/helm-addon/go.mod"),
        go_sum: GoSum::Plain(include_str!("../../modules/helm-addon/go.sum")),
        tools_go: include_str!("../../modules/helm-addon/tools.go"),
    },
    module: "sigs.k8s.io/cluster-api-addon-provider-helm",
    files: &[
        "metadata.yaml",
        "config/crd/bases/addons.cluster.x-k8s.io_helmchartproxies.yaml",
        "config/crd/bases/addons.cluster.x-k8s.io_helmreleaseproxies.yaml",
    ],
    name: "helm-addon-crds",
    what: "the CRDs of the Helm add-on provider",
};

const LABEL: &str = "addon-helm";
const NAMESPACE: &str = "caaph-system";

/// The CRDs as they are in a cluster after `clusterctl init`.
pub(crate) async fn installed() -> Vec<Value> {
    let mut crds = crds(&files().await);
    for crd in &mut crds {
        crd["metadata"]["labels"]["clusterctl.cluster.x-k8s.io"] = json!("");
    }
    crds
}

/// Writes the provider into a local repository, and returns its entry in `clusterctl.yaml`.
pub(crate) async fn write(folder: &Path) -> Value {
    let files = files().await;
    let place = folder.join(LABEL).join(FILES.version());
    fs::create_dir_all(&place).expect("create folder");
    fs::copy(files.join("metadata.yaml"), place.join("metadata.yaml")).expect("copy");
    let file = place.join("addon-components.yaml");
    let mut objects = vec![namespace_object(NAMESPACE), deployment(NAMESPACE, LABEL)];
    objects.extend(crds(&files));
    fs::write(&file, stream(&objects)).expect("write");
    json!({"name": "helm", "type": "AddonProvider", "url": file})
}

async fn files() -> PathBuf {
    let files = FILES.resolve(&parts::options(), &Events::none()).await;
    files.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()))
}

fn crds(files: &Path) -> Vec<Value> {
    ["helmchartproxies", "helmreleaseproxies"].map(|plural| crd(files, plural)).into()
}

/// A CRD with the labels that kustomize gives it in a release. The conversion webhook is left out:
/// there is one version.
fn crd(files: &Path, plural: &str) -> Value {
    let path = files.join(format!("addons.cluster.x-k8s.io_{plural}.yaml"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut crd = yaml::documents(&text).expect("YAML").remove(0);
    crd["metadata"]["labels"] =
        json!({"cluster.x-k8s.io/provider": "helm", "visualizer.cluster.x-k8s.io": ""});
    if plural == "helmchartproxies" {
        crd["metadata"]["labels"]["clusterctl.cluster.x-k8s.io/move-hierarchy"] = json!("true");
    }
    crd
}
