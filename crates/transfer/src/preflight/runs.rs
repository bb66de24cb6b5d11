//! Other runs on a cluster, active or interrupted.

use cluster::Client;

use crate::error::PhaseError;
use crate::findings::Findings;
use crate::lock::{LeaseState, LockError};
use crate::recover::find_one;
use crate::run::Run;

/// Refuses to begin while another run has the cluster, or has left it halfway.
pub(crate) async fn check(
    run: &Run,
    (cluster, side): (&Client, &'static str),
    findings: &mut Findings,
) -> Result<(), PhaseError> {
    let Some(lease) = find_one(cluster).await? else { return Ok(()) };
    let Some(record) = lease.in_the_way_of(&run.id).cloned() else { return Ok(()) };
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
