//! The order of the waits, and looking again after them.

use std::time::Instant;

use super::super::discover::Territory;
use super::super::error::PhaseError;
use super::super::findings::Findings;
use super::super::pause::pause;
use super::super::run::Run;
use super::blocked::wait_until_unblocked;
use super::reports::wait_for_reports;
use crate::capi::Graph;

/// Waits for controllers. Returns what moves, looked for again after every wait, since objects may
/// have appeared or changed meanwhile, and what the user should know.
///
/// # Errors
/// [`PhaseError::Blocked`] after `--block-move-timeout`, [`PhaseError::Busy`] after
/// `--pause-timeout`, or when a request fails.
pub async fn quiesce(
    run: &Run,
    territory: &Territory,
    mut graph: Graph,
) -> Result<(Graph, Findings), PhaseError> {
    let mut findings = Findings::default();
    let begun = Instant::now();
    loop {
        let blocked = wait_until_unblocked(run, &graph, begun).await?;
        // Those that were silent once are not waited for again.
        let reports = match findings.0.is_empty() {
            true => wait_for_reports(run, &graph, begun).await?,
            false => Default::default(),
        };
        findings.extend(reports.findings);
        if !blocked && !reports.waited {
            return Ok((graph, findings));
        }
        graph = pause(run, territory, graph).await?;
    }
}
