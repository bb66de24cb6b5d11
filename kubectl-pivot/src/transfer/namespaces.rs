//! The namespaces that copies live in. Those that the target lacks are created with the run's mark:
//! an undo removes them again if they hold nothing, otherwise the mark goes with those of the copies.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use super::copy::create_or_find;
use super::error::PhaseError;
use super::run::Run;
use crate::capi::names::RUN_ANNOTATION;
use crate::capi::{Graph, Object, ResourceType};
use crate::cluster::{ApiError, ApiErrorCause, Client, PatchKind, Served, WriteOptions};

/// How long a namespace that is being deleted may take to go.
const GONE_TIMEOUT: Duration = Duration::from_secs(60);

/// Pause between two looks at it.
const INTERVAL: Duration = Duration::from_millis(250);

/// What every namespace gets from the controllers of its cluster.
const STANDARD: [(&str, &str); 2] =
    [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")];

/// Namespaces themselves.
pub fn namespace_type() -> ResourceType {
    ResourceType::new("v1", "Namespace", "namespaces", false)
}

/// The namespaces that something is copied to.
fn wanted(graph: &Graph) -> BTreeSet<&str> {
    graph.copied().filter_map(|index| graph.nodes[index].object.namespace()).collect()
}

/// The namespaces that something is copied to and that the target lacks, or is deleting. One that
/// this user may not read is taken to be there: the first create in it will tell.
///
/// # Errors
/// When a request fails.
pub async fn missing<'a>(run: &Run, graph: &'a Graph) -> Result<Vec<&'a str>, ApiError> {
    let mut missing = Vec::new();
    for name in wanted(graph) {
        if find(&run.target, name).await?.is_none_or(|found| found.is_being_deleted()) {
            missing.push(name);
        }
    }
    Ok(missing)
}

/// A namespace, or one without content if this user may not read it.
async fn find(cluster: &Client, name: &str) -> Result<Option<Object>, ApiError> {
    match cluster.get(&namespace_type(), None, name).await {
        Err(error) if error.is_forbidden() => Ok(Some(Object::new(json!({})))),
        other => other,
    }
}

/// Creates the namespaces that copies need and the target lacks.
///
/// # Errors
/// When a request fails, or a namespace that is being deleted does not go.
pub async fn ensure(run: &Run, graph: &Graph) -> Result<(), PhaseError> {
    for name in missing(run, graph).await? {
        wait_until_gone(run, name).await?;
        let namespace = Object::new(json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "annotations": {RUN_ANNOTATION: run.id}}}));
        create_or_find(&run.target, &namespace_type(), &namespace).await?;
    }
    Ok(())
}

/// An undo of this run may have been interrupted right after it removed the namespace.
async fn wait_until_gone(run: &Run, name: &str) -> Result<(), PhaseError> {
    let begun = Instant::now();
    while find(&run.target, name).await?.is_some_and(|found| found.is_being_deleted()) {
        run.stop.check()?;
        let seconds = begun.elapsed().as_secs();
        if begun.elapsed() > GONE_TIMEOUT {
            return Err(PhaseError::NamespaceTerminating { namespace: name.to_owned(), seconds });
        }
        run.events.doing(format!("waiting for namespace {name} of the target to be deleted"));
        tokio::time::sleep(INTERVAL).await;
    }
    Ok(())
}

/// Takes the mark from the namespaces that this run has created, since they stay.
///
/// # Errors
/// When a request fails.
pub async fn keep(run: &Run, graph: &Graph) -> Result<(), PhaseError> {
    for name in wanted(graph) {
        let found = find(&run.target, name).await?;
        if let Some(namespace) = found.filter(|found| is_ours(run, found)) {
            unmark(run, &namespace).await?;
        }
    }
    Ok(())
}

fn is_ours(run: &Run, namespace: &Object) -> bool {
    namespace.annotation(RUN_ANNOTATION) == Some(&run.id)
}

async fn unmark(run: &Run, namespace: &Object) -> Result<(), ApiError> {
    let patch =
        json!({"metadata": {"uid": namespace.uid(), "annotations": {RUN_ANNOTATION: null}}});
    let patch = (PatchKind::Merge, &patch);
    let options = WriteOptions::default();
    match run.target.patch(&namespace_type(), (None, namespace.name()), patch, &options).await {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

/// Removes the namespaces that this run has created, after its copies. Those that have come to hold
/// something stay, and lose the mark.
///
/// # Errors
/// When a request fails.
pub async fn remove(run: &Run) -> Result<(), PhaseError> {
    let listed = match run.target.list(&namespace_type(), None).await {
        // Who may not list namespaces finds at least the one that the run was about.
        Err(error) if error.is_forbidden() => {
            let name = run.options.namespaces.selector();
            let found = futures::future::OptionFuture::from(name.map(|n| find(&run.target, n)));
            found.await.transpose()?.flatten().into_iter().collect()
        }
        other => other?,
    };
    let ours = listed.into_iter().filter(|namespace| is_ours(run, namespace));
    let ours: Vec<Object> = ours.filter(|namespace| !namespace.is_being_deleted()).collect();
    if ours.is_empty() {
        return Ok(());
    }
    let types = namespaced_types(&run.target).await?;
    for namespace in ours {
        run.stop.check_lock()?;
        if let Some(tenant) = tenant(&run.target, &types, namespace.name()).await? {
            run.events.note(format!(
                "namespace {} of the target stays: {tenant} has come into it",
                namespace.name()
            ));
            unmark(run, &namespace).await?;
        } else {
            run.target.delete(&namespace_type(), None, namespace.name(), namespace.uid()).await?;
        }
    }
    Ok(())
}

/// Everything that may be in a namespace, each kind at one version.
async fn namespaced_types(cluster: &Client) -> Result<Vec<ResourceType>, ApiError> {
    let (core, named) = tokio::try_join!(Served::read_core(cluster), Served::read(cluster))?;
    let all = core.kinds().chain(named.kinds());
    let types = all.filter_map(|(_, _, versions)| versions.first().cloned());
    Ok(types.filter(|resource| resource.namespaced).collect())
}

/// Something in a namespace that does not come with every namespace.
///
/// What this user may not read counts as something.
async fn tenant(
    cluster: &Client,
    types: &[ResourceType],
    namespace: &str,
) -> Result<Option<String>, ApiError> {
    for resource in types.iter().filter(|resource| resource.kind != "Event") {
        let listed = match cluster.list_metadata(resource, Some(namespace)).await {
            Err(error) if error.is_forbidden() => {
                return Ok(Some(format!("perhaps a {}", resource.kind)));
            }
            Err(error) if error.is_not_found() || is_not_a_collection(&error) => continue,
            other => other?,
        };
        let is_standard =
            |object: &&Object| STANDARD.contains(&(resource.kind.as_str(), object.name()));
        if let Some(object) = listed.iter().find(|object| !is_standard(object)) {
            return Ok(Some(resource.id(Some(namespace), object.name()).to_string()));
        }
    }
    Ok(None)
}

/// Whether a type can only be created, such as access reviews.
fn is_not_a_collection(error: &ApiError) -> bool {
    matches!(error.cause, ApiErrorCause::Status { code: 405, .. })
}
