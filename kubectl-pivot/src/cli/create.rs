//! `kubectl pivot create`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use workflow::{self, PivotDocument, PivotMetadata, PivotSpec};

use super::Context;
use super::completion::values;
use super::duration::seconds;
use super::output::Output;
use super::plugin::PluginFolders;
use super::render::assignment;
use super::tools::ToolArgs;
use crate::commands::{self, CommandError, CreateRequest, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Every step with its commands and objects; changes nothing
  kubectl pivot create pivot --infrastructure docker --cni cilium --dry-run

  # A management cluster on Docker
  kubectl pivot create pivot --infrastructure docker --cni cilium --worker-replicas 2

  # The settings from a document
  kubectl pivot create -f pivot.yaml";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the cluster [default: the one in the document].
    #[arg(required_unless_present = "filename", value_parser = workflow::cluster_name)]
    name: Option<String>,
    /// Document with all of this (kind: Pivot); flags override it.
    #[arg(long, short, value_name = "FILE", help_heading = "Cluster")]
    filename: Option<PathBuf>,
    /// Infrastructure plugin, for example docker.
    #[arg(long, short, value_name = "NAME", required_unless_present = "filename", help_heading = "Cluster", add = values::infrastructures())]
    infrastructure: Option<String>,
    /// Namespace of the objects [default: default].
    #[arg(long, short, value_name = "NAMESPACE", value_parser = workflow::namespace_name, help_heading = "Cluster")]
    namespace: Option<String>,
    /// Kubernetes version of the machines, for example v1.33.0 [default: that of the plugin].
    #[arg(long, value_name = "VERSION", value_parser = workflow::kubernetes_version, help_heading = "Cluster")]
    kubernetes_version: Option<String>,
    /// Machines of the control plane [default: that of the plugin].
    #[arg(long, value_name = "N", help_heading = "Cluster")]
    control_plane_replicas: Option<u32>,
    /// Worker machines [default: that of the plugin].
    #[arg(long, value_name = "N", help_heading = "Cluster")]
    worker_replicas: Option<u32>,
    /// IP range for pods; can be given more than once [default: that of the plugin].
    #[arg(long, value_name = "CIDR", help_heading = "Cluster")]
    pod_cidr: Vec<String>,
    /// IP range for services; can be given more than once [default: that of the plugin].
    #[arg(long, value_name = "CIDR", help_heading = "Cluster")]
    service_cidr: Vec<String>,
    /// Set a variable of a plugin; can be given more than once. `plugin info NAME` lists them.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment, help_heading = "Cluster")]
    variables: Vec<(String, String)>,
    /// Provider of Cluster API, TYPE=NAME[:VERSION]: a version for one of the plugin's, or one
    /// more; can be given more than once.
    #[arg(long = "provider", value_name = "PROVIDER", value_parser = workflow::provider, help_heading = "Cluster")]
    providers: Vec<String>,
    /// Manifests of the cluster instead of those that the plugin renders.
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    cluster_manifest: Option<PathBuf>,
    /// CNI plugin [default: what the infrastructure plugin says].
    #[arg(long, value_name = "NAME", help_heading = "Network", add = values::networks())]
    cni: Option<String>,
    /// Installer of the network's chart: helm on this machine, or the Helm add-on provider of
    /// Cluster API [default: helm].
    #[arg(long, value_enum, help_heading = "Network")]
    cni_via: Option<CniVia>,
    /// Chart of the network, an archive or a folder, instead of the one in a repository.
    #[arg(long, value_name = "PATH", conflicts_with = "cni_repo", help_heading = "Network")]
    cni_chart: Option<PathBuf>,
    /// Repository of the chart of the network (https:, http:, oci:) [default: that of the plugin].
    #[arg(long, value_name = "URL", value_parser = workflow::chart_repository, help_heading = "Network")]
    cni_repo: Option<String>,
    /// Values for the chart of the network, over those of the plugins.
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    cni_values: Option<PathBuf>,
    /// Manifests of your own network, in the place of a CNI plugin.
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    cni_manifest: Option<PathBuf>,
    /// Bootstrap cluster: one that kind creates and that is deleted in the end, or an existing one
    /// that stays [default: kind].
    #[arg(long, value_enum, help_heading = "Bootstrap cluster")]
    bootstrap: Option<Bootstrap>,
    /// Name of the bootstrap cluster in kind [default: NAME-bootstrap].
    #[arg(long, value_name = "NAME", value_parser = workflow::kind_cluster_name, help_heading = "Bootstrap cluster")]
    bootstrap_name: Option<String>,
    /// Node image of the bootstrap cluster [default: that of kind].
    #[arg(long, value_name = "IMAGE", help_heading = "Bootstrap cluster")]
    bootstrap_image: Option<String>,
    /// Kubeconfig of an existing bootstrap cluster.
    #[arg(long, value_name = "FILE", help_heading = "Bootstrap cluster")]
    bootstrap_kubeconfig: Option<PathBuf>,
    /// Leave the bootstrap cluster as it is in the end.
    #[arg(long, help_heading = "Bootstrap cluster")]
    keep_bootstrap: bool,
    /// Configuration of clusterctl [default: where clusterctl looks for it].
    #[arg(long, value_name = "FILE", help_heading = "Bootstrap cluster")]
    clusterctl_config: Option<PathBuf>,
    /// Reach the target with this kubeconfig instead of the one that Cluster API makes.
    #[arg(long, value_name = "FILE", help_heading = "Kubeconfig of the target")]
    to_kubeconfig: Option<PathBuf>,
    /// File for the kubeconfig of the target [default: NAME.kubeconfig].
    #[arg(long, value_name = "FILE", help_heading = "Kubeconfig of the target")]
    to_kubeconfig_out: Option<PathBuf>,
    /// Merge the target's cluster, user and context into your kubeconfig ($KUBECONFIG or
    /// ~/.kube/config); your current context stays.
    #[arg(long, help_heading = "Kubeconfig of the target")]
    merge_kubeconfig: bool,
    /// Leave out readiness probes: PLUGIN, PLUGIN/PROBE or PROBE; can be given more than once, and
    /// with commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', help_heading = "Plugins and probes", add = values::plugins())]
    skip_probes: Vec<String>,
    /// Seconds that each wait may take [default: 1200].
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Tuning")]
    timeout: Option<u64>,
    /// Seconds after the move in which no Machine may be replaced [default: 10].
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Tuning")]
    settle: Option<u64>,
    /// Print every step with what it would run and apply; changes nothing.
    #[arg(long, help_heading = "Safety")]
    dry_run: bool,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    tools: ToolArgs,
}

/// Kinds of bootstrap clusters.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Bootstrap {
    Kind,
    Existing,
}

impl From<Bootstrap> for workflow::Bootstrap {
    fn from(bootstrap: Bootstrap) -> Self {
        match bootstrap {
            Bootstrap::Kind => Self::Kind,
            Bootstrap::Existing => Self::Existing,
        }
    }
}

/// Installers of charts.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum CniVia {
    Helm,
    Addon,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let Args { output, dry_run, .. } = args;
    let (request, tools) = args.request();
    if dry_run {
        let outline = commands::create_outline(&request)?;
        render::show(render::structured(&outline, output.into()), |screen| {
            render::outline(&outline, screen)
        });
        return Ok(exit::OK);
    }
    let report = commands::create(&request, tools.toolbox(context), &context.stop).await?;
    context.progress.clear();
    render::show(render::structured(&report, output.into()), |screen| {
        render::pivot(&report, screen)
    });
    Ok(exit::OK)
}

impl Args {
    fn request(self) -> (CreateRequest, ToolArgs) {
        let metadata = PivotMetadata { name: self.name, namespace: self.namespace };
        let set: BTreeMap<_, _> =
            self.variables.into_iter().map(|(name, value)| (name, value.into())).collect();
        let spec = PivotSpec {
            infrastructure: self.infrastructure,
            kubernetes_version: self.kubernetes_version,
            control_plane_replicas: self.control_plane_replicas,
            worker_replicas: self.worker_replicas,
            pod_cidr: self.pod_cidr,
            service_cidr: self.service_cidr,
            set,
            provider: self.providers,
            cluster_manifest: self.cluster_manifest,
            cni: self.cni,
            cni_via: self.cni_via.map(|via| match via {
                CniVia::Helm => workflow::CniVia::Helm,
                CniVia::Addon => workflow::CniVia::Addon,
            }),
            cni_chart: self.cni_chart,
            cni_repo: self.cni_repo,
            cni_values: self.cni_values,
            cni_manifest: self.cni_manifest,
            bootstrap: self.bootstrap.map(Into::into),
            bootstrap_name: self.bootstrap_name,
            bootstrap_image: self.bootstrap_image,
            bootstrap_kubeconfig: self.bootstrap_kubeconfig,
            keep_bootstrap: self.keep_bootstrap.then_some(true),
            clusterctl_config: self.clusterctl_config,
            to_kubeconfig: self.to_kubeconfig,
            to_kubeconfig_out: self.to_kubeconfig_out,
            merge_kubeconfig: self.merge_kubeconfig.then_some(true),
            skip_probes: self.skip_probes,
            timeout: self.timeout,
            settle: self.settle,
        };
        let flags = PivotDocument { metadata, spec, ..PivotDocument::default() };
        let request = CreateRequest { file: self.filename, flags, plugins: self.plugins.into() };
        (request, self.tools)
    }
}
