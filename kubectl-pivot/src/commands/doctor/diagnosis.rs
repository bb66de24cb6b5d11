//! The result of `doctor`.

use serde::Serialize;

/// The checks, in order: the name of each and what it looks at.
pub const CHECKS: [(&str, &str); 18] = [
    ("kind", "kind is there and new enough"),
    ("clusterctl", "clusterctl is there and new enough"),
    ("helm", "helm is there and new enough"),
    ("docker", "the client of Docker is there and new enough"),
    ("kubectl", "kubectl is there and new enough"),
    ("completion", "kubectl finds `kubectl_complete-pivot`, which completes command lines"),
    ("docker-engine", "Docker's engine answers, and how it is set up"),
    ("docker-socket", "the socket that is mounted into the bootstrap cluster is there"),
    ("inotify-instances", "`fs.inotify.max_user_instances` is enough for several nodes"),
    ("inotify-watches", "`fs.inotify.max_user_watches` is enough for several nodes"),
    ("open-files", "`fs.file-max` and the limit of this process are enough"),
    ("cgroups", "the version of cgroups is one that kubelets of today accept"),
    ("ipv6", "the kernel has IPv6, for the bootstrap cluster of the plugin docker"),
    ("memory", "enough memory is available for the nodes"),
    ("disk", "enough space is free where Docker keeps images"),
    ("clusterctl-config", "`clusterctl.yaml` can be read"),
    ("repositories", "local repositories of providers are where `clusterctl.yaml` says"),
    ("registries", "registries and repositories can be reached"),
];

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// As it should be.
    Good,
    /// It may do, or not.
    Warning,
    /// `create` will fail.
    Problem,
    /// This machine has no such thing, or it does not matter here.
    NotApplicable,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// Stable name of the check.
    pub check: &'static str,
    /// The result.
    pub health: Health,
    /// The observation.
    pub found: String,
    /// The fix; absent when there is nothing to fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// The results of all checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// `kubectl-pivot.io/v1alpha1`.
    pub api_version: &'static str,
    /// `Diagnosis`.
    pub kind: &'static str,
    /// Operating system.
    pub platform: String,
    /// The checks, in a fixed order.
    pub checks: Vec<HealthCheck>,
}

/// Bytes in a GiB.
pub(super) const GIB: u64 = 1 << 30;

impl HealthCheck {
    /// A number of bytes, of which there should be so many, and must be at least so many.
    pub(super) fn bytes(
        check: &'static str,
        bytes: u64,
        (least, good): (u64, u64),
        (rest, fix): (&str, &str),
    ) -> Self {
        let found = format!("{:.1} GiB {rest}", bytes as f64 / GIB as f64);
        match bytes {
            bytes if bytes < least => Self::problem(check, found, fix),
            bytes if bytes < good => Self::warning(check, found, fix),
            _ => Self::good(check, found),
        }
    }

    /// All is well.
    pub(super) fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, health: Health::Good, found: found.into(), fix: None }
    }

    /// Something that may do.
    pub(super) fn warning(
        check: &'static str,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { check, health: Health::Warning, found: found.into(), fix: Some(fix.into()) }
    }

    /// Something that will not do.
    pub(super) fn problem(
        check: &'static str,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { check, health: Health::Problem, found: found.into(), fix: Some(fix.into()) }
    }

    /// Nothing to look at.
    pub(super) fn not_applicable(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, health: Health::NotApplicable, found: why.into(), fix: None }
    }
}

impl Diagnosis {
    /// Counts the checks with this result.
    pub fn count(&self, health: Health) -> usize {
        self.checks.iter().filter(|check| check.health == health).count()
    }
}
