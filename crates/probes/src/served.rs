//! The description of a cluster for plugins.

use capi::is_cluster_api;
use cluster::Served;
use kubectl_pivot_plugin_api::ServedKind;

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
