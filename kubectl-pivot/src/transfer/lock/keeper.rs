//! Keeping the leases of both clusters for as long as a run goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::super::record::{IllegalStep, Phase, Record, Role, Step};
use super::super::run::Stop;
use super::lease::{self, Lease, LockError};
use crate::cluster::Client;

/// How long a lease lasts without renewal.
const LASTS: Duration = Duration::from_secs(30);
/// How often it is renewed.
const INTERVAL: Duration = Duration::from_secs(8);

/// One cluster of a run, with the namespace its Lease lives in.
#[derive(Clone)]
pub struct Place {
    /// The cluster.
    pub cluster: Client,
    /// Namespace of the Lease.
    pub namespace: String,
    /// The record of the run in this cluster.
    pub record: Record,
}

/// The lock of a run on all its clusters. Renewed in the background until it is let go.
pub struct Lock {
    held: Arc<Mutex<Vec<Held>>>,
    renewal: JoinHandle<()>,
}

struct Held {
    place: Place,
    lease: Lease,
}

impl Lock {
    /// Takes the leases, always in the order given: of two runs in opposite directions one gets
    /// both.
    ///
    /// # Errors
    /// When one cannot be had; those taken before are let go again.
    pub async fn acquire(places: Vec<Place>, force: bool, stop: &Stop) -> Result<Self, LockError> {
        let identity = identity();
        let mut held: Vec<Held> = Vec::new();
        for place in places {
            match lease::take(
                &place.cluster,
                &place.namespace,
                &identity,
                &place.record,
                (LASTS, force),
            )
            .await
            {
                Ok(lease) => {
                    let record = lease.record.clone().unwrap_or_else(|| place.record.clone());
                    held.push(Held { place: Place { record, ..place }, lease });
                }
                Err(error) => {
                    give_back(held).await;
                    return Err(error);
                }
            }
        }
        let held = Arc::new(Mutex::new(held));
        let renewal = tokio::spawn(renew(Arc::clone(&held), stop.clone()));
        Ok(Self { held, renewal })
    }

    /// The phase the run is in, by the record that decides.
    pub async fn phase(&self) -> Phase {
        let held = self.held.lock().await;
        let decides =
            held.iter().find(|one| one.place.record.role == Role::Target).or(held.first());
        decides.map_or(Phase::Preparing, |one| one.place.record.phase)
    }

    /// Writes the phase after a step to every cluster; the last one, the target, makes it true.
    ///
    /// # Errors
    /// When the step is out of order, or a lease is lost.
    pub async fn advance(&self, step: Step) -> Result<Phase, AdvanceError> {
        let mut held = self.held.lock().await;
        let decides =
            held.iter().find(|one| one.place.record.role == Role::Target).or(held.first());
        let phase = decides.map_or(Phase::Preparing, |one| one.place.record.phase).after(step)?;
        held.sort_by_key(|one| one.place.record.role == Role::Target);
        for one in held.iter_mut() {
            let record = Record { phase, ..one.place.record.clone() };
            one.lease = lease::renew(&one.place.cluster, &one.lease, &record).await?;
            one.place.record = record;
        }
        Ok(phase)
    }

    /// Ends the run: the leases and their records are removed.
    ///
    /// # Errors
    /// When a request fails.
    pub async fn finish(self) -> Result<(), LockError> {
        self.renewal.abort();
        let mut held = self.held.lock().await;
        held.sort_by_key(|one| one.place.record.role == Role::Target);
        for one in held.iter() {
            lease::remove(&one.place.cluster, &one.lease).await?;
        }
        Ok(())
    }

    /// Lets the leases go and leaves the records, so that the run can be carried on at once.
    pub async fn leave(self) {
        self.renewal.abort();
        for one in self.held.lock().await.iter() {
            // Failing that, the lease expires by itself.
            let _ = lease::let_go(&one.place.cluster, &one.lease, &one.place.record).await;
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Why a run could not go on to its next phase.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// The step is out of order.
    #[error(transparent)]
    Illegal(#[from] IllegalStep),
    /// The lock.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// A lease taken for a run that did not come about: a new one goes, another keeps its record.
async fn give_back(held: Vec<Held>) {
    for one in held {
        let _ = if one.lease.fresh {
            lease::remove(&one.place.cluster, &one.lease).await
        } else {
            lease::let_go(&one.place.cluster, &one.lease, &one.place.record).await.map(|_| ())
        };
    }
}

/// Renews until aborted. A run that cannot renew in time, or finds another holder, stops at once.
async fn renew(held: Arc<Mutex<Vec<Held>>>, stop: Stop) {
    let mut renewed = Instant::now();
    loop {
        let left = || LASTS.saturating_sub(renewed.elapsed());
        tokio::time::sleep(INTERVAL.min(left())).await;
        let begun = Instant::now();
        match tokio::time::timeout(left(), renew_all(&held)).await {
            Ok(None) => renewed = begun,
            // Not in time: from now on another run may take it.
            Err(_) | Ok(Some(LockError::Lost { .. })) => return stop.lose_lock(),
            Ok(Some(_)) => {}
        }
    }
}

/// Renews all leases once, and returns a failure, if there was one.
async fn renew_all(held: &Mutex<Vec<Held>>) -> Option<LockError> {
    let mut failure = None;
    for one in held.lock().await.iter_mut() {
        match lease::renew(&one.place.cluster, &one.lease, &one.place.record).await {
            Ok(lease) => one.lease = lease,
            Err(lost @ LockError::Lost { .. }) => return Some(lost),
            Err(error) => failure = Some(error),
        }
    }
    failure
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
