//! The labels, annotations, groups and kinds that Cluster API and clusterctl give a meaning to.

/// Label on CRDs (and on clusterctl's own objects) that belong to Cluster API providers.
pub const CLUSTERCTL_LABEL: &str = "clusterctl.cluster.x-k8s.io";
/// Label on a CRD or an object: move it, no matter who owns it.
pub const MOVE_LABEL: &str = "clusterctl.cluster.x-k8s.io/move";
/// Label on a CRD or an object: move it and everything below it.
pub const MOVE_HIERARCHY_LABEL: &str = "clusterctl.cluster.x-k8s.io/move-hierarchy";
/// Annotation by which a controller asks a move to wait.
pub const BLOCK_MOVE_ANNOTATION: &str = "clusterctl.cluster.x-k8s.io/block-move";
/// Annotation that tells webhooks that a deletion is part of a move.
pub const DELETE_FOR_MOVE_ANNOTATION: &str = "clusterctl.cluster.x-k8s.io/delete-for-move";
/// Annotation that pauses the reconciliation of one object.
pub const PAUSED_ANNOTATION: &str = "cluster.x-k8s.io/paused";
/// Label on everything that belongs to a provider, its Deployments among it: the provider, for
/// example `cluster-api`.
pub const PROVIDER_LABEL: &str = "cluster.x-k8s.io/provider";
/// Label that names the Cluster an object belongs to.
pub const CLUSTER_NAME_LABEL: &str = "cluster.x-k8s.io/cluster-name";

/// Annotation of ours on Clusters and ClusterClasses that a run has paused: the run's id.
pub const PAUSED_BY_ANNOTATION: &str = "kubectl-pivot.io/paused-by";
/// Annotation of ours on copies in the target, until the run no longer needs it: the run's id.
pub const RUN_ANNOTATION: &str = "kubectl-pivot.io/run";
/// Annotation of ours on copies that are not handed over yet: the finalizers that they will have,
/// with commas.
pub const FINALIZERS_ANNOTATION: &str = "kubectl-pivot.io/finalizers";
/// Label of ours on the ConfigMaps in which a run lists its copies: the run's id.
pub const COPIES_OF_LABEL: &str = "kubectl-pivot.io/copies-of";
/// Annotation of ours in a backup, on Clusters and ClusterClasses that their user had paused.
pub const USER_PAUSED_ANNOTATION: &str = "kubectl-pivot.io/paused-by-user";

/// Group of Cluster, ClusterClass, Machine and their like.
pub const CORE_GROUP: &str = "cluster.x-k8s.io";

/// Returns whether a group is one of Cluster API and its providers.
pub fn is_cluster_api(group: &str) -> bool {
    group == CORE_GROUP || group.ends_with(".cluster.x-k8s.io")
}
/// Group of ClusterResourceSet and ClusterResourceSetBinding.
pub const ADDONS_GROUP: &str = "addons.cluster.x-k8s.io";

/// Purposes of the secrets that Cluster API keeps for a cluster: `<cluster>-<purpose>`.
const SECRET_PURPOSES: [&str; 6] =
    ["kubeconfig", "ca", "etcd", "sa", "proxy", "apiserver-etcd-client"];

/// The clusters that a secret of this name can belong to by the `<cluster>-<purpose>` convention.
///
/// Both the cluster's name and the purpose may contain dashes, so there can be two readings:
/// `x-apiserver-etcd-client` is the etcd client certificate of `x`.
pub(crate) fn clusters_of_secret_name(name: &str) -> impl Iterator<Item = &str> {
    SECRET_PURPOSES
        .iter()
        .filter_map(|purpose| name.strip_suffix(purpose)?.strip_suffix('-'))
        .filter(|cluster| !cluster.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_names_are_read_from_their_end() {
        let read = |name| clusters_of_secret_name(name).collect::<Vec<_>>();
        assert_eq!(read("c0-ca"), ["c0"]);
        assert_eq!(read("a-b-kubeconfig"), ["a-b"]);
        assert_eq!(read("a-etcd-ca"), ["a-etcd"]);
        assert_eq!(read("a-apiserver-etcd-client"), ["a"]);
        assert_eq!(read("a-client"), Vec::<&str>::new());
        assert_eq!(read("-ca"), Vec::<&str>::new());
        assert_eq!(read("kubeconfig"), Vec::<&str>::new());
    }
}
