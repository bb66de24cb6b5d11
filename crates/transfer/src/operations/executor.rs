//! Carrying operations out.

use std::time::{Duration, Instant};

use cluster::ApiError;
use support::journal::Events;

use super::operation::Stage;
use crate::error::PhaseError;
use crate::run::{Progress, Run};

/// Carries out the stages of a phase: several operations of a stage at once, and the next stage
/// when all are done.
pub(crate) struct Executor<'a> {
    run: &'a Run,
    progress: Progress,
}

impl<'a> Executor<'a> {
    /// For all these stages.
    pub(crate) fn new(run: &'a Run, stages: &[Stage]) -> Self {
        let progress = Progress::of(stages.iter().map(|stage| stage.nodes.len()).sum());
        let is_carried_through = stages.iter().any(|stage| stage.action.is_carried_through());
        let progress = if is_carried_through { progress.carried_through() } else { progress };
        Self { run, progress }
    }

    /// The same, whatever its user asks for meanwhile.
    #[must_use]
    pub(crate) fn carried_through(self) -> Self {
        Self { progress: self.progress.carried_through(), ..self }
    }

    /// Carries out one stage. After a failure nothing new is begun.
    ///
    /// # Errors
    /// As [`Run::each`].
    pub(crate) async fn carry_out<R, Work>(
        &self,
        stage: Stage,
        work: impl Fn(usize) -> Work,
    ) -> Result<Vec<R>, PhaseError>
    where
        Work: Future<Output = Result<R, PhaseError>>,
    {
        // The type of a whole command would be too deep for the compiler otherwise.
        Box::pin(self.run.each(stage.nodes, &self.progress, work)).await
    }
}

/// An error that may be the refusal of a webhook or policy.
pub(crate) trait Refusal {
    /// Returns the refusal, if it is one.
    fn refusal(&self) -> Option<&ApiError>;
}

impl Refusal for ApiError {
    fn refusal(&self) -> Option<&ApiError> {
        self.is_refused_by_admission().then_some(self)
    }
}

impl Refusal for PhaseError {
    fn refusal(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => error.refusal(),
            _ => None,
        }
    }
}

/// Tries again, for so long, what a webhook or policy refuses: its controller is restarting, or
/// waits for something to go first.
///
/// # Errors
/// The last one.
pub(crate) async fn patiently<R, E: Refusal>(
    (limit, pause): (Duration, Duration),
    events: &Events,
    mut attempt: impl AsyncFnMut() -> Result<R, E>,
) -> Result<R, E> {
    let begun = Instant::now();
    loop {
        match Box::pin(attempt()).await {
            Err(error) if begun.elapsed() < limit => {
                let Some(refusal) = error.refusal() else { return Err(error) };
                events.doing(format!("trying again: {refusal}: {}", refusal.cause));
                tokio::time::sleep(pause).await;
            }
            other => return other,
        }
    }
}
