//! CRDs of providers without clusterctl's label: Helm, kustomize and other tools than clusterctl
//! install the released manifests, in which every CRD names its provider, and clusterctl adds its
//! label only to what it installs itself. The label of the provider counts as much.

use capi::names::{CLUSTERCTL_LABEL, CORE_GROUP, PROVIDER_LABEL};
use capi::{MoveKind, Object, ObjectId, well_known};
use cluster::{ApiError, Client};

use super::findings::{Findings, shortened};

/// The CRD without which there is no Cluster.
const CLUSTERS: &str = "clusters.cluster.x-k8s.io";

/// CRDs that a finding shows.
const SHOWN: usize = 3;

/// Lists CRDs of providers that lack clusterctl's label.
pub(super) async fn list(cluster: &Client) -> Result<Vec<Object>, ApiError> {
    let selector = format!("{PROVIDER_LABEL},!{CLUSTERCTL_LABEL}");
    cluster.list_selected(&well_known::crd(), None, &selector).await
}

/// Reports that their objects move, and that clusterctl would leave them.
pub(super) fn report(crds: &[ObjectId], cluster: &'static str, findings: &mut Findings) {
    if crds.is_empty() {
        return;
    }
    let names = shortened(crds.iter().map(|crd| crd.name.clone()), SHOWN);
    let message = format!(
        "{} CRDs of providers have no label {CLUSTERCTL_LABEL}: {names}; their label \
         {PROVIDER_LABEL} counts instead, but `clusterctl move` would leave their objects behind",
        crds.len()
    );
    let hint = format!(
        "nothing has to be done here; for clusterctl, label them: kubectl label crd -l \
         '{PROVIDER_LABEL}' {CLUSTERCTL_LABEL}="
    );
    findings.warning("CrdsNotLabelled", cluster, message, hint);
}

/// Refuses a cluster whose CRD of Clusters exists and is of nobody: all its Clusters would be
/// overlooked.
pub(super) async fn check_clusters(
    (cluster, role): (&Client, &'static str),
    kinds: &[MoveKind],
    findings: &mut Findings,
) -> Result<(), ApiError> {
    let is_cluster =
        |kind: &MoveKind| kind.resource.group == CORE_GROUP && kind.resource.kind == "Cluster";
    if kinds.iter().any(is_cluster) {
        return Ok(());
    }
    // Listed, since a user who may list CRDs may not be allowed to get one.
    let crds = cluster.list_metadata(&well_known::crd(), None).await?;
    if crds.iter().all(|crd| crd.name() != CLUSTERS) {
        return Ok(());
    }
    let message = format!(
        "its CRD {CLUSTERS} has neither the label {CLUSTERCTL_LABEL} nor {PROVIDER_LABEL}, by \
         which a move knows its kinds; so it would find no Cluster"
    );
    let hint = format!(
        "label the CRDs of all its providers (`kubectl get crds` lists them): \
         kubectl label crd NAME... {CLUSTERCTL_LABEL}="
    );
    findings.error("ClusterNotLabelled", role, message, hint);
    Ok(())
}
