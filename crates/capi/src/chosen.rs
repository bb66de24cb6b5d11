//! The Clusters that a user has chosen among those of a scope, and what goes with them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::object::Object;

/// The Clusters of a run, by their names: one that is created again under its name still counts,
/// and one that is created later under another name never does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chosen {
    /// Names of Clusters, by namespace.
    pub clusters: BTreeMap<String, BTreeSet<String>>,
    /// Objects above the Clusters that move because no other Cluster used them when the copies were
    /// verified. Once the Clusters are gone from the source, nothing else tells that.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub along: BTreeSet<String>,
    /// True if objects that other Clusters use too are copied, and kept in the source.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy_shared: bool,
}

impl Chosen {
    /// Returns whether a Cluster is among them.
    pub fn has(&self, namespace: &str, name: &str) -> bool {
        self.clusters.get(namespace).is_some_and(|names| names.contains(name))
    }

    /// Returns whether an object was recorded as moving along.
    pub(crate) fn takes_along(&self, object: &Object) -> bool {
        !self.along.is_empty() && self.along.contains(&key(object))
    }

    /// The choice with what moves along.
    #[must_use]
    pub fn with_along<'a>(&self, objects: impl Iterator<Item = &'a Object>) -> Self {
        Self { along: objects.map(key).collect(), ..self.clone() }
    }

    /// Returns the number of Clusters.
    pub fn len(&self) -> usize {
        self.clusters.values().map(BTreeSet::len).sum()
    }

    /// Returns whether no Cluster was chosen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the Clusters as `namespace/name`.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.keys().map(|(namespace, name)| format!("{namespace}/{name}"))
    }

    /// Returns the Clusters by namespace and name.
    pub fn keys(&self) -> impl Iterator<Item = (String, String)> {
        let of = |(namespace, names): (&String, &BTreeSet<String>)| {
            let namespace = namespace.clone();
            names.clone().into_iter().map(move |name| (namespace.clone(), name))
        };
        self.clusters.iter().flat_map(of)
    }
}

impl FromIterator<(String, String)> for Chosen {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(clusters: I) -> Self {
        let mut chosen = Self::default();
        for (namespace, name) in clusters {
            chosen.clusters.entry(namespace).or_default().insert(name);
        }
        chosen
    }
}

/// Names an object in whatever version: group, kind, namespace, name.
fn key(object: &Object) -> String {
    let namespace = object.namespace().unwrap_or_default();
    format!("{}/{}/{namespace}/{}", object.group(), object.kind(), object.name())
}
