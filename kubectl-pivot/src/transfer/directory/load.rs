//! `--from-directory`: the objects of the files into the target.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::super::copy::{Copies, copy};
use super::super::discover::Territory;
use super::super::error::{MoveError, PhaseError};
use super::super::findings::Findings;
use super::super::kinds;
use super::super::options::Namespaces;
use super::super::pause;
use super::super::preflight::{self, Preflight};
use super::super::report::{Outcome, Report};
use super::super::run::Run;
use super::super::seal::seal;
use super::super::undo::undo;
use super::files;
use crate::capi::names::{PAUSED_ANNOTATION, PAUSED_BY_ANNOTATION, USER_PAUSED_ANNOTATION};
use crate::capi::{Graph, MoveKind, Object, Scope, is_cluster, is_cluster_class};
use crate::cluster::Served;

/// Creates the objects of a directory in the target, owners first, and resumes the Clusters among
/// them. Objects that are there already are left as they are.
///
/// # Errors
/// When a file is not what it should be, the target does not serve a kind, or a request fails; what
/// was created is removed again then.
pub async fn load(run: &Run, directory: &Path, dry_run: bool) -> Result<Report, MoveError> {
    run.events.started("Read the files and the target");
    let preflight = look(run, directory).await.map_err(MoveError::Unprepared)?;
    let mut report = Report::new(run, &preflight);
    report.source = directory.display().to_string();
    report.namespace = None;
    run.events.finished(format!("{} clusters, {} objects", report.clusters, report.objects()));
    if preflight.findings.has_errors() {
        report.outcome = Outcome::Refused;
    } else if report.objects() == 0 {
        report.outcome = Outcome::NothingInScope;
    }
    if dry_run || report.outcome != Outcome::Planned {
        return Ok(report);
    }

    let Preflight { territory, graph, .. } = preflight;
    run.events.started("Create objects in the target");
    let copies = match copy(run, &graph).await {
        Ok(copies) => copies,
        Err(source) => {
            let doing = "create objects in the target";
            return Err(match undo(run, &territory).await {
                Ok(()) => MoveError::Undone { doing, source },
                Err(error) => MoveError::HalfUndone { doing, undo: error.to_string(), source },
            });
        }
    };
    run.events.finished("");
    finish(run, &territory, &graph, &copies).await?;
    let reused = graph.copied().map(|index| &graph.nodes[index]);
    report.reused =
        reused.filter(|n| copies.reused.contains(n.object.uid())).map(|n| n.object.id()).collect();
    report.outcome = Outcome::Restored;
    report.requests.clear();
    report.count_requests(&run.source, &run.target);
    report.requests.remove("source");
    Ok(report)
}

async fn finish(
    run: &Run,
    territory: &Territory,
    graph: &Graph,
    copies: &Copies,
) -> Result<(), MoveError> {
    let failed = |doing| move |source| MoveError::Unfinished { doing, source };
    run.events.started("Hand over field ownership");
    seal(run, graph, copies).await.map_err(failed("hand over field ownership"))?;
    run.events.finished("");
    run.events.started("Resume reconciliation");
    pause::restore(run, &run.target, &territory.kinds)
        .await
        .map_err(failed("resume reconciliation"))?;
    run.events.finished("");
    Ok(())
}

async fn look(run: &Run, directory: &Path) -> Result<Preflight, PhaseError> {
    let objects = files::read(directory)?;
    preflight::check_health(&run.target).await?;
    let (kinds, served) = tokio::try_join!(kinds::read(&run.target), Served::read(&run.target))?;
    let mut findings = Findings::default();
    let (kinds, objects) = assign(kinds.as_ref().clone(), objects, &served, &mut findings);
    let objects =
        objects.into_iter().map(|(kind, object)| (kind, for_target(object, &run.id))).collect();
    let graph = Graph::build(Arc::new(kinds), objects, &Scope::default())?;
    let territory = Territory {
        kinds: Arc::clone(&graph.kinds),
        providers: Vec::new(),
        namespaces: Namespaces::All,
    };
    Ok(Preflight { territory, graph, strangers: Vec::new(), findings })
}

/// Finds the kind of every object; one in another version than the stored one gets a kind of its own.
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
    let position = kinds
        .iter()
        .position(|k| k.resource.group == object.group() && k.resource.kind == object.kind())?;
    if kinds[position].resource.api_version() == object.api_version() {
        return Some(position);
    }
    let versions = served.versions(object.group(), object.kind());
    let resource =
        versions.iter().find(|resource| resource.api_version() == object.api_version())?.clone();
    kinds.push(MoveKind { resource, ..kinds[position].clone() });
    Some(kinds.len() - 1)
}

/// Clusters and ClusterClasses arrive paused by this run, unless their user had paused them.
fn for_target(mut object: Object, run: &str) -> Object {
    let is_cluster = is_cluster(&object);
    if !is_cluster && !is_cluster_class(&object) {
        return object;
    }
    if object.annotation(USER_PAUSED_ANNOTATION).is_some() {
        object.remove_annotation(USER_PAUSED_ANNOTATION);
        return object;
    }
    object.set_annotation(PAUSED_BY_ANNOTATION, run);
    if is_cluster {
        object.value_mut()["spec"]["paused"] = true.into();
    } else {
        object.set_annotation(PAUSED_ANNOTATION, "");
    }
    object
}
