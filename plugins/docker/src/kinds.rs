//! `Docker*` or `Dev*` kinds.
//!
//! Cluster API 1.10 introduced `Dev*` kinds, 1.14 deprecates `Docker*`, and 1.15 drops them.

use kubectl_pivot_plugin_api::capi::{INFRASTRUCTURE, VersionChoice};
use kubectl_pivot_plugin_api::{ClusterRequest, PluginResult};

/// The first minor version of Cluster API 1.x without `Docker*` kinds.
const FIRST_WITHOUT_DOCKER: u32 = 15;

/// A family of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kinds {
    /// `DockerCluster`, `DockerMachineTemplate`.
    Docker,
    /// `DevCluster`, `DevMachineTemplate` with the backend `docker`.
    Dev,
}

impl Kinds {
    /// The family to render: `wanted` (`docker` or `dev`), or the one that is served.
    pub(crate) fn choose(
        wanted: &str,
        request: &ClusterRequest,
        versions: &VersionChoice<'_>,
    ) -> PluginResult<Self> {
        Ok(match wanted {
            "docker" => Self::Docker,
            "dev" => Self::Dev,
            _ if request.served.is_empty() => match versions.capi_minor()? {
                Some(minor) if minor >= FIRST_WITHOUT_DOCKER => Self::Dev,
                _ => Self::Docker,
            },
            _ if Self::Docker.served(request) || !Self::Dev.served(request) => Self::Docker,
            _ => Self::Dev,
        })
    }

    pub(crate) fn cluster(self) -> &'static str {
        match self {
            Self::Docker => "DockerCluster",
            Self::Dev => "DevCluster",
        }
    }

    pub(crate) fn machine_template(self) -> &'static str {
        match self {
            Self::Docker => "DockerMachineTemplate",
            Self::Dev => "DevMachineTemplate",
        }
    }

    fn served(self, request: &ClusterRequest) -> bool {
        request.served_kind(INFRASTRUCTURE, self.cluster()).is_some()
    }
}
