//! The list of copies: which object of the source has become which object of the target.
//!
//! A copy carries the mark of its run until it is handed over. From then on only this list tells it
//! from other objects of the target: a rollback removes what is in it, and a deletion in the source
//! that was interrupted continues as long as the copies that it names are there.
//!
//! The list lives in immutable ConfigMaps beside the target's Lease. The record of the run names
//! each of them with its uid, so nobody can put another one in its place.

use std::collections::{BTreeSet, HashMap, HashSet};

use capi::names::COPIES_OF_LABEL;
use capi::{Fate, Graph, Node, Object, ObjectId, ResourceType};
use cluster::{ApiError, Client};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::compare::digest;
use super::copy::{Copies, create_or_find};
use super::discover::MoveScope;
use super::error::PhaseError;
use super::lock::Lock;
use super::precondition::patch;
use super::run::Run;
use super::undo::Compared;

/// The largest part of the list that goes into one ConfigMap; those take 1 MiB.
const PAGE_BYTES: usize = 900_000;

/// Key of the ConfigMap under which the list stands.
const KEY: &str = "copies";

/// Keeps the list readable when somebody deletes it.
const FINALIZER: &str = "kubectl-pivot.io/in-use";

/// Stands for the namespace of a cluster-scoped object.
const NO_NAMESPACE: &str = "-";

/// A ConfigMap with a part of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The name.
    pub name: String,
    /// The uid.
    pub uid: String,
}

/// Kind and group, namespace and name of an object.
type Name = (String, Option<String>, String);

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: Name,
    source_uid: String,
    /// Digest of the object of the source when it was compared with its copy.
    digest: String,
    copy_uid: String,
    /// Digest of the body of the copy when it was verified; absent in lists of older programs.
    body: Option<String>,
    /// True if the run has created the copy; otherwise it was there before and is used as it is.
    is_created: bool,
}

/// The whole list.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
}

impl Ledger {
    /// The list of all copies of a graph.
    fn of(graph: &Graph, copies: &Copies) -> Self {
        let nodes = graph.copied().map(|index| &graph[index]);
        let entries = nodes.filter_map(|node| {
            let source_uid = node.object.uid();
            Some(Entry {
                name: name(graph.resource(node), &node.object),
                source_uid: source_uid.to_owned(),
                digest: digest(&node.object),
                copy_uid: copies.uids.get(source_uid)?.clone(),
                body: copies.bodies.get(source_uid).cloned(),
                is_created: !copies.reused.contains(source_uid),
            })
        });
        Self { entries: entries.collect() }
    }

    /// Returns the copies of what moves of a graph.
    ///
    /// # Errors
    /// When the graph has an object that the list does not know: one that has come since, or has
    /// taken the name of one that the run has deleted.
    pub(super) fn copies_of(&self, graph: &Graph) -> Result<Copies, PhaseError> {
        let by_uid: HashMap<&str, &Entry> =
            self.entries.iter().map(|entry| (entry.source_uid.as_str(), entry)).collect();
        let mut copies = Copies::default();
        for node in graph.copied().map(|index| &graph[index]) {
            let uid = node.object.uid();
            let Some(entry) = by_uid.get(uid) else {
                if node.fate == Fate::Move {
                    return Err(self.explain_unknown(graph.resource(node), &node.object));
                }
                continue;
            };
            copies.uids.insert(uid.to_owned(), entry.copy_uid.clone());
            if !entry.is_created {
                copies.reused.insert(uid.to_owned());
            }
        }
        Ok(copies)
    }

    fn explain_unknown(&self, resource: &ResourceType, object: &Object) -> PhaseError {
        let name = name(resource, object);
        match self.entries.iter().any(|entry| entry.name == name) {
            true => PhaseError::CameBack { object: object.id() },
            false => PhaseError::Late { object: object.id() },
        }
    }

    /// Checks that a graph still has the original of every copy that the run has created, to be
    /// moved or kept.
    ///
    /// # Errors
    /// [`PhaseError::OriginalGone`] with the first that is gone.
    pub(super) fn check_complete(&self, graph: &Graph) -> Result<(), PhaseError> {
        let uids: HashSet<&str> = graph.copied().map(|index| graph[index].object.uid()).collect();
        let mut created = self.entries.iter().filter(|entry| entry.is_created);
        let gone = created.find(|entry| !uids.contains(entry.source_uid.as_str()));
        gone.map_or(Ok(()), |entry| Err(PhaseError::OriginalGone { object: entry.id() }))
    }

    /// Returns what moves of a graph and does not contain any more what its copy was compared with.
    pub(super) fn changed<'a>(&self, graph: &'a Graph) -> Vec<&'a Node> {
        let digests: HashMap<&str, &str> =
            self.entries.iter().map(|e| (e.source_uid.as_str(), e.digest.as_str())).collect();
        let is_changed = |node: &&Node| {
            let known = digests.get(node.object.uid());
            known.is_some_and(|known| *known != digest(&node.object))
        };
        graph.moving().filter(|node| node.fate == Fate::Move).filter(is_changed).collect()
    }

    /// Checks that no object of a graph has the name of one that the run has deleted from there.
    ///
    /// # Errors
    /// [`PhaseError::CameBack`] with the first that has.
    pub(super) fn check_none_came_back(&self, graph: &Graph) -> Result<(), PhaseError> {
        let names: HashSet<&Name> = self.entries.iter().map(|entry| &entry.name).collect();
        let mut moving = graph.moving().filter(|node| node.fate == Fate::Move);
        let returned =
            moving.find(|node| names.contains(&name(graph.resource(node), &node.object)));
        returned.map_or(Ok(()), |node| Err(PhaseError::CameBack { object: node.object.id() }))
    }

    /// Returns the copies that a rollback may remove: the run has created them, and the source
    /// still has the objects that they were made from.
    pub(super) fn removable(
        &self,
        move_scope: &MoveScope,
        source: &[(usize, Object)],
    ) -> Removable {
        let originals: HashMap<&str, Name> = source
            .iter()
            .map(|(kind, object)| (object.uid(), name(&move_scope.kind(*kind).resource, object)))
            .collect();
        let is_removable =
            |entry: &&Entry| originals.get(entry.source_uid.as_str()) == Some(&entry.name);
        let created = self.entries.iter().filter(|entry| entry.is_created);
        let (removable, kept): (Vec<&Entry>, Vec<&Entry>) = created.partition(is_removable);
        Removable {
            names: removable.iter().map(|e| (e.copy_uid.clone(), e.name.clone())).collect(),
            kept: kept.into_iter().map(Entry::id).collect(),
            namespaces: self.namespaces(),
            compared: Compared::default(),
        }
    }

    /// Returns the namespaces of the copies.
    pub(super) fn namespaces(&self) -> BTreeSet<String> {
        self.entries.iter().filter_map(|entry| entry.name.1.clone()).collect()
    }

    /// Returns the objects that the run has copied, of the kinds of a move_scope.
    pub(super) fn created(&self, move_scope: &MoveScope) -> Vec<ObjectId> {
        let kinds: HashMap<String, &ResourceType> = move_scope
            .kinds
            .iter()
            .map(|kind| (kind_name(&kind.resource), &kind.resource))
            .collect();
        let created = self.entries.iter().filter(|entry| entry.is_created);
        let ids = created.filter_map(|entry| {
            let (kind, namespace, name) = &entry.name;
            Some(kinds.get(kind)?.id(namespace.as_deref(), name))
        });
        ids.collect()
    }

    /// Returns the copies that the run has created.
    pub(super) fn made(&self) -> impl Iterator<Item = Made<'_>> {
        let created = self.entries.iter().filter(|entry| entry.is_created);
        created.map(|entry| Made {
            id: entry.id(),
            source_uid: &entry.source_uid,
            copy_uid: &entry.copy_uid,
            body: entry.body.as_deref(),
        })
    }

    /// Returns true if an object of the target is in the list.
    pub(super) fn has_copy(&self, uid: &str) -> bool {
        self.entries.iter().any(|entry| entry.copy_uid == uid)
    }

    /// Returns what of the list the target does not hold any more, or is losing.
    pub(super) fn missing(&self, target: &[(usize, Object)]) -> Vec<String> {
        let there = target.iter().map(|(_, object)| object);
        let there: HashSet<&str> =
            there.filter(|object| !object.is_being_deleted()).map(Object::uid).collect();
        let missing = self.entries.iter().filter(|entry| !there.contains(entry.copy_uid.as_str()));
        missing.map(Entry::id).collect()
    }

    /// Returns whether it names no copy.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Cuts the list into pieces that fit into a ConfigMap each.
    fn pages(&self, limit: usize) -> Vec<String> {
        let mut pages = vec![String::new()];
        for line in self.entries.iter().map(Entry::to_line) {
            let last = pages.last_mut().expect("there is at least one");
            if last.len() + line.len() > limit && !last.is_empty() {
                pages.push(line);
            } else {
                last.push_str(&line);
            }
        }
        pages
    }

    fn parse(text: &str) -> Option<Vec<Entry>> {
        text.lines().map(Entry::parse).collect()
    }
}

/// A copy that the run has created.
#[derive(Debug)]
pub(super) struct Made<'a> {
    /// Name of the object in messages.
    pub(super) id: String,
    /// Uid of the original.
    pub(super) source_uid: &'a str,
    /// Uid of the copy.
    pub(super) copy_uid: &'a str,
    /// Digest of the body of the copy when it was verified.
    pub(super) body: Option<&'a str>,
}

/// The copies of a list that a rollback removes.
#[derive(Debug, Default)]
pub(super) struct Removable {
    /// By uid, what they are called.
    names: HashMap<String, Name>,
    /// Copies that stay, since nothing of theirs is left in the source.
    pub(super) kept: Vec<String>,
    /// The namespaces that they are in.
    pub(super) namespaces: BTreeSet<String>,
    /// The contents of those that were compared with their originals.
    pub(super) compared: Compared,
}

impl Removable {
    /// Returns whether an object of the target is among them.
    pub(super) fn has(&self, resource: &ResourceType, object: &Object) -> bool {
        self.names.get(object.uid()).is_some_and(|known| *known == name(resource, object))
    }
}

impl Entry {
    /// Returns the name of the object for messages.
    fn id(&self) -> String {
        let (kind, namespace, name) = &self.name;
        let kind = kind.split('.').next().unwrap_or(kind);
        match namespace {
            Some(namespace) => format!("{kind} {namespace}/{name}"),
            None => format!("{kind} {name}"),
        }
    }

    fn to_line(&self) -> String {
        let (kind, namespace, name) = &self.name;
        let namespace = namespace.as_deref().unwrap_or(NO_NAMESPACE);
        let origin = if self.is_created { "created" } else { "existing" };
        let Self { source_uid, digest, copy_uid, .. } = self;
        let body = self.body.as_ref().map_or_else(String::new, |body| format!(" {body}"));
        format!("{kind} {namespace} {name} {source_uid} {digest} {copy_uid} {origin}{body}\n")
    }

    fn parse(line: &str) -> Option<Self> {
        let parts: Vec<&str> = line.split(' ').collect();
        let (known, body) = parts.split_at_checked(7)?;
        let &[kind, namespace, name, source_uid, digest, copy_uid, origin] = known else {
            return None;
        };
        let body = match body {
            [] => None,
            [body] if body.len() == 32 => Some((*body).to_owned()),
            _ => return None,
        };
        let namespace = (namespace != NO_NAMESPACE).then(|| namespace.to_owned());
        let is_created = match origin {
            "created" => true,
            "existing" => false,
            _ => return None,
        };
        Some(Self {
            name: (kind.to_owned(), namespace, name.to_owned()),
            source_uid: source_uid.to_owned(),
            digest: digest.to_owned(),
            copy_uid: copy_uid.to_owned(),
            body,
            is_created,
        })
    }
}

fn kind_name(resource: &ResourceType) -> String {
    match resource.group.as_str() {
        "" => resource.kind.clone(),
        group => format!("{}.{group}", resource.kind),
    }
}

fn name(resource: &ResourceType, object: &Object) -> Name {
    (kind_name(resource), object.namespace().map(str::to_owned), object.name().to_owned())
}

fn is_immutable(page: &Object) -> bool {
    *page.at("/immutable") == Value::Bool(true)
}

fn config_map_type() -> ResourceType {
    ResourceType::core("ConfigMap", "configmaps")
}

/// Writes down the copies of a run. `attempt` tells the lists of different processes of the run
/// apart.
///
/// # Errors
/// When a request fails, or an object of somebody else has the name of a page.
pub(super) async fn write(
    run: &Run,
    (namespace, attempt): (&str, u64),
    (graph, copies): (&Graph, &Copies),
) -> Result<Vec<Page>, PhaseError> {
    let mut pages = Vec::new();
    for (number, text) in Ledger::of(graph, copies).pages(PAGE_BYTES).into_iter().enumerate() {
        let name = format!("kubectl-pivot-copies-{}-{attempt}-{number}", run.id);
        let wanted =
            Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "immutable": true,
            "metadata": {"name": name, "namespace": namespace, "labels": {COPIES_OF_LABEL: run.id},
                "finalizers": [FINALIZER]},
            "data": {KEY: text}}));
        let created = create_or_find(&run.target, &config_map_type(), &wanted).await?.into_object();
        let is_same = created.at("/data") == wanted.at("/data");
        if !is_same || !is_immutable(&created) {
            return Err(PhaseError::Foreign { object: wanted.id() });
        }
        pages.push(Page { name, uid: created.uid().to_owned() });
    }
    Ok(pages)
}

/// Reads the list of a run whose lock this process has, as [`read`] does.
///
/// # Errors
/// When a request fails.
pub(super) async fn of_run(run: &Run, lock: &Lock) -> Result<Option<Ledger>, PhaseError> {
    let pages = lock.record().await.copies;
    read(&run.target, &lock.namespace().await, &pages).await
}

/// Reads the list that a record names; `None` if somebody has removed or damaged a page of it.
///
/// # Errors
/// When a request fails.
pub(super) async fn read(
    target: &Client,
    namespace: &str,
    pages: &[Page],
) -> Result<Option<Ledger>, PhaseError> {
    let mut ledger = Ledger::default();
    for page in pages {
        let found = target.get(&config_map_type(), Some(namespace), &page.name).await?;
        let is_it = |found: &Object| found.uid() == page.uid && is_immutable(found);
        let Some(found) = found.filter(is_it) else { return Ok(None) };
        let text = found.at("/data").get(KEY).and_then(Value::as_str).unwrap_or_default();
        let Some(entries) = Ledger::parse(text) else { return Ok(None) };
        ledger.entries.extend(entries);
    }
    Ok(Some(ledger))
}

/// Finds all lists of a run, also those that no record names.
///
/// # Errors
/// When a request fails.
pub(super) async fn find(
    target: &Client,
    namespace: &str,
    run: &str,
) -> Result<Vec<Page>, ApiError> {
    let listed = list(target, namespace, run).await?;
    let page = |page: &Object| Page { name: page.name().to_owned(), uid: page.uid().to_owned() };
    Ok(listed.iter().map(page).collect())
}

async fn list(target: &Client, namespace: &str, run: &str) -> Result<Vec<Object>, ApiError> {
    let selector = format!("{COPIES_OF_LABEL}={run}");
    target.list_selected(&config_map_type(), Some(namespace), &selector).await
}

/// Removes all lists of a run, also those that it has written and never named in its record.
///
/// # Errors
/// When a request fails.
pub(super) async fn remove(target: &Client, namespace: &str, run: &str) -> Result<(), ApiError> {
    let kind = config_map_type();
    for page in list(target, namespace, run).await? {
        let free = |page: &Object| {
            (!page.finalizers().is_empty()).then(|| json!({"metadata": {"finalizers": null}}))
        };
        patch(target, &kind, &page, free).await?;
        target.delete(&kind, Some(namespace), page.name(), page.uid()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, namespace: Option<&str>, name: &str, is_created: bool) -> Entry {
        Entry {
            name: (kind.to_owned(), namespace.map(str::to_owned), name.to_owned()),
            source_uid: format!("source-{name}"),
            digest: "d".to_owned(),
            copy_uid: format!("copy-{name}"),
            body: is_created.then(|| "0".repeat(32)),
            is_created,
        }
    }

    fn ledger() -> Ledger {
        let entries = vec![
            entry("Machine.cluster.x-k8s.io", Some("n"), "m", true),
            entry("Secret", Some("n"), "s", false),
            entry("Identity.g.io", None, "i", true),
        ];
        Ledger { entries }
    }

    #[test]
    fn a_list_survives_writing_whatever_the_size_of_its_pages() {
        let ledger = ledger();
        for limit in [1, 120, PAGE_BYTES] {
            let pages = ledger.pages(limit);
            let read: Option<Vec<Vec<Entry>>> =
                pages.iter().map(|page| Ledger::parse(page)).collect();
            assert_eq!(read.expect("valid").concat(), ledger.entries, "{limit}");
        }
        assert_eq!(ledger.pages(1).len(), 3);
        assert_eq!(ledger.pages(PAGE_BYTES).len(), 1);
        assert_eq!(Ledger::default().pages(PAGE_BYTES), [""]);
    }

    #[test]
    fn a_text_that_is_no_list_is_not_read() {
        for text in ["nonsense", "Secret n s a b c d", "Secret n s a b c created extra"] {
            assert!(Ledger::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_rollback_removes_what_the_run_has_created_and_the_source_still_has() {
        let object = |name: &str, uid: &str| {
            Object::new(json!({"metadata": {"name": name, "namespace": "n", "uid": uid}}))
        };
        let move_scope = move_scope();
        let source = [(0, object("m", "source-m")), (1, object("s", "source-s"))];
        let removable = ledger().removable(&move_scope, &source);
        assert_eq!(removable.kept, ["Identity i"]);
        let machine = ResourceType::new("cluster.x-k8s.io/v1beta2", "Machine", "machines", true);
        assert!(removable.has(&machine, &object("m", "copy-m")));
        assert!(!removable.has(&machine, &object("m", "another")));
        assert!(!removable.has(&machine, &object("another", "copy-m")), "a forged line");
        let secret = ResourceType::core("Secret", "secrets");
        assert!(!removable.has(&secret, &object("s", "copy-s")), "it was there before");
        for source in [(0, object("m", "created anew")), (0, object("another", "source-m"))] {
            let removable = ledger().removable(&move_scope, &[source]);
            assert!(!removable.has(&machine, &object("m", "copy-m")));
        }
    }

    #[test]
    fn a_copy_that_is_gone_or_in_deletion_is_missing() {
        let object = |uid: &str| Object::new(json!({"metadata": {"uid": uid}}));
        let going =
            json!({"metadata": {"uid": "copy-s", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
        let target = [(0, object("copy-m")), (1, Object::new(going))];
        assert_eq!(ledger().missing(&target), ["Secret n/s", "Identity i"]);
    }

    fn move_scope() -> MoveScope {
        let kind = |resource: ResourceType| capi::MoveKind {
            resource,
            moves: false,
            moves_hierarchy: false,
            has_status_subresource: false,
            converted_to: None,
            knowledge: None,
        };
        let machine = ResourceType::new("cluster.x-k8s.io/v1beta2", "Machine", "machines", true);
        let kinds = vec![kind(machine), kind(ResourceType::core("Secret", "secrets"))];
        let namespaces = crate::options::Namespaces::All;
        let (kinds, providers) = (std::sync::Arc::new(kinds), Vec::new());
        let copies_referenced = false;
        MoveScope { kinds, providers, namespaces, chosen: None, copies_referenced, taken: None }
    }
}
