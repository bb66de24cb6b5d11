//! The order of the waits, and looking again after them.

use std::collections::HashSet;

use capi::Graph;

use super::blocked::wait_until_unblocked;
use super::reports::wait_for_reports;
use crate::discover::MoveScope;
use crate::error::PhaseError;
use crate::findings::Findings;
use crate::own_pause::pause_each;
use crate::pause::pause;
use crate::run::Run;

/// Rounds of waiting and looking again before the move gives up.
const ROUNDS: usize = 10;

/// Pauses to make once the controllers have come to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pauses {
    /// None: nothing is going to be deleted, or everything has its pause already.
    No,
    /// Each object that needs a pause of its own.
    OfEach,
}

/// Waits for controllers. Returns what moves, looked for again after every wait, since objects may
/// have appeared or changed meanwhile, and what the user should know.
///
/// # Errors
/// [`PhaseError::Restless`] when every round finds something new to wait for, [`PhaseError::Blocked`] after `--block-move-timeout`, [`PhaseError::Busy`] after
/// `--pause-timeout`, or when a request fails. Every wait has its whole time: what appears late
/// gets as long as what was there from the start.
pub async fn quiesce(
    run: &Run,
    move_scope: &MoveScope,
    mut graph: Graph,
    pauses: Pauses,
) -> Result<(Graph, Findings), PhaseError> {
    let mut findings = Findings::default();
    let mut silent = HashSet::new();
    let mut round = 1;
    loop {
        let blocked = wait_until_unblocked(run, &graph).await?;
        // Those that were silent once are not waited for again.
        let reports = wait_for_reports(run, &graph, &silent).await?;
        findings.extend(reports.findings);
        silent.extend(reports.silent);
        let missed = match blocked.or(reports.waited_for) {
            None if pauses == Pauses::OfEach => pause_each(run, &mut graph).await?,
            waited_for => waited_for,
        };
        let Some(object) = missed else { return Ok((graph, findings)) };
        if round >= ROUNDS {
            return Err(PhaseError::Restless { rounds: ROUNDS, object });
        }
        graph = pause(run, move_scope, graph).await?;
        round += 1;
    }
}
