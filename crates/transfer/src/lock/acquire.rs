//! Taking the Leases of a run.

use std::time::Duration;

use cluster::{Client, Moment};
use futures::future::try_join_all;

use super::keeper::{Held, Lock};
use super::lease::{self, Claim, From, LockError};
use super::observe::wait_until_abandoned;
use super::terms::Terms;
use crate::record::{Record, Role};
use crate::run::Run;

/// One cluster of a run, with the namespace its Lease lives in.
#[derive(Clone)]
pub struct LeaseLocation {
    /// The cluster.
    pub cluster: Client,
    /// Namespace of the Lease.
    pub namespace: String,
    /// The record of the run in this cluster.
    pub record: Record,
}

impl Lock {
    /// Takes the Leases, always in the order given: of two runs in opposite directions one gets
    /// both. From then on every write to the clusters passes the gate of this lock.
    ///
    /// A Lease that somebody else holds is watched first, and taken when it stands unchanged for as
    /// long as it lasts. With `force` it is taken at once; then its holder gets the time of one
    /// renewal to notice before this returns.
    ///
    /// # Errors
    /// When one cannot be had; those taken before are let go again. [`LockError::Stopped`] when the
    /// user asks to stop meanwhile.
    pub async fn acquire(
        locations: Vec<LeaseLocation>,
        force: bool,
        run: &Run,
    ) -> Result<Self, LockError> {
        let terms = Terms::of_process();
        let abandoned = if force {
            locations.iter().map(|_| None).collect()
        } else {
            let watched = locations.iter().map(|location| watch(run, location));
            try_join_all(watched).await?
        };
        let identity = identity();
        let (mut held, mut seized, mut was_older) = (Vec::new(), Vec::new(), false);
        for (location, abandoned) in locations.into_iter().zip(abandoned) {
            let from = match &abandoned {
                _ if force => From::Anybody,
                None => From::Nobody,
                Some(version) => From::Dead(version),
            };
            let record = &location.record;
            let claim = Claim { identity: &identity, record, lasts: terms.lasts, from };
            let cluster =
                location.cluster.clone().unguarded().with_timeout(terms.request_timeout());
            let renewed = Moment::now();
            match lease::take(&cluster, &location.namespace, claim).await {
                Ok(taken) => {
                    let claimed = taken.claimed;
                    seized.extend(claimed.seized_from);
                    was_older |= claimed.was_older;
                    held.push(Held {
                        guarded: location.cluster,
                        cluster,
                        lease: taken.lease,
                        record: claimed.record,
                        is_new: claimed.is_new,
                        renewed,
                    });
                }
                Err(error) => {
                    give_back(held).await;
                    return Err(error);
                }
            }
        }
        if let Err(error) = align_epochs(&mut held).await {
            give_back(held).await;
            return Err(error);
        }
        held.sort_by_key(|one| one.record.role == Role::Target);
        let lock = Self::keep(held, terms, run);
        tracing::debug!(run = %run.id, epoch = lock.epoch(), "has the lock");
        // An older program cannot read the new record, so it keeps writing until its own Lease time
        // is over.
        let pause = if was_older { terms.lasts } else { terms.renew_interval() };
        if seized.is_empty() { Ok(lock) } else { lock.after_the_former(&seized, pause, run).await }
    }

    /// Waits until a holder that is alive must have noticed that its Lease was taken.
    async fn after_the_former(
        self,
        seized: &[String],
        pause: Duration,
        run: &Run,
    ) -> Result<Self, LockError> {
        run.events.note(format!(
            "the lock was taken from {}; waiting {} s for it to notice, if it is alive",
            seized.join(" and "),
            pause.as_secs()
        ));
        run.stop.wait(pause).await;
        if !run.stop.is_requested() {
            return Ok(self);
        }
        give_back(self.into_held().await).await;
        Err(LockError::Stopped)
    }
}

async fn watch(run: &Run, location: &LeaseLocation) -> Result<Option<String>, LockError> {
    wait_until_abandoned(run, &location.cluster.clone().unguarded(), &location.namespace).await
}

/// Writes the highest epoch of the records into all of them.
async fn align_epochs(held: &mut [Held]) -> Result<(), LockError> {
    let highest = held.iter().map(|one| one.record.epoch).max().unwrap_or_default();
    for one in held.iter_mut().filter(|one| one.record.epoch < highest) {
        one.write(Record { epoch: highest, ..one.record.clone() }).await?;
    }
    Ok(())
}

/// Gives up Leases that were taken for a run that did not come about: a new one goes, another keeps
/// its record.
async fn give_back(held: Vec<Held>) {
    for one in held {
        // Failing that, the Lease runs out.
        let _ = if one.is_new {
            lease::remove(&one.cluster, &one.lease).await
        } else {
            lease::let_go(&one.cluster, &one.lease, &one.record).await.map(|_| ())
        };
    }
}

/// `user@host, pid 42, since …`, unique by a random end.
fn identity() -> String {
    let user = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| "unknown".to_owned());
    let host =
        std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned());
    let host = host
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_else(|| "unknown-host".to_owned());
    let since = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    format!(
        "{user}@{host}, pid {}, since {since}, {:08x}",
        std::process::id(),
        rand::random::<u32>()
    )
}
