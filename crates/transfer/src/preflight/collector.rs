//! The resources that the garbage collector of a cluster watches. It deletes an object of these
//! once all owners of the object have gone.
//!
//! The rule is that of kube-controller-manager (`GetDeletableResources` and
//! `DefaultIgnoredResources` in `pkg/controller/garbagecollector`): every resource that can be
//! deleted, listed and watched, each at its preferred version, without events.

use std::collections::HashSet;

use capi::{ResourceType, at};
use cluster::{ApiErrorCause, Client};
use serde_json::Value;

use crate::error::PhaseError;

const NEEDED_VERBS: [&str; 3] = ["delete", "list", "watch"];

/// Groups of both kinds of events.
const EVENT_GROUPS: [&str; 2] = ["", "events.k8s.io"];

/// Groups that serve measurements, which cannot be deleted, and whose API service is often away.
const METRICS_GROUPS: [&str; 3] =
    ["metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io"];

/// The resources of a cluster, as its garbage collector sees them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Collectable {
    /// Those in namespaces, at their preferred versions.
    pub(super) namespaced: Vec<ResourceType>,
    /// Groups whose API service does not answer, so that their resources are not known.
    pub(super) silent_groups: Vec<String>,
}

/// Asks an API server, in two requests; one for each version of a group before Kubernetes 1.26.
pub(super) async fn read(cluster: &Client) -> Result<Collectable, PhaseError> {
    let (core, groups) =
        tokio::try_join!(cluster.get_path("/api/v1"), cluster.aggregated_discovery())?;
    let mut reader = Reader::default();
    reader.add_plain("v1", &core);
    if at(&groups, "/kind") == "APIGroupDiscoveryList" {
        items(&groups, "items").for_each(|group| reader.add_group(group));
        return Ok(reader.collectable);
    }
    for group in items(&groups, "groups") {
        let preferred = text(at(group, "/preferredVersion"), "groupVersion");
        let versions = items(group, "versions").map(|version| text(version, "groupVersion"));
        let others: Vec<&str> = versions.filter(|version| *version != preferred).collect();
        for group_version in [preferred].into_iter().chain(others) {
            match cluster.get_path(&format!("/apis/{group_version}")).await {
                Ok(list) => reader.add_plain(group_version, &list),
                Err(error) if is_away(&error.cause) => reader.add_silent(text(group, "name")),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(reader.collectable)
}

fn is_away(cause: &ApiErrorCause) -> bool {
    matches!(cause, ApiErrorCause::Status { code: 404 | 500.., .. })
}

#[derive(Default)]
struct Reader {
    seen: HashSet<(String, String)>,
    collectable: Collectable,
}

impl Reader {
    /// Adds a group of aggregated discovery; its preferred version comes first.
    fn add_group(&mut self, group: &Value) {
        let name = text(at(group, "/metadata"), "name");
        for version in items(group, "versions") {
            if at(version, "/freshness") == "Stale" {
                self.add_silent(name);
            }
            let api_version = format!("{name}/{}", text(version, "version"));
            for resource in items(version, "resources") {
                let found = ResourceType::new(
                    &api_version,
                    text(at(resource, "/responseKind"), "kind"),
                    text(resource, "resource"),
                    at(resource, "/scope") == "Namespaced",
                );
                self.add(found, resource);
            }
        }
    }

    fn add_plain(&mut self, group_version: &str, list: &Value) {
        for resource in items(list, "resources") {
            let plural = text(resource, "name");
            if !plural.contains('/') {
                let namespaced = at(resource, "/namespaced") == true;
                let kind = text(resource, "kind");
                self.add(ResourceType::new(group_version, kind, plural, namespaced), resource);
            }
        }
    }

    /// Adds a resource at the first version at which it is seen, if the collector can work on it.
    fn add(&mut self, found: ResourceType, entry: &Value) {
        let is_first = self.seen.insert((found.group.clone(), found.plural.clone()));
        let is_event = found.plural == "events" && EVENT_GROUPS.contains(&found.group.as_str());
        let can = |verb: &str| items(entry, "verbs").any(|offered| offered == verb);
        let is_collectable = !is_event && NEEDED_VERBS.into_iter().all(can);
        if is_first && found.namespaced && is_collectable {
            self.collectable.namespaced.push(found);
        }
    }

    fn add_silent(&mut self, group: &str) {
        let silent = &mut self.collectable.silent_groups;
        if !METRICS_GROUPS.contains(&group) && !silent.iter().any(|known| known == group) {
            silent.push(group.to_owned());
        }
    }
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ALL: [&str; 4] = ["create", "delete", "list", "watch"];

    fn resource(plural: &str, kind: &str, scope: &str, verbs: &[&str]) -> Value {
        json!({"resource": plural, "responseKind": {"kind": kind}, "scope": scope, "verbs": verbs})
    }

    #[test]
    fn the_collector_works_on_the_preferred_version_of_what_can_be_deleted_listed_and_watched() {
        let mut reader = Reader::default();
        reader.add_plain(
            "v1",
            &json!({"resources": [
            {"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ALL},
            {"name": "pods/status", "kind": "Pod", "namespaced": true, "verbs": ALL},
            {"name": "bindings", "kind": "Binding", "namespaced": true, "verbs": ["create"]},
            {"name": "nodes", "kind": "Node", "namespaced": false, "verbs": ALL},
            {"name": "events", "kind": "Event", "namespaced": true, "verbs": ALL}]}),
        );
        reader.add_group(&json!({"metadata": {"name": "events.k8s.io"}, "versions": [
            {"version": "v1", "resources": [resource("events", "Event", "Namespaced", &ALL)]}]}));
        reader.add_group(&json!({"metadata": {"name": "g.io"}, "versions": [
            {"version": "v2", "resources": [resource("things", "Thing", "Namespaced", &ALL),
                resource("reviews", "Review", "Namespaced", &["create"])]},
            {"version": "v1", "resources": [resource("things", "Thing", "Namespaced", &ALL),
                resource("reviews", "Review", "Namespaced", &ALL),
                resource("olds", "Old", "Namespaced", &ALL)]}]}));
        let found: Vec<String> = reader
            .collectable
            .namespaced
            .iter()
            .map(|resource| format!("{} {}", resource.api_version(), resource.plural))
            .collect();
        assert_eq!(found, ["v1 pods", "g.io/v2 things", "g.io/v1 olds"]);
    }

    #[test]
    fn groups_without_an_answer_are_named_once_but_not_those_of_metrics() {
        let mut reader = Reader::default();
        for group in ["dead.io", "metrics.k8s.io"] {
            reader.add_group(&json!({"metadata": {"name": group}, "versions": [
                {"version": "v2", "freshness": "Stale"},
                {"version": "v1", "freshness": "Stale"}]}));
        }
        assert_eq!(reader.collectable.silent_groups, ["dead.io"]);
    }
}
