//! One Lease (`coordination.k8s.io/v1`) named `kubectl-pivot`, on one cluster.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::record::{Operation, Phase, Record, RecordError};
use crate::capi::{Object, ResourceType};
use crate::cluster::{ApiError, Client, PatchKind, WriteOptions};

/// Name of the Lease.
const NAME: &str = "kubectl-pivot";
/// Annotation of the Lease with the record of the run.
const RECORD_ANNOTATION: &str = "kubectl-pivot.io/record";
/// Attempts at taking a lease that nobody holds.
const ATTEMPTS: u32 = 8;

/// Who holds a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// `user@host, pid 42, since 2026-01-01T00:00:00Z`, made unique by a random end.
    pub identity: String,
    /// Age of the last renewal, by this machine's clock.
    pub renewed: Duration,
}

/// Why the lock was not taken, or is no longer ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A request failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Another run holds it.
    #[error("the {cluster} cluster is locked by another run: {}, last renewed {} s ago", holder.identity, holder.renewed.as_secs())]
    Held {
        /// Which cluster.
        cluster: String,
        /// Who.
        holder: Holder,
    },
    /// A run was interrupted, and is neither finished nor undone.
    #[error("the {} {} ({}) of the {cluster} cluster was interrupted while it was {}", record.operation, record.run, record.started, record.phase)]
    Interrupted {
        /// Which cluster.
        cluster: String,
        /// Its record.
        record: Box<Record>,
    },
    /// The record cannot be read.
    #[error("in the {cluster} cluster: {source}")]
    Record {
        /// Which cluster.
        cluster: String,
        /// Why.
        source: RecordError,
    },
    /// Somebody else has taken it over.
    #[error("this run has lost its lock on the {cluster} cluster{}", taken_by(.by.as_ref()))]
    Lost {
        /// Which cluster.
        cluster: String,
        /// Who has it now.
        by: Option<String>,
    },
}

fn taken_by(holder: Option<&String>) -> String {
    holder.map_or_else(String::new, |holder| format!(" to {holder}"))
}

/// What to do about an interrupted run between a cluster and files.
pub fn of_files(record: &Record) -> String {
    let rollback = "`kubectl pivot rollback --kubeconfig FILE` with the kubeconfig of this cluster";
    match record.operation {
        Operation::Restore if record.phase.can_be_undone() => format!(
            "restore {} again, which carries it on, or remove what it has created: {rollback}",
            record.peer
        ),
        Operation::Restore => format!("restore {} again, which carries it on", record.peer),
        _ => format!(
            "give its Clusters their pause state back: {rollback}; then run the command again"
        ),
    }
}

impl LockError {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Api(error) => error.hint(),
            Self::Held { .. } => "wait until that run has ended; a dead one's lock expires 30 s after its last renewal; \
                `kubectl pivot status` shows how far it is"
                .to_owned(),
            Self::Interrupted { record, .. } if record.operation != Operation::Move => {
                of_files(record)
            }
            Self::Interrupted { record, .. } if record.phase.can_be_undone() => {
                "finish it with `kubectl pivot resume`, or put everything back with `kubectl pivot rollback`".to_owned()
            }
            Self::Interrupted { .. } => "finish it with `kubectl pivot resume`; the target is the truth already".to_owned(),
            Self::Record { .. } => "use the version of kubectl-pivot that began the move".to_owned(),
            Self::Lost { .. } => "look with `kubectl pivot status` at what the other run is doing".to_owned(),
        }
    }
}

/// A Lease as it was read.
#[derive(Clone, Debug)]
pub struct Lease {
    pub(super) object: Object,
    /// The record of the run that holds it or left it.
    pub record: Option<Record>,
    /// Who holds it.
    pub state: LeaseState,
    /// Whether it had no record of an unfinished run before this one took it.
    pub(super) fresh: bool,
}

/// Whether a Lease is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// By this holder.
    Held(Holder),
    /// By nobody: the run ended, or is dead and its last renewal too old.
    Free,
}

fn lease_type() -> ResourceType {
    ResourceType::new("coordination.k8s.io/v1", "Lease", "leases", true)
}

/// Reads the Lease of a cluster.
///
/// # Errors
/// When the request fails, or the record is not readable.
pub async fn read(cluster: &Client, namespace: &str) -> Result<Option<Lease>, LockError> {
    let Some(object) = cluster.get(&lease_type(), Some(namespace), NAME).await? else {
        return Ok(None);
    };
    parse(cluster, object).map(Some)
}

fn parse(cluster: &Client, object: Object) -> Result<Lease, LockError> {
    let record = object.annotation(RECORD_ANNOTATION).map(Record::parse).transpose();
    let record = record
        .map_err(|source| LockError::Record { cluster: cluster.name().to_owned(), source })?;
    let state = holder(&object, Timestamp::now());
    Ok(Lease { object, record, state, fresh: false })
}

fn holder(object: &Object, now: Timestamp) -> LeaseState {
    let spec = &object.value()["spec"];
    let identity = spec["holderIdentity"].as_str().unwrap_or_default();
    let renewed = spec["renewTime"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
    let lasts =
        SignedDuration::from_secs(spec["leaseDurationSeconds"].as_i64().unwrap_or_default());
    match renewed {
        Some(renewed) if !identity.is_empty() && now.duration_since(renewed) < lasts => {
            LeaseState::Held(Holder {
                identity: identity.to_owned(),
                renewed: now.duration_since(renewed).try_into().unwrap_or_default(),
            })
        }
        _ => LeaseState::Free,
    }
}

/// Takes the lease of a cluster for a run.
///
/// The record of the same run that is there already is kept; that of another, unfinished run is an
/// error, and so is a live holder unless `force`.
pub(super) async fn take(
    cluster: &Client,
    namespace: &str,
    identity: &str,
    record: &Record,
    (lasts, force): (Duration, bool),
) -> Result<Lease, LockError> {
    let before = read(cluster, namespace).await?.and_then(|lease| lease.record);
    let fresh = before.is_none_or(|before| before.run != record.run);
    let mut attempt = 1;
    loop {
        let error = match take_once(cluster, namespace, identity, record, (lasts, force)).await {
            Ok(lease) => return Ok(Lease { fresh, ..lease }),
            Err(LockError::Api(error)) if error.is_ambiguous() || error.code() == Some(409) => {
                error
            }
            Err(error) => return Err(error),
        };
        // Somebody was faster, or the answer or the request was lost: the next look tells.
        if let Some(lease) = taken_meanwhile(cluster, namespace, identity).await? {
            return Ok(Lease { fresh, ..lease });
        }
        if attempt >= ATTEMPTS {
            return Err(error.into());
        }
        tokio::time::sleep(cluster.pause(attempt)).await;
        attempt += 1;
    }
}

async fn take_once(
    cluster: &Client,
    namespace: &str,
    identity: &str,
    record: &Record,
    (lasts, force): (Duration, bool),
) -> Result<Lease, LockError> {
    let now = now();
    let spec = json!({"holderIdentity": identity, "leaseDurationSeconds": lasts.as_secs(), "acquireTime": now, "renewTime": now});
    let Some(found) = read(cluster, namespace).await? else {
        let lease = Object::new(
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata":
            {"name": NAME, "namespace": namespace, "annotations": {RECORD_ANNOTATION: record.to_text()}}, "spec": spec}),
        );
        return parse(
            cluster,
            cluster.create(&lease_type(), &lease, &WriteOptions::default()).await?,
        );
    };
    check_free(cluster, &found, identity, record, force)?;
    let kept = found.record.filter(|kept| kept.run == record.run);
    let kept = kept.unwrap_or_else(|| record.clone());
    let mut lease = found.object;
    lease.set_annotation(RECORD_ANNOTATION, &kept.to_text());
    lease.value_mut()["spec"] = spec;
    parse(cluster, cluster.update(&lease_type(), &lease, &WriteOptions::default()).await?)
}

fn check_free(
    cluster: &Client,
    found: &Lease,
    identity: &str,
    record: &Record,
    force: bool,
) -> Result<(), LockError> {
    let cluster = || cluster.name().to_owned();
    if let LeaseState::Held(holder) = &found.state
        && holder.identity != identity
        && !force
    {
        return Err(LockError::Held { cluster: cluster(), holder: holder.clone() });
    }
    match &found.record {
        Some(other) if other.run != record.run && other.phase != Phase::Finished => {
            Err(LockError::Interrupted { cluster: cluster(), record: Box::new(other.clone()) })
        }
        _ => Ok(()),
    }
}

/// Who has a lease now: this run, nobody (`None`), or another run, which is an error.
async fn taken_meanwhile(
    cluster: &Client,
    namespace: &str,
    identity: &str,
) -> Result<Option<Lease>, LockError> {
    let Some(lease) = read(cluster, namespace).await? else {
        return Ok(None);
    };
    match lease.state.clone() {
        LeaseState::Held(holder) if holder.identity == identity => Ok(Some(lease)),
        LeaseState::Held(holder) => {
            Err(LockError::Held { cluster: cluster.name().to_owned(), holder })
        }
        LeaseState::Free => Ok(None),
    }
}

/// Renews a lease that is ours, with the record as it is to be from now on.
pub(super) async fn renew(
    cluster: &Client,
    lease: &Lease,
    record: &Record,
) -> Result<Lease, LockError> {
    write(cluster, lease, record, &json!({"renewTime": now()})).await
}

/// Lets a lease go, but leaves the record of the unfinished run.
pub(super) async fn let_go(
    cluster: &Client,
    lease: &Lease,
    record: &Record,
) -> Result<Lease, LockError> {
    write(cluster, lease, record, &json!({"holderIdentity": null, "renewTime": null})).await
}

/// The merge carries the resource version, so a lease that others have touched is never changed.
async fn write(
    cluster: &Client,
    lease: &Lease,
    record: &Record,
    spec: &Value,
) -> Result<Lease, LockError> {
    let identity = identity_of(&lease.object).unwrap_or_default().to_owned();
    let namespace = lease.object.namespace().unwrap_or_default().to_owned();
    let mut current = lease.object.clone();
    for _ in 0..5 {
        let patch = json!({"metadata": {"uid": current.uid(), "resourceVersion": current.resource_version(),
            "annotations": {RECORD_ANNOTATION: record.to_text()}}, "spec": spec});
        let place = (Some(namespace.as_str()), NAME);
        match cluster
            .patch(&lease_type(), place, (PatchKind::Merge, &patch), &WriteOptions::default())
            .await
        {
            Ok(written) => return parse(cluster, written),
            Err(error) if error.is_not_found() => {
                return Err(LockError::Lost { cluster: cluster.name().to_owned(), by: None });
            }
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error.into()),
        }
        // A write of ours whose answer was lost moves the version on, too.
        let now = cluster.get(&lease_type(), Some(&namespace), NAME).await?;
        let holder = now.as_ref().and_then(identity_of).map(str::to_owned);
        match now {
            Some(now) if holder.as_deref() == Some(&identity) => current = now,
            _ => return Err(LockError::Lost { cluster: cluster.name().to_owned(), by: holder }),
        }
    }
    Err(LockError::Lost { cluster: cluster.name().to_owned(), by: None })
}

/// Removes a lease that is ours, with its record; one that another run has taken over stays.
pub(super) async fn remove(cluster: &Client, lease: &Lease) -> Result<(), LockError> {
    let found = cluster.get(&lease_type(), lease.object.namespace(), NAME).await?;
    let Some(found) = found else { return Ok(()) };
    if identity_of(&found) != identity_of(&lease.object) {
        let by = identity_of(&found).map(str::to_owned);
        return Err(LockError::Lost { cluster: cluster.name().to_owned(), by });
    }
    match cluster.delete(&lease_type(), lease.object.namespace(), NAME, lease.object.uid()).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_conflict() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Who holds a Lease, or held it last.
fn identity_of(lease: &Object) -> Option<&str> {
    lease.value()["spec"]["holderIdentity"].as_str()
}

/// Now, in the form of a Lease (`MicroTime`).
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_expires() {
        let lease =
            Object::new(json!({"spec": {"holderIdentity": "me", "leaseDurationSeconds": 30,
            "renewTime": "2026-01-01T00:00:00.000000Z"}}));
        let at = |time: &str| holder(&lease, time.parse().expect("a time"));
        let LeaseState::Held(live) = at("2026-01-01T00:00:20Z") else { panic!("held") };
        assert_eq!((live.identity.as_str(), live.renewed.as_secs()), ("me", 20));
        assert_eq!(at("2026-01-01T00:00:31Z"), LeaseState::Free);
        let free = Object::new(json!({"spec": {"leaseDurationSeconds": 30}}));
        assert_eq!(holder(&free, Timestamp::now()), LeaseState::Free);
    }
}
