//! Creating a fleet: everything is checked before the first write.

use std::collections::{BTreeMap, HashSet};

use capi::{Object, ObjectId, ResourceType};
use cluster::Client;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use support::journal::{Event, Events};

use super::names::Names;
use super::options::{FleetError, FleetOptions, FleetSummary, validate};
use super::parts::Context;
use super::plan::{object_count, plan};
use super::write::Writer;

/// Creates the clusters `<prefix>0`, `<prefix>1`, … with all their objects.
///
/// The names depend on the options alone, so a second call with the same options is refused.
///
/// # Errors
/// When a name is invalid or taken or a kind is not served (nothing was written), or when a request
/// fails (what was written before stays).
pub async fn create(
    client: &Client,
    options: &FleetOptions,
    events: &Events,
) -> Result<FleetSummary, FleetError> {
    events.started("fleet", format!("Create a fleet of {} clusters", options.clusters));
    let result = create_all(client, options, events).await;
    match &result {
        Ok(summary) => {
            events.finished(format!("{} clusters, {} objects", summary.clusters, summary.objects))
        }
        Err(_) => events.send(Event::Failed),
    }
    result
}

async fn create_all(
    client: &Client,
    options: &FleetOptions,
    events: &Events,
) -> Result<FleetSummary, FleetError> {
    validate(options)?;
    if options.clusters == 0 {
        return Ok(FleetSummary::default());
    }
    let now = Timestamp::now();
    refuse_taken_names(client, options, now).await?;
    let objects = options.clusters * object_count(options.workers);
    let writer = Writer::new(client, &options.namespace, options.max_in_flight, (objects, events));
    stream::iter(0..options.clusters)
        .map(|index| writer.write_cluster(plan(&context(options, index, now))))
        .buffer_unordered(options.max_in_flight.max(1))
        .try_collect::<()>()
        .await?;
    Ok(FleetSummary { clusters: options.clusters, objects })
}

fn context(options: &FleetOptions, index: usize, now: Timestamp) -> Context {
    let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Context {
        index,
        names: Names::new(&options.name_prefix, index, options.workers),
        now: time(now),
        expiry: time(now + SignedDuration::from_hours(24 * 365)),
    }
}

/// Server-side apply would quietly change an object that exists.
async fn refuse_taken_names(
    client: &Client,
    options: &FleetOptions,
    now: Timestamp,
) -> Result<(), FleetError> {
    let mut wanted: BTreeMap<&ResourceType, HashSet<ObjectId>> = BTreeMap::new();
    for index in 0..options.clusters {
        for blueprint in plan(&context(options, index, now)).into_iter().flatten() {
            let id = blueprint.id(&options.namespace);
            wanted.entry(blueprint.kind).or_default().insert(id);
        }
    }
    let mut taken = Vec::new();
    for (kind, ids) in wanted {
        let objects = match client.list(kind, Some(&options.namespace)).await {
            Err(error) if error.is_not_found() => return Err(not_served(kind)),
            other => other?,
        };
        taken.extend(objects.iter().map(Object::id).filter(|id| ids.contains(id)));
    }
    match taken.first() {
        Some(first) => Err(FleetError::Taken { count: taken.len(), first: first.clone() }),
        None => Ok(()),
    }
}

fn not_served(kind: &ResourceType) -> FleetError {
    FleetError::NotServed { kind: kind.to_string(), version: kind.version.clone() }
}
