//! Fields that Cluster API's conversions from `v1beta1` to `v1beta2` are known to remove.
//!
//! The fields are those without a peer in `zz_generated.conversion.go` of the module
//! `sigs.k8s.io/cluster-api/api` 1.14.2 that the functions in `conversion.go` beside it do not
//! carry over either. The suite `versions` moves objects with most of them through the real
//! webhooks.

use capi::Object;

/// Versions between which the rules hold.
const VERSIONS: (&str, &str) = ("v1beta1", "v1beta2");

/// Kinds with their group. A name stands for its template too, where there is one: nearly all
/// infrastructure providers share one group, so the group alone says nothing.
#[derive(Clone, Copy, Debug)]
struct Kinds(&'static str, &'static [&'static str]);

const CORE: &str = "cluster.x-k8s.io";
const DOCKER: &str = "infrastructure.cluster.x-k8s.io";

const CLUSTER: Kinds = Kinds(CORE, &["Cluster"]);
const DEPLOYMENT: Kinds = Kinds(CORE, &["MachineDeployment"]);
const PAUSABLE: Kinds = Kinds(CORE, &["Cluster", "MachineDeployment"]);
const SETS: Kinds = Kinds(CORE, &["MachineDeployment", "MachineSet", "MachinePool"]);
const KUBEADM_CONFIG: Kinds = Kinds("bootstrap.cluster.x-k8s.io", &["KubeadmConfig"]);
const KUBEADM_CONTROL_PLANE: Kinds =
    Kinds("controlplane.cluster.x-k8s.io", &["KubeadmControlPlane"]);
const KUBEADM: &[Kinds] = &[KUBEADM_CONFIG, KUBEADM_CONTROL_PLANE];
const DOCKER_CLUSTER: Kinds = Kinds(DOCKER, &["DockerCluster"]);
const DOCKER_MACHINE: Kinds = Kinds(DOCKER, &["DockerMachine"]);
const DOCKER_POOL: Kinds = Kinds(DOCKER, &["DockerMachinePool"]);
const DEV_CLUSTER: Kinds = Kinds(DOCKER, &["DevCluster"]);
const DEV_MACHINE: Kinds = Kinds(DOCKER, &["DevMachine"]);

/// A field that a conversion removes.
#[derive(Debug)]
struct Rule {
    kinds: &'static [Kinds],
    /// Path in the spec of the kind, in kubeadm's kinds in their `KubeadmConfigSpec`; without
    /// positions in lists. `*` is any one key.
    field: &'static str,
    /// Reason why that is no loss.
    why: &'static str,
}

const fn rule(kinds: &'static [Kinds], field: &'static str, why: &'static str) -> Rule {
    Rule { kinds, field, why }
}

const NEVER_USED: &str = "v1beta2 has no such field: no controller has used it";
const OF_PROVIDER: &str = "v1beta2 has no such field: the bootstrap provider writes it itself";

/// Fields that go whatever their value is.
const REMOVED: &[Rule] = &[
    // core/v1beta1/conversion.go,
    // Convert_v1beta1_MachineDeploymentSpec_To_v1beta2_MachineDeploymentSpec
    rule(&[DEPLOYMENT], "progressDeadlineSeconds", NEVER_USED),
    rule(
        &[DEPLOYMENT],
        "revisionHistoryLimit",
        "v1beta2 has no such field: the target keeps the MachineSets of one revision",
    ),
    // Convert_v1beta1_Topology_To_v1beta2_Topology,
    // Convert_v1beta1_ClusterVariable_To_v1beta2_ClusterVariable
    rule(&[CLUSTER], "topology.rolloutAfter", NEVER_USED),
    rule(&[CLUSTER], "topology.variables.definitionFrom", NEVER_USED),
    rule(&[CLUSTER], "topology.controlPlane.variables.overrides.definitionFrom", NEVER_USED),
    rule(&[CLUSTER], "topology.workers.*.variables.overrides.definitionFrom", NEVER_USED),
    // bootstrap/kubeadm/v1beta1/conversion.go,
    // Convert_v1beta1_ClusterConfiguration_To_v1beta2_ClusterConfiguration
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
        &[DOCKER_MACHINE],
        "bootstrapped",
        "v1beta2 has no such field: the Docker provider looks at the container",
    ),
];

const AT_INIT: &str =
    "v1beta2 has no such field: kubeadm has read it when the first control plane was made";

/// Fields that `kubeadm init` reads once. In a template they count for Clusters that are still to
/// come: the bootstrap provider of `v1beta1` prefers them to what the Cluster says.
const AT_INIT_ONLY: &[Rule] = &[
    rule(KUBEADM, "clusterConfiguration.networking.dnsDomain", AT_INIT),
    rule(KUBEADM, "clusterConfiguration.networking.podSubnet", AT_INIT),
    rule(KUBEADM, "clusterConfiguration.networking.serviceSubnet", AT_INIT),
    rule(KUBEADM, "clusterConfiguration.kubernetesVersion", AT_INIT),
    rule(KUBEADM, "clusterConfiguration.clusterName", AT_INIT),
];

const SAME_AS_NONE: &str = "it is the value that the field has without being set";

/// Fields whose zero value is the same as none for a controller of the source, too. Most are of a
/// Go type without a pointer and with `omitempty` in `v1beta1`.
const ZERO: &[Rule] = &[
    rule(&[SETS], "minReadySeconds", SAME_AS_NONE),
    rule(&[PAUSABLE], "paused", SAME_AS_NONE),
    rule(KUBEADM, "files.append", SAME_AS_NONE),
    rule(KUBEADM, "clusterConfiguration.*.extraVolumes.readOnly", SAME_AS_NONE),
    // The value of a variable of a container: an empty one is the same as none in Kubernetes
    // itself.
    rule(KUBEADM, "clusterConfiguration.*.extraEnvs.value", SAME_AS_NONE),
    rule(KUBEADM, "clusterConfiguration.etcd.local.extraEnvs.value", SAME_AS_NONE),
    rule(
        KUBEADM,
        "joinConfiguration.discovery.file.kubeConfig.cluster.insecureSkipTLSVerify",
        SAME_AS_NONE,
    ),
    rule(
        KUBEADM,
        "joinConfiguration.discovery.bootstrapToken.unsafeSkipCAVerification",
        SAME_AS_NONE,
    ),
    rule(&[DOCKER_MACHINE], "extraMounts.readOnly", SAME_AS_NONE),
    rule(&[DOCKER_POOL], "template.extraMounts.readOnly", SAME_AS_NONE),
    rule(&[DEV_MACHINE], "backend.docker.extraMounts.readOnly", SAME_AS_NONE),
    rule(&[DOCKER_CLUSTER], "failureDomains.*.controlPlane", SAME_AS_NONE),
    rule(&[DEV_CLUSTER], "backend.docker.failureDomains.*.controlPlane", SAME_AS_NONE),
];

/// Finds why a field of this object goes in a conversion to a version, and is no loss; `zero` if
/// its value is the zero value of its type.
pub(super) fn removal(object: &Object, to: &str, field: &str, zero: bool) -> Option<&'static str> {
    let from = object.api_version().rsplit('/').next()?;
    if (from, to) != VERSIONS {
        return None;
    }
    let template = object.kind().strip_suffix("Template");
    let (kind, spec) =
        template.map_or((object.kind(), "spec."), |kind| (kind, "spec.template.spec."));
    let field = field.strip_prefix(spec)?;
    let field = match kind {
        "KubeadmControlPlane" => field.strip_prefix("kubeadmConfigSpec.")?,
        _ => field,
    };
    let of_objects = if template.is_none() { AT_INIT_ONLY } else { &[] };
    let zeros = if zero { ZERO } else { &[] };
    let mut rules = REMOVED.iter().chain(of_objects).chain(zeros);
    let is_of = |Kinds(group, kinds): &Kinds| *group == object.group() && kinds.contains(&kind);
    let found = rules.find(|rule| rule.kinds.iter().any(is_of) && is_path(field, rule.field));
    found.map(|rule| rule.why)
}

fn is_path(path: &str, pattern: &str) -> bool {
    let is_key = |(key, wanted): (&str, &str)| wanted == "*" || key == wanted;
    path.split('.').count() == pattern.split('.').count()
        && path.split('.').zip(pattern.split('.')).all(is_key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BOOTSTRAP: &str = "bootstrap.cluster.x-k8s.io";
    const CONTROL_PLANE: &str = "controlplane.cluster.x-k8s.io";

    fn is_known((group, kind): (&str, &str), to: &str, field: &str, zero: bool) -> bool {
        let api_version = format!("{group}/v1beta1");
        let object = Object::new(json!({"apiVersion": api_version, "kind": kind}));
        removal(&object, to, field, zero).is_some()
    }

    #[test]
    fn a_rule_holds_for_whole_fields_of_its_kinds() {
        let known = |kind, field| is_known(kind, "v1beta2", field, false);
        let (deployment, field) = ((CORE, "MachineDeployment"), "spec.progressDeadlineSeconds");
        assert!(known(deployment, field));
        assert!(!known(("other.io", "MachineDeployment"), field));
        assert!(!known((CORE, "MachineSet"), field));
        assert!(!known(deployment, "spec.xprogressDeadlineSeconds"));
        assert!(!known(deployment, "spec.x.progressDeadlineSeconds"));
        assert!(!is_known(deployment, "v1beta3", field, false), "nobody has looked at it");
        assert!(known((CORE, "Cluster"), "spec.topology.variables.definitionFrom"));
        let worker = "spec.topology.workers.machineDeployments.variables.overrides.definitionFrom";
        assert!(known((CORE, "Cluster"), worker));
    }

    #[test]
    fn a_field_that_the_docker_provider_removes_is_a_loss_of_other_providers() {
        for (kind, field) in [
            ("DockerMachine", "spec.bootstrapped"),
            ("DockerMachineTemplate", "spec.template.spec.extraMounts.readOnly"),
            ("DockerMachinePool", "spec.template.extraMounts.readOnly"),
            ("DevMachine", "spec.backend.docker.extraMounts.readOnly"),
            ("DockerCluster", "spec.failureDomains.b.controlPlane"),
        ] {
            assert!(is_known((DOCKER, kind), "v1beta2", field, true), "{kind}");
            let other = kind.replace("Docker", "Other").replace("Dev", "Other");
            assert!(!is_known((DOCKER, &other), "v1beta2", field, true), "{other}");
        }
    }

    #[test]
    fn only_a_zero_that_says_nothing_may_go() {
        let known = |kind, field| is_known((CORE, kind), "v1beta2", field, true);
        assert!(known("MachineSet", "spec.minReadySeconds"));
        assert!(!is_known((CORE, "MachineSet"), "v1beta2", "spec.minReadySeconds", false));
        // It overrides what the class says.
        assert!(!known("Cluster", "spec.topology.workers.machineDeployments.minReadySeconds"));
        for field in [
            "apiServer.extraVolumes.readOnly",
            "scheduler.extraEnvs.value",
            "etcd.local.extraEnvs.value",
        ] {
            let field = format!("spec.kubeadmConfigSpec.clusterConfiguration.{field}");
            let plane = (CONTROL_PLANE, "KubeadmControlPlane");
            assert!(is_known(plane, "v1beta2", &field, true), "{field}");
            assert!(!is_known(plane, "v1beta2", &field, false), "{field}");
        }
    }

    #[test]
    fn a_field_that_kubeadm_reads_once_is_lost_in_a_template() {
        let known = |group, kind, field: &str| is_known((group, kind), "v1beta2", field, false);
        let field = "clusterConfiguration.networking.podSubnet";
        assert!(known(BOOTSTRAP, "KubeadmConfig", &format!("spec.{field}")));
        let of_plane = format!("spec.kubeadmConfigSpec.{field}");
        assert!(known(CONTROL_PLANE, "KubeadmControlPlane", &of_plane));
        let template = format!("spec.template.spec.{field}");
        assert!(!known(BOOTSTRAP, "KubeadmConfigTemplate", &template));
        let of_plane = format!("spec.template.spec.kubeadmConfigSpec.{field}");
        assert!(!known(CONTROL_PLANE, "KubeadmControlPlaneTemplate", &of_plane));
        let retry = "spec.template.spec.useExperimentalRetryJoin";
        assert!(known(BOOTSTRAP, "KubeadmConfigTemplate", retry));
    }
}
