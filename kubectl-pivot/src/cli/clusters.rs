//! The two clusters of a move, as flags.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cluster::KubeconfigRef;
use transfer::{MoveOptions, Namespaces, Role};

use crate::commands::MoveRequest;

/// Flags that name the one cluster of a command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Clusters")]
pub(super) struct ClusterArgs {
    /// Kubeconfig of the management cluster [default: $KUBECONFIG, then ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context within the kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME")]
    kubeconfig_context: Option<String>,
}

impl ClusterArgs {
    /// Returns the cluster that the flags name.
    pub(super) fn cluster(self) -> KubeconfigRef {
        KubeconfigRef { path: self.kubeconfig, context: self.kubeconfig_context }
    }
}

/// Flags that name both clusters.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Clusters")]
pub(super) struct ClustersArgs {
    /// Kubeconfig of the source management cluster [default: $KUBECONFIG, then ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context within the source kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME")]
    kubeconfig_context: Option<String>,
    /// Kubeconfig of the target management cluster.
    #[arg(long, value_name = "FILE", required_unless_present = "to_kubeconfig_context")]
    to_kubeconfig: Option<PathBuf>,
    /// Context within the target kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME")]
    to_kubeconfig_context: Option<String>,
}

impl ClustersArgs {
    /// A request about these clusters; which objects it is about, the run's record tells.
    pub(super) fn request(self) -> MoveRequest {
        let source = KubeconfigRef { path: self.kubeconfig, context: self.kubeconfig_context };
        let target =
            KubeconfigRef { path: self.to_kubeconfig, context: self.to_kubeconfig_context };
        request(source, target, None)
    }
}

fn request(source: KubeconfigRef, target: KubeconfigRef, alone: Option<Role>) -> MoveRequest {
    MoveRequest {
        source,
        target,
        directory: None,
        alone,
        namespaces: BTreeSet::new(),
        all_namespaces: true,
        dry_run: false,
        options: MoveOptions::new(Namespaces::All),
    }
}

/// Flags that name both clusters, or only the one that a backup or restore is about.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Clusters")]
pub(super) struct OneOrTwoArgs {
    /// Kubeconfig of the source management cluster, or of the only one [default: $KUBECONFIG, then
    /// ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context within the source kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME")]
    kubeconfig_context: Option<String>,
    /// Kubeconfig of the target management cluster; not needed for a backup, a restore or a run of create.
    #[arg(long, value_name = "FILE")]
    to_kubeconfig: Option<PathBuf>,
    /// Context within the target kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME")]
    to_kubeconfig_context: Option<String>,
}

impl OneOrTwoArgs {
    /// A request about these clusters; which objects it is about, the run's record tells.
    pub(super) fn request(self) -> MoveRequest {
        let alone = self.to_kubeconfig.is_none() && self.to_kubeconfig_context.is_none();
        let source = KubeconfigRef { path: self.kubeconfig, context: self.kubeconfig_context };
        let target =
            KubeconfigRef { path: self.to_kubeconfig, context: self.to_kubeconfig_context };
        request(source, target, alone.then_some(Role::Source))
    }

    /// Returns the kubeconfig of the target, if it is named.
    pub(super) fn target_file(&self) -> Option<PathBuf> {
        self.to_kubeconfig.clone()
    }

    /// A request about the end of a move that is left, when the other one is gone.
    pub(super) fn request_without(self, missing: Role) -> MoveRequest {
        MoveRequest { alone: Some(missing.other()), ..self.request() }
    }
}
