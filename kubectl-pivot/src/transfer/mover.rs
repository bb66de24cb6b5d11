//! The order of the phases, and what happens when one of them fails.

use std::time::Instant;

use super::copy::{Copies, copy};
use super::delete::delete;
use super::discover::Territory;
use super::error::{MoveError, PhaseError};
use super::pause;
use super::preflight::{Preflight, preflight};
use super::quiesce::quiesce;
use super::report::{Outcome, PhaseTime, Report};
use super::run::Run;
use super::seal::seal;
use super::undo::undo;
use super::verify::verify;
use crate::capi::Graph;

/// Finds out what a move would do. Writes nothing.
///
/// # Errors
/// [`MoveError::Unprepared`] when a cluster cannot be read.
pub async fn plan(run: &Run) -> Result<(Preflight, Report), MoveError> {
    run.events.started("Check both clusters");
    let begun = Instant::now();
    let preflight = preflight(run).await.map_err(|error| {
        run.events.send(crate::journal::Event::Failed);
        MoveError::Unprepared(error)
    })?;
    let mut report = Report::new(run, &preflight);
    report.phases.push(PhaseTime { phase: "preflight", seconds: begun.elapsed().as_secs_f64() });
    report.outcome = if preflight.findings.has_errors() {
        Outcome::Refused
    } else if report.objects() == 0 {
        Outcome::NothingInScope
    } else {
        Outcome::Planned
    };
    report.count_requests(&run.source, &run.target);
    run.events.finished(format!("{} clusters, {} objects", report.clusters, report.objects()));
    Ok((preflight, report))
}

/// Carries out a plan.
///
/// # Errors
/// [`MoveError::Refused`] when the plan has findings that stop it. Before the copies are verified
/// a failure is undone; after that the move can only go on.
pub async fn execute(
    run: &Run,
    preflight: Preflight,
    mut report: Report,
) -> Result<Report, MoveError> {
    if preflight.findings.has_errors() {
        return Err(MoveError::Refused(preflight.findings));
    }
    let territory = preflight.territory;
    if report.objects() == 0 {
        return resume_only(run, &territory, report).await;
    }
    let mut clock = Clock { run, report: &mut report };
    let (graph, copies) = match prepare(&mut clock, &territory, preflight.graph).await {
        Ok(prepared) => prepared,
        Err((doing, graph, error)) => {
            return Err(put_back(run, &territory, graph.as_ref(), doing, error).await);
        }
    };
    finish(&mut clock, &territory, &graph, &copies).await.map_err(|(doing, source)| {
        MoveError::Unfinished { doing, run: Some(run.id.clone()), source }
    })?;
    report.fill(&graph);
    report.outcome = Outcome::Moved;
    let is_reused = |node: &&crate::capi::Node| copies.reused.contains(node.object.uid());
    let copied = graph.copied().map(|index| &graph.nodes[index]);
    report.reused = copied.filter(is_reused).map(|node| node.object.id()).collect();
    report.count_requests(&run.source, &run.target);
    Ok(report)
}

/// What failed, with the graph if there can be copies of it.
type Unprepared = (&'static str, Option<Graph>, PhaseError);

/// The phases up to the point of no return.
async fn prepare(
    clock: &mut Clock<'_>,
    territory: &Territory,
    planned: Graph,
) -> Result<(Graph, Copies), Unprepared> {
    let run = clock.run;
    let doing = "pause the source";
    let paused =
        clock.time("pause", "Pause the source", pause::pause(run, territory, planned)).await;
    let graph = paused.map_err(|error| (doing, None, error))?;

    let doing = "wait for controllers";
    let quiet = clock.time("quiesce", "Wait for controllers", quiesce(run, &graph)).await;
    quiet.map_err(|error| (doing, None, error))?;

    let doing = "create objects in the target";
    let copied = clock.time("copy", "Create objects in the target", copy(run, &graph)).await;
    let copies = match copied {
        Ok(copies) => copies,
        Err(error) => return Err((doing, Some(graph), error)),
    };

    let doing = "verify the copies";
    match clock.time("verify", "Verify the copies", verify(run, territory, &graph, &copies)).await {
        Ok(verified) => clock.report.added_by_target = verified.added,
        Err(error) => return Err((doing, Some(graph), error)),
    }
    match run.stop.check() {
        Ok(()) => Ok((graph, copies)),
        Err(error) => Err((doing, Some(graph), error)),
    }
}

/// The phases after the point of no return.
async fn finish(
    clock: &mut Clock<'_>,
    territory: &Territory,
    graph: &Graph,
    copies: &Copies,
) -> Result<(), (&'static str, PhaseError)> {
    let run = clock.run;
    let sealed = clock.time("seal", "Hand over field ownership", seal(run, graph, copies)).await;
    sealed.map_err(|error| ("hand over field ownership", error))?;
    let deleted =
        clock.time("delete", "Delete objects from the source", delete(run, territory, graph)).await;
    deleted.map_err(|error| ("delete objects from the source", error))?;
    let resumed = clock.time("resume", "Resume reconciliation", resume(run, territory)).await;
    resumed.map(drop).map_err(|error| ("resume reconciliation", error))
}

/// Resumes what was moved on the target, and classes that were kept in the source.
async fn resume(run: &Run, territory: &Territory) -> Result<usize, PhaseError> {
    let target = pause::restore(run, &run.target, &territory.kinds).await?;
    let source = pause::restore(run, &run.source, &territory.kinds).await?;
    Ok(target + source)
}

/// What is left to do for a run that was interrupted after it had deleted everything.
async fn resume_only(
    run: &Run,
    territory: &Territory,
    mut report: Report,
) -> Result<Report, MoveError> {
    let resumed = resume(run, territory).await.map_err(|source| MoveError::Unfinished {
        doing: "resume reconciliation",
        run: Some(run.id.clone()),
        source,
    })?;
    if resumed > 0 {
        report.outcome = Outcome::Moved;
    }
    report.count_requests(&run.source, &run.target);
    Ok(report)
}

async fn put_back(
    run: &Run,
    territory: &Territory,
    graph: Option<&Graph>,
    doing: &'static str,
    source: PhaseError,
) -> MoveError {
    run.events.started("Put everything back");
    match undo(run, territory, graph).await {
        Ok(()) => {
            run.events.finished("the source is as before");
            MoveError::Undone { doing, source }
        }
        Err(error) => {
            run.events.send(crate::journal::Event::Failed);
            MoveError::HalfUndone { doing, undo: error.to_string(), source }
        }
    }
}

/// Announces phases and keeps their times.
struct Clock<'a> {
    run: &'a Run,
    report: &'a mut Report,
}

impl Clock<'_> {
    async fn time<T>(
        &mut self,
        phase: &'static str,
        title: &str,
        work: impl Future<Output = Result<T, PhaseError>>,
    ) -> Result<T, PhaseError> {
        self.run.events.started(title);
        let begun = Instant::now();
        let result = work.await;
        self.report.phases.push(PhaseTime { phase, seconds: begun.elapsed().as_secs_f64() });
        match &result {
            Ok(_) => self.run.events.finished(""),
            Err(_) => self.run.events.send(crate::journal::Event::Failed),
        }
        result
    }
}
