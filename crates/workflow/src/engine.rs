//! Running the steps: each as soon as what it needs is done, several at once where that is so.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cluster::RetryPolicy;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use support::causes::in_one_line;
use support::journal::{Event, Events};

use super::abort::Abort;
use super::context::Workflow;
use super::error::{StepError, WorkflowError};
use super::order::Step;
use super::steps;
use super::store::JournalEvent;

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

/// Runs all steps; none if the run is over and its target still has the Cluster.
///
/// # Errors
/// [`WorkflowError::Step`] with the first step that failed; the steps beside it are stopped first.
/// [`WorkflowError::Over`] if the run is over and the Cluster is not to be found.
pub async fn run(workflow: &Workflow) -> Result<Vec<Finished>, WorkflowError> {
    let known = workflow.folder.state()?;
    if known.is_finished() {
        return workflow.check_result().await.map(|()| Vec::new());
    }
    if Abort::is_begun(&workflow.folder) {
        return Err(WorkflowError::BeingAborted(workflow.spec.name.clone()));
    }
    workflow.folder.note(JournalEvent::Began { pid: std::process::id() })?;
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
            workflow.note(JournalEvent::Started { step })?;
            running.push(perform(workflow, step, begin(workflow, step, step.title())));
        }
        let Some((step, result, elapsed)) = running.next().await else { break };
        end(workflow, step, &result);
        match result {
            Ok(summary) => {
                workflow.note(JournalEvent::Done { step, summary: summary.clone() })?;
                workflow.set_done(step);
                done.push(Finished { step, summary, elapsed });
            }
            Err(error) => {
                let words = workflow.toolbox.redactor.text(&error.to_string());
                // The failure itself matters more than a journal that cannot be written.
                let _ = workflow.note(JournalEvent::Failed { step, error: words });
                workflow.halt();
                // What was stopped because of another failure is no failure of its own; of all that
                // a user has stopped the first is reported.
                let is_reported = failed
                    .as_ref()
                    .is_none_or(|(first, why)| why.is_interruption() && step < *first);
                if is_reported {
                    failed = Some((step, error));
                }
            }
        }
    }
    match failed {
        None => {
            workflow.note(JournalEvent::Finished)?;
            Ok(done)
        }
        Some((step, source)) => {
            let inspection = workflow.explain(step, &source).await;
            let name = workflow.spec.name.clone();
            Err(WorkflowError::Step { name, step, inspection, source: Box::new(source) })
        }
    }
}

impl Workflow {
    fn note(&self, what: JournalEvent) -> Result<(), WorkflowError> {
        let name = || self.spec.name.clone();
        self.folder.note(what).map_err(|source| WorkflowError::Journal { name: name(), source })
    }

    /// Looks for the result of a run that has ended before.
    async fn check_result(&self) -> Result<(), WorkflowError> {
        let step_context = self.at(Step::Verify, Events::none());
        let target =
            step_context.target().await.map(|client| client.with_retry(RetryPolicy::brief()));
        let found = match &target {
            Ok(client) => steps::the_cluster(&step_context, client).await,
            Err(_) => Ok(None),
        };
        let (namespace, name) = (&self.spec.namespace, self.spec.name.clone());
        let what = match (target, found) {
            (Ok(_), Ok(Some(_))) => return Ok(()),
            (Ok(client), Ok(None)) => {
                format!("its target, {}, has no Cluster {namespace}/{name}", client.server())
            }
            (Ok(client), Err(error)) => {
                format!("its target, {}, does not answer: {}", client.server(), in_one_line(&error))
            }
            (Err(error), _) => format!("its target is not known: {}", in_one_line(&error)),
        };
        Err(WorkflowError::Over { name, what })
    }
}

/// Returns the rest of a run that was killed while it deleted its bootstrap cluster.
async fn finish(workflow: &Workflow) -> Result<Finished, WorkflowError> {
    let step = Step::DeleteBootstrap;
    workflow.note(JournalEvent::Started { step })?;
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
    workflow.note(JournalEvent::Done { step, summary: summary.clone() })?;
    workflow.note(JournalEvent::Finished)?;
    Ok(Finished { step, summary, elapsed: began.elapsed() })
}

async fn perform(
    workflow: &Workflow,
    step: Step,
    events: Events,
) -> (Step, Result<String, StepError>, Duration) {
    let began = Instant::now();
    let step_context = workflow.at(step, events);
    let result = match step_context.check() {
        Ok(()) => steps::perform(&step_context).await,
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
