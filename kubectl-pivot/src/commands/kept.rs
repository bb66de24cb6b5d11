//! The run of `create` on this machine, if it has made the cluster that a deletion is about.

use std::path::Path;

use cluster::{Client, KubeconfigRef};
use workflow::{DEFAULT_NAMESPACE, PivotDocument, PivotSpec, StoreError, kept_run, runs};

use super::delete::DeleteRequest;
use super::error::CommandError;

/// A run whose settings a deletion uses.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The settings; empty ones if the run is of another cluster.
    pub(super) document: PivotDocument,
    /// The kubeconfig that it has kept, if the user names none.
    pub(super) kubeconfig: Option<KubeconfigRef>,
    /// True if there is such a run.
    pub(super) is_there: bool,
}

/// Looks for it.
///
/// # Errors
/// It cannot be read, or it is not finished.
pub(super) async fn kept(request: &DeleteRequest) -> Result<Kept, CommandError> {
    let Some((folder, document)) = kept_run(&request.name)? else { return Ok(Kept::default()) };
    let kept = kubeconfig(&folder, &document.spec);
    if !is_of(request, &document, &kept).await {
        return Ok(Kept::default());
    }
    if runs()?.iter().any(|run| run.name == request.name && !run.is_finished()) {
        return Err(StoreError::Unfinished(request.name.clone()).into());
    }
    let is_used = names_none(request) && kept.path.as_ref().is_some_and(|path| path.exists());
    Ok(Kept { document, kubeconfig: is_used.then_some(kept), is_there: true })
}

/// Returns true if the run has made this very cluster, as far as its kubeconfig says.
async fn is_of(request: &DeleteRequest, run: &PivotDocument, kept: &KubeconfigRef) -> bool {
    let of_run = run.metadata.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
    if request.namespace.as_deref().is_some_and(|namespace| namespace != of_run) {
        return false;
    }
    if names_none(request) {
        return true;
    }
    let (management, target) = (server(&request.management).await, server(kept).await);
    management.is_some() && management == target
}

fn names_none(request: &DeleteRequest) -> bool {
    request.management == KubeconfigRef::default()
}

/// URL of the API server that a kubeconfig leads to. Asks nobody.
async fn server(kubeconfig: &KubeconfigRef) -> Option<String> {
    let client = Client::connect("management", kubeconfig).await.ok()?;
    Some(client.server().to_owned())
}

fn kubeconfig(folder: &Path, run: &PivotSpec) -> KubeconfigRef {
    let own = folder.join("target.kubeconfig");
    KubeconfigRef::file(run.to_kubeconfig.clone().unwrap_or(own))
}
