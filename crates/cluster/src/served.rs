//! The kinds that an API server serves, from one aggregated discovery request.

use std::collections::HashMap;
use std::time::Duration;

use capi::{Object, ResourceType, at, valid, well_known};
use serde_json::Value;

use super::client::Client;
use super::error::ApiError;

/// Asks for what is served in one answer.
pub(super) const AGGREGATED_DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// Looks at what is served before new CRDs are no longer waited for, and the pause between them.
const SETTLE_LOOKS: u32 = 20;
const SETTLE_PAUSE: Duration = Duration::from_millis(500);

/// The kinds of the named API groups (not the core group) that an API server serves.
#[derive(Clone, Debug, Default)]
pub struct Served {
    kinds: HashMap<(String, String), Vec<ResourceType>>,
    stale: Vec<String>,
}

impl Served {
    /// Asks the API server.
    ///
    /// # Errors
    /// When a request fails.
    pub async fn read(cluster: &Client) -> Result<Self, ApiError> {
        let answer = cluster.aggregated_discovery().await?;
        if at(&answer, "/kind") == "APIGroupDiscoveryList" {
            return Ok(Self::aggregated(&answer));
        }
        let mut served = Self::default();
        // API servers before 1.26 answer with the plain list of groups.
        for group in items(&answer, "groups") {
            for version in items(group, "versions") {
                let group_version = at(version, "/groupVersion").as_str().unwrap_or_default();
                let list = cluster.get_path(&format!("/apis/{group_version}")).await?;
                served.add_plain(group_version, &list);
            }
        }
        Ok(served)
    }

    /// Returns what an answer to an aggregated discovery request says.
    pub(super) fn aggregated(answer: &Value) -> Self {
        let mut served = Self::default();
        for group in items(answer, "items") {
            served.add_aggregated(group);
        }
        served
    }

    /// As [`Served::read`], but new CRDs are waited for, at most ten seconds: for a while after a
    /// CRD was created its kind is served and not yet named. `is_wanted` chooses groups.
    ///
    /// # Errors
    /// When a request fails. A user who may not list CRDs gets what is named now.
    pub async fn read_settled(
        cluster: &Client,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, ApiError> {
        let crds = match cluster.list_metadata(&well_known::crd(), None).await {
            Err(error) if error.is_forbidden() => Vec::new(),
            other => other?,
        };
        let is_wanted =
            |name: &&str| name.split_once('.').is_some_and(|(_, group)| is_wanted(group));
        let wanted: Vec<&str> = crds.iter().map(Object::name).filter(is_wanted).collect();
        for _ in 0..SETTLE_LOOKS {
            let served = Self::read(cluster).await?;
            let named = served.by_crd_name();
            if wanted.iter().all(|name| named.contains_key(*name)) {
                return Ok(served);
            }
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
        Self::read(cluster).await
    }

    /// Asks the API server for the kinds of the core group, which [`Served::read`] leaves out.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn read_core(cluster: &Client) -> Result<Self, ApiError> {
        let mut served = Self::default();
        served.add_plain("v1", &cluster.get_path("/api/v1").await?);
        Ok(served)
    }

    /// The versions at which a kind is served, the API server's preferred one first.
    pub fn versions(&self, group: &str, kind: &str) -> &[ResourceType] {
        self.kinds.get(&(group.to_owned(), kind.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Group, kind and versions of everything that is served, in no order.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &str, &[ResourceType])> {
        let kinds = self.kinds.iter();
        kinds.map(|((group, kind), versions)| (group.as_str(), kind.as_str(), versions.as_slice()))
    }

    /// Returns whether this very version of a kind is served.
    pub fn has(&self, resource: &ResourceType) -> bool {
        self.versions(&resource.group, &resource.kind)
            .iter()
            .any(|served| served.version == resource.version)
    }

    /// The resource of a CRD, by its name `<plural>.<group>`, at the preferred version.
    pub(crate) fn by_crd_name(&self) -> HashMap<String, ResourceType> {
        let preferred = self.kinds.values().filter_map(|versions| versions.first());
        preferred.map(|resource| (resource.to_string(), resource.clone())).collect()
    }

    /// Groups whose list may be incomplete, because the server behind them does not answer.
    pub fn stale(&self) -> &[String] {
        &self.stale
    }

    fn add_aggregated(&mut self, group: &Value) {
        let name = at(group, "/metadata/name").as_str().unwrap_or_default();
        for version in items(group, "versions") {
            let api_version =
                format!("{name}/{}", at(version, "/version").as_str().unwrap_or_default());
            if at(version, "/freshness") == "Stale" {
                self.stale.push(api_version.clone());
            }
            for resource in items(version, "resources") {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let (kind, plural) =
                    (text(at(resource, "/responseKind/kind")), text(at(resource, "/resource")));
                self.add(ResourceType::new(
                    &api_version,
                    &kind,
                    &plural,
                    at(resource, "/scope") == "Namespaced",
                ));
            }
        }
    }

    fn add_plain(&mut self, group_version: &str, list: &Value) {
        for resource in items(list, "resources") {
            let plural = at(resource, "/name").as_str().unwrap_or_default();
            if !plural.contains('/') {
                let kind = at(resource, "/kind").as_str().unwrap_or_default();
                self.add(ResourceType::new(
                    group_version,
                    kind,
                    plural,
                    at(resource, "/namespaced") == true,
                ));
            }
        }
    }

    /// Adds a resource, unless it has names that none can have: such a kind is not served then.
    fn add(&mut self, resource: ResourceType) {
        if !valid::is_resource(&resource) {
            tracing::warn!(?resource, "a resource with invalid names is left out");
            return;
        }
        self.kinds
            .entry((resource.group.clone(), resource.kind.clone()))
            .or_default()
            .push(resource);
    }
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stale_groups_are_noticed_and_versions_keep_their_order() {
        let mut served = Served::default();
        served.add_aggregated(&json!({"metadata": {"name": "g.io"}, "versions": [
            {"version": "v2", "freshness": "Current", "resources":
                [{"resource": "things", "responseKind": {"kind": "Thing"}, "scope": "Namespaced"}]},
            {"version": "v1", "freshness": "Stale", "resources":
                [{"resource": "things", "responseKind": {"kind": "Thing"},
                    "scope": "Namespaced"}]}]}));
        let versions: Vec<&str> =
            served.versions("g.io", "Thing").iter().map(|r| r.version.as_str()).collect();
        assert_eq!(versions, ["v2", "v1"]);
        assert_eq!(served.stale(), ["g.io/v1"]);
        assert!(served.has(&ResourceType::new("g.io/v1", "Thing", "things", true)));
        assert_eq!(served.by_crd_name()["things.g.io"].version, "v2");
    }
}
