//! On which side the Clusters of a move are, from its record and from the marks of its pauses.

use std::collections::{BTreeMap, BTreeSet};

use transfer::{ClusterState, Operation, Record};

use super::status::ClusterStatus;

/// Namespace and name.
type Name = (String, String);

/// Returns the Clusters that the record names, and those that the run has paused. The commit of the
/// record that decides brings all of them to the target at once.
pub(super) fn cluster_states(record: &Record, clusters: &[ClusterStatus]) -> Vec<ClusterState> {
    if record.operation != Operation::Move {
        return Vec::new();
    }
    let paused = clusters.iter().map(|cluster| (cluster.name.clone(), paused(record, cluster)));
    let paused: BTreeMap<String, BTreeMap<Name, Option<u64>>> = paused.collect();
    let held = paused.values().flat_map(BTreeMap::keys).cloned();
    let names: BTreeSet<Name> = held.chain(record.clusters()).collect();
    let state = |(namespace, name): Name| {
        let side = record.side_of(&namespace, &name);
        let key = (namespace, name);
        let is_paused = paused.get(&side.to_string()).is_some_and(|held| held.contains_key(&key));
        let mut since = paused.values().filter_map(|held| *held.get(&key)?);
        let paused_seconds = since.next().filter(|_| is_paused).map(|seconds| seconds as f64);
        let (namespace, name) = key;
        ClusterState { namespace, name, side, paused: is_paused, paused_seconds }
    };
    names.into_iter().map(state).collect()
}

/// Returns the Clusters that the run has paused, and for how many seconds as far as that is known.
fn paused(record: &Record, cluster: &ClusterStatus) -> BTreeMap<Name, Option<u64>> {
    let ours = cluster.paused.iter().filter(|it| it.by_run.as_ref() == Some(&record.run));
    ours.map(|it| ((it.namespace.clone(), it.name.clone()), it.paused_seconds)).collect()
}
