//! Finding out what restoring a directory would do. Writes nothing.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capi::names::{PAUSED_ANNOTATION, PAUSED_BY_ANNOTATION, USER_PAUSED_ANNOTATION};
use capi::{
    Chosen, Graph, MoveKind, Object, Scope, is_cluster, is_pausable, is_paused,
    is_resumed_by_clusterctl,
};
use cluster::{Client, Served};

use super::backup::Destination;
use super::files;
use super::inspect::opened;
use super::manifest::{MANIFEST, Manifest, content};
use super::places;
use crate::choice::{self, Choice};
use crate::discover::{MoveScope, list_kinds};
use crate::error::{MoveError, PhaseError};
use crate::exposure;
use crate::findings::Findings;
use crate::inventory;
use crate::kinds;
use crate::lock::LeaseState;
use crate::options::{Existing, Namespaces};
use crate::preflight::{self, Preflight};
use crate::record::{Operation, Phase};
use crate::recover::find_one;
use crate::report::{Outcome, Report};
use crate::reserved::{self, Use};
use crate::run::Run;

/// The plan of a restore.
#[derive(Clone)]
pub struct LoadPlan {
    /// The run: a new one, or the interrupted restore of the same files.
    pub run: Run,
    pub(super) directory: PathBuf,
    /// Tells these files from any other.
    pub(super) content: String,
    pub(super) preflight: Preflight,
    /// Clusters and ClusterClasses of the files that are in the target and active, if there is
    /// anything to create.
    pub(super) active: Vec<(capi::ResourceType, Object)>,
}

/// Reads the files and the target, and says what would be created.
///
/// # Errors
/// When the files are not what the manifest says, or not readable, or the target is not.
pub async fn plan_load(run: &Run, from: &Destination) -> Result<(LoadPlan, Report), MoveError> {
    run.events.started("preflight", "Check the files and the target");
    let (plan, existing) = look(run, from).await.map_err(MoveError::Unprepared)?;
    let mut report = Report::new(&plan.run, &plan.preflight);
    report.operation = Operation::Restore;
    report.source = plan.directory.display().to_string();
    report.namespace = None;
    let copied = plan.preflight.graph.copied().map(|index| &plan.preflight.graph[index]);
    report.reused = copied
        .filter(|node| existing.contains(&key(&node.object)))
        .map(|n| n.object.id())
        .collect();
    run.events.finished(format!(
        "{} clusters, {} objects, {} of them there already",
        report.clusters,
        report.objects(),
        report.reused.len()
    ));
    if plan.preflight.findings.has_errors() {
        report.outcome = Outcome::Refused;
    } else if report.objects() == 0 {
        report.outcome = Outcome::NothingInScope;
    }
    report.count_all_requests(run);
    Ok((plan, report))
}

type Key = (String, String, Option<String>, String);

/// Returns the key that two objects of different versions share when they are one.
pub(super) fn key(object: &Object) -> Key {
    let namespace = object.namespace().map(str::to_owned);
    (object.group().to_owned(), object.kind().to_owned(), namespace, object.name().to_owned())
}

async fn look(run: &Run, from: &Destination) -> Result<(LoadPlan, HashSet<Key>), PhaseError> {
    let directory = std::path::absolute(&from.directory).unwrap_or_else(|_| from.directory.clone());
    files::warn_if_not_own(run, &directory);
    let files = files::read(&directory)?;
    let sums = files::sums(&files);
    let manifest = if from.manifest { Some(read_manifest(&directory)?) } else { None };
    if let Some(manifest) = &manifest {
        manifest.check(&directory, &sums)?;
    }
    let files = opened(&directory, (manifest.as_ref(), files), &run.options.identities)?;
    let objects = files::objects(&directory, &files)?;
    places::check(&directory, manifest.as_ref(), &objects)?;
    drop(files);
    preflight::check_health(&run.target).await?;
    let mut findings = Findings::default();
    exposure::check(run, &mut findings);
    let content = content(&sums);
    let chosen = chosen(run, &objects, &mut findings);
    let run = adopt(run, (&content, chosen), &mut findings).await?;
    if let Some(manifest) = manifest.filter(|manifest| !manifest.providers.is_empty()) {
        let installed = inventory::read(&run.target).await?;
        findings.extend(inventory::compare(&manifest.providers, &installed));
    }
    // All of them: whoever can change the manifest can name any namespace as that of a provider.
    reserved::check(Use::Restored, &objects, &run.options, &mut findings);
    let graph = graph(&run, objects, &mut findings).await?;
    choice::check_owned(&graph, "target", &mut findings);
    let move_scope = MoveScope {
        kinds: Arc::clone(&graph.kinds),
        providers: Vec::new(),
        namespaces: Namespaces::All,
        chosen: run.options.choice.fixed().cloned().map(Arc::new),
        copies_referenced: false,
        taken: None,
    };
    let there = list_target(&run.target, &move_scope, &graph).await?;
    let existing: HashSet<Key> = there.iter().map(|(_, object)| key(object)).collect();
    let active = active(&graph, there);
    let (related_objects, conversions) = (Vec::new(), Vec::new());
    let holds = Vec::new();
    let preflight = Preflight { move_scope, graph, related_objects, conversions, holds, findings };
    Ok((LoadPlan { run, directory, content, preflight, active }, existing))
}

pub(super) fn read_manifest(directory: &Path) -> Result<Manifest, PhaseError> {
    Manifest::read(directory)?.ok_or_else(|| PhaseError::BadBackup {
        path: directory.display().to_string(),
        problem: format!("there is no {MANIFEST}, so this is no complete backup"),
    })
}

/// The chosen Clusters among those of the files. What others use too is restored: nothing is taken
/// away for it.
fn chosen(run: &Run, objects: &[Object], findings: &mut Findings) -> Option<Chosen> {
    let Choice::Wanted(wish) = &run.options.choice else { return None };
    let name = |object: &Object| {
        let is_it = is_cluster(object);
        is_it.then(|| (object.namespace().unwrap_or_default().to_owned(), object.name().to_owned()))
    };
    let all: Vec<(String, String)> = objects.iter().filter_map(name).collect();
    let chosen = wish.choose((&all, all.clone()), ("target", findings));
    Some(Chosen { copy_shared: true, ..chosen })
}

/// The run itself, or under the id of an interrupted restore of the same files, which it continues.
async fn adopt(
    run: &Run,
    (content, chosen): (&str, Option<Chosen>),
    findings: &mut Findings,
) -> Result<Run, PhaseError> {
    let mut run = run.decided(chosen.as_ref());
    run.options.existing = Existing::Keep;
    run.options.namespaces = Namespaces::All;
    let Some(lease) = find_one(&run.target).await? else { return Ok(run) };
    let record = lease.record.as_ref().filter(|record| {
        record.operation == Operation::Restore
            && record.content.as_deref() == Some(content)
            && record.choice == chosen
            && record.phase != Phase::Undoing
    });
    // A clock that is hours wrong says nothing; a process that takes the lock watches whether its
    // holder still renews it.
    if let Some(record) = record.filter(|_| lease.state == LeaseState::Free || lease.is_ahead()) {
        run.events
            .note(format!("continuing the restore {}, started {}", record.run, record.started));
        run.id.clone_from(&record.run);
        run.options.accept_loss = record.clone().accepting(&run.options.accept_loss).accept_loss;
    }
    preflight::check_runs(&run, (&run.target, "target"), findings).await?;
    Ok(run)
}

async fn graph(
    run: &Run,
    objects: Vec<Object>,
    findings: &mut Findings,
) -> Result<Graph, PhaseError> {
    let (kinds, served) = tokio::try_join!(kinds::read(&run.target), Served::read(&run.target))?;
    let (kinds, objects) = assign(kinds.as_ref().clone(), objects, &served, findings);
    let objects =
        objects.into_iter().map(|(kind, object)| (kind, for_target(object, &run.id))).collect();
    let chosen = run.options.choice.fixed().cloned().map(Arc::new);
    let scope = Scope { chosen, ..Scope::default() };
    Ok(Graph::build(Arc::new(kinds), objects, &scope)?)
}

/// Lists objects of the target of the kinds in the files: all, or where that is not allowed, in the
/// namespaces of the files.
pub(super) async fn list_target(
    target: &Client,
    move_scope: &MoveScope,
    graph: &Graph,
) -> Result<Vec<(usize, Object)>, PhaseError> {
    let used: HashSet<usize> = graph.copied().map(|index| graph[index].kind).collect();
    let kinds = graph.kinds.iter().enumerate().filter(|(index, _)| used.contains(index));
    let kinds = Arc::new(kinds.map(|(_, kind)| kind.clone()).collect::<Vec<_>>());
    let everywhere = MoveScope { kinds, ..move_scope.clone() };
    match list_kinds(target, &everywhere).await {
        Err(error) if error.is_forbidden() => {}
        other => return Ok(other?),
    }
    let mut listed = Vec::new();
    let namespaces: HashSet<&str> =
        graph.copied().filter_map(|index| graph[index].object.namespace()).collect();
    for namespace in namespaces {
        let namespaces = Namespaces::One(namespace.to_owned());
        listed.extend(list_kinds(target, &MoveScope { namespaces, ..everywhere.clone() }).await?);
    }
    Ok(listed)
}

/// Controllers that work on a Cluster while its Machines are still missing would make new ones.
fn active(graph: &Graph, there: Vec<(usize, Object)>) -> Vec<(capi::ResourceType, Object)> {
    let there: HashMap<Key, Object> =
        there.into_iter().map(|(_, object)| (key(&object), object)).collect();
    let copied: Vec<_> = graph.copied().map(|index| &graph[index]).collect();
    if copied.iter().all(|node| there.contains_key(&key(&node.object))) {
        return Vec::new();
    }
    let pausable = copied.into_iter().filter(|node| is_pausable(&node.object));
    pausable
        .filter_map(|node| {
            Some((graph.resource(node).clone(), there.get(&key(&node.object))?.clone()))
        })
        .filter(|(_, object)| !is_paused(object))
        .collect()
}

/// Finds the kind of every object; one in another version than the stored one gets a kind of its
/// own.
fn assign(
    mut kinds: Vec<MoveKind>,
    objects: Vec<Object>,
    served: &Served,
    findings: &mut Findings,
) -> (Vec<MoveKind>, Vec<(usize, Object)>) {
    let mut known: HashMap<(String, String), Option<usize>> = HashMap::new();
    let mut assigned = Vec::new();
    for object in objects {
        let key = (object.api_version().to_owned(), object.kind().to_owned());
        let index = *known.entry(key).or_insert_with(|| find_kind(&mut kinds, &object, served));
        match index {
            Some(index) => assigned.push((index, object)),
            None => findings.object_error(
                "KindNotServed",
                "target",
                object.id(),
                &format!("the target does not serve {} at {}", object.kind(), object.api_version()),
                "install the provider with this CRD in the target, with `clusterctl init`",
            ),
        }
    }
    (kinds, assigned)
}

fn find_kind(kinds: &mut Vec<MoveKind>, object: &Object, served: &Served) -> Option<usize> {
    let is_it = |kind: &MoveKind| {
        kind.resource.group == object.group() && kind.resource.kind == object.kind()
    };
    let (position, stored) = kinds.iter().enumerate().find(|(_, kind)| is_it(kind))?;
    if stored.resource.api_version() == object.api_version() {
        return Some(position);
    }
    let versions = served.versions(object.group(), object.kind());
    let resource =
        versions.iter().find(|resource| resource.api_version() == object.api_version())?.clone();
    let stored = stored.clone();
    let converted_to = Some(stored.resource.version.clone());
    kinds.push(MoveKind { resource, converted_to, ..stored });
    Some(kinds.len() - 1)
}

/// An object that a run pauses arrives paused by this run, unless its user had paused it.
fn for_target(mut object: Object, run: &str) -> Object {
    if !is_pausable(&object) {
        return object;
    }
    let memory = object.annotation(USER_PAUSED_ANNOTATION).map(str::to_owned);
    object.remove_annotation(USER_PAUSED_ANNOTATION);
    let mark = match memory.as_deref() {
        Some("") => return object,
        Some(of_false) => format!("{run}/{of_false}"),
        None => run.to_owned(),
    };
    // In a file nobody but its user pauses it, not even clusterctl.
    if !is_resumed_by_clusterctl(&object) && is_paused(&object) {
        return object;
    }
    object.set_annotation(PAUSED_BY_ANNOTATION, &mark);
    if is_cluster(&object) {
        object.set_field(&["spec", "paused"], true.into());
    } else {
        object.set_annotation(PAUSED_ANNOTATION, "");
    }
    object
}
