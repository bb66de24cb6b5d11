//! Objects that the garbage collector of the source would delete, since the move deletes their
//! owners and does not take them along; and objects that a label ties to a Cluster that moves.
//!
//! The lists are metadata only, in the namespaces that something moves from. An owner in another
//! namespace does not exist for the collector, and cluster-scoped owners are never deleted.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use capi::names::{CLUSTER_NAME_LABEL, CLUSTERCTL_LABEL, PROVIDER_LABEL};
use capi::{Fate, Graph, Node, Object, ObjectId, OwnerReference, ResourceType, group_of};
use cluster::{ApiError, RetryPolicy};
use futures::StreamExt;
use serde::Serialize;

use super::collector::{self, Collectable};
use crate::error::PhaseError;
use crate::findings::{Findings, shortened};
use crate::options::{KindSelector, MoveOptions, Namespaces};
use crate::run::Run;

/// Attempts at one list.
const ATTEMPTS: u32 = 6;

/// Lists in flight at once.
const LISTS_IN_FLIGHT: usize = 16;

/// An object that does not move, although it is tied to something that moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelatedObject {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectId,
    /// Connection with the move.
    pub reason: String,
    /// The owner whose deletion lets the garbage collector of the source delete the object.
    #[serde(skip)]
    pub lost_owner: Option<OwnerReference>,
}

/// Lists what the collector works on, and reports what it would delete.
///
/// `reported` holds the uids of objects that have a finding already.
pub(super) async fn check(
    run: &Run,
    graph: &Graph,
    reported: &HashSet<String>,
    findings: &mut Findings,
) -> Result<Vec<RelatedObject>, PhaseError> {
    let moving = || graph.nodes.iter().filter(|node| node.fate == Fate::Move);
    if moving().next().is_none() {
        return Ok(Vec::new());
    }
    let collectable = collector::read(&run.source).await?;
    let lists = lists(run, graph, &collectable).await;
    let mut seen = SeenObjects::of_graph(graph);
    let mut unlisted = Unlisted::new(&run.options, &collectable.silent_groups);
    for (resource, listed) in lists {
        match listed {
            Ok(objects) => seen.add(resource, objects),
            Err(error) => unlisted.add(resource, &error),
        }
    }
    unlisted.report(findings);
    let mut related_objects = seen.collected(graph, reported);
    report(&related_objects, &run.options.allow_collected, findings);
    related_objects.extend(seen.labelled(graph));
    Ok(related_objects)
}

type Listed = (ResourceType, Result<Vec<Object>, ApiError>);

/// Lists every resource in every namespace that something moves from, unless discovery has done so.
async fn lists(run: &Run, graph: &Graph, collectable: &Collectable) -> Vec<Listed> {
    let known: HashSet<(&str, &str)> =
        graph.kinds.iter().map(|kind| kind_key(&kind.resource)).collect();
    let places: BTreeSet<Option<&str>> = match &run.options.namespaces {
        Namespaces::Several(_) | Namespaces::All => BTreeSet::from([None]),
        Namespaces::One(_) => {
            let moving = graph.nodes.iter().filter(|node| node.fate == Fate::Move);
            moving.map(|node| node.object.namespace()).collect()
        }
    };
    let is_discovered = |place: Option<&str>, resource: &ResourceType| {
        let namespaces = &run.options.namespaces;
        let is_partial = matches!(namespaces, Namespaces::Several(_));
        !is_partial && place == namespaces.selector() && known.contains(&kind_key(resource))
    };
    let wanted = places.into_iter().flat_map(|place| {
        let resources = collectable.namespaced.iter();
        resources.filter(move |resource| !is_discovered(place, resource)).map(move |r| (place, r))
    });
    // An API service that is away is a finding, and worth seconds of waiting, not minutes.
    let patience = RetryPolicy { attempts: ATTEMPTS, ..RetryPolicy::brief() };
    let source = run.source.clone().with_retry(patience);
    let source = &source;
    futures::stream::iter(wanted.collect::<Vec<_>>())
        .map(|(place, resource)| async move {
            (resource.clone(), source.list_metadata(resource, place).await)
        })
        .buffered(LISTS_IN_FLIGHT)
        .collect()
        .await
}

fn kind_key(resource: &ResourceType) -> (&str, &str) {
    (&resource.group, &resource.kind)
}

/// The state of an owner once the move has deleted the objects that move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The move deletes it.
    Moves,
    /// It is still there.
    Remains,
    /// It does not exist even now.
    Gone,
}

/// The objects of the namespaces that something moves from.
struct SeenObjects {
    /// Objects outside the graph, each once.
    others: Vec<(ResourceType, Object)>,
    uids: HashSet<String>,
    kinds: HashSet<(String, String)>,
}

impl SeenObjects {
    fn of_graph(graph: &Graph) -> Self {
        let kinds = graph.kinds.iter().map(|kind| kind_key(&kind.resource));
        Self {
            others: Vec::new(),
            uids: graph.nodes.iter().map(|node| node.object.uid().to_owned()).collect(),
            kinds: kinds.map(|(group, kind)| (group.to_owned(), kind.to_owned())).collect(),
        }
    }

    fn add(&mut self, resource: ResourceType, objects: Vec<Object>) {
        self.kinds.insert((resource.group.clone(), resource.kind.clone()));
        for object in objects {
            // Some objects are served by two groups.
            if self.uids.insert(object.uid().to_owned()) {
                self.others.push((resource.clone(), object));
            }
        }
    }

    fn standing(&self, owner: &OwnerReference, moving: &HashSet<&str>) -> Standing {
        if moving.contains(owner.uid.as_str()) {
            Standing::Moves
        } else if self.uids.contains(&owner.uid) {
            Standing::Remains
        } else {
            let group = group_of(&owner.api_version);
            let is_listed = self.kinds.contains(&(group.to_owned(), owner.kind.clone()));
            if is_listed { Standing::Gone } else { Standing::Remains }
        }
    }

    /// The objects that do not move, have an owner that moves, and none that remains.
    fn collected(&self, graph: &Graph, reported: &HashSet<String>) -> Vec<RelatedObject> {
        let moves = |node: &&Node| node.fate == Fate::Move;
        let moving: HashSet<&str> =
            graph.nodes.iter().filter(moves).map(|node| node.object.uid()).collect();
        let stays = graph.nodes.iter().filter(|node| !moves(node));
        let stays = stays.map(|node| (graph.resource(node), &node.object));
        let others = self.others.iter().map(|(resource, object)| (resource, object));
        let candidates = stays
            .chain(others)
            .filter(|(_, object)| !object.is_being_deleted() && !reported.contains(object.uid()));
        let collected = candidates.filter_map(|(resource, object)| {
            let owners = object.owner_references();
            let standing = |owner: &OwnerReference| self.standing(owner, &moving);
            if owners.iter().any(|owner| standing(owner) == Standing::Remains) {
                return None;
            }
            let owner = owners.iter().find(|owner| standing(owner) == Standing::Moves)?;
            Some(RelatedObject {
                object: resource.id(object.namespace(), object.name()),
                reason: format!(
                    "it does not move, and its owner {} {} does: the garbage collector deletes it",
                    owner.kind, owner.name
                ),
                lost_owner: Some(owner.clone()),
            })
        });
        collected.collect()
    }

    /// Objects of other kinds, which nothing that moves owns, with the label of a Cluster that
    /// moves.
    fn labelled(&self, graph: &Graph) -> Vec<RelatedObject> {
        let copied: HashSet<&str> = graph.copied().map(|index| graph[index].object.uid()).collect();
        let clusters: HashSet<(Option<&str>, &str)> =
            graph.clusters().map(|node| (node.object.namespace(), node.object.name())).collect();
        let labelled = self.others.iter().filter_map(|(resource, object)| {
            let cluster = object
                .label(CLUSTER_NAME_LABEL)
                .filter(|name| clusters.contains(&(object.namespace(), *name)))?;
            let owners = object.owner_references();
            let is_owned = owners.iter().any(|owner| copied.contains(owner.uid.as_str()));
            (!is_owned).then(|| RelatedObject {
                object: resource.id(object.namespace(), object.name()),
                reason: format!(
                    "its label names Cluster {cluster}, but {resource} is not a kind that moves: \
                     it has no CRD with the label {CLUSTERCTL_LABEL} or {PROVIDER_LABEL}"
                ),
                lost_owner: None,
            })
        });
        labelled.collect()
    }
}

/// Group and kind of objects, kind of their owners.
type Kinds<'a> = (&'a str, &'a str, &'a str);

/// One finding for each kind of objects and kind of owners.
fn report(related_objects: &[RelatedObject], allowed: &[KindSelector], findings: &mut Findings) {
    let mut groups = BTreeMap::<Kinds<'_>, Vec<(&ObjectId, &OwnerReference)>>::new();
    for related in related_objects {
        let Some(owner) = &related.lost_owner else { continue };
        let object = &related.object;
        let key = (object.group(), object.kind.as_str(), owner.kind.as_str());
        groups.entry(key).or_default().push((object, owner));
    }
    for ((group, kind, _), members) in groups {
        let is_allowed = allowed.iter().any(|selector| selector.matches(group, kind));
        let verb = if is_allowed { "will" } else { "would" };
        let owners: BTreeSet<String> =
            members.iter().map(|(_, owner)| format!("{} {}", owner.kind, owner.name)).collect();
        let owners = shortened(owners.into_iter(), 2);
        let problem = if members.len() == 1 {
            format!(
                "it does not move, and its owner {owners} does: the garbage collector of the \
                 source {verb} delete it"
            )
        } else {
            format!(
                "they do not move, and their owners ({owners}) do: the garbage collector of the \
                 source {verb} delete them"
            )
        };
        let objects = members.into_iter().map(|(object, _)| object.clone()).collect();
        if is_allowed {
            let hint = "--allow-collected has allowed this";
            findings.group_warning("WouldBeCollected", "source", objects, &problem, hint);
        } else {
            let hint = format!(
                "remove the owner reference, or move this to the target first; if it can be lost, \
                 continue with --allow-collected {}",
                qualified(group, kind)
            );
            findings.group_error("WouldBeCollected", "source", objects, &problem, hint);
        }
    }
}

/// Resources that could not be listed.
struct Unlisted<'a> {
    allowed: &'a [KindSelector],
    silent_groups: &'a [String],
    forbidden: Vec<ResourceType>,
    failed: HashMap<ResourceType, String>,
}

impl<'a> Unlisted<'a> {
    fn new(options: &'a MoveOptions, silent_groups: &'a [String]) -> Self {
        let allowed = &options.allow_unlisted;
        Self { allowed, silent_groups, forbidden: Vec::new(), failed: HashMap::new() }
    }

    fn add(&mut self, resource: ResourceType, error: &ApiError) {
        if error.is_forbidden() {
            self.forbidden.push(resource);
        } else {
            self.failed.entry(resource).or_insert_with(|| error.cause.to_string());
        }
    }

    fn report(self, findings: &mut Findings) {
        const UNSEEN: &str =
            "so what the garbage collector of the source would delete is not known";
        let is_allowed = |resource: &ResourceType| {
            self.allowed.iter().any(|selector| selector.matches(&resource.group, &resource.kind))
        };
        let (allowed, refused): (Vec<_>, Vec<_>) =
            self.forbidden.into_iter().partition(|resource| is_allowed(resource));
        for (resources, stops) in [(allowed, false), (refused, true)] {
            if resources.is_empty() {
                continue;
            }
            let names: BTreeSet<String> = resources.iter().map(ToString::to_string).collect();
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            let message = format!("its user may not list {names}, {UNSEEN}");
            let hint = "grant the user of the source kubeconfig the verb list on these, or \
                        continue with --allow-unlisted KIND for each of these kinds (`*` for all)";
            add(findings, stops, message, hint.to_owned());
        }
        let mut failed: Vec<(ResourceType, String)> = self.failed.into_iter().collect();
        failed.sort();
        for (resource, cause) in failed {
            let message = format!("{resource} cannot be listed ({cause}), {UNSEEN}");
            let hint = format!(
                "look at the API service or the conversion webhook of {resource} in the source, or \
                 continue with --allow-unlisted {}",
                qualified(&resource.group, &resource.kind)
            );
            add(findings, !is_allowed(&resource), message, hint);
        }
        for group in self.silent_groups {
            let stops = !self.allowed.iter().any(|selector| selector.matches(group, "*"));
            let message = format!("the API service of the group {group} does not answer, {UNSEEN}");
            let hint = format!(
                "fix or delete the APIService of {group} in the source (`kubectl get \
                 apiservices`), or continue with --allow-unlisted '*.{group}'"
            );
            add(findings, stops, message, hint);
        }
    }
}

fn add(findings: &mut Findings, stops: bool, message: String, hint: String) {
    if stops {
        findings.error("NotLooked", "source", message, hint);
    } else {
        findings.warning("NotLooked", "source", message, hint);
    }
}

fn qualified(group: &str, kind: &str) -> String {
    if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use capi::{MoveKind, Scope};

    const CORE: &str = "cluster.x-k8s.io/v1beta2";

    fn object(api_version: &str, kind: &str, name: &str, owners: &[(&str, &str, &str)]) -> Object {
        let owners: Vec<Value> = owners
            .iter()
            .map(|(api_version, kind, uid)| {
                json!({"apiVersion": api_version, "kind": kind, "name": uid, "uid": uid})
            })
            .collect();
        Object::new(json!({"apiVersion": api_version, "kind": kind,
            "metadata": {"name": name, "namespace": "ns", "uid": name, "ownerReferences": owners}}))
    }

    /// A Cluster `c`, which moves, and a ConfigMap `stays`.
    fn graph() -> Graph {
        let kind = |api_version, kind, plural, moves| MoveKind {
            resource: ResourceType::new(api_version, kind, plural, true),
            moves,
            moves_hierarchy: moves,
            has_status_subresource: true,
            converted_to: None,
            knowledge: None,
        };
        let kinds = vec![
            kind(CORE, "Cluster", "clusters", true),
            kind("v1", "ConfigMap", "configmaps", false),
        ];
        let objects = vec![
            (0, object(CORE, "Cluster", "c", &[])),
            (1, object("v1", "ConfigMap", "stays", &[])),
        ];
        Graph::build(Arc::new(kinds), objects, &Scope::default()).expect("no cycle")
    }

    fn pods() -> ResourceType {
        ResourceType::core("Pod", "pods")
    }

    /// Returns whether a Pod with these owners would be collected, beside a Pod `remains`.
    fn is_collected(owners: &[(&str, &str, &str)]) -> bool {
        let graph = graph();
        let mut seen = SeenObjects::of_graph(&graph);
        seen.add(
            pods(),
            vec![object("v1", "Pod", "p", owners), object("v1", "Pod", "remains", &[])],
        );
        let collected = seen.collected(&graph, &HashSet::new());
        collected.iter().any(|related| related.object.name == "p")
    }

    #[test]
    fn an_object_is_collected_when_an_owner_moves_and_none_remains() {
        let cluster = (CORE, "Cluster", "c");
        for (owners, wanted) in [
            (&[][..], false),
            (&[cluster][..], true),
            (&[cluster, cluster], true),
            // Of a kind that was listed: it is gone already.
            (&[cluster, ("v1", "Pod", "gone")], true),
            (&[cluster, ("v1", "Pod", "remains")], false),
            (&[cluster, ("v1", "ConfigMap", "stays")], false),
            // Of a kind that nobody has listed.
            (&[cluster, ("v1", "Node", "unknown")], false),
            (&[("v1", "Pod", "gone")], false),
        ] {
            assert_eq!(is_collected(owners), wanted, "{owners:?}");
        }
    }

    #[test]
    fn objects_that_are_deleted_already_or_have_a_finding_are_not_reported() {
        let graph = graph();
        let mut seen = SeenObjects::of_graph(&graph);
        let mut deleted = object("v1", "Pod", "deleted", &[(CORE, "Cluster", "c")]);
        deleted
            .metadata_mut()
            .insert("deletionTimestamp".to_owned(), "2026-01-01T00:00:00Z".into());
        let other = object("v1", "Pod", "reported", &[(CORE, "Cluster", "c")]);
        seen.add(pods(), vec![deleted, other]);
        assert_eq!(seen.collected(&graph, &HashSet::from(["reported".to_owned()])), []);
    }

    #[test]
    fn objects_are_grouped_by_their_kind_and_that_of_their_owners() {
        let graph = graph();
        let mut seen = SeenObjects::of_graph(&graph);
        let owned = |name: &str| object("v1", "Pod", name, &[(CORE, "Cluster", "c")]);
        seen.add(pods(), ["a", "b", "d", "e", "f"].map(owned).to_vec());
        let collected = seen.collected(&graph, &HashSet::new());
        let found = |allowed: &[KindSelector]| {
            let mut findings = Findings::default();
            report(&collected, allowed, &mut findings);
            findings
        };
        let refused = found(&[]);
        assert_eq!(refused.0.len(), 1);
        let message = &refused.0[0].message;
        assert!(
            message.starts_with("Pod ns/a, Pod ns/b, Pod ns/d and 2 more: they do not move"),
            "{message}"
        );
        assert!(message.contains("their owners (Cluster c)"), "{message}");
        assert!(refused.has_errors() && refused.0[0].hint.contains("--allow-collected Pod"));
        assert!(!found(&[KindSelector::new("pod")]).has_errors());
    }
}
