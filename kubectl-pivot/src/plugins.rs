//! The description of a cluster for plugins.

use kubectl_pivot_plugin_api::ServedKind;

use crate::cluster::Served;

/// Returns whether a group is one of Cluster API and its providers.
pub fn is_cluster_api(group: &str) -> bool {
    group == "cluster.x-k8s.io" || group.ends_with(".cluster.x-k8s.io")
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
