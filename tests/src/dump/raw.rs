//! Reading everything that a move could touch from one cluster.

use std::collections::{BTreeMap, BTreeSet};

use capi::{Object, ResourceType};
use cluster::{ApiError, Client};
use serde_json::Value;

/// Namespaces whose name begins so hold nothing that a move is about.
const SYSTEM: &str = "kube-";

/// Names an object the same way in every cluster: kind with group, namespace and name.
pub fn identity(object: &Object) -> String {
    let group = object.group();
    let dot = if group.is_empty() { "" } else { "." };
    let scope = object.namespace().map(|namespace| format!("{namespace}/")).unwrap_or_default();
    format!("{}{dot}{group} {scope}{}", object.kind(), object.name())
}

/// The resource types of a cluster that a dump covers, by group and kind: Secrets, ConfigMaps,
/// Namespaces, and the kinds of all CRDs at their storage version, labelled or not.
#[derive(Clone, Debug)]
pub struct Kinds {
    /// By group and kind.
    types: BTreeMap<(String, String), ResourceType>,
    /// `apiVersion` and kind of whatever is served.
    served: BTreeSet<(String, String)>,
}

impl Kinds {
    /// Reads the CRDs.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn read(client: &Client) -> Result<Self, ApiError> {
        let crds = ResourceType::new(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "customresourcedefinitions",
            false,
        );
        let core = [
            ResourceType::core("Secret", "secrets"),
            ResourceType::core("ConfigMap", "configmaps"),
            ResourceType::new("v1", "Namespace", "namespaces", false),
        ];
        let custom = client.list(&crds, None).await?;
        let served = core.iter().map(|kind| ("v1".to_owned(), kind.kind.clone()));
        let served = served.chain(custom.iter().flat_map(served_versions)).collect();
        let all = core.into_iter().chain(custom.iter().filter_map(storage_type));
        let types = all.map(|kind| ((kind.group.clone(), kind.kind.clone()), kind)).collect();
        Ok(Self { types, served })
    }

    #[cfg(test)]
    pub(super) fn serving(served: &[(&str, &str)]) -> Self {
        let served =
            served.iter().map(|(version, kind)| ((*version).to_owned(), (*kind).to_owned()));
        Self { types: BTreeMap::new(), served: served.collect() }
    }

    /// Returns whether an `apiVersion` of a kind is served.
    pub fn serve(&self, api_version: &str, kind: &str) -> bool {
        self.served.contains(&(api_version.to_owned(), kind.to_owned()))
    }

    /// The type of an `apiVersion` and kind, at that version.
    ///
    /// # Panics
    /// When no CRD defines it: a population asks for what the sandbox does not have.
    pub fn of(&self, api_version: &str, kind: &str) -> ResourceType {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let key = (group.to_owned(), kind.to_owned());
        let known =
            self.types.get(&key).unwrap_or_else(|| panic!("no CRD for {api_version} {kind}"));
        ResourceType::new(api_version, kind, &known.plural, known.namespaced)
    }

    /// All types.
    pub fn iter(&self) -> impl Iterator<Item = &ResourceType> {
        self.types.values()
    }
}

fn served_versions(crd: &Object) -> Vec<(String, String)> {
    let spec = &crd.value()["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let versions = spec["versions"].as_array().into_iter().flatten();
    let served = versions.filter(|version| version["served"] == true).map(|version| {
        let api_version = format!("{}/{}", text(&spec["group"]), text(&version["name"]));
        (api_version, text(&spec["names"]["kind"]))
    });
    served.collect()
}

fn storage_type(crd: &Object) -> Option<ResourceType> {
    let spec = &crd.value()["spec"];
    let versions = spec["versions"].as_array()?;
    let version = versions.iter().find(|version| version["storage"] == true)?["name"].as_str()?;
    let names = &spec["names"];
    Some(ResourceType::new(
        &format!("{}/{version}", spec["group"].as_str()?),
        names["kind"].as_str()?,
        names["plural"].as_str()?,
        spec["scope"] == "Namespaced",
    ))
}

/// The objects of a cluster as its API server sends them.
#[derive(Clone, Debug, Default)]
pub struct RawDump(Vec<Object>);

impl RawDump {
    /// Reads the objects of these namespaces, the namespaces themselves, and all cluster-scoped
    /// objects.
    ///
    /// # Errors
    /// When a list fails.
    pub async fn read(
        client: &Client,
        kinds: &Kinds,
        namespaces: &[&str],
    ) -> Result<Self, ApiError> {
        let wanted: BTreeSet<_> = namespaces.iter().copied().collect();
        let lists = kinds.iter().map(|kind| client.list(kind, None));
        let lists = futures::future::try_join_all(lists).await?;
        let in_scope = |object: &Object| match object.namespace() {
            Some(namespace) => wanted.contains(namespace),
            None if object.kind() == "Namespace" => wanted.contains(object.name()),
            None => true,
        };
        Ok(Self(lists.into_iter().flatten().filter(in_scope).collect()))
    }

    /// Reads everything outside Kubernetes' own namespaces.
    ///
    /// # Errors
    /// When a list fails.
    pub async fn read_all(client: &Client, kinds: &Kinds) -> Result<Self, ApiError> {
        let lists = kinds.iter().map(|kind| client.list(kind, None));
        let lists = futures::future::try_join_all(lists).await?;
        let system = |object: &Object| {
            let name = if object.kind() == "Namespace" {
                object.name()
            } else {
                object.namespace().unwrap_or_default()
            };
            name.starts_with(SYSTEM)
        };
        Ok(Self(lists.into_iter().flatten().filter(|object| !system(object)).collect()))
    }

    /// The objects.
    pub fn objects(&self) -> &[Object] {
        &self.0
    }
}

impl From<Vec<Object>> for RawDump {
    fn from(objects: Vec<Object>) -> Self {
        Self(objects)
    }
}
