//! The two clusters of a move, as flags.

use std::path::PathBuf;

use crate::cluster::KubeconfigRef;
use crate::commands::{CommandError, MoveRequest};
use crate::transfer::{MoveOptions, Namespaces};

/// Flags that name both clusters.
#[derive(Debug, clap::Args)]
pub(super) struct ClustersArgs {
    /// Kubeconfig of the source management cluster [default: $KUBECONFIG, then ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context within the source kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME")]
    kubeconfig_context: Option<String>,
    /// Kubeconfig of the target management cluster.
    #[arg(long, value_name = "FILE")]
    to_kubeconfig: Option<PathBuf>,
    /// Context within the target kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME")]
    to_kubeconfig_context: Option<String>,
}

impl ClustersArgs {
    /// A request about these clusters; which objects it is about, the run's record tells.
    ///
    /// # Errors
    /// The target is not named.
    pub(super) fn request(self) -> Result<MoveRequest, CommandError> {
        if self.to_kubeconfig.is_none() && self.to_kubeconfig_context.is_none() {
            let what = "the target is not named: give --to-kubeconfig FILE";
            return Err(CommandError::Usage(what.to_owned()));
        }
        Ok(MoveRequest {
            source: KubeconfigRef { path: self.kubeconfig, context: self.kubeconfig_context },
            target: KubeconfigRef { path: self.to_kubeconfig, context: self.to_kubeconfig_context },
            directory: None,
            namespace: None,
            all_namespaces: true,
            dry_run: false,
            options: MoveOptions::new(Namespaces::All),
        })
    }
}
