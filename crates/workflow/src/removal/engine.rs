//! Running the steps of a deletion, in order.

use std::time::Instant;

use super::{anew, init, move_back, place, preflight, title};
use crate::context::{StepContext, Workflow};
use crate::engine::{Finished, begin, end};
use crate::error::{StepError, WorkflowError};
use crate::order::Step;
use crate::steps;
use crate::store::JournalEvent;

/// Runs all steps; only the last one if it was interrupted in it.
///
/// # Errors
/// [`WorkflowError::Removal`] with the step that failed.
pub async fn run(workflow: &Workflow) -> Result<Vec<Finished>, WorkflowError> {
    let first = workflow.at(Step::Preflight, workflow.events.clone());
    if let Err(source) = anew::start_over(&first).await {
        return Err(failed(workflow, Step::Preflight, source).await);
    }
    workflow.folder.note(JournalEvent::Began { pid: std::process::id() })?;
    let is_last = steps::is_begun(&workflow.folder);
    let open = Step::REMOVAL.into_iter();
    let mut done = Vec::new();
    for step in open.skip_while(|step| is_last && *step != Step::DeleteBootstrap) {
        workflow.folder.note(JournalEvent::Started { step })?;
        let began = Instant::now();
        let step_context = workflow.at(step, begin(workflow, step, title(step)));
        let result = perform(&step_context, is_last).await;
        end(workflow, step, &result);
        let summary = match result {
            Ok(summary) => summary,
            Err(source) => return Err(failed(workflow, step, source).await),
        };
        workflow.folder.note(JournalEvent::Done { step, summary: summary.clone() })?;
        done.push(Finished { step, summary, elapsed: began.elapsed() });
    }
    workflow.folder.note(JournalEvent::Finished)?;
    Ok(done)
}

async fn perform(step_context: &StepContext<'_>, is_last: bool) -> Result<String, StepError> {
    step_context.check()?;
    match step_context.step {
        Step::Preflight => preflight::perform(step_context).await,
        Step::InitBootstrap => init::perform(step_context).await,
        Step::Move => move_back::perform(step_context).await,
        Step::DeleteBootstrap if is_last => steps::finish(step_context).await,
        Step::Bootstrap if place::is_over(step_context).await? => {
            Ok("is not needed any more".to_owned())
        }
        Step::DeleteBootstrap if place::is_over(step_context).await? => {
            steps::finish(step_context).await
        }
        _ => steps::perform(step_context).await,
    }
}

/// The failure, with what the clusters say about it.
async fn failed(workflow: &Workflow, step: Step, source: StepError) -> WorkflowError {
    let words = workflow.toolbox.redactor.text(&source.to_string());
    let noted = workflow.folder.note(JournalEvent::Failed { step, error: words });
    if let Err(error) = noted {
        return error.into();
    }
    let inspection = workflow.explain(step, &source).await;
    let name = workflow.spec.name.clone();
    WorkflowError::Removal { name, step, inspection, source: Box::new(source) }
}
