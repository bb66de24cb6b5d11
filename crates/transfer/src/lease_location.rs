//! Locations of the leases of a run, and taking them.

use cluster::Client;
use futures::future::try_join_all;

use super::error::{MoveError, PhaseError};
use super::inventory::{self, Provider};
use super::lock::{LeaseLocation, Lock, LockError};
use super::preflight::identity;
use super::record::{Record, Role};
use super::run::Run;

/// Namespace of a cluster's Lease: that of the core provider in clusterctl's inventory. Deployments
/// do not say it: who may not list them, or looks when one is gone, would take another Lease.
pub fn lock_namespace(providers: &[Provider]) -> String {
    let is_core = |provider: &&Provider| provider.kind == "CoreProvider" && provider.is_recorded;
    let core = providers.iter().find(is_core);
    core.map_or_else(|| "default".to_owned(), |provider| provider.namespace.clone())
}

/// Returns the locations of the leases of a run, in an order that does not depend on its direction.
///
/// A cluster that has lost the record of an interrupted run gets it again as the other one has it.
pub(super) async fn locations(
    run: &Run,
    interrupted: Option<&Record>,
) -> Result<Vec<LeaseLocation>, MoveError> {
    let mut locations = Vec::new();
    let sides =
        [(&run.source, Role::Source, &run.target), (&run.target, Role::Target, &run.source)];
    let looks = sides.map(|(cluster, ..)| async {
        let providers = async { Ok::<_, PhaseError>(inventory::read(cluster).await?) };
        tokio::try_join!(identity(cluster), providers)
    });
    let looked = try_join_all(looks).await.map_err(MoveError::Unprepared)?;
    for ((cluster, role, peer), (id, providers)) in sides.into_iter().zip(looked) {
        let new = || {
            let record = Record::new(&run.id, role, &run.options.namespaces, peer.server());
            let record = record.choosing(run.options.choice.fixed());
            let record = record.in_batches(run.options.batches.as_ref());
            let options = &run.options;
            let record = record.holding(&options.held_sides, options.hold_is_optional);
            let record = record.copying_referenced(options.copy_referenced);
            let record = record.trusting(&options.trust_pause);
            record.leaving(options.leave_source).knowing(options.knowledge.facts())
        };
        let record = interrupted.map_or_else(new, |record| Record {
            role,
            peer: peer.server().to_owned(),
            ..record.clone()
        });
        let record = record.accepting(&run.options.accept_loss);
        locations.push((
            id,
            LeaseLocation {
                cluster: cluster.clone(),
                namespace: lock_namespace(&providers),
                record,
            },
        ));
    }
    locations.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(locations.into_iter().map(|(_, location)| location).collect())
}

/// Takes the lock of a run between a cluster and files.
pub(super) async fn lock_single_cluster(
    run: &Run,
    cluster: &Client,
    record: Record,
    force: bool,
) -> Result<Lock, MoveError> {
    let providers = inventory::read(cluster).await;
    let providers = providers.map_err(|error| MoveError::Unprepared(error.into()))?;
    let namespace = lock_namespace(&providers);
    let location = LeaseLocation { cluster: cluster.clone(), namespace, record };
    Lock::acquire(vec![location], force, run).await.map_err(locked)
}

/// Lets go of a run that has gone on since its record was read: what was confirmed was another part
/// of it.
pub(super) async fn same_part(lock: Lock, confirmed: &Record) -> Result<Lock, MoveError> {
    let now = lock.record().await;
    if now.is_of_same_part(confirmed) {
        return Ok(lock);
    }
    lock.leave().await;
    Err(MoveError::NoRun(format!(
        "the {} {} has gone on meanwhile (phase: {}), and this command has changed nothing: run \
         the command again",
        now.operation, now.run, now.phase
    )))
}

pub(super) fn locked(error: LockError) -> MoveError {
    MoveError::Locked(Box::new(error))
}
