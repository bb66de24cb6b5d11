//! Waiting for something to come true. All waits of all steps pass here.

use std::time::{Duration, Instant};

use support::causes::in_one_line;

use crate::context::StepContext;
use crate::error::StepError;
use crate::order::Step;

/// Interval between two looks.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The result of a look.
pub(crate) enum Poll<T> {
    /// It has come true.
    Ready(T),
    /// Not yet, and what is the case instead.
    Pending(String),
}

/// Looks until it is seen, the time is over, or the user stops. Requests that fail because the API
/// server is busy or coming up count as not yet.
pub(crate) async fn until<T>(
    step_context: &StepContext<'_>,
    what: &str,
    look: impl AsyncFn() -> Result<Poll<T>, StepError>,
) -> Result<T, StepError> {
    watch(step_context, None, what, look).await
}

/// As [`until`], but the time begins when another step, which runs beside this one, is done.
pub(crate) async fn until_after<T>(
    step_context: &StepContext<'_>,
    other: Step,
    what: &str,
    look: impl AsyncFn() -> Result<Poll<T>, StepError>,
) -> Result<T, StepError> {
    watch(step_context, Some(other), what, look).await
}

async fn watch<T>(
    step_context: &StepContext<'_>,
    after: Option<Step>,
    what: &str,
    look: impl AsyncFn() -> Result<Poll<T>, StepError>,
) -> Result<T, StepError> {
    let mut began = Instant::now();
    loop {
        step_context.check()?;
        if after.is_some_and(|other| !step_context.workflow.is_done(other)) {
            began = Instant::now();
        }
        let last = match look().await {
            Ok(Poll::Ready(value)) => return Ok(value),
            Ok(Poll::Pending(last)) => last,
            Err(error) if is_passing(&error) => in_one_line(&error),
            Err(error) => return Err(error),
        };
        if began.elapsed() >= step_context.timeout() {
            let seconds = step_context.timeout().as_secs();
            return Err(StepError::TimedOut { what: what.to_owned(), seconds, last });
        }
        step_context.events.doing(last);
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// Returns true if the error may be transient.
fn is_passing(error: &StepError) -> bool {
    match error {
        StepError::Api(error) if error.is_invalid() => false,
        StepError::Api(error) => {
            error.is_unreachable()
                || error.is_ambiguous()
                || error.code().is_none_or(|code| code == 429 || code >= 500 || code == 404)
        }
        _ => false,
    }
}
