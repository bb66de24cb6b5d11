//! Running the steps: each as soon as what it needs is done, several at once where that is so.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::abort::Abort;
use super::context::Workflow;
use super::error::{StepError, WorkflowError};
use super::order::Step;
use super::steps;
use super::store::What;
use super::support::inspect;
use crate::journal::{Event, Events};

/// A step that has ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The step.
    pub step: Step,
    /// One line of result.
    pub summary: String,
    /// Duration of the step.
    pub elapsed: Duration,
}

/// Runs all steps; none if the run is over.
///
/// # Errors
/// [`WorkflowError::Step`] with the first step that failed; the steps beside it are stopped first.
pub async fn run(workflow: &Workflow) -> Result<Vec<Finished>, WorkflowError> {
    let known = workflow.folder.state()?;
    if known.is_finished() {
        return Ok(Vec::new());
    }
    if Abort::is_begun(&workflow.folder) {
        return Err(WorkflowError::BeingAborted(workflow.spec.name.clone()));
    }
    workflow.folder.note(What::Began { pid: std::process::id() })?;
    if steps::is_begun(&workflow.folder) {
        return finish(workflow).await.map(|finished| vec![finished]);
    }
    let mut open: BTreeSet<Step> = Step::ALL.into();
    let mut done: Vec<Finished> = Vec::new();
    let mut failed: Option<(Step, StepError)> = None;
    let mut running = FuturesUnordered::new();
    loop {
        let is_ready = |step: &Step| step.needs().iter().all(|needed| workflow.is_done(*needed));
        let ready: Vec<Step> = open.iter().copied().filter(is_ready).collect();
        for step in ready.into_iter().filter(|_| failed.is_none()) {
            open.remove(&step);
            workflow.folder.note(What::Started { step })?;
            running.push(perform(workflow, step, begin(workflow, step, step.title())));
        }
        let Some((step, result, elapsed)) = running.next().await else { break };
        end(workflow, step, &result);
        match result {
            Ok(summary) => {
                workflow.folder.note(What::Done { step, summary: summary.clone() })?;
                workflow.set_done(step);
                done.push(Finished { step, summary, elapsed });
            }
            Err(error) => {
                let words = workflow.toolbox.redactor.text(&error.to_string());
                workflow.folder.note(What::Failed { step, error: words })?;
                workflow.halted.store(true, Ordering::Relaxed);
                // What was stopped because of another failure is no failure of its own; of all that a user
                // has stopped the first is told.
                let is_told =
                    failed.as_ref().is_none_or(|(told, why)| why.is_interruption() && step < *told);
                if is_told {
                    failed = Some((step, error));
                }
            }
        }
    }
    match failed {
        None => {
            workflow.folder.note(What::Finished)?;
            Ok(done)
        }
        Some((step, source)) => {
            let mut inspection = source.details();
            if !source.is_interruption() {
                inspection.extend(inspect::inspect(workflow, step).await);
            }
            let name = workflow.spec.name.clone();
            Err(WorkflowError::Step { name, step, inspection, source: Box::new(source) })
        }
    }
}

/// Returns the rest of a run that was killed while it deleted its bootstrap cluster.
async fn finish(workflow: &Workflow) -> Result<Finished, WorkflowError> {
    let step = Step::DeleteBootstrap;
    workflow.folder.note(What::Started { step })?;
    let began = Instant::now();
    let events = begin(workflow, step, step.title());
    let result = steps::finish(&workflow.at(step, events)).await;
    end(workflow, step, &result);
    let name = workflow.spec.name.clone();
    let summary = result.map_err(|source| WorkflowError::Step {
        name,
        step,
        inspection: Vec::new(),
        source: Box::new(source),
    })?;
    workflow.folder.note(What::Done { step, summary: summary.clone() })?;
    workflow.folder.note(What::Finished)?;
    Ok(Finished { step, summary, elapsed: began.elapsed() })
}

async fn perform(
    workflow: &Workflow,
    step: Step,
    events: Events,
) -> (Step, Result<String, StepError>, Duration) {
    let began = Instant::now();
    let turn = workflow.at(step, events);
    let result = match turn.check() {
        Ok(()) => steps::perform(&turn).await,
        Err(error) => Err(error),
    };
    (step, result, began.elapsed())
}

/// Announces a step, and gives it events of its own: others may run beside it.
pub(super) fn begin(workflow: &Workflow, step: Step, title: &str) -> Events {
    let events = workflow.events.beside_others(step.name());
    events.started(step.name(), title);
    events
}

pub(super) fn end(workflow: &Workflow, step: Step, result: &Result<String, StepError>) {
    let events = workflow.events.beside_others(step.name());
    match result {
        Ok(summary) => events.finished(summary),
        Err(_) => events.send(Event::Failed),
    }
}
