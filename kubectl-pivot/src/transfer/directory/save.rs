//! `--to-directory`: the objects into files; the source goes on as before.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::super::discover::{Territory, discover};
use super::super::error::{MoveError, PhaseError};
use super::super::findings::Findings;
use super::super::inventory;
use super::super::kinds;
use super::super::pause::{self, paused_by};
use super::super::preflight::{self, Preflight};
use super::super::report::{Outcome, Report};
use super::super::run::Run;
use super::files::{Writer, names};
use crate::capi::names::{PAUSED_BY_ANNOTATION, USER_PAUSED_ANNOTATION};
use crate::capi::{Graph, Object, is_cluster, is_cluster_class};
use crate::cluster::FIELD_MANAGER;

/// Writes all objects of the scope into a directory. The source is paused meanwhile, so that the
/// files belong together, and then resumed whatever happens.
///
/// # Errors
/// When the source cannot be read, is not ready, or a file cannot be written.
pub async fn save(run: &Run, directory: &Path, dry_run: bool) -> Result<Report, MoveError> {
    run.events.started("Read the source");
    let preflight = look(run).await.map_err(MoveError::Unprepared)?;
    let mut report = Report::new(run, &preflight);
    report.target = directory.display().to_string();
    run.events.finished(format!("{} clusters, {} objects", report.clusters, report.objects()));
    if preflight.findings.has_errors() {
        report.outcome = Outcome::Refused;
    } else if report.objects() == 0 {
        report.outcome = Outcome::NothingInScope;
    }
    if dry_run || report.outcome != Outcome::Planned {
        return Ok(report);
    }

    run.events.started("Write the files");
    let written = write(run, &preflight.territory, preflight.graph, directory).await;
    let resumed = pause::restore(run, &run.source, &preflight.territory.kinds).await;
    let doing = "write the files";
    let graph = match (written, resumed) {
        (Ok(graph), Ok(_)) => graph,
        (Err(source), Ok(_)) => return Err(MoveError::Undone { doing, source }),
        (Ok(_), Err(source)) => {
            return Err(MoveError::Unfinished { doing: "resume the source", source });
        }
        (Err(source), Err(undo)) => {
            return Err(MoveError::HalfUndone { doing, undo: undo.to_string(), source });
        }
    };
    report.fill(&graph);
    report.outcome = Outcome::Saved;
    report.requests.clear();
    report.count_requests(&run.source, &run.target);
    report.requests.remove("target");
    run.events.finished(format!("{} files in {}", report.objects(), directory.display()));
    Ok(report)
}

async fn look(run: &Run) -> Result<Preflight, PhaseError> {
    preflight::check_health(&run.source).await?;
    let (kinds, providers) =
        tokio::try_join!(kinds::read(&run.source), inventory::read(&run.source))?;
    let territory = Territory {
        kinds: Arc::clone(&kinds),
        providers,
        namespaces: run.options.namespaces.clone(),
    };
    let graph = discover(&run.source, &territory).await?;
    let mut findings = Findings::default();
    preflight::check_objects(run, &graph, &mut findings);
    Ok(Preflight { territory, graph, strangers: Vec::new(), findings })
}

async fn write(
    run: &Run,
    territory: &Territory,
    planned: Graph,
    directory: &Path,
) -> Result<Graph, PhaseError> {
    let graph = pause::pause(run, territory, planned).await?;
    let named = names(graph.copied().map(|index| &graph.nodes[index].object));
    let expected: HashSet<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
    let mut writer = Writer::prepare(directory, &expected)?;
    let total = named.len();
    for (done, (name, object)) in named.iter().enumerate() {
        run.stop.check()?;
        writer.write(name.clone(), &for_file(object))?;
        run.events.progress(done + 1, total);
    }
    writer.publish()?;
    Ok(graph)
}

/// The object as it goes into its file: without our marks, but with the memory of a user's pause.
fn for_file(object: &Object) -> Object {
    let mut object = object.clone();
    let ours = paused_by(&object).is_some();
    let pausable = is_cluster(&object) || is_cluster_class(&object);
    object.remove_annotation(PAUSED_BY_ANNOTATION);
    if pausable && !ours {
        object.set_annotation(USER_PAUSED_ANNOTATION, "");
    }
    let entries: Vec<_> = object
        .managed_fields()
        .iter()
        .filter(|entry| entry["manager"] != FIELD_MANAGER)
        .cloned()
        .collect();
    object.metadata_mut().insert("managedFields".to_owned(), entries.into());
    object
}
