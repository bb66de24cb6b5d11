//! Other runs on a cluster, going on or interrupted.

use super::super::error::PhaseError;
use super::super::findings::Findings;
use super::super::lock::{LeaseState, LockError};
use super::super::record::Phase;
use super::super::recover::find_one;
use super::super::run::Run;
use crate::cluster::Client;

/// Refuses to begin while another run has the cluster, or has left it half-way.
pub(in crate::transfer) async fn check(
    run: &Run,
    (cluster, side): (&Client, &'static str),
    findings: &mut Findings,
) -> Result<(), PhaseError> {
    let Some(lease) = find_one(cluster).await? else { return Ok(()) };
    let unfinished = lease.record.filter(|r| r.run != run.id && r.phase != Phase::Finished);
    let Some(record) = unfinished else { return Ok(()) };
    let cluster = side.to_owned();
    let (rule, problem) = match lease.state {
        LeaseState::Held(holder) => ("Locked", LockError::Held { cluster, holder }),
        LeaseState::Free => {
            ("Interrupted", LockError::Interrupted { cluster, record: Box::new(record) })
        }
    };
    findings.error(rule, side, problem.to_string(), problem.hint());
    Ok(())
}
