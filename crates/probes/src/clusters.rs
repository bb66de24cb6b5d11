//! The clusters that probes look at, and what they serve.

use capi::{ResourceType, is_cluster_api};
use cluster::{ApiError, Client, RetryPolicy, Served};
use kubectl_pivot_plugin_api::{Probe, ProbeCluster, ServedKind};
use tokio::sync::OnceCell;

/// The two clusters of a run. What they serve is asked once for all probes.
pub struct Clusters {
    bootstrap: KnownCluster,
    target: KnownCluster,
}

/// One of them.
pub(super) struct KnownCluster {
    pub(super) client: Client,
    served: OnceCell<Served>,
    core: OnceCell<Served>,
}

impl Clusters {
    /// The bootstrap cluster (in a move: the source) and the target.
    pub fn new(bootstrap: &Client, target: &Client) -> Self {
        Self { bootstrap: KnownCluster::new(bootstrap), target: KnownCluster::new(target) }
    }

    /// Returns what a cluster serves, as it was when this was first asked.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn served(&self, cluster: ProbeCluster) -> Result<&Served, ApiError> {
        let one = self.one(cluster).unwrap_or(&self.target);
        one.served.get_or_try_init(|| Served::read(&one.client)).await
    }

    /// The cluster that a probe means; none if it is of a newer version of the interface.
    pub(super) fn one(&self, cluster: ProbeCluster) -> Option<&KnownCluster> {
        match cluster {
            ProbeCluster::Bootstrap => Some(&self.bootstrap),
            ProbeCluster::Target => Some(&self.target),
            _ => None,
        }
    }
}

impl KnownCluster {
    fn new(client: &Client) -> Self {
        // The caller reports failures and tries again; it has a time limit.
        let client = client.clone().with_retry(RetryPolicy::brief());
        Self { client, served: OnceCell::new(), core: OnceCell::new() }
    }

    /// Returns the resource of the kind of a probe; `Err` of a sentence fragment if it is not
    /// served. A result from before is believed, unless `anew`.
    pub(super) async fn resolve(
        &self,
        probe: &Probe,
        anew: bool,
    ) -> Result<Result<ResourceType, String>, ApiError> {
        let fresh;
        let served = match (probe.group.is_empty(), anew) {
            (true, false) => self.core.get_or_try_init(|| Served::read_core(&self.client)).await?,
            (false, false) => self.served.get_or_try_init(|| Served::read(&self.client)).await?,
            (true, true) => {
                fresh = Served::read_core(&self.client).await?;
                &fresh
            }
            (false, true) => {
                fresh = Served::read(&self.client).await?;
                &fresh
            }
        };
        Ok(choose(probe, served.versions(&probe.group, &probe.kind)))
    }
}

fn choose(probe: &Probe, served: &[ResourceType]) -> Result<ResourceType, String> {
    let kind = match probe.group.as_str() {
        "" => probe.kind.clone(),
        group => format!("{}.{group}", probe.kind),
    };
    let is_wanted = |resource: &&ResourceType| {
        probe.version.as_ref().is_none_or(|version| resource.version == *version)
    };
    if let Some(resource) = served.iter().find(is_wanted) {
        return Ok(resource.clone());
    }
    let versions: Vec<_> = served.iter().map(|resource| resource.version.as_str()).collect();
    Err(match (&probe.version, versions.is_empty()) {
        (Some(wanted), false) => {
            format!("the kind {kind} is not served at {wanted}, but at {}", versions.join(", "))
        }
        _ => format!("the kind {kind} is not served"),
    })
}

/// The kinds of Cluster API and its providers, sorted.
pub fn served_kinds(served: &Served) -> Vec<ServedKind> {
    let mut kinds: Vec<_> = served
        .kinds()
        .filter(|(group, ..)| is_cluster_api(group))
        .map(|(group, kind, versions)| ServedKind {
            group: group.to_owned(),
            kind: kind.to_owned(),
            versions: versions.iter().map(|resource| resource.version.clone()).collect(),
        })
        .collect();
    kinds.sort_by(|a, b| (&a.group, &a.kind).cmp(&(&b.group, &b.kind)));
    kinds
}
