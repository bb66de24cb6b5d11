//! The managers, and the arguments that each is started with.

use std::path::Path;

use crate::part::Part;
use crate::release::Release;

/// One program with controllers and webhooks.
#[derive(Debug)]
pub(super) struct Manager {
    /// The program.
    pub(super) part: Part,
    /// Value of the provider label of its CRDs.
    pub(super) provider: &'static str,
    /// Begins the names of its objects in released manifests.
    pub(super) prefix: &'static str,
    /// The namespace in released manifests.
    namespace: &'static str,
    /// True if its manifests are in the test module rather than in the main one.
    pub(super) in_test_module: bool,
    /// The folder in the module.
    pub(super) path: &'static str,
    /// True if it knows the feature gate of ClusterClasses.
    has_topology_gate: bool,
}

/// Those that keep no state: one of each for each cluster.
pub(super) const STATELESS: [Manager; 3] = [
    Manager {
        part: Part::CoreManager,
        provider: "cluster-api",
        prefix: "capi",
        namespace: "capi-system",
        in_test_module: false,
        path: "core",
        has_topology_gate: true,
    },
    Manager {
        part: Part::BootstrapManager,
        provider: "bootstrap-kubeadm",
        prefix: "capi-kubeadm-bootstrap",
        namespace: "capi-kubeadm-bootstrap-system",
        in_test_module: false,
        path: "bootstrap/kubeadm",
        has_topology_gate: false,
    },
    Manager {
        part: Part::ControlPlaneManager,
        provider: "control-plane-kubeadm",
        prefix: "capi-kubeadm-control-plane",
        namespace: "capi-kubeadm-control-plane-system",
        in_test_module: false,
        path: "controlplane/kubeadm",
        has_topology_gate: true,
    },
];

/// The one whose memory holds the machines: one for all clusters.
pub(super) const IN_MEMORY: Manager = Manager {
    part: Part::DevManager,
    provider: "infrastructure-docker",
    prefix: "capd",
    namespace: "capd-system",
    in_test_module: true,
    path: "infrastructure/docker",
    has_topology_gate: true,
};

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Manager> {
    STATELESS.iter().chain([&IN_MEMORY])
}

impl Manager {
    /// Returns the folder in the module of a release.
    pub(super) fn path_in(&self, release: &Release) -> &'static str {
        release.folder(self.path)
    }

    /// Returns the package in the module of an older release.
    pub(super) fn older_package(&self, release: &Release) -> String {
        format!("./{}", self.path_in(release))
    }

    /// Returns who it is to an API server, and the name of its deployment in released manifests.
    pub(super) fn user(&self) -> String {
        format!("{}-controller-manager", self.prefix)
    }

    /// The arguments. Health and metrics need no ports: its webhooks tell that it is there.
    pub(super) fn args(&self, kubeconfig: &Path, certificates: &Path, port: u16) -> Vec<String> {
        let mut args = vec![
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--webhook-cert-dir={}", certificates.display()),
            format!("--webhook-port={port}"),
            "--health-addr=0".to_owned(),
            "--diagnostics-address=0".to_owned(),
        ];
        if self.has_topology_gate {
            args.push("--feature-gates=ClusterTopology=true".to_owned());
        }
        args
    }

    /// Returns what a pod would have in its environment.
    pub(super) fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("POD_NAMESPACE", self.namespace.to_owned()),
            ("POD_NAME", self.user()),
            ("POD_UID", self.user()),
            // Where the in-memory provider's workload clusters are reached.
            ("POD_IP", "127.0.0.1".to_owned()),
        ]
    }
}
