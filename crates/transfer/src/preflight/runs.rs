//! Other runs on a cluster, active or interrupted.

use cluster::Client;

use crate::error::PhaseError;
use crate::findings::Findings;
use crate::lock::{LeaseState, LockError};
use crate::record::Record;
use crate::recover::find_one;
use crate::run::Run;

/// Refuses to begin while another run has the cluster, or has left it halfway.
pub(crate) async fn check(
    run: &Run,
    (cluster, side): (&Client, &'static str),
    findings: &mut Findings,
) -> Result<(), PhaseError> {
    let Some(lease) = find_one(cluster).await? else { return Ok(()) };
    let is_other = |record: &Record| record.run != run.id && !record.is_over();
    let is_at_work = lease.record.as_ref().is_some_and(is_other);
    let in_the_way = lease.in_the_way_of(&run.id).cloned().map(Box::new);
    let cluster = side.to_owned();
    let (rule, problem) = match (lease.state, in_the_way) {
        (LeaseState::Held(holder), _) if is_at_work => {
            ("Locked", LockError::Held { cluster, holder })
        }
        (_, Some(record)) => ("Interrupted", LockError::Interrupted { cluster, record }),
        (_, None) => return Ok(()),
    };
    findings.error(rule, side, problem.to_string(), problem.hint());
    Ok(())
}
