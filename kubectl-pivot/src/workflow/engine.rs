//! Running the steps: each as soon as what it needs is done, several at once where that is so.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

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
    /// Which.
    pub step: Step,
    /// One line of result.
    pub summary: String,
    /// How long it took.
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
    workflow.folder.note(What::Began { pid: std::process::id() })?;
    let last = workflow.at(Step::DeleteBootstrap, workflow.events.clone());
    if steps::is_begun(&last) {
        return finish(workflow).await.map(|finished| vec![finished]);
    }
    let stage = Stage::new(workflow.events.clone());
    let mut open: BTreeSet<Step> = Step::ALL.into();
    let mut done: Vec<Finished> = Vec::new();
    let mut failed: Option<(Step, StepError)> = None;
    let mut running = FuturesUnordered::new();
    loop {
        let is_done = |step: &Step| done.iter().any(|finished| finished.step == *step);
        let ready: Vec<Step> =
            open.iter().copied().filter(|step| step.needs().iter().all(is_done)).collect();
        for step in ready.into_iter().filter(|_| failed.is_none()) {
            open.remove(&step);
            workflow.folder.note(What::Started { step })?;
            running.push(perform(workflow, step, stage.begin(step)));
        }
        let Some((step, result, elapsed)) = running.next().await else { break };
        stage.end(step, result.as_deref().ok());
        match result {
            Ok(summary) => {
                workflow.folder.note(What::Done { step, summary: summary.clone() })?;
                done.push(Finished { step, summary, elapsed });
            }
            Err(error) => {
                let words = workflow.toolbox.redactor.text(&error.to_string());
                workflow.folder.note(What::Failed { step, error: words })?;
                workflow.halted.store(true, Ordering::Relaxed);
                // What was stopped because of another failure is no failure of its own.
                failed.get_or_insert((step, error));
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

/// What is left to do of a run that was killed while it deleted its bootstrap cluster.
async fn finish(workflow: &Workflow) -> Result<Finished, WorkflowError> {
    let step = Step::DeleteBootstrap;
    let stage = Stage::new(workflow.events.clone());
    workflow.folder.note(What::Started { step })?;
    let began = Instant::now();
    let result = steps::finish(&workflow.at(step, stage.begin(step))).await;
    stage.end(step, result.as_deref().ok());
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

/// Shows steps that overlap to whoever shows one at a time: the one that began first is the phase,
/// the others are told of in notes.
struct Stage {
    events: Events,
    on: Mutex<Vec<Step>>,
}

impl Stage {
    fn new(events: Events) -> Self {
        Self { events, on: Mutex::default() }
    }

    /// Announces a step, and gives it its events.
    fn begin(&self, step: Step) -> Events {
        let mut on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        on.push(step);
        if on.len() == 1 {
            self.events.started(step.title());
            return self.events.clone();
        }
        self.events.note(format!("meanwhile: {}", step.title()));
        let (events, title) = (self.events.clone(), Arc::<str>::from(step.title()));
        Events::to(move |event| match event {
            Event::Doing(what) => events.doing(format!("{title}: {what}")),
            Event::Note(text) => events.note(format!("{title}: {text}")),
            Event::Warning(text) => events.warning(format!("{title}: {text}")),
            _ => {}
        })
    }

    fn end(&self, step: Step, summary: Option<&str>) {
        let mut on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        let was_first = on.first() == Some(&step);
        on.retain(|other| *other != step);
        match (was_first, summary) {
            (true, Some(summary)) => self.events.finished(summary),
            (true, None) => self.events.send(Event::Failed),
            (false, Some(summary)) => self.events.note(format!("{}: {summary}", step.title())),
            (false, None) => self.events.warning(format!("failed: {}", step.title())),
        }
        if let Some(next) = on.first().filter(|_| was_first) {
            self.events.started(next.title());
        }
    }
}
