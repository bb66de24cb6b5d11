//! `kubectl pivot sandbox`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::ValueEnum;
use sandbox::{Mirror, PartsFrom, PartsOptions, RelayOptions};

use super::Context;
use super::completion::values;
use super::output::Output;
use crate::commands::{self, ClusterRelease, CommandError, SandboxUpRequest, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Two management clusters, eight clusters in the first
  kubectl pivot sandbox up --fleet 8

  # With Cluster API's controllers
  kubectl pivot sandbox up --fleet 2 --controllers

  # End all sandboxes
  kubectl pivot sandbox down --all";

const UP_EXAMPLES: &str = "Examples:
  # Two management clusters, eight clusters in the first
  kubectl pivot sandbox up --fleet 8

  # Cluster API's controllers provision the clusters
  kubectl pivot sandbox up --fleet 2 --controllers

  # An older Cluster API in the first cluster
  kubectl pivot sandbox up --capi-version source=1.10.4 --controllers

  # A single cluster under a name of its own
  kubectl pivot sandbox up --name spare --clusters 1";

const LIST_EXAMPLES: &str = "Examples:
  # For people
  kubectl pivot sandbox list

  # For scripts
  kubectl pivot sandbox list -o json";

const DOWN_EXAMPLES: &str = "Examples:
  # The sandbox named default
  kubectl pivot sandbox down

  # All of them
  kubectl pivot sandbox down --all";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Start control planes with Cluster API's CRDs and clusterctl's inventory.
    #[command(after_help = UP_EXAMPLES)]
    Up(UpArgs),
    /// Relay between the in-memory provider and the clusters; started by `up --controllers`.
    #[command(hide = true)]
    Relay {
        /// Kubeconfig of a cluster; the first one is led to at first.
        #[arg(long = "cluster", value_name = "FILE", required = true)]
        clusters: Vec<PathBuf>,
        /// File for a kubeconfig that leads to the relay.
        #[arg(long, value_name = "FILE")]
        write_kubeconfig: PathBuf,
    },
    /// List sandboxes.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Output format.
        #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
        output: Output,
    },
    /// End a sandbox and delete its folder.
    #[command(after_help = DOWN_EXAMPLES)]
    Down {
        /// Name of the sandbox.
        #[arg(long, default_value = "default", conflicts_with = "all", add = values::sandboxes())]
        name: String,
        /// End all sandboxes.
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, clap::Args)]
struct UpArgs {
    /// Name of the sandbox.
    #[arg(long, default_value = "default", help_heading = "Clusters")]
    name: String,
    /// Number of clusters.
    #[arg(long, value_name = "N", default_value = "2", help_heading = "Clusters")]
    clusters: NonZeroUsize,
    /// Version of Cluster API in a cluster, `source`, `target` or `cluster-3` and so on: a release
    /// of 1.8 to 1.13 instead of the one that this program pins.
    #[arg(long, value_name = "CLUSTER=VERSION", value_delimiter = ',', help_heading = "Clusters")]
    capi_version: Vec<ClusterRelease>,
    /// Provisioned clusters to create in the first one.
    #[arg(long, value_name = "C", default_value_t = 0, help_heading = "Fleet")]
    fleet: usize,
    /// Worker machines of each of them.
    #[arg(long, value_name = "W", default_value_t = 3, help_heading = "Fleet")]
    workers: usize,
    /// Run Cluster API's controllers with the in-memory provider, but in clusters older than 1.11;
    /// a fleet is really provisioned.
    #[arg(long, help_heading = "Clusters")]
    controllers: bool,
    #[command(flatten)]
    parts: PartsArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

/// Origin of the parts.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Parts")]
pub(super) struct PartsArgs {
    /// Folder with `etcd` and `kube-apiserver` [default: $KUBEBUILDER_ASSETS, the cache, then
    /// --parts-from].
    #[arg(long, value_name = "DIR")]
    assets: Option<PathBuf>,
    /// The way to parts that are not there yet: released ones, or built by Go where that fails
    /// (auto); released ones only; built by Go only.
    #[arg(long, value_enum, default_value_t, value_name = "WAY")]
    parts_from: Way,
    /// Mirror of released parts: a web server with the same files.
    #[arg(long, value_name = "URL", value_parser = mirror)]
    parts_mirror: Option<Mirror>,
}

/// Ways to parts.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Way {
    #[default]
    Auto,
    Download,
    Build,
}

fn mirror(text: &str) -> Result<Mirror, String> {
    Mirror::new(text).map_err(|error| error.to_string())
}

impl From<PartsArgs> for PartsOptions {
    fn from(args: PartsArgs) -> Self {
        let from = match args.parts_from {
            Way::Auto => PartsFrom::Auto,
            Way::Download => PartsFrom::Download,
            Way::Build => PartsFrom::Build,
        };
        Self { assets: args.assets, from, mirror: args.parts_mirror, ..Self::default() }
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    match args.command {
        Command::Up(args) => up(args, context).await?,
        Command::Relay { clusters, write_kubeconfig } => {
            commands::sandbox_relay(&RelayOptions { clusters, kubeconfig: write_kubeconfig })
                .await?;
        }
        Command::List { output } => {
            let list = commands::sandbox_list()?;
            render::show(render::structured(&list, output.into()), |screen| {
                render::sandboxes(&list, screen)
            });
        }
        Command::Down { name, all } => {
            let ended = commands::sandbox_down((!all).then_some(name.as_str())).await?;
            for sandbox in &ended {
                render::print(&format!("sandbox {} ended", sandbox.name));
            }
            if ended.is_empty() {
                render::print("No sandboxes found");
            }
        }
    }
    Ok(exit::OK)
}

async fn up(args: UpArgs, context: &Context) -> Result<(), CommandError> {
    let request = SandboxUpRequest {
        name: args.name,
        clusters: args.clusters,
        parts: args.parts.into(),
        fleet: args.fleet,
        workers: args.workers,
        controllers: args.controllers,
        releases: args.capi_version,
    };
    let sandbox = commands::sandbox_up(&request, &context.progress.events()).await?;
    context.progress.clear();
    render::show(render::structured(&sandbox, args.output.into()), |screen| {
        render::sandbox_up(&sandbox, screen)
    });
    Ok(())
}
