//! Applying objects, by server-side apply, in the order given.

use std::collections::HashMap;

use capi::{Object, ResourceType, at, set_field, well_known};
use cluster::{ApiError, Client, PatchKind, Served, WriteOptions};
use serde_json::{Value, json};

use crate::context::StepContext;
use crate::error::StepError;
use crate::support::wait::{Poll, until};

/// Owner of the fields that `create` sets. Not the manager of moves: what a user's tool has applied
/// is no trace of a move.
pub(crate) const MANAGER: &str = "kubectl-pivot-create";

/// The kinds of a cluster, those of the core group among them.
pub(crate) struct Kinds {
    served: Served,
    core: HashMap<String, ResourceType>,
}

impl Kinds {
    pub(crate) async fn read(cluster: &Client) -> Result<Self, ApiError> {
        let served = Served::read(cluster).await?;
        let list = cluster.get_path("/api/v1").await?;
        let mut core = HashMap::new();
        for resource in list["resources"].as_array().into_iter().flatten() {
            let plural = resource["name"].as_str().unwrap_or_default();
            let kind = resource["kind"].as_str().unwrap_or_default();
            if !plural.contains('/') {
                let namespaced = resource["namespaced"] == true;
                core.insert(kind.to_owned(), ResourceType::new("v1", kind, plural, namespaced));
            }
        }
        Ok(Self { served, core })
    }

    /// The type of an object, in the version that it is written in.
    pub(crate) fn of(&self, object: &Value) -> Option<ResourceType> {
        let api_version = object["apiVersion"].as_str()?;
        let kind = object["kind"].as_str()?;
        if api_version == "v1" {
            return self.core.get(kind).cloned();
        }
        let (group, version) = api_version.rsplit_once('/')?;
        let versions = self.served.versions(group, kind).iter();
        versions.into_iter().find(|known| known.version == version).cloned()
    }
}

/// Applies objects. `dry_run` lets webhooks judge them, and stores nothing.
pub(crate) async fn apply(
    cluster: &Client,
    kinds: &Kinds,
    objects: &[Value],
    dry_run: bool,
) -> Result<(), StepError> {
    for object in objects {
        let Some(kind) = kinds.of(object) else {
            let what = format!(
                "the {} cluster does not serve {} {}",
                cluster.name(),
                object["apiVersion"].as_str().unwrap_or_default(),
                object["kind"].as_str().unwrap_or_default()
            );
            return Err(StepError::refused(
                what,
                "install the provider that brings it, or change the manifests",
            ));
        };
        let mut object = object.clone();
        if kind.namespaced && at(&object, "/metadata/namespace").is_null() {
            set_field(&mut object, &["metadata", "namespace"], json!("default"));
        }
        let object = Object::new(object);
        let options = WriteOptions { dry_run, ..WriteOptions::manager(MANAGER) };
        let patch = (PatchKind::Apply, object.value());
        cluster.patch(&kind, (object.namespace(), object.name()), patch, &options).await?;
    }
    Ok(())
}

/// Applies objects; kinds that they bring themselves are served a moment later.
pub(crate) async fn apply_when_served(
    step_context: &StepContext<'_>,
    cluster: &Client,
    objects: &[Value],
    what: &str,
) -> Result<(), StepError> {
    until(step_context, what, async || {
        let kinds = Kinds::read(cluster).await?;
        match apply(cluster, &kinds, objects, false).await {
            Ok(()) => Ok(Poll::Ready(())),
            Err(StepError::Refused { what, .. }) => Ok(Poll::Pending(what)),
            Err(error) => Err(error),
        }
    })
    .await
}

/// Creates a namespace if it is not there.
pub(crate) async fn ensure_namespace(
    cluster: &Client,
    name: &str,
    labels: &Value,
) -> Result<(), StepError> {
    let kind = well_known::namespace();
    let mut namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    if labels.as_object().is_some_and(|labels| !labels.is_empty()) {
        namespace["metadata"]["labels"] = labels.clone();
    }
    let options = WriteOptions::manager(MANAGER);
    cluster.patch(&kind, (None, name), (PatchKind::Apply, &namespace), &options).await?;
    Ok(())
}
