//! Holding the controllers of a source that a run has left.
//!
//! The pauses of what was left hold already, and for good. The leader Leases stop controllers that
//! ignore a pause too, for as long as they last: nobody renews them, so a source that stays has its
//! controllers back minutes later. A rollback holds them again, and gives them back in its end.

use support::journal::Events;

use super::error::MoveError;
use super::lease_location::{locations, locked, same_part};
use super::lock::{Lease, Lock};
use super::record::{Phase, Record, Role};
use super::recover::{Found, as_recorded, find};
use super::run::Run;

/// Takes the leader Leases of a source that a run has left. Returns true if its controllers are
/// held now, and false if nothing was left, or the run was to hold none.
///
/// # Errors
/// The controllers do not stop in time, a request fails, or another process is at the run.
pub async fn hold_left(run: &Run) -> Result<bool, MoveError> {
    let found = find(&run.source, &run.target).await.map_err(MoveError::Unprepared)?;
    let Some(record) = left(&found) else { return Ok(false) };
    // Nothing has to be done about it afterwards.
    let run = Run { events: Events::none(), ..as_recorded(run, record) };
    if !run.holds(Role::Source) {
        return Ok(false);
    }
    let lock = Lock::acquire(locations(&run, Some(record)).await?, false, &run).await;
    let lock = same_part(lock.map_err(locked)?, record).await?;
    let held = lock.hold_controllers(&run, &[Role::Source]).await;
    lock.leave().await;
    held.map(|()| true)
        .map_err(|source| MoveError::Unfinished { doing: "hold the controllers", source })
}

/// The record of a run that rests, and of which both clusters say so.
fn left(found: &Found) -> Option<&Record> {
    let of = |lease: &'_ Option<Lease>| {
        let record = lease.as_ref()?.record.as_ref()?;
        (record.phase == Phase::Left).then_some(record.run.clone())
    };
    let is_same = of(&found.source)? == of(&found.target)?;
    found.record().filter(|_| is_same)
}
