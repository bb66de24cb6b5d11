//! One Lease (`coordination.k8s.io/v1`) named `kubectl-pivot`, on one cluster.

use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{ApiError, Client, PatchKind, WriteOptions};
use jiff::Timestamp;
use serde_json::{Value, json};
use support::visible::{one_line, shell_word};

use super::terms::lasts_of;
use crate::record::{Operation, Phase, Record, RecordError};

/// Name of the Lease.
const NAME: &str = "kubectl-pivot";
/// Annotation of the Lease with the record of the run.
const RECORD_ANNOTATION: &str = "kubectl-pivot.io/record";
/// Annotation of the Lease with the records of replacements that rest while another run has it.
const RESTING_ANNOTATION: &str = "kubectl-pivot.io/resting";
/// Limits the difference of clocks: without NTP, or after a virtual machine was suspended, they are
/// minutes or hours wrong, and a run that is alive must not be shown as interrupted. Only a renewal
/// of a later day is made up.
const CLOCK_SKEW_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
/// Tells how the rest of a replacement comes to its end.
pub const LEFT: &str = "name both clusters: `kubectl pivot replace --delete-old` deletes what was \
                        left, and `kubectl pivot rollback` goes back to it";
/// Attempts at taking a lease that nobody holds.
const ATTEMPTS: u32 = 8;
/// Attempts at a write of a lease that others touch meanwhile.
const WRITES: u32 = 5;

/// The holder of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// `user@host, pid 42, since 2026-01-01T00:00:00Z`, made unique by a random end.
    pub identity: String,
    /// Age of the last renewal, by this machine's clock.
    pub renewed: Duration,
}

/// Errors of the lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A request failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Another run holds it.
    #[error("the {cluster} cluster is locked by another run: {}, last renewed {} s ago",
        holder.identity, holder.renewed.as_secs())]
    Held {
        /// The cluster.
        cluster: String,
        /// The holder.
        holder: Holder,
    },
    /// A run was interrupted, and is neither finished nor undone.
    #[error("{}", unfinished(cluster, record))]
    Interrupted {
        /// The cluster.
        cluster: String,
        /// The record of the run.
        record: Box<Record>,
    },
    /// The record cannot be read.
    #[error("in the {cluster} cluster: {source}")]
    Record {
        /// The cluster.
        cluster: String,
        /// The cause.
        source: RecordError,
    },
    /// The user asked to stop before the lock was had.
    #[error("interrupted while waiting for the lock")]
    Stopped,
    /// Somebody else has taken it over.
    #[error("this run lost its lock on the {cluster} cluster{}", taken_by(.by.as_ref()))]
    Lost {
        /// The cluster.
        cluster: String,
        /// The holder now.
        by: Option<String>,
    },
}

fn taken_by(holder: Option<&String>) -> String {
    holder.map_or_else(String::new, |holder| format!(" to {holder}"))
}

fn unfinished(cluster: &str, record: &Record) -> String {
    let Record { operation, run, started, phase, .. } = record;
    match phase {
        Phase::Left => format!(
            "the {cluster} cluster was replaced by the run {run} ({started}): its objects are in \
             {}, and stay here paused",
            one_line(&record.peer)
        ),
        phase => format!(
            "the {operation} {run} ({started}) of the {cluster} cluster was interrupted while it \
             was {phase}"
        ),
    }
}

/// Returns the hint about an interrupted run between a cluster and files.
pub fn of_files(record: &Record) -> String {
    let rollback = "`kubectl pivot rollback --kubeconfig FILE` with the kubeconfig of this cluster";
    let peer = shell_word(&record.peer);
    match record.operation {
        Operation::Restore if record.phase == Phase::Undoing => {
            format!("remove the remaining objects that it created: {rollback}")
        }
        Operation::Restore if record.can_be_rolled_back() => format!(
            "restore {peer} again, which continues it, or remove the objects that it created: \
             {rollback}"
        ),
        Operation::Restore => format!("restore {peer} again, which continues it"),
        _ => format!("resume the Clusters that it paused: {rollback}; then run the command again"),
    }
}

impl LockError {
    /// Returns the next step for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Api(error) => error.hint(),
            Self::Held { .. } => "wait until that run has ended, then run the command again; \
                `kubectl pivot status` shows how far it is"
                .to_owned(),
            Self::Stopped => "nothing was changed".to_owned(),
            Self::Interrupted { record, .. } if record.operation != Operation::Move => {
                of_files(record)
            }
            Self::Interrupted { record, .. } if record.phase == Phase::Left => LEFT.to_owned(),
            Self::Interrupted { record, .. } if record.phase == Phase::Undoing => {
                "it was being rolled back; finish the rollback with `kubectl pivot rollback`"
                    .to_owned()
            }
            Self::Interrupted { record, .. } if record.can_be_rolled_back() => {
                "finish it with `kubectl pivot resume`, or roll it back with `kubectl pivot \
                 rollback`"
                    .to_owned()
            }
            Self::Interrupted { .. } => {
                "finish it with `kubectl pivot resume`; it is too late for a rollback".to_owned()
            }
            Self::Record { .. } => "use the newest version of kubectl-pivot that has worked on \
                                    this run"
                .to_owned(),
            Self::Lost { .. } => "see the other run with `kubectl pivot status`".to_owned(),
        }
    }
}

/// A Lease as it was read.
#[derive(Clone, Debug)]
pub struct Lease {
    pub(super) object: Object,
    /// The record of the run that holds it or left it.
    pub record: Option<Record>,
    /// Those of replacements into this cluster that wait for their end beside it, the latest last.
    pub resting: Vec<Record>,
    /// The holder, by this machine's clock: to be shown, not to be acted on.
    pub state: LeaseState,
}

impl Lease {
    /// The record of the run that has it, then those that rest, the latest first.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.record.iter().chain(self.resting.iter().rev())
    }

    /// Returns the record of a run, also of one that rests.
    pub fn record_of(&self, run: &str) -> Option<&Record> {
        self.records().find(|record| record.run == run)
    }

    /// Returns who holds it, or has held it and not let it go.
    pub fn holder(&self) -> Option<Holder> {
        holder(&self.object)
    }

    /// Returns the record of another run that must not be lost.
    ///
    /// A replacement into this cluster that rests is not lost: it stays beside the other record.
    /// A process that has not let its run go may have died between two batches.
    pub fn in_the_way_of(&self, run: &str) -> Option<&Record> {
        let other = self.record.as_ref().filter(|record| record.run != run)?;
        let is_worked_on = self.holder().is_some() && other.is_between_batches();
        (other.is_in_the_way() || is_worked_on).then_some(other)
    }

    /// Returns whether its last renewal is still to come by this machine's clock, so that only a
    /// look at whether it is renewed can tell whether its holder is alive.
    pub fn is_ahead(&self) -> bool {
        let lasts = lasts_of(self.object.at("/spec/leaseDurationSeconds").as_i64());
        ahead(&self.object, Timestamp::now()).is_some_and(|ahead| ahead > lasts)
    }
}

/// The state of a Lease.
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
    let unreadable = |source| LockError::Record { cluster: cluster.name().to_owned(), source };
    let record = object.annotation(RECORD_ANNOTATION).map(Record::parse).transpose();
    let record = record.map_err(unreadable)?;
    let resting = object.annotation(RESTING_ANNOTATION).map_or_else(|| Ok(Vec::new()), resting);
    let resting = resting.map_err(unreadable)?;
    let state = state_at(&object, Timestamp::now());
    Ok(Lease { object, record, resting, state })
}

/// Reads a list of records.
fn resting(text: &str) -> Result<Vec<Record>, RecordError> {
    let texts: Vec<String> = serde_json::from_str(text)?;
    texts.iter().map(|text| Record::parse(text)).collect()
}

/// The annotations of a Lease with these records; none of `resting` takes the list away.
fn annotations(record: &Record, resting: &[Record]) -> Value {
    let texts: Vec<String> = resting.iter().map(Record::to_text).collect();
    let list = (!texts.is_empty()).then(|| Value::from(texts).to_string());
    json!({RECORD_ANNOTATION: record.to_text(), RESTING_ANNOTATION: list})
}

/// Returns the holder of a Lease, whether or not it still renews it.
pub(super) fn holder(object: &Object) -> Option<Holder> {
    holder_at(object, Timestamp::now())
}

fn holder_at(object: &Object, now: Timestamp) -> Option<Holder> {
    let identity = identity_of(object).filter(|identity| !identity.is_empty())?;
    let renewed = object.at("/spec/renewTime").as_str();
    let renewed = renewed.and_then(|time| time.parse::<Timestamp>().ok());
    let age = renewed.and_then(|renewed| now.duration_since(renewed).try_into().ok());
    Some(Holder { identity: one_line(identity), renewed: age.unwrap_or_default() })
}

/// The time from this moment to the last renewal of a Lease, if that is still to come.
fn ahead(object: &Object, now: Timestamp) -> Option<Duration> {
    let renewed = object.at("/spec/renewTime").as_str();
    let renewed = renewed.and_then(|time| time.parse::<Timestamp>().ok());
    renewed.and_then(|renewed| renewed.duration_since(now).try_into().ok())
}

/// Returns whether a Lease was renewed so long after this moment that no clock is that wrong.
fn is_of_future(object: &Object, now: Timestamp) -> bool {
    ahead(object, now).is_some_and(|ahead| ahead > CLOCK_SKEW_LIMIT)
}

fn state_at(object: &Object, now: Timestamp) -> LeaseState {
    let lasts = lasts_of(object.at("/spec/leaseDurationSeconds").as_i64());
    match holder_at(object, now) {
        Some(_) if is_of_future(object, now) => LeaseState::Free,
        Some(holder) if holder.renewed < lasts => LeaseState::Held(holder),
        _ => LeaseState::Free,
    }
}

/// The claim of a run on a Lease.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    /// The claimant.
    pub(super) identity: &'a str,
    /// The record to write, unless the Lease has one of the same run already.
    pub(super) record: &'a Record,
    /// Duration of the Lease.
    pub(super) lasts: Duration,
    /// Whom it may be taken from.
    pub(super) from: From<'a>,
}

/// Whom a Lease may be taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From<'a> {
    /// From nobody: it has no holder.
    Nobody,
    /// From a holder that has left it unchanged, at this resource version, for as long as it lasts.
    Dead(&'a str),
    /// From any holder: the user says so.
    Anybody,
}

/// A Lease that was taken, with the record of the run as it is now.
#[derive(Debug)]
pub(super) struct Taken {
    /// As it is now.
    pub(super) lease: Lease,
    /// The claimed Lease.
    pub(super) claimed: Claimed,
}

/// A Lease after a claim.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    /// The record from then on: that of the run, with the epoch raised.
    pub(super) record: Record,
    /// The records of replacements that rest beside it.
    pub(super) resting: Vec<Record>,
    /// True if it had no record of this run before.
    pub(super) is_new: bool,
    /// The holder that it was taken from although it may be alive.
    pub(super) seized_from: Option<String>,
    /// An older program has written its record, and cannot read who holds the Lease now.
    pub(super) was_older: bool,
}

/// Takes the Lease of a cluster for a run, and raises the epoch of its record.
///
/// Of the record of the same run that is there already the rest is kept; losses that the claim
/// accepts are added.
///
/// # Errors
/// When the record is that of another, unfinished run, when somebody holds the Lease whom the claim
/// does not name, or when a request fails.
pub(super) async fn take(
    cluster: &Client,
    namespace: &str,
    claim: Claim<'_>,
) -> Result<Taken, LockError> {
    let mut tried: Option<(Option<Holder>, Claimed)> = None;
    let mut attempt = 1;
    loop {
        let found = read(cluster, namespace).await?;
        let now = found.as_ref().and_then(|found| holder(&found.object));
        if let Some((before, claimed)) = &tried
            && let Some(lease) = &found
            && let Some(now) = &now
        {
            if now.identity == claim.identity {
                // The answer to an earlier attempt was lost.
                return Ok(Taken { lease: lease.clone(), claimed: claimed.clone() });
            }
            if before.as_ref().is_none_or(|before| before.identity != now.identity) {
                let (cluster, holder) = (cluster.name().to_owned(), now.clone());
                return Err(LockError::Held { cluster, holder });
            }
        }
        let claimed = claimed(cluster, found.as_ref(), claim)?;
        let error = match write_claim(cluster, namespace, found, (&claimed, claim)).await {
            Ok(lease) => return Ok(Taken { lease, claimed }),
            Err(LockError::Api(error)) if error.is_ambiguous() || error.code() == Some(409) => {
                error
            }
            Err(error) => return Err(error),
        };
        tried = Some((tried.map_or(now, |(before, _)| before), claimed));
        // Somebody was faster, or the answer or the request was lost: the next look tells.
        if attempt >= ATTEMPTS {
            return Err(error.into());
        }
        tokio::time::sleep(cluster.pause(attempt)).await;
        attempt += 1;
    }
}

/// Works out what a claim makes of a Lease that was found.
fn claimed(
    cluster: &Client,
    found: Option<&Lease>,
    claim: Claim<'_>,
) -> Result<Claimed, LockError> {
    let cluster = || cluster.name().to_owned();
    let version = found.map(|found| found.object.resource_version());
    let is_dead = matches!(claim.from, From::Dead(dead) if version == Some(dead));
    let alive = found.and_then(|found| holder(&found.object)).filter(|_| !is_dead);
    let alive = alive.filter(|holder| holder.identity != claim.identity);
    if let Some(holder) = &alive
        && claim.from != From::Anybody
    {
        return Err(LockError::Held { cluster: cluster(), holder: holder.clone() });
    }
    if let Some(other) = found.and_then(|found| found.in_the_way_of(&claim.record.run)) {
        let record = Box::new(other.clone());
        return Err(LockError::Interrupted { cluster: cluster(), record });
    }
    let resting = found.map_or_else(Vec::new, |found| beside(found, &claim.record.run));
    let kept = found.and_then(|found| found.record_of(&claim.record.run));
    let epoch = kept.map_or(0, |kept| kept.epoch).max(claim.record.epoch) + 1;
    Ok(Claimed {
        record: kept
            .unwrap_or(claim.record)
            .clone()
            .accepting(&claim.record.accept_loss)
            .taken(epoch),
        resting,
        is_new: kept.is_none(),
        was_older: kept.is_some_and(Record::is_older),
        seized_from: alive.map(|holder| holder.identity),
    })
}

/// The replacements that rest in a cluster beside a run that takes its Lease: whoever goes back or
/// deletes what was left needs their records.
fn beside(found: &Lease, run: &str) -> Vec<Record> {
    let records = found.resting.iter().chain(&found.record);
    records.filter(|record| record.run != run && record.phase == Phase::Left).cloned().collect()
}

/// Writes a claim into the Lease as it was found, under its resource version, or creates it.
async fn write_claim(
    cluster: &Client,
    namespace: &str,
    found: Option<Lease>,
    (Claimed { record, resting, .. }, claim): (&Claimed, Claim<'_>),
) -> Result<Lease, LockError> {
    let now = now();
    let spec = json!({"holderIdentity": claim.identity,
        "leaseDurationSeconds": claim.lasts.as_secs(),
        "acquireTime": now, "renewTime": now});
    let Some(found) = found else {
        let lease = Object::new(
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata":
            {"name": NAME, "namespace": namespace,
                "annotations": {RECORD_ANNOTATION: record.to_text()}}, "spec": spec}),
        );
        return parse(
            cluster,
            cluster.create(&lease_type(), &lease, &WriteOptions::default()).await?,
        );
    };
    let lease = with_records(found.object, (record, resting), spec);
    parse(cluster, cluster.update(&lease_type(), &lease, &WriteOptions::default()).await?)
}

fn with_records(mut lease: Object, (record, resting): (&Record, &[Record]), spec: Value) -> Object {
    let Value::Object(annotations) = annotations(record, resting) else { return lease };
    for (name, value) in annotations {
        match value.as_str() {
            Some(text) => lease.set_annotation(&name, text),
            None => lease.remove_annotation(&name),
        }
    }
    lease.value_mut()["spec"] = spec;
    lease
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
    for _ in 0..WRITES {
        let patch = json!({"metadata": {"uid": current.uid(),
            "resourceVersion": current.resource_version(),
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
        // A write of ours whose answer was lost moves the version on, too. The epoch tells it from
        // another process that has had the lease meanwhile.
        let now = read(cluster, &namespace).await?;
        let holder = now.as_ref().and_then(|now| identity_of(&now.object)).map(str::to_owned);
        let is_ours = |now: &Lease| {
            let of = |record: &Record| (record.run.clone(), record.epoch);
            let found = now.record.as_ref().map(of);
            found == lease.record.as_ref().map(of) || found == Some(of(record))
        };
        match now.filter(|now| holder.as_deref() == Some(&identity) && is_ours(now)) {
            Some(now) => current = now.object,
            None => {
                return Err(LockError::Lost { cluster: cluster.name().to_owned(), by: holder });
            }
        }
    }
    Err(LockError::Lost { cluster: cluster.name().to_owned(), by: None })
}

/// Removes a lease that is ours, with its record; one that another run has taken over stays. If
/// replacements rest in the cluster, the lease stays for the latest of them.
pub(super) async fn remove(cluster: &Client, lease: &Lease) -> Result<(), LockError> {
    for _ in 0..WRITES {
        let found = cluster.get(&lease_type(), lease.object.namespace(), NAME).await?;
        let Some(found) = found else { return Ok(()) };
        let mut now = parse(cluster, found)?;
        if identity_of(&now.object) != identity_of(&lease.object) {
            let by = identity_of(&now.object).map(str::to_owned);
            let run = lease.record.as_ref().map(|record| record.run.as_str());
            return match run.and_then(|run| now.record_of(run)) {
                // The answer to an earlier attempt was lost.
                None if by.is_none() => Ok(()),
                _ => Err(LockError::Lost { cluster: cluster.name().to_owned(), by }),
            };
        }
        let ended = match now.resting.pop() {
            None => cluster.delete_unchanged(&lease_type(), &now.object).await.map(drop),
            Some(latest) => {
                let epoch = latest.epoch;
                let latest = latest.taken(epoch);
                let lease = with_records(now.object, (&latest, &now.resting), json!({}));
                cluster.update(&lease_type(), &lease, &WriteOptions::default()).await.map(drop)
            }
        };
        match ended {
            Ok(()) => return Ok(()),
            // A renewal of ours came later than this look, or another run was faster.
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(LockError::Lost { cluster: cluster.name().to_owned(), by: None })
}

/// Returns the holder of a Lease, or the last one.
fn identity_of(lease: &Object) -> Option<&str> {
    lease.at("/spec/holderIdentity").as_str()
}

/// Now, in the form of a Lease (`MicroTime`).
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batches::Batches;
    use crate::options::Namespaces;
    use crate::record::Role;

    fn record(run: &str, phase: Phase) -> Record {
        let record = Record::new(run, Role::Target, &Namespaces::All, "https://a");
        Record { phase, ..record }.leaving(true)
    }

    fn lease(records: (&Record, &[Record])) -> Lease {
        let object = with_records(Object::new(json!({"metadata": {}})), records, json!({}));
        let text = object.annotation(RESTING_ANNOTATION);
        let resting = text.map_or_else(|| Ok(Vec::new()), resting).expect("readable");
        let record = object.annotation(RECORD_ANNOTATION).map(Record::parse);
        let record = record.transpose().expect("readable");
        Lease { object, record, resting, state: LeaseState::Free }
    }

    #[test]
    fn replacements_that_rest_stay_beside_the_record_of_another_run() {
        let [first, second] = ["first", "second"].map(|run| record(run, Phase::Left));
        let found = lease((&second, std::slice::from_ref(&first)));
        assert_eq!(found.record_of("first"), Some(&first));
        let runs = |run: &str| -> Vec<String> {
            beside(&found, run).into_iter().map(|record| record.run).collect()
        };
        assert_eq!(runs("third"), ["first", "second"]);
        assert_eq!(runs("first"), ["second"]);
        assert_eq!(runs("second"), ["first"]);
        let over = lease((&record("over", Phase::Finished), &[]));
        assert!(beside(&over, "third").is_empty() && over.resting.is_empty());
        assert!(over.object.annotation(RESTING_ANNOTATION).is_none());
    }

    #[test]
    fn a_lease_is_shown_as_held_until_it_expires() {
        let lease =
            Object::new(json!({"spec": {"holderIdentity": "me", "leaseDurationSeconds": 30,
            "renewTime": "2026-01-01T00:00:00.000000Z"}}));
        let at = |time: &str| state_at(&lease, time.parse().expect("a time"));
        let LeaseState::Held(live) = at("2026-01-01T00:00:20Z") else { panic!("held") };
        assert_eq!((live.identity.as_str(), live.renewed.as_secs()), ("me", 20));
        assert_eq!(at("2026-01-01T00:00:31Z"), LeaseState::Free);
        assert!(matches!(at("2025-12-31T23:59:40Z"), LeaseState::Held(_)), "clocks differ");
        assert!(matches!(at("2025-12-31T12:00:00Z"), LeaseState::Held(_)), "a clock is wrong");
        assert_eq!(at("2025-12-30T23:00:00Z"), LeaseState::Free, "of the future");
        let endless = Object::new(
            json!({"spec": {"holderIdentity": "me", "leaseDurationSeconds": 100_000_000,
            "renewTime": "2026-01-01T00:00:00.000000Z"}}),
        );
        let later = "2026-01-01T00:05:01Z".parse().expect("a time");
        assert_eq!(state_at(&endless, later), LeaseState::Free, "no Lease lasts for years");
        let free = Object::new(json!({"spec": {"leaseDurationSeconds": 30}}));
        assert_eq!(state_at(&free, Timestamp::now()), LeaseState::Free);
        assert!(holder(&lease).is_some() && holder(&free).is_none());
    }

    #[test]
    fn a_record_that_a_process_has_worked_on_is_never_overwritten_by_another_run() {
        let lease = |holder: Option<&str>, record| Lease {
            object: Object::new(json!({"spec": {"holderIdentity": holder}})),
            record: Some(record),
            resting: Vec::new(),
            state: LeaseState::Free,
        };
        let plan = vec![std::collections::BTreeMap::new(); 2];
        let batches = Batches { plan, ..Batches::default() };
        for (record, when_held, when_free) in [
            (record("r", Phase::Left), false, false),
            (Record { role: Role::Source, ..record("r", Phase::Left) }, true, true),
            (record("r", Phase::Returning), true, true),
            (record("r", Phase::Finished), false, false),
            (record("r", Phase::Finished).in_batches(Some(&batches)), true, false),
        ] {
            let is_in_the_way = |holder| lease(holder, record.clone()).in_the_way_of("s").is_some();
            assert_eq!(is_in_the_way(Some("somebody")), when_held, "{record:?}");
            assert_eq!(is_in_the_way(None), when_free, "{record:?}");
            assert!(lease(None, record).in_the_way_of("r").is_none(), "its own");
        }
    }
}
