//! Discovery: lists for each kind, paged, and the owner graph from them. No write, and no read of
//! single objects, except the few templates of ClusterClasses in other namespaces.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use capi::{
    Chosen, Graph, MoveKind, Object, ResourceType, Scope, at, cluster_class_of, is_cluster,
};
use cluster::{ApiError, Client};
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;

use super::error::PhaseError;
use super::inventory::Provider;
use super::options::Namespaces;

/// Kinds listed at once: all of a management cluster with a few providers. Most lists are empty,
/// and their round trips are the time that a small move takes.
pub(super) const LISTS_IN_FLIGHT: usize = 64;

/// Input of discovery; read once for a run.
#[derive(Clone, Debug)]
pub struct MoveScope {
    /// The kinds to list.
    pub kinds: Arc<Vec<MoveKind>>,
    /// The providers of the source.
    pub providers: Vec<Provider>,
    /// Namespaces of the objects that move.
    pub namespaces: Namespaces,
    /// The Clusters that were chosen among them; all when `None`.
    pub chosen: Option<Arc<Chosen>>,
    /// True if objects that moving ones refer to are copied too, and kept.
    pub copies_referenced: bool,
    /// Kinds that the target takes from a source; `None` if nothing is to be copied to one, or it
    /// was not asked yet.
    pub taken: Option<Arc<Vec<MoveKind>>>,
}

impl MoveScope {
    /// Returns the kind of a listed object, or of a node of the graph that was made of them.
    #[expect(clippy::indexing_slicing, reason = "objects know their kinds by these indices")]
    pub fn kind(&self, index: usize) -> &MoveKind {
        &self.kinds[index]
    }
}

/// Lists everything in the scope of the move and builds the owner graph.
///
/// # Errors
/// When a list fails, or owners form a cycle.
pub async fn discover(cluster: &Client, move_scope: &MoveScope) -> Result<Graph, PhaseError> {
    let chosen = move_scope.chosen.clone();
    let copies_referenced = move_scope.copies_referenced;
    let mut scope = Scope { chosen, copies_referenced, ..Scope::default() };
    scope.namespaces = move_scope.namespaces.names();
    let used_outside = async {
        match &scope.namespaces {
            Some(_) => classes_used_outside(cluster, move_scope).await,
            None => Ok(HashSet::new()),
        }
    };
    let (mut objects, secrets, used_outside) = tokio::try_join!(
        list_kinds(cluster, move_scope),
        list_provider_secrets(cluster, move_scope),
        used_outside
    )?;
    objects.extend(secrets);
    scope.classes_used_outside = used_outside;
    if scope.namespaces.is_some() {
        objects.extend(read_outside_classes(cluster, move_scope, &objects).await?);
    }
    Ok(Graph::build(Arc::clone(&move_scope.kinds), objects, &scope)?)
}

/// Lists every kind of the move_scope, each object with the index of its kind.
///
/// # Errors
/// When a list fails.
pub async fn list_kinds(
    cluster: &Client,
    move_scope: &MoveScope,
) -> Result<Vec<(usize, Object)>, ApiError> {
    let namespace = move_scope.namespaces.selector();
    let lists = futures::stream::iter(move_scope.kinds.iter().enumerate())
        .map(|(index, kind)| async move {
            let objects = list_or_none(cluster, &kind.resource, namespace).await?;
            let is_in = |object: &Object| {
                object.namespace().is_none_or(|namespace| move_scope.namespaces.has(namespace))
            };
            let objects = objects.into_iter().filter(is_in).map(|object| (index, object));
            Ok::<_, ApiError>(objects.collect::<Vec<_>>())
        })
        .buffered(LISTS_IN_FLIGHT)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(lists.into_iter().flatten().collect())
}

/// Lists every kind in every namespace that something is copied to.
///
/// # Errors
/// When a list fails.
pub async fn list_copied(
    cluster: &Client,
    move_scope: &MoveScope,
    graph: &Graph,
) -> Result<Vec<(usize, Object)>, ApiError> {
    let copied = graph.copied().filter_map(|index| graph[index].object.namespace());
    list_with(cluster, move_scope, &copied.map(str::to_owned).collect()).await
}

/// Lists every kind in the namespaces of the scope and in these.
async fn list_with(
    cluster: &Client,
    move_scope: &MoveScope,
    namespaces: &BTreeSet<String>,
) -> Result<Vec<(usize, Object)>, ApiError> {
    if matches!(move_scope.namespaces, Namespaces::Several(_)) {
        let all = MoveScope { namespaces: Namespaces::All, ..move_scope.clone() };
        return list_kinds(cluster, &all).await;
    }
    let mut listed = list_kinds(cluster, move_scope).await?;
    let Some(moving) = move_scope.namespaces.selector() else { return Ok(listed) };
    for other in namespaces.iter().filter(|name| *name != moving) {
        let part = MoveScope { namespaces: Namespaces::One(other.clone()), ..move_scope.clone() };
        listed.extend(list_kinds(cluster, &part).await?);
    }
    Ok(listed)
}

/// Lists every kind in all namespaces, or, for a user who may not, in those of the move_scope.
///
/// # Errors
/// When a list fails.
pub async fn list_everywhere(
    cluster: &Client,
    move_scope: &MoveScope,
) -> Result<Vec<(usize, Object)>, ApiError> {
    list_everywhere_or_in(cluster, move_scope, &BTreeSet::new()).await
}

/// As [`list_everywhere`], for a user who may not in these namespaces too.
///
/// # Errors
/// When a list fails.
pub async fn list_everywhere_or_in(
    cluster: &Client,
    move_scope: &MoveScope,
    namespaces: &BTreeSet<String>,
) -> Result<Vec<(usize, Object)>, ApiError> {
    let everywhere = MoveScope { namespaces: Namespaces::All, ..move_scope.clone() };
    match list_kinds(cluster, &everywhere).await {
        Err(error) if error.is_forbidden() => list_with(cluster, move_scope, namespaces).await,
        other => other,
    }
}

/// A kind that the cluster does not serve has no objects there; a user who may not list it gets to
/// hear that first. One that it says to serve, and of which no list can be had, may have some.
pub(super) async fn list_or_none(
    cluster: &Client,
    resource: &ResourceType,
    namespace: Option<&str>,
) -> Result<Vec<Object>, ApiError> {
    none_if_not_served(cluster, resource, cluster.list(resource, namespace).await).await
}

/// Lists metadata as [`list_or_none`] lists objects.
pub(super) async fn list_metadata_or_none(
    cluster: &Client,
    resource: &ResourceType,
    namespace: Option<&str>,
) -> Result<Vec<Object>, ApiError> {
    none_if_not_served(cluster, resource, cluster.list_metadata(resource, namespace).await).await
}

async fn none_if_not_served(
    cluster: &Client,
    resource: &ResourceType,
    listed: Result<Vec<Object>, ApiError>,
) -> Result<Vec<Object>, ApiError> {
    match listed {
        Err(error)
            if (error.is_not_found() || error.is_forbidden())
                && !is_named(cluster, resource).await? =>
        {
            Ok(Vec::new())
        }
        other => other,
    }
}

/// Returns whether discovery names a resource at this version.
async fn is_named(cluster: &Client, resource: &ResourceType) -> Result<bool, ApiError> {
    match cluster.get_path(&resource.root()).await {
        Ok(list) => {
            let mut named = at(&list, "/resources").as_array().into_iter().flatten();
            Ok(named.any(|named| at(named, "/name") == resource.plural.as_str()))
        }
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Providers keep credentials of global identities as secrets in their own namespaces.
async fn list_provider_secrets(
    cluster: &Client,
    move_scope: &MoveScope,
) -> Result<Vec<(usize, Object)>, ApiError> {
    if move_scope.namespaces == Namespaces::All {
        return Ok(Vec::new());
    }
    let Some(index) = move_scope
        .kinds
        .iter()
        .position(|kind| kind.resource.kind == "Secret" && kind.resource.group.is_empty())
    else {
        return Ok(Vec::new());
    };
    let infrastructure =
        move_scope.providers.iter().filter(|provider| provider.is_infrastructure());
    let namespaces: HashSet<&str> = infrastructure
        .map(|provider| provider.namespace.as_str())
        .filter(|namespace| !move_scope.namespaces.has(namespace))
        .collect();
    let mut secrets = Vec::new();
    for namespace in namespaces {
        let listed = cluster.list(&move_scope.kind(index).resource, Some(namespace)).await?;
        secrets.extend(listed.into_iter().map(|secret| (index, secret)));
    }
    Ok(secrets)
}

/// ClusterClasses of other namespaces that Clusters of these use, with their templates.
async fn read_outside_classes(
    cluster: &Client,
    move_scope: &MoveScope,
    objects: &[(usize, Object)],
) -> Result<Vec<(usize, Object)>, ApiError> {
    let clusters = objects.iter().map(|(_, object)| object).filter(|object| is_cluster(object));
    let classes: HashSet<(String, String)> = clusters
        .filter_map(cluster_class_of)
        .filter(|(namespace, _)| !move_scope.namespaces.has(namespace))
        .collect();
    let mut found = BTreeMap::new();
    for (class_namespace, name) in classes {
        let Some(class) = read_one(
            cluster,
            move_scope,
            "cluster.x-k8s.io",
            "ClusterClass",
            &class_namespace,
            &name,
        )
        .await?
        else {
            continue;
        };
        for (group, kind, template) in template_references(class.1.at("/spec")) {
            if let Some(template) =
                read_one(cluster, move_scope, &group, &kind, &class_namespace, &template).await?
            {
                found.insert(template.1.uid().to_owned(), template);
            }
        }
        found.insert(class.1.uid().to_owned(), class);
    }
    Ok(found.into_values().collect())
}

async fn read_one(
    cluster: &Client,
    move_scope: &MoveScope,
    group: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<Option<(usize, Object)>, ApiError> {
    let is_kind =
        |candidate: &MoveKind| candidate.resource.group == group && candidate.resource.kind == kind;
    let Some(index) = move_scope.kinds.iter().position(is_kind) else {
        return Ok(None);
    };
    let object = cluster.get(&move_scope.kind(index).resource, Some(namespace), name).await?;
    Ok(object.map(|object| (index, object)))
}

/// Group, kind and name of every template that a ClusterClass refers to, in any served version.
fn template_references(spec: &Value) -> Vec<(String, String, String)> {
    match spec {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match template_reference(value) {
                Some(reference) if key == "templateRef" || key == "ref" => vec![reference],
                _ => template_references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(template_references).collect(),
        _ => Vec::new(),
    }
}

fn template_reference(value: &Value) -> Option<(String, String, String)> {
    let (group, _) = at(value, "/apiVersion").as_str()?.split_once('/')?;
    Some((
        group.to_owned(),
        at(value, "/kind").as_str()?.to_owned(),
        at(value, "/name").as_str()?.to_owned(),
    ))
}

/// ClusterClasses of these namespaces that Clusters of other namespaces use.
async fn classes_used_outside(
    cluster: &Client,
    move_scope: &MoveScope,
) -> Result<HashSet<(String, String)>, ApiError> {
    let is_in = |namespace: &str| move_scope.namespaces.has(namespace);
    let mut classes = HashSet::new();
    let is_kind = |kind: &&MoveKind| {
        kind.resource.kind == "Cluster" && kind.resource.group == "cluster.x-k8s.io"
    };
    let has_class = move_scope.kinds.iter().any(|kind| kind.resource.kind == "ClusterClass");
    if let Some(kind) = move_scope.kinds.iter().find(is_kind).filter(|_| has_class) {
        let elsewhere = list_or_none(cluster, &kind.resource, None).await?;
        let elsewhere = elsewhere.iter().filter(|object| !object.namespace().is_some_and(is_in));
        let used = elsewhere.filter_map(cluster_class_of);
        classes.extend(used.filter(|(namespace, _)| is_in(namespace)));
    }
    Ok(classes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_are_found_at_every_depth_in_both_versions() {
        let v1beta2 = json!({"infrastructure": {"templateRef": {"apiVersion": "i.io/v1",
            "kind": "ITemplate", "name": "a"}},
            "workers": {"machineDeployments": [{"bootstrap": {"templateRef":
                {"apiVersion": "b.io/v1", "kind": "BTemplate", "name": "b"}}}]}});
        let v1beta1 = json!({"controlPlane": {"ref": {"apiVersion": "c.io/v1", "kind": "CTemplate",
            "name": "c"}}});
        let names = |spec: &Value| {
            template_references(spec).into_iter().map(|(_, kind, _)| kind).collect::<Vec<_>>()
        };
        assert_eq!(names(&v1beta2), ["ITemplate", "BTemplate"]);
        assert_eq!(names(&v1beta1), ["CTemplate"]);
    }
}
