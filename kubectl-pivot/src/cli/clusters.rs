//! Flags that name clusters: the only place that declares them.
//!
//! kubectl says `--context`, clusterctl `--kubeconfig-context`; both work. A command that needs
//! other words in its help, or other rules, changes the flag with `mut_arg`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cluster::KubeconfigRef;
use transfer::{MoveOptions, Namespaces, Role};

use super::completion::values;
use crate::commands::MoveRequest;

/// Flags that name the one cluster of a command, or the source of a move.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Clusters")]
pub(super) struct ClusterArgs {
    /// Kubeconfig of the management cluster [default: $KUBECONFIG, then ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context within the kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME", visible_alias = "kubeconfig-context",
        add = values::contexts())]
    context: Option<String>,
}

impl ClusterArgs {
    /// Returns the cluster that the flags name.
    pub(super) fn cluster(self) -> KubeconfigRef {
        KubeconfigRef { path: self.kubeconfig, context: self.context }
    }
}

/// Flags that name the target of a move.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Clusters")]
pub(super) struct TargetArgs {
    /// Kubeconfig of the target management cluster.
    #[arg(long, value_name = "FILE")]
    to_kubeconfig: Option<PathBuf>,
    /// Context within the target kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME", visible_alias = "to-kubeconfig-context",
        add = values::target_contexts())]
    to_context: Option<String>,
}

impl TargetArgs {
    /// Returns the cluster that the flags name.
    pub(super) fn cluster(self) -> KubeconfigRef {
        KubeconfigRef { path: self.to_kubeconfig, context: self.to_context }
    }

    fn is_absent(&self) -> bool {
        self.to_kubeconfig.is_none() && self.to_context.is_none()
    }
}

/// Flags that name both clusters.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("kubeconfig", |arg| arg.help(SOURCE_KUBECONFIG)),
    mut_arg("context", |arg| arg.help(SOURCE_CONTEXT)),
    mut_arg("to_kubeconfig", |arg| arg.required_unless_present("to_context"))
)]
pub(super) struct ClustersArgs {
    #[command(flatten)]
    source: ClusterArgs,
    #[command(flatten)]
    target: TargetArgs,
}

/// Help of flags that name a source.
pub(super) const SOURCE_KUBECONFIG: &str =
    "Kubeconfig of the source management cluster [default: $KUBECONFIG, then ~/.kube/config]";
pub(super) const SOURCE_CONTEXT: &str =
    "Context within the source kubeconfig [default: its current context]";

impl ClustersArgs {
    /// Returns a request about these clusters; the record of the run says which objects it is
    /// about.
    pub(super) fn request(self) -> MoveRequest {
        request(self.source.cluster(), self.target.cluster(), None)
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
#[command(
    mut_arg("kubeconfig", |arg| arg.help(
        "Kubeconfig of the source management cluster, or of the only one [default: $KUBECONFIG, \
         then ~/.kube/config]"
    )),
    mut_arg("context", |arg| arg.help(SOURCE_CONTEXT)),
    mut_arg("to_kubeconfig", |arg| arg.help(
        "Kubeconfig of the target management cluster; not needed for a backup, a restore or a run \
         of create"
    ))
)]
pub(super) struct OneOrTwoArgs {
    #[command(flatten)]
    source: ClusterArgs,
    #[command(flatten)]
    target: TargetArgs,
}

impl OneOrTwoArgs {
    /// Returns a request about these clusters; the record of the run says which objects it is
    /// about.
    pub(super) fn request(self) -> MoveRequest {
        let alone = self.target.is_absent().then_some(Role::Source);
        request(self.source.cluster(), self.target.cluster(), alone)
    }

    /// Returns the kubeconfig of the target, if it is named.
    pub(super) fn target_file(&self) -> Option<PathBuf> {
        self.target.to_kubeconfig.clone()
    }

    /// Returns a request about the end of a move that is left, when the other one is gone.
    pub(super) fn request_without(self, missing: Role) -> MoveRequest {
        MoveRequest { alone: Some(missing.other()), ..self.request() }
    }
}
