//! Writing one leader-election Lease. Each write carries the resource version that was read.

use std::time::Duration;

use capi::{Object, at};
use cluster::{ApiError, Client, PatchKind, WriteOptions};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::look::lease_type;
use super::manager::{HELD_FROM_ANNOTATION, holder_of};

/// Attempts at a renewal that somebody else's writes to the Lease keep overtaking.
const ATTEMPTS: u32 = 5;

/// Under which name, and for how long, a run holds Leases.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// `holderIdentity`.
    pub(super) identity: String,
    /// `leaseDurationSeconds`.
    pub(super) lasts: Duration,
}

/// Takes a Lease as it was read; `None` if somebody has written to it since.
pub(super) async fn take(
    cluster: &Client,
    lease: &Object,
    (terms, manager): (&Terms, &str),
) -> Result<Option<Object>, ApiError> {
    let now = now();
    let transitions = at(lease.value(), "/spec/leaseTransitions").as_i64().unwrap_or_default();
    let spec = json!({"holderIdentity": terms.identity,
        "leaseDurationSeconds": terms.lasts.as_secs(),
        "acquireTime": now, "renewTime": now, "leaseTransitions": transitions.saturating_add(1)});
    write(cluster, lease, (&json!(manager), &spec)).await
}

/// Renews a Lease that a run holds; `None` if it holds it no more.
pub(super) async fn renew(
    cluster: &Client,
    lease: &Object,
    terms: &Terms,
) -> Result<Option<Object>, ApiError> {
    let mark = json!(lease.annotation(HELD_FROM_ANNOTATION));
    let spec = json!({"renewTime": now(), "leaseDurationSeconds": terms.lasts.as_secs()});
    write_ours(cluster, lease, &terms.identity, (&mark, &spec)).await
}

/// Gives a Lease back: a pod that waits for it takes it with its next look.
pub(super) async fn give_back(
    cluster: &Client,
    lease: &Object,
    identity: &str,
) -> Result<(), ApiError> {
    let spec = json!({"holderIdentity": null, "leaseDurationSeconds": 1, "renewTime": now()});
    write_ours(cluster, lease, identity, (&Value::Null, &spec)).await.map(drop)
}

/// A write whose answer was lost has moved the resource version on; then the Lease is read again.
async fn write_ours(
    cluster: &Client,
    lease: &Object,
    identity: &str,
    (mark, spec): (&Value, &Value),
) -> Result<Option<Object>, ApiError> {
    let mut known = lease.clone();
    for _ in 0..ATTEMPTS {
        if let Some(written) = write(cluster, &known, (mark, spec)).await? {
            return Ok(Some(written));
        }
        let now = cluster.get(&lease_type(), known.namespace(), known.name()).await?;
        let ours = |now: &Object| holder_of(now) == Some(identity) && now.uid() == known.uid();
        match now.filter(ours) {
            Some(now) => known = now,
            None => return Ok(None),
        }
    }
    Ok(None)
}

async fn write(
    cluster: &Client,
    lease: &Object,
    (mark, spec): (&Value, &Value),
) -> Result<Option<Object>, ApiError> {
    let patch = json!({"spec": spec, "metadata": {"uid": lease.uid(),
        "resourceVersion": lease.resource_version(), "annotations": {HELD_FROM_ANNOTATION: mark}}});
    let place = (lease.namespace(), lease.name());
    let options = WriteOptions::default();
    match cluster.patch(&lease_type(), place, (PatchKind::Merge, &patch), &options).await {
        Ok(written) => Ok(Some(written)),
        Err(error) if error.is_conflict() || error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Now, in the form of a Lease (`MicroTime`).
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}
