//! The list of parts: pinned Go modules, packages in them, version stamps.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use support::embedded;
use support::journal::Events;

use super::error::PartsError;
use super::go;
use super::parts::{Found, PartsFrom, PartsOptions, Search};
use super::released::DownloadError;

/// A program that the sandbox runs or the tests compare with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// The store of a control plane.
    Etcd,
    /// The API server of a control plane.
    KubeApiserver,
    /// The garbage collector and the namespace controller of a control plane.
    KubeControllerManager,
    /// Cluster API's own command line program.
    Clusterctl,
    /// The package manager that installs networks.
    Helm,
    /// A registry that charts are kept in.
    Registry,
    /// Cluster API's core controllers.
    CoreManager,
    /// Controllers of the kubeadm bootstrap provider.
    BootstrapManager,
    /// Controllers of the kubeadm control plane provider.
    ControlPlaneManager,
    /// Controllers of the Docker and in-memory development provider.
    DevManager,
}

/// A wrapper module that pins what is built or fetched, embedded in the program.
#[derive(Debug)]
pub struct Wrapper {
    /// The `go.mod`.
    pub go_mod: &'static str,
    /// The `go.sum`.
    pub go_sum: GoSum,
    /// The only source file.
    pub tools_go: &'static str,
}

/// The checksums of a Go module and of all that it requires.
#[derive(Debug)]
pub enum GoSum {
    /// The text.
    Plain(&'static str),
    /// The text as the build script has compressed it.
    Compressed(&'static [u8]),
}

impl GoSum {
    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> Cow<'static, str> {
        match self {
            Self::Plain(text) => Cow::Borrowed(text),
            Self::Compressed(bytes) => Cow::Owned(embedded::text(bytes)),
        }
    }
}

macro_rules! wrapper {
    ($dir:literal) => {
        Wrapper {
            go_mod: include_str!(concat!("../parts/", $dir, "/go.mod")),
            go_sum: GoSum::Compressed(include_bytes!(concat!(
                env!("OUT_DIR"),
                "/",
                $dir,
                ".go.sum"
            ))),
            tools_go: include_str!(concat!("../parts/", $dir, "/tools.go")),
        }
    };
}

const ETCD: Wrapper = wrapper!("etcd");
const KUBE_APISERVER: Wrapper = wrapper!("kube-apiserver");
const HELM: Wrapper = wrapper!("helm");
const REGISTRY: Wrapper = wrapper!("registry");
/// Cluster API: CRDs, clusterctl, managers.
pub(super) const CLUSTER_API: Wrapper = wrapper!("cluster-api");

/// The module that holds Cluster API's core, kubeadm providers and clusterctl.
pub(super) const CLUSTER_API_MODULE: &str = "sigs.k8s.io/cluster-api";
/// The module that holds Cluster API's development provider.
pub(super) const CLUSTER_API_TEST_MODULE: &str = "sigs.k8s.io/cluster-api/test";

/// The recipe of one part.
pub(super) struct Recipe {
    /// File name of the program.
    pub(super) name: &'static str,
    /// The module files to build with.
    pub(super) wrapper: Wrapper,
    /// The pinned module whose version is the part's.
    pub(super) module: &'static str,
    /// The Go package of the program.
    pub(super) package: &'static str,
    /// Stamps the version into the program.
    pub(super) stamp: Option<Stamp>,
    /// Shown to a user who waits; cold, measured on two cores.
    pub(super) duration: &'static str,
}

/// Stamps a version into a program when it is linked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stamp {
    /// `gitVersion`, `gitMajor` and `gitMinor` of this Go package.
    Kubernetes(&'static str),
    /// This variable, with its package.
    Variable(&'static str),
}

impl Recipe {
    pub(super) fn version(&self) -> &'static str {
        pinned_version(self.wrapper.go_mod, self.module)
    }
}

impl Part {
    /// Finds this part, building it if need be. See [`PartsOptions`] for where it is looked for.
    ///
    /// # Errors
    ///
    /// The part is nowhere and cannot be built.
    pub async fn resolve(
        self,
        options: &PartsOptions,
        events: &Events,
    ) -> Result<PathBuf, PartsError> {
        let search = Search::new(options)?;
        match search.find(self)? {
            Found::At(path) => Ok(path),
            Found::Nowhere(_) if options.from == PartsFrom::Download => {
                let problem = "its project releases images and no programs".to_owned();
                Err(DownloadError::NotReleased { what: self.to_string(), problem }.into())
            }
            Found::Nowhere(looked_in) => {
                let without_go = PartsError::Missing { part: self, looked_in };
                go::build(&self.recipe(), &search, without_go, events).await
            }
        }
    }

    /// The version that is built, for example `v1.36.3`, as pinned in the module files.
    #[must_use]
    pub fn version(self) -> &'static str {
        self.recipe().version()
    }

    pub(super) fn recipe(self) -> Recipe {
        const CAPI_STAMP: Option<Stamp> =
            Some(Stamp::Kubernetes("sigs.k8s.io/cluster-api/version"));
        let kubernetes = |name, package, duration| Recipe {
            name,
            wrapper: KUBE_APISERVER,
            module: "k8s.io/kubernetes",
            package,
            stamp: Some(Stamp::Kubernetes("k8s.io/component-base/version")),
            duration,
        };
        let cluster_api = |name, module, package, duration| Recipe {
            name,
            wrapper: CLUSTER_API,
            module,
            package,
            stamp: CAPI_STAMP,
            duration,
        };
        match self {
            Self::Etcd => Recipe {
                name: "etcd",
                wrapper: ETCD,
                module: "go.etcd.io/etcd/server/v3",
                package: "go.etcd.io/etcd/server/v3",
                stamp: None,
                duration: "1 min",
            },
            Self::KubeApiserver => {
                kubernetes("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", "4 min")
            }
            Self::KubeControllerManager => kubernetes(
                "kube-controller-manager",
                "k8s.io/kubernetes/cmd/kube-controller-manager",
                "2 min",
            ),
            Self::Helm => Recipe {
                name: "helm",
                wrapper: HELM,
                module: "helm.sh/helm/v3",
                package: "helm.sh/helm/v3/cmd/helm",
                stamp: Some(Stamp::Variable("helm.sh/helm/v3/internal/version.version")),
                duration: "2 min",
            },
            Self::Registry => Recipe {
                name: "registry",
                wrapper: REGISTRY,
                module: "github.com/distribution/distribution/v3",
                package: "github.com/distribution/distribution/v3/cmd/registry",
                stamp: Some(Stamp::Variable(
                    "github.com/distribution/distribution/v3/version.version",
                )),
                duration: "1 min",
            },
            Self::Clusterctl => cluster_api(
                "clusterctl",
                CLUSTER_API_MODULE,
                "sigs.k8s.io/cluster-api/cmd/clusterctl",
                "2 min",
            ),
            Self::CoreManager => cluster_api(
                "core-manager",
                CLUSTER_API_MODULE,
                "sigs.k8s.io/cluster-api/core",
                "2 min",
            ),
            Self::BootstrapManager => cluster_api(
                "kubeadm-bootstrap-manager",
                CLUSTER_API_MODULE,
                "sigs.k8s.io/cluster-api/bootstrap/kubeadm",
                "half a minute",
            ),
            Self::ControlPlaneManager => cluster_api(
                "kubeadm-control-plane-manager",
                CLUSTER_API_MODULE,
                "sigs.k8s.io/cluster-api/controlplane/kubeadm",
                "half a minute",
            ),
            Self::DevManager => cluster_api(
                "dev-manager",
                CLUSTER_API_TEST_MODULE,
                "sigs.k8s.io/cluster-api/test/infrastructure/docker",
                "2 min",
            ),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.recipe().name)
    }
}

/// The version of `module` in the `require` part of a `go.mod`.
pub(super) fn pinned_version(go_mod: &'static str, module: &str) -> &'static str {
    go_mod
        .lines()
        .map(|line| line.trim().trim_start_matches("require "))
        .find_map(|line| line.strip_prefix(module)?.strip_prefix(' ')?.split_whitespace().next())
        .expect("every part's module is required by its wrapper, which a test checks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_a_pinned_version() {
        use Part::{
            BootstrapManager, Clusterctl, ControlPlaneManager, CoreManager, DevManager, Etcd, Helm,
            KubeApiserver, KubeControllerManager, Registry,
        };
        for part in [
            Etcd,
            KubeApiserver,
            KubeControllerManager,
            Clusterctl,
            Helm,
            Registry,
            CoreManager,
            BootstrapManager,
            ControlPlaneManager,
            DevManager,
        ] {
            semver::Version::parse(part.version().trim_start_matches('v'))
                .expect("a semantic version");
            assert!(
                part.recipe()
                    .wrapper
                    .tools_go
                    .contains(&format!("_ \"{}\"", part.recipe().package)),
                "{part}"
            );
        }
    }

    #[test]
    fn a_module_is_not_confused_with_one_below_it() {
        let go_mod = "module x\nrequire (\n\ta.io/b/test v2.0.0\n\ta.io/b v1.0.0 // \
                      indirect\n)\nreplace a.io/b => c v3";
        assert_eq!(pinned_version(go_mod, "a.io/b"), "v1.0.0");
        assert_eq!(pinned_version("require a.io/b v1.2.3", "a.io/b"), "v1.2.3");
    }
}
