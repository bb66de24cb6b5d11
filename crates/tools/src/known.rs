//! The programs that are used, the oldest version of each that is known to work, and where to get
//! it.

use std::fmt;

use semver::Version;
use serde::Serialize;

/// A program that this one calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KnownTool {
    /// Makes and deletes the bootstrap cluster.
    Kind,
    /// Installs the providers.
    Clusterctl,
    /// Installs networks that are charts.
    Helm,
    /// Runs the containers of kind and of the Docker provider.
    Docker,
    /// For users, to look at clusters. This program has a client of its own.
    Kubectl,
}

impl KnownTool {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Kind, Self::Clusterctl, Self::Helm, Self::Docker, Self::Kubectl];

    /// The name of the program, which is also the name of the flag with its path.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Clusterctl => "clusterctl",
            Self::Helm => "helm",
            Self::Docker => "docker",
            Self::Kubectl => "kubectl",
        }
    }

    /// The environment variable with its path.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Kind => "KUBECTL_PIVOT_KIND",
            Self::Clusterctl => "KUBECTL_PIVOT_CLUSTERCTL",
            Self::Helm => "KUBECTL_PIVOT_HELM",
            Self::Docker => "KUBECTL_PIVOT_DOCKER",
            Self::Kubectl => "KUBECTL_PIVOT_KUBECTL",
        }
    }

    /// The oldest version that is accepted.
    pub fn minimum(self) -> Version {
        match self {
            // Reads `kubeadmConfigPatches` and images of Kubernetes 1.27 and newer.
            Self::Kind => Version::new(0, 20, 0),
            // The first with the flag `--addon` and add-on providers in the inventory.
            Self::Clusterctl => Version::new(1, 6, 0),
            // The first with `upgrade --install` from OCI registries and `--labels`.
            Self::Helm => Version::new(3, 10, 0),
            Self::Docker => Version::new(20, 10, 0),
            Self::Kubectl => Version::new(1, 28, 0),
        }
    }

    /// Returns what it is needed for, as a sentence fragment.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Kind => "creates and deletes the bootstrap cluster",
            Self::Clusterctl => "installs the providers of Cluster API",
            Self::Helm => "installs networks that are Helm charts",
            Self::Docker => "runs the containers of kind and of the Docker provider",
            Self::Kubectl => "is for you to look at the clusters",
        }
    }

    /// Returns where it is got from.
    pub fn home_page(self) -> &'static str {
        match self {
            Self::Kind => "https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
            Self::Clusterctl => {
                "https://cluster-api.sigs.k8s.io/user/quick-start#install-clusterctl"
            }
            Self::Helm => "https://helm.sh/docs/intro/install/",
            Self::Docker => "https://docs.docker.com/engine/install/",
            Self::Kubectl => "https://kubernetes.io/docs/tasks/tools/",
        }
    }

    /// Returns how it is asked for its version, without touching a cluster or the network.
    pub(super) fn version_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Kind => &["version"],
            Self::Clusterctl => &["version", "-o", "short"],
            Self::Helm => &["version", "--short"],
            Self::Docker => &["--version"],
            Self::Kubectl => &["version", "--client", "-o", "json"],
        }
    }

    /// The beginnings of the names of variables with secrets that it needs; `None` for all.
    pub(super) fn secrets(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Kind => Some(&["KIND_", "DOCKER_"]),
            // Providers name the variables that their components are filled with.
            Self::Clusterctl => None,
            Self::Helm => Some(&["HELM_"]),
            Self::Docker => Some(&["DOCKER_"]),
            Self::Kubectl => Some(&[]),
        }
    }

    /// Returns what it always gets in its environment.
    pub(super) fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            // Else every call asks the network for newer versions, and waits a minute without one.
            Self::Clusterctl => &[("CLUSTERCTL_DISABLE_VERSIONCHECK", "true")],
            // The kubeconfig that it is given decides alone: these would lead to another cluster.
            Self::Helm => &[
                ("HELM_KUBEAPISERVER", ""),
                ("HELM_KUBEASGROUPS", ""),
                ("HELM_KUBEASUSER", ""),
                ("HELM_KUBECAFILE", ""),
                ("HELM_KUBECONTEXT", ""),
                ("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", ""),
                ("HELM_KUBETLS_SERVER_NAME", ""),
                ("HELM_KUBETOKEN", ""),
                ("HELM_NAMESPACE", ""),
            ],
            _ => &[],
        }
    }
}

impl fmt::Display for KnownTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
