//! Taking the leader Leases of a side, and keeping them.
//!
//! A leader that has lost its Lease works on until it notices, and one that ends gives back a Lease
//! that it takes for its own. So a side is held only when every pod that has led since is gone,
//! each Lease is the run's after that, and a successor is ready that does not lead.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capi::Object;
use cluster::{ApiError, Client, Moment, RetryPolicy, sleep_until};
use support::journal::Events;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::leases::{self, Terms};
use super::look::{look, namespaces, pod_type};
use super::manager::{Election, HOLDER_PREFIX, Manager, holder_of, mark};
use crate::error::PhaseError;
use crate::inventory;
use crate::lock::{Condition, Lock, LockTerms};
use crate::record::Role;
use crate::run::Run;

/// The longest that a side may take until its controllers have stopped and their successors are
/// ready.
const HOLD_TIMEOUT: Duration = Duration::from_secs(120);
/// Pause between two looks.
const HOLD_CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// Pause after a renewal that failed.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The leader Leases of one side. Dropping it ends their renewal, and they run out.
pub struct Hold {
    /// The side.
    pub(crate) role: Role,
    cluster: Client,
    terms: Terms,
    leases: Vec<Arc<Mutex<Object>>>,
    renewals: JoinSet<()>,
}

impl Hold {
    /// Takes the Leases of a side, and returns when none of its controllers works any more that
    /// elects a leader.
    ///
    /// # Errors
    /// When that takes too long, or a request fails. What was taken is given back then.
    pub(crate) async fn take(run: &Run, lock: &Lock, role: Role) -> Result<Self, PhaseError> {
        let cluster = if role == Role::Source { &run.source } else { &run.target };
        let namespaces = namespaces(&inventory::read(cluster).await?);
        let times = lock.terms();
        let terms = Terms { identity: identity_of(&run.id), lasts: times.hold() };
        let taking = Taking { cluster, terms: &terms, namespaces, led: BTreeSet::new(), role };
        let held = match taking.finish(run).await {
            Ok(held) => held,
            Err(error) => {
                give_back_all(cluster, &run.id).await;
                return Err(error);
            }
        };
        let mut hold = Self {
            role,
            cluster: cluster.clone(),
            terms,
            leases: Vec::new(),
            renewals: JoinSet::new(),
        };
        for (lease, renewed) in held {
            let keeper = Keeper {
                cluster: cluster.clone().unguarded().with_retry(RetryPolicy::once()),
                lease: Arc::new(Mutex::new(lease)),
                terms: hold.terms.clone(),
                times,
                condition: lock.condition(renewed + times.hold_deadline()),
                events: run.events.clone(),
            };
            hold.leases.push(Arc::clone(&keeper.lease));
            hold.renewals.spawn(keeper.keep(renewed));
        }
        Ok(hold)
    }

    /// Gives the Leases back, so that the controllers work again. One that cannot be given back
    /// runs out.
    pub(crate) async fn give_back(mut self) {
        self.renewals.shutdown().await;
        for lease in &self.leases {
            let lease = lease.lock().await;
            if let Err(error) = leases::give_back(&self.cluster, &lease, &self.terms.identity).await
            {
                tracing::debug!(lease = %lease.id(), %error, "the Lease was not given back");
            }
        }
    }

    /// The number of Leases.
    pub(crate) fn count(&self) -> usize {
        self.leases.len()
    }
}

/// A side that is being held.
struct Taking<'a> {
    cluster: &'a Client,
    terms: &'a Terms,
    namespaces: BTreeSet<String>,
    /// Uids of the pods that have led.
    led: BTreeSet<String>,
    role: Role,
}

impl Taking<'_> {
    /// Looks again and again until the side is held. Returns its Leases, and when each was renewed.
    async fn finish(mut self, run: &Run) -> Result<Vec<(Object, Moment)>, PhaseError> {
        let begun = Instant::now();
        loop {
            run.stop.check()?;
            let waits_for = match self.look().await? {
                Ok(leases) => match self.renew(leases).await? {
                    Ok(held) => return Ok(held),
                    Err(waits_for) => waits_for,
                },
                Err(waits_for) => waits_for,
            };
            let side = self.role;
            if begun.elapsed() >= HOLD_TIMEOUT {
                let seconds = begun.elapsed().as_secs();
                return Err(PhaseError::NotHeld { side, waits_for, seconds });
            }
            run.events.doing(format!("holding the controllers of the {side}: {waits_for}"));
            tokio::time::sleep(HOLD_CHECK_INTERVAL).await;
        }
    }

    /// Takes what others hold and deletes the pods that led. Returns the Leases if all is done, and
    /// otherwise what there is to wait for.
    async fn look(&mut self) -> Result<Result<Vec<Object>, String>, ApiError> {
        let (mut leases, mut waits_for) = (Vec::new(), None);
        for manager in look(self.cluster, &self.namespaces).await? {
            match self.hold(&manager).await? {
                None => leases.extend(manager.leases().iter().cloned()),
                Some(reason) => waits_for = Some(format!("{reason} of {}", manager.id)),
            }
        }
        Ok(waits_for.map_or(Ok(leases), Err))
    }

    /// Returns what there is to wait for, if there is anything.
    async fn hold(&mut self, manager: &Manager) -> Result<Option<&'static str>, ApiError> {
        let mut waits_for = None;
        for lease in manager.leases() {
            let leader = manager.leader(lease).map(str::to_owned);
            if holder_of(lease) != Some(&self.terms.identity) {
                waits_for = Some("the Lease");
                let mark = mark(manager, leader.as_deref());
                if leases::take(self.cluster, lease, (self.terms, &mark)).await?.is_none() {
                    continue;
                }
            }
            self.led.extend(leader);
        }
        for pod in manager.pods.iter().filter(|pod| self.led.contains(pod.uid())) {
            waits_for = Some("the end of the leader");
            if !pod.is_being_deleted() {
                let place = (pod.namespace(), pod.name());
                match self.cluster.delete(&pod_type(), place.0, place.1, pod.uid()).await {
                    // It has gone, and another has its name.
                    Err(error) if error.is_conflict() => {}
                    deleted => drop(deleted?),
                }
            }
        }
        Ok(waits_for.or(match &manager.election {
            Election::Pending => Some("the election"),
            Election::By(_) if !manager.has_successor(&self.led) => Some("a ready successor"),
            Election::By(_) | Election::None => None,
        }))
    }

    /// Renews the Leases: now that all pods that led are gone, nobody gives them back any more.
    async fn renew(
        &self,
        leases: Vec<Object>,
    ) -> Result<Result<Vec<(Object, Moment)>, String>, ApiError> {
        let mut held = Vec::new();
        for lease in leases {
            let begun = Moment::now();
            match leases::renew(self.cluster, &lease, self.terms).await? {
                Some(renewed) => held.push((renewed, begun)),
                None => return Ok(Err(format!("{}, which somebody has taken", lease.id()))),
            }
        }
        Ok(Ok(held))
    }
}

/// Gives back all Leases of a side that a run holds: those of a hold that has failed, or of an
/// earlier process of the run. One that cannot be given back runs out.
pub(crate) async fn give_back_all(cluster: &Client, run: &str) {
    for lease in held_by(cluster, run).await.unwrap_or_default() {
        if let Err(error) = leases::give_back(cluster, &lease, &identity_of(run)).await {
            tracing::debug!(lease = %lease.id(), %error, "the Lease was not given back");
        }
    }
}

/// Returns the leader Leases of controllers that a run, or an earlier process of it, holds.
///
/// # Errors
/// When a list fails.
pub(crate) async fn held_by(cluster: &Client, run: &str) -> Result<Vec<Object>, ApiError> {
    let namespaces = namespaces(&inventory::read(cluster).await?);
    let managers = look(cluster, &namespaces).await?;
    let leases = managers.iter().flat_map(Manager::leases);
    let identity = identity_of(run);
    Ok(leases.filter(|lease| holder_of(lease) == Some(&identity)).cloned().collect())
}

/// Returns the name under which all processes of a run hold Leases.
fn identity_of(run: &str) -> String {
    format!("{HOLDER_PREFIX}{run}")
}

/// Keeps one Lease.
struct Keeper {
    /// Past the gate, which it keeps open.
    cluster: Client,
    lease: Arc<Mutex<Object>>,
    terms: Terms,
    times: LockTerms,
    condition: Condition,
    events: Events,
}

impl Keeper {
    /// Renews the Lease until somebody else has it, or its time is over.
    async fn keep(self, mut renewed: Moment) {
        loop {
            sleep_until(renewed + self.times.renew_interval()).await;
            let begun = Moment::now();
            let mut lease = self.lease.lock().await;
            match leases::renew(&self.cluster, &lease, &self.terms).await {
                Ok(Some(now)) => {
                    *lease = now;
                    renewed = begun;
                    self.condition.extend_to(renewed + self.times.hold_deadline());
                }
                Ok(None) => return self.lose(&lease),
                Err(_) if (renewed + self.times.hold_deadline()).left().is_zero() => {
                    return self.lose(&lease);
                }
                Err(_) => {
                    drop(lease);
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    fn lose(&self, lease: &Object) {
        self.events.warning(format!(
            "{} of the {} cluster is no longer held by this run: its controllers may work again, \
             so nothing more is written",
            lease.id(),
            self.cluster.name()
        ));
        self.condition.lose();
    }
}
