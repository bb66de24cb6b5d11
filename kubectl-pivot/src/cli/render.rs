//! `kubectl pivot render`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ValueEnum;
use cluster::KubeconfigRef;
use serde_json::Value;

use super::Context;
use super::clusters::ClusterArgs;
use super::completion::values;
use super::names::label;
use super::plugin::PluginFolders;
use super::tools::ToolArgs;
use crate::commands::{self, CommandError, ManagementCluster, RenderPart, RenderRequest, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Create a workload cluster in the current management cluster
  kubectl pivot render web --infrastructure docker --set worker-replicas=3 | kubectl apply -f -

  # The configuration of kind for the bootstrap cluster
  kubectl pivot render pivot --infrastructure docker --part bootstrap";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("kubeconfig", |arg| arg
        .help("Kubeconfig of the management cluster, to ask which versions it serves")
        .help_heading("Management cluster")
        .conflicts_with("capi_version")),
    mut_arg("context", |arg| arg.help_heading("Management cluster").conflicts_with("capi_version"))
)]
pub(super) struct Args {
    /// Name of the cluster.
    name: String,
    /// Infrastructure plugin, for example docker.
    #[arg(long, short, value_name = "NAME", help_heading = "Cluster",
        add = values::infrastructures())]
    infrastructure: String,
    /// CNI plugin [default: what the infrastructure plugin says].
    #[arg(long, value_name = "NAME", help_heading = "Network", add = values::networks())]
    cni: Option<String>,
    /// Manifests of your own network, in the place of a CNI plugin.
    #[arg(long, value_name = "FILE", requires = "cni", help_heading = "Network")]
    cni_manifest: Option<PathBuf>,
    /// Set a variable of a plugin; can be given more than once. `plugin info NAME` lists them.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment,
        help_heading = "Cluster")]
    variables: Vec<(String, String)>,
    /// Namespace of the objects.
    #[arg(long, short, value_name = "NAMESPACE", value_parser = label, default_value = "default",
        help_heading = "Cluster")]
    namespace: String,
    /// Kubernetes version of the machines, for example v1.33.0 [default: that of the plugin].
    #[arg(long, value_name = "VERSION", help_heading = "Cluster")]
    kubernetes_version: Option<String>,
    /// Version of Cluster API in the management cluster, for example v1.14.2 [default: a recent
    /// one].
    #[arg(long, value_name = "VERSION", help_heading = "Management cluster")]
    capi_version: Option<String>,
    #[command(flatten)]
    management: ClusterArgs,
    /// Part to print: the objects of the cluster, kind's configuration for the bootstrap cluster,
    /// the network, or all three in the order in which they are needed.
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    part: Part,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
    #[command(flatten)]
    plugins: PluginFolders,
    /// clusterctl that fills in the template of a provider [default: the one in PATH].
    #[arg(
        long,
        value_name = "PROGRAM",
        env = "KUBECTL_PIVOT_CLUSTERCTL",
        hide_env_values = true,
        help_heading = "Programs"
    )]
    clusterctl: Option<OsString>,
    /// Configuration of clusterctl [default: where clusterctl looks for it].
    #[arg(long, value_name = "FILE", help_heading = "Programs")]
    clusterctl_config: Option<PathBuf>,
}

/// Parts of what is rendered.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Part {
    #[default]
    Cluster,
    Bootstrap,
    Cni,
    All,
}

/// Output formats.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Output {
    #[default]
    Yaml,
    Json,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let output = args.output;
    let rendered = commands::render_manifests(&args.request(context)).await?;
    context.progress.clear();
    for note in &rendered.notes {
        context.progress.events().note(format!("note: {note}"));
    }
    render::print(&output.objects(&rendered.objects));
    Ok(exit::OK)
}

impl Output {
    /// Objects as text.
    pub(super) fn objects(self, objects: &[Value]) -> String {
        match self {
            Self::Yaml => render::yaml_objects(objects),
            Self::Json => render::json_objects(objects),
        }
    }
}

impl Args {
    fn request(self, context: &Context) -> RenderRequest {
        let args = self;
        let kubeconfig = args.management.cluster();
        RenderRequest {
            name: args.name,
            namespace: args.namespace,
            infrastructure: args.infrastructure,
            cni: args.cni,
            cni_manifest: args.cni_manifest,
            variables: args.variables,
            kubernetes_version: args.kubernetes_version,
            management: match args.capi_version {
                Some(version) => ManagementCluster::Version(version),
                None if kubeconfig == KubeconfigRef::default() => ManagementCluster::Unknown,
                None => ManagementCluster::At(kubeconfig),
            },
            part: match args.part {
                Part::Cluster => RenderPart::Cluster,
                Part::Bootstrap => RenderPart::Bootstrap,
                Part::Cni => RenderPart::Cni,
                Part::All => RenderPart::All,
            },
            plugins: args.plugins.into(),
            toolbox: ToolArgs::only_clusterctl(args.clusterctl).toolbox(context),
            clusterctl_config: args.clusterctl_config,
        }
    }
}

pub(super) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
