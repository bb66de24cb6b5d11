//! The versions of the providers that a run has installed first. Its folder keeps them, so that a
//! bootstrap cluster that is made anew gets the same ones, whatever is the newest by then.

use transfer::InstalledProvider;

use crate::context::StepContext;
use crate::error::StepError;

const FILE: &str = "providers.json";

/// Reads the versions of the run; none before the first installation.
pub(crate) fn read(step_context: &StepContext<'_>) -> Vec<InstalledProvider> {
    let text = std::fs::read(step_context.folder().file(FILE)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Keeps the versions of a run that has none yet.
pub(crate) fn keep(
    step_context: &StepContext<'_>,
    installed: &[InstalledProvider],
) -> Result<(), StepError> {
    if read(step_context).is_empty() {
        step_context
            .folder()
            .write(FILE, serde_json::to_vec_pretty(installed).unwrap_or_default())?;
    }
    Ok(())
}
