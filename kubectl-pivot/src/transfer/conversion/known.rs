//! What Cluster API's conversions from `v1beta1` to `v1beta2` are known to remove.
//!
//! The fields are those without a peer in `zz_generated.conversion.go` of the module
//! `sigs.k8s.io/cluster-api/api` 1.14.2 that the functions in `conversion.go` beside it do not carry over either.
//! The suite `versions` moves objects with most of them through the real webhooks.

/// Groups of Cluster API in which a rule holds.
const CORE: &[&str] = &["cluster.x-k8s.io"];
const KUBEADM: &[&str] = &["bootstrap.cluster.x-k8s.io", "controlplane.cluster.x-k8s.io"];
const DOCKER: &[&str] = &["infrastructure.cluster.x-k8s.io"];

/// A field that a conversion removes.
#[derive(Debug)]
pub(super) struct Rule {
    groups: &'static [&'static str],
    /// The end of its path, without positions in lists.
    field: &'static str,
    /// Why that is no loss.
    pub(super) why: &'static str,
}

const fn rule(groups: &'static [&'static str], field: &'static str, why: &'static str) -> Rule {
    Rule { groups, field, why }
}

const NEVER_USED: &str = "v1beta2 has no such field: no controller has used it";
const OF_CLUSTER: &str =
    "v1beta2 has no such field: the bootstrap provider takes it from the Cluster";
const OF_PROVIDER: &str = "v1beta2 has no such field: the bootstrap provider writes it itself";

/// Fields that go whatever their value is.
const REMOVED: &[Rule] = &[
    // core/v1beta1/conversion.go, Convert_v1beta1_MachineDeploymentSpec_To_v1beta2_MachineDeploymentSpec
    rule(CORE, "spec.progressDeadlineSeconds", NEVER_USED),
    rule(
        CORE,
        "spec.revisionHistoryLimit",
        "v1beta2 has no such field: the target keeps the MachineSets of one revision",
    ),
    // Convert_v1beta1_Topology_To_v1beta2_Topology, Convert_v1beta1_ClusterVariable_To_v1beta2_ClusterVariable
    rule(CORE, "spec.topology.rolloutAfter", NEVER_USED),
    rule(CORE, "variables.definitionFrom", NEVER_USED),
    // bootstrap/kubeadm/v1beta1/conversion.go, Convert_v1beta1_ClusterConfiguration_To_v1beta2_ClusterConfiguration
    rule(KUBEADM, "clusterConfiguration.networking.dnsDomain", OF_CLUSTER),
    rule(KUBEADM, "clusterConfiguration.networking.podSubnet", OF_CLUSTER),
    rule(KUBEADM, "clusterConfiguration.networking.serviceSubnet", OF_CLUSTER),
    rule(KUBEADM, "clusterConfiguration.kubernetesVersion", OF_CLUSTER),
    rule(KUBEADM, "clusterConfiguration.clusterName", OF_CLUSTER),
    rule(KUBEADM, "clusterConfiguration.apiVersion", OF_PROVIDER),
    rule(KUBEADM, "clusterConfiguration.kind", OF_PROVIDER),
    rule(KUBEADM, "initConfiguration.apiVersion", OF_PROVIDER),
    rule(KUBEADM, "initConfiguration.kind", OF_PROVIDER),
    rule(KUBEADM, "joinConfiguration.apiVersion", OF_PROVIDER),
    rule(KUBEADM, "joinConfiguration.kind", OF_PROVIDER),
    // Convert_v1beta1_KubeadmConfigSpec_To_v1beta2_KubeadmConfigSpec
    rule(
        KUBEADM,
        "useExperimentalRetryJoin",
        "v1beta2 has no such field: kubeadm retries by itself",
    ),
    // test module, infrastructure/docker/api/v1beta1/conversion.go
    rule(
        DOCKER,
        "spec.bootstrapped",
        "v1beta2 has no such field: the Docker provider looks at the container",
    ),
];

const SAME_AS_NONE: &str = "it is the value that the field has without being set";

/// Fields of a Go type without a pointer and with `omitempty` in `v1beta1`: for a controller of the source, too,
/// their zero value is the same as none.
const ZERO: &[Rule] = &[
    rule(CORE, "minReadySeconds", SAME_AS_NONE),
    rule(CORE, "spec.paused", SAME_AS_NONE),
    rule(KUBEADM, "files.append", SAME_AS_NONE),
    rule(KUBEADM, "extraVolumes.readOnly", SAME_AS_NONE),
    rule(KUBEADM, "bootstrapToken.unsafeSkipCAVerification", SAME_AS_NONE),
    rule(DOCKER, "extraMounts.readOnly", SAME_AS_NONE),
    rule(DOCKER, "controlPlane", SAME_AS_NONE),
];

/// Finds why a field of this group goes and is no loss; `zero` if its value is the zero value of its type.
pub(super) fn removal(group: &str, field: &str, zero: bool) -> Option<&'static str> {
    let zeros = if zero { ZERO } else { &[] };
    let mut rules = REMOVED.iter().chain(zeros);
    let found = rules.find(|rule| rule.groups.contains(&group) && ends_with(field, rule.field));
    found.map(|rule| rule.why)
}

fn ends_with(path: &str, end: &str) -> bool {
    let before = path.strip_suffix(end);
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_holds_for_whole_fields_of_its_groups() {
        let core = "cluster.x-k8s.io";
        assert!(removal(core, "spec.progressDeadlineSeconds", false).is_some());
        assert_eq!(removal("other.io", "spec.progressDeadlineSeconds", false), None);
        assert_eq!(removal(core, "spec.xprogressDeadlineSeconds", false), None);
        assert!(removal(core, "spec.template.spec.minReadySeconds", true).is_some());
        assert_eq!(
            removal(core, "spec.minReadySeconds", false),
            None,
            "a value that says something"
        );
    }
}
