//! The namespaces that copies live in. Those that the target lacks are created with the run's mark,
//! which goes with those of the copies. They stay after a rollback too.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use capi::names::RUN_ANNOTATION;
use capi::{Graph, Object, ResourceType, at};
use cluster::{ApiError, Client};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Map, Value, json};

use super::copy::create_or_find;
use super::error::PhaseError;
use super::precondition::patch;
use super::run::Run;

/// Limits the wait for a namespace that is being deleted.
const GONE_TIMEOUT: Duration = Duration::from_secs(60);

/// Pause between two looks at it.
const GONE_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// Label that every API server sets by itself.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Beginnings of annotations that only mean something in the cluster that the namespace is from.
const LOCAL_ANNOTATIONS: [&str; 3] = [
    "kubectl-pivot.io/",
    "kubectl.kubernetes.io/last-applied-configuration",
    "openshift.io/sa.scc.",
];

/// Namespaces themselves.
pub fn namespace_type() -> ResourceType {
    ResourceType::new("v1", "Namespace", "namespaces", false)
}

/// The names of the namespaces that something is copied to.
fn names(graph: &Graph) -> BTreeSet<&str> {
    graph.copied().filter_map(|index| graph[index].object.namespace()).collect()
}

/// A namespace that something is copied to.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The name.
    pub name: String,
    /// As it is in the source, if it is there and may be read.
    pub in_source: Option<Object>,
    /// As it is in the target.
    pub in_target: Option<Object>,
}

impl Wanted {
    /// As it is to be created in the target, with the mark of the run.
    pub fn to_create(&self, run: &Run) -> Object {
        let mut namespace = self.in_source.as_ref().map_or_else(
            || Object::new(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {}})),
            carried,
        );
        namespace.metadata_mut().insert("name".to_owned(), self.name.clone().into());
        namespace.set_annotation(RUN_ANNOTATION, &run.id);
        namespace
    }
}

/// Reads the namespaces that something is copied to, in both clusters. One of the target that this
/// user may not read is taken to be there: the first create in it will tell.
///
/// # Errors
/// When a request fails.
pub async fn wanted(run: &Run, graph: &Graph) -> Result<Vec<Wanted>, ApiError> {
    let names = names(graph).into_iter().map(str::to_owned);
    futures::stream::iter(names.collect::<Vec<_>>())
        .map(|name| async move {
            let in_source = async {
                // Files have no namespaces.
                if run.is_alone() { Ok(None) } else { find(&run.source, &name).await }
            };
            let (in_source, in_target) = tokio::try_join!(in_source, find(&run.target, &name))?;
            Ok(Wanted { name, in_source, in_target })
        })
        .buffered(run.in_flight())
        .try_collect()
        .await
}

/// The labels and annotations of a namespace that mean the same in another cluster.
pub fn carried(namespace: &Object) -> Object {
    let kept = |field: &str, is_local: fn(&str) -> bool| -> Map<String, Value> {
        let entries =
            at(namespace.value(), &format!("/metadata/{field}")).as_object().into_iter().flatten();
        let kept = entries.filter(|(key, _)| !is_local(key));
        kept.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let mut metadata = Map::new();
    for (field, is_local) in [
        ("labels", (|key| key == NAME_LABEL) as fn(&str) -> bool),
        ("annotations", |key| LOCAL_ANNOTATIONS.iter().any(|local| key.starts_with(local))),
    ] {
        let kept = kept(field, is_local);
        if !kept.is_empty() {
            metadata.insert(field.to_owned(), kept.into());
        }
    }
    Object::new(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))
}

/// The namespaces that something is copied to and that the target lacks, or is deleting. One that
/// this user may not read is taken to be there: the first create in it will tell.
///
/// # Errors
/// When a request fails.
pub async fn missing(run: &Run, graph: &Graph) -> Result<Vec<Wanted>, ApiError> {
    let mut wanted = wanted(run, graph).await?;
    wanted.retain(|wanted| wanted.in_target.as_ref().is_none_or(Object::is_being_deleted));
    Ok(wanted)
}

/// A namespace, or one without content if this user may not read it.
async fn find(cluster: &Client, name: &str) -> Result<Option<Object>, ApiError> {
    match cluster.get(&namespace_type(), None, name).await {
        Err(error) if error.is_forbidden() => Ok(Some(Object::new(json!({})))),
        other => other,
    }
}

/// Creates the namespaces that copies need and the target lacks, with their labels and annotations.
///
/// # Errors
/// When a request fails, or a namespace that is being deleted does not go.
pub async fn ensure(run: &Run, graph: &Graph) -> Result<(), PhaseError> {
    for wanted in missing(run, graph).await? {
        wait_until_gone(run, &wanted.name).await?;
        let namespace = wanted.to_create(run);
        create_or_find(&run.target, &namespace_type(), &namespace).await?;
    }
    Ok(())
}

/// Somebody may have deleted it, as the last move from here has left it empty.
async fn wait_until_gone(run: &Run, name: &str) -> Result<(), PhaseError> {
    let begun = Instant::now();
    while find(&run.target, name).await?.is_some_and(|found| found.is_being_deleted()) {
        run.stop.check()?;
        let seconds = begun.elapsed().as_secs();
        if begun.elapsed() > GONE_TIMEOUT {
            return Err(PhaseError::NamespaceTerminating { namespace: name.to_owned(), seconds });
        }
        run.events.doing(format!("waiting for namespace {name} of the target to be deleted"));
        tokio::time::sleep(GONE_CHECK_INTERVAL).await;
    }
    Ok(())
}

/// Leaves the namespaces that this run has created to the target, after its copies are gone. Others
/// may have come to use them, and no precondition guards what a deletion of a namespace takes with
/// it.
pub async fn leave(run: &Run) {
    for name in unmark_or_warn(run).await {
        run.events.note(format!(
            "namespace {name} stays in the target, which had none before; nothing of the move is \
             in it"
        ));
    }
}

/// Takes the mark from all namespaces that this run has created, and returns their names. A mark
/// that stays harms nobody, so a failure is a warning.
pub async fn unmark_or_warn(run: &Run) -> Vec<String> {
    unmark_all(run).await.unwrap_or_else(|error| {
        run.events.warning(format!("a mark stays on namespaces of the target: {error}"));
        Vec::new()
    })
}

async fn unmark_all(run: &Run) -> Result<Vec<String>, PhaseError> {
    let listed = match run.target.list_metadata(&namespace_type(), None).await {
        // Who may not list namespaces finds at least the one that the run was about.
        Err(error) if error.is_forbidden() => {
            let name = run.options.namespaces.selector();
            let found = futures::future::OptionFuture::from(name.map(|n| find(&run.target, n)));
            found.await.transpose()?.flatten().into_iter().collect()
        }
        other => other?,
    };
    let mut names = Vec::new();
    for namespace in &listed {
        if unmark(run, namespace).await? {
            names.push(namespace.name().to_owned());
        }
    }
    Ok(names)
}

/// Takes the mark of this run from a namespace; `false` if it has none.
async fn unmark(run: &Run, namespace: &Object) -> Result<bool, ApiError> {
    let without_mark = |namespace: &Object| {
        let is_ours = namespace.annotation(RUN_ANNOTATION) == Some(&run.id);
        is_ours.then(|| json!({"metadata": {"annotations": {RUN_ANNOTATION: null}}}))
    };
    let patched = patch(&run.target, &namespace_type(), namespace, without_mark).await?;
    Ok(patched.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_carried_without_what_belongs_to_its_cluster() {
        let namespace = Object::new(json!({"metadata": {"name": "a", "uid": "u",
            "labels": {NAME_LABEL: "a", "team": "blue"},
            "annotations": {"openshift.io/sa.scc.uid-range": "1/2", "kubectl-pivot.io/run": "old",
                "kubectl.kubernetes.io/last-applied-configuration": "{}", "contact": "blue"}},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}));
        let metadata = json!({"labels": {"team": "blue"}, "annotations": {"contact": "blue"}});
        let wanted = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        assert_eq!(carried(&namespace).value(), &wanted);
        let bare = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {}});
        assert_eq!(carried(&Object::new(json!({"metadata": {"name": "a"}}))).value(), &bare);
    }
}
