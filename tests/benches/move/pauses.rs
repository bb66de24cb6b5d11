//! The time for which each Cluster is paused, seen from outside: from its pause in the source to
//! the end of its pause in the target. Watches are open on both, past the lines.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cluster::KubeconfigRef;
use futures::StreamExt as _;
use kube::api::{Api, ApiResource, DynamicObject, WatchEvent, WatchParams};
use kubectl_pivot_tests::twins::Pair;
use tokio::task::JoinHandle;

/// Seconds after which an API server ends a watch; then the next one begins.
const WATCH_SECONDS: u32 = 290;

/// When each Cluster was first seen paused, or active.
type Seen = Arc<Mutex<BTreeMap<String, Instant>>>;

/// Dropping it ends the watches.
pub(crate) struct Pauses {
    begun: Seen,
    ended: Seen,
    watches: [JoinHandle<()>; 2],
}

impl Pauses {
    /// Begins to watch.
    pub(crate) fn watch(pair: &Pair, namespace: &str) -> Self {
        let (begun, ended) = (Seen::default(), Seen::default());
        let watch = |kubeconfig: &Path, paused: bool, seen: &Seen| {
            let clusters = clusters(kubeconfig, namespace);
            tokio::spawn(follow(clusters, paused, Arc::clone(seen)))
        };
        let watches = [
            watch(pair.source.kubeconfig(), true, &begun),
            watch(pair.target.kubeconfig(), false, &ended),
        ];
        Self { begun, ended, watches }
    }

    /// The pauses so far, the shortest first.
    pub(crate) fn so_far(&self) -> Vec<Duration> {
        let begun = self.begun.lock().expect("nobody panics with it");
        let ended = self.ended.lock().expect("nobody panics with it");
        let pause = |(name, begun): (&String, &Instant)| Some(*ended.get(name)? - *begun);
        let mut pauses: Vec<Duration> = begun.iter().filter_map(pause).collect();
        pauses.sort();
        pauses
    }
}

impl Drop for Pauses {
    fn drop(&mut self) {
        self.watches.iter().for_each(JoinHandle::abort);
    }
}

fn clusters(kubeconfig: &Path, namespace: &str) -> Api<DynamicObject> {
    let config = KubeconfigRef::file(kubeconfig).load().expect("a usable kubeconfig");
    let client = kube::Client::try_from(config).expect("a usable kubeconfig");
    let kind = ApiResource {
        group: "cluster.x-k8s.io".to_owned(),
        version: "v1beta2".to_owned(),
        api_version: "cluster.x-k8s.io/v1beta2".to_owned(),
        kind: "Cluster".to_owned(),
        plural: "clusters".to_owned(),
    };
    Api::namespaced_with(client, namespace, &kind)
}

async fn follow(clusters: Api<DynamicObject>, paused: bool, seen: Seen) {
    let params = WatchParams::default().timeout(WATCH_SECONDS);
    loop {
        // From what is there now: what a gap between two watches has hidden is seen late.
        let events = clusters.watch(&params, "0").await.expect("Clusters can be watched");
        let mut events = events.boxed();
        while let Some(Ok(event)) = events.next().await {
            let (WatchEvent::Added(cluster) | WatchEvent::Modified(cluster)) = event else {
                continue;
            };
            if (cluster.data["spec"]["paused"] == true) == paused {
                let name = cluster.metadata.name.unwrap_or_default();
                let mut seen = seen.lock().expect("nobody panics with it");
                seen.entry(name).or_insert_with(Instant::now);
            }
        }
    }
}
