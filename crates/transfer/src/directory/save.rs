//! `backup` and `--to-directory`: the objects into files; the source continues as before.

use std::sync::Arc;

use capi::{Chosen, Graph};

use super::backup::{Destination, blocking, write};
use crate::choice;
use crate::discover::{MoveScope, discover};
use crate::error::{MoveError, PhaseError};
use crate::exposure;
use crate::findings::Findings;
use crate::inventory;
use crate::kinds;
use crate::lease_location::lock_single_cluster;
use crate::lock::Lock;
use crate::mover::Clock;
use crate::pause;
use crate::preflight::{self, Preflight};
use crate::quiesce::{Pauses, quiesce};
use crate::record::{Operation, Record, Role};
use crate::report::{Outcome, Report};
use crate::run::Run;

/// Finds out what would be written. Writes nothing.
///
/// # Errors
/// When the source cannot be read.
pub async fn plan_save(run: &Run, to: &Destination) -> Result<(Preflight, Report), MoveError> {
    run.events.started("preflight", "Check the source");
    let preflight = look(run).await.map_err(MoveError::Unprepared)?;
    let mut report = Report::new(run, &preflight);
    report.operation = Operation::Backup;
    report.target = to.directory.display().to_string();
    run.events.finished(format!("{} clusters, {} objects", report.clusters, report.objects()));
    report.conclude();
    report.count_all_requests(run);
    Ok((preflight, report))
}

/// Writes all objects of the scope into a directory, under a lock on the source. It is paused
/// meanwhile, so that the files belong together, and resumed whatever happens.
///
/// # Errors
/// When another run has the source, a file cannot be written, or a request fails.
pub async fn save(
    run: &Run,
    preflight: Preflight,
    report: &mut Report,
    to: &Destination,
) -> Result<(), MoveError> {
    let directory = std::path::absolute(&to.directory).unwrap_or_else(|_| to.directory.clone());
    let directory = directory.display().to_string();
    let record = Record::new(&run.id, Role::Source, &run.options.namespaces, &directory);
    let record = record.choosing(preflight.move_scope.chosen.as_deref());
    let record = record.of(Operation::Backup, None);
    let lock = lock_single_cluster(run, &run.source, record, false).await?;
    run.begun(Operation::Backup, run.source.server(), &directory);
    let Preflight { move_scope, graph, .. } = preflight;
    let mut clock = Clock { run, report };
    let written = write_paused(&mut clock, &move_scope, graph, to).await;
    let ended = resume(&mut clock, lock, &move_scope, written).await;
    report.count_all_requests(run);
    report.fill(&ended?);
    report.outcome = Outcome::Saved;
    Ok(())
}

async fn look(run: &Run) -> Result<Preflight, PhaseError> {
    preflight::check_health(&run.source).await?;
    let (kinds, providers) =
        tokio::try_join!(kinds::survey(&run.source), inventory::read(&run.source))?;
    let mut move_scope = MoveScope {
        kinds: Arc::clone(&kinds.moving),
        providers,
        namespaces: run.options.namespaces.clone(),
        chosen: None,
        copies_referenced: run.options.copy_referenced,
        taken: None,
    };
    let mut findings = Findings::default();
    exposure::check(run, &mut findings);
    let choice = (&run.options.choice, &mut findings);
    let chosen = choice::decide((&run.source, "source"), &move_scope, choice).await?;
    // Files take nothing away, so they hold what others use too.
    let chosen = chosen.map(|chosen| Chosen { copy_shared: true, ..chosen });
    move_scope.chosen = chosen.map(Arc::new);
    let graph = discover(&run.source, &move_scope).await?;
    kinds::report((&run.source, "source"), &kinds, &mut findings).await?;
    preflight::check_runs(run, (&run.source, "source"), &mut findings).await?;
    choice::check_owned(&graph, "source", &mut findings);
    if preflight::has_clusters_or_classes(&graph) {
        preflight::check_objects(run, &graph, &mut findings);
        preflight::check_marks(run, &graph, &mut findings);
        preflight::check_ties(&graph, &mut findings);
    }
    let (related_objects, conversions, holds) = (Vec::new(), Vec::new(), Vec::new());
    Ok(Preflight { move_scope, graph, related_objects, conversions, holds, findings })
}

type Failed = (&'static str, PhaseError);

/// The objects are read once more when the controllers have come to rest.
async fn write_paused(
    clock: &mut Clock<'_>,
    move_scope: &MoveScope,
    planned: Graph,
    to: &Destination,
) -> Result<Graph, Failed> {
    let run = clock.run;
    let doing = "pause the source";
    let graph =
        clock.time("pause", "Pause the source", pause::pause(run, move_scope, planned)).await;
    let graph = graph.map_err(|error| (doing, error))?;
    let quiet = async {
        let (_, silent) = quiesce(run, move_scope, graph, Pauses::No).await?;
        let graph = discover(&run.source, move_scope).await?;
        Ok((pause::pause(run, move_scope, graph).await?, silent))
    };
    let quiet = clock.time("quiesce", "Wait for controllers", quiet).await;
    let (graph, silent) = quiet.map_err(|error| ("wait for controllers", error))?;
    clock.report.findings.extend(silent.0);
    let files = async {
        run.stop.check()?;
        blocking(|| write(run, move_scope, &graph, to))
    };
    let written = clock.time("backup", "Write the files", files).await;
    written.map_err(|error| ("write the files", error))?;
    Ok(graph)
}

/// Gives the source its pause state back and ends the run, or says why that is left to a rollback.
async fn resume(
    clock: &mut Clock<'_>,
    lock: Lock,
    move_scope: &MoveScope,
    written: Result<Graph, Failed>,
) -> Result<Graph, MoveError> {
    let run = clock.run;
    if run.stop.is_lock_lost() {
        let lost = written.err().unwrap_or(("resume the source", PhaseError::LockLost));
        return Err(MoveError::LockLost { doing: lost.0, source: lost.1 });
    }
    let resumed = pause::restore(run, &run.source, &move_scope.kinds);
    let resumed = clock.time("resume", "Resume the source", resumed).await;
    let undone = match resumed {
        Ok(_) => lock.finish().await.map_err(|error| PhaseError::Lock(Box::new(error))),
        Err(error) => {
            lock.leave().await;
            Err(error)
        }
    };
    match (written, undone) {
        (Ok(graph), Ok(())) => Ok(graph),
        (Err((doing, source)), Ok(())) => Err(MoveError::Undone { doing, source }),
        (Ok(_), Err(source)) => {
            let undo = source.to_string();
            Err(MoveError::HalfUndone { doing: "resume the source", undo, source })
        }
        (Err((doing, source)), Err(undo)) => {
            Err(MoveError::HalfUndone { doing, undo: undo.to_string(), source })
        }
    }
}
