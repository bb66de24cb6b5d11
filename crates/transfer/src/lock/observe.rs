//! Telling a Lease that is kept from one whose holder is dead.
//!
//! Clocks of two machines may differ, so `renewTime` is not compared with ours. It is client-go's
//! rule: a Lease may be taken over when it has stood unchanged, before our eyes, for as long as it
//! lasts.

use std::time::Duration;

use cluster::{Client, Moment};

use super::lease::{self, LockError};
use super::terms::lasts_of;
use crate::run::Run;

/// Pause between two looks at a Lease.
const LEASE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Waits until the Lease of a cluster can be taken. Returns the resource version under which it was
/// abandoned; `None` when nobody holds it.
///
/// # Errors
/// [`LockError::Held`] when its holder renews it, or lets it go: what this run knows of the cluster is out
/// of date then. [`LockError::Stopped`] when the user asks to stop.
pub(super) async fn wait_until_abandoned(
    run: &Run,
    cluster: &Client,
    namespace: &str,
) -> Result<Option<String>, LockError> {
    let Some(found) = lease::read(cluster, namespace).await? else { return Ok(None) };
    let Some(holder) = lease::holder(&found.object) else { return Ok(None) };
    let lasts = lasts_of(found.object.at("/spec/leaseDurationSeconds").as_i64());
    let seen_at = Moment::now();
    let version = found.object.resource_version().to_owned();
    run.events.note(format!(
        "{} has the lock of the {} cluster; waiting up to {} s to see whether it still renews it",
        holder.identity,
        cluster.name(),
        lasts.as_secs()
    ));
    // The last look comes after the time is over, so that a machine that slept sees a renewal.
    let mut is_over = false;
    loop {
        let now = lease::read(cluster, namespace).await?;
        if now.is_none_or(|now| now.object.resource_version() != version) {
            return Err(LockError::Held { cluster: cluster.name().to_owned(), holder });
        }
        if is_over {
            return Ok(Some(version));
        }
        run.stop.wait(LEASE_CHECK_INTERVAL).await;
        if run.stop.is_requested() {
            return Err(LockError::Stopped);
        }
        is_over = seen_at.elapsed() >= lasts;
    }
}
