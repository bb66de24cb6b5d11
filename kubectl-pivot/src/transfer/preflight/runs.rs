//! Other runs on the two clusters, going on or interrupted.

use super::super::error::PhaseError;
use super::super::findings::Findings;
use super::super::lock::{LeaseState, LockError};
use super::super::record::Phase;
use super::super::recover::find;
use super::super::run::Run;

/// Refuses to begin while another run has a cluster, or has left it half-way.
pub(super) async fn check(run: &Run, findings: &mut Findings) -> Result<(), PhaseError> {
    let found = find(&run.source, &run.target).await?;
    for (lease, side) in [(found.source, "source"), (found.target, "target")] {
        let Some(lease) = lease else { continue };
        let Some(record) = lease.record.filter(|r| r.run != run.id && r.phase != Phase::Finished)
        else {
            continue;
        };
        let cluster = side.to_owned();
        let (rule, problem) = match lease.state {
            LeaseState::Held(holder) => ("Locked", LockError::Held { cluster, holder }),
            LeaseState::Free => {
                ("Interrupted", LockError::Interrupted { cluster, record: Box::new(record) })
            }
        };
        findings.error(rule, side, problem.to_string(), problem.hint());
    }
    Ok(())
}
