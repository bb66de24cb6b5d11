//! Creating the objects of a fleet, and waiting until it is provisioned.

use cluster::{Client, WriteOptions};
use support::journal::{Event, Events};

use super::available::wait_until_available;
use super::manifests::{clusters, manifests};
use crate::fleet::{FleetError, FleetOptions, FleetSummary, validate};

/// Creates the clusters `<prefix>0`, `<prefix>1`, … and waits until all are Available.
///
/// # Errors
/// When a name is invalid or taken (nothing was written), when a request fails, or when a cluster
/// does not become Available in time; what was written stays.
pub async fn provision(
    client: &Client,
    options: &FleetOptions,
    events: &Events,
) -> Result<FleetSummary, FleetError> {
    events.started("fleet", format!("Provision {} clusters", options.clusters));
    let result = provision_all(client, options, events).await;
    match &result {
        Ok(summary) => events.finished(format!(
            "{} clusters Available, {} objects applied",
            summary.clusters, summary.objects
        )),
        Err(_) => events.send(Event::Failed),
    }
    result
}

async fn provision_all(
    client: &Client,
    options: &FleetOptions,
    events: &Events,
) -> Result<FleetSummary, FleetError> {
    validate(options)?;
    let names: Vec<String> =
        (0..options.clusters).map(|index| format!("{}{index}", options.name_prefix)).collect();
    let present = client.list(&clusters(), Some(&options.namespace)).await?;
    let mut taken = present.iter().filter(|cluster| names.iter().any(|n| n == cluster.name()));
    if let Some(first) = taken.next() {
        return Err(FleetError::Taken { count: 1 + taken.count(), first: first.id() });
    }
    let mut objects = 0;
    for name in &names {
        events.doing(format!("creating the objects of Cluster {name}"));
        for (kind, object) in manifests(name, &options.namespace, options.workers) {
            let as_user = WriteOptions::manager("kubectl-create");
            client.create(&kind, &object, &as_user).await?;
            objects += 1;
        }
    }
    wait_until_available(client, &options.namespace, &names, events).await?;
    Ok(FleetSummary { clusters: names.len(), objects })
}
