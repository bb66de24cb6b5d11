//! `kubectl pivot create`.

use std::path::PathBuf;

use workflow::{PivotDocument, PivotMetadata, PivotSpec};

use super::Context;
use super::completion::values;
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

/// Arguments: the fields of a document, and what is about this call.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("infrastructure", |arg| arg.add(values::infrastructures())),
    mut_arg("cni", |arg| arg.add(values::networks())),
    mut_arg("skip_probes", |arg| arg.add(values::plugins()))
)]
pub(super) struct Args {
    /// Document with all of this (kind: Pivot); flags override it.
    #[arg(long, short, value_name = "FILE", help_heading = "Cluster")]
    filename: Option<PathBuf>,
    #[command(flatten)]
    metadata: PivotMetadata,
    #[command(flatten)]
    spec: PivotSpec,
    /// Set a variable of a plugin; can be given more than once. `plugin info NAME` lists them.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment,
        help_heading = "Cluster")]
    variables: Vec<(String, String)>,
    #[command(flatten)]
    plugins: PluginFolders,
    /// Print every step with what it would run and apply; changes nothing.
    #[arg(long, help_heading = "Safety")]
    dry_run: bool,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
    #[command(flatten)]
    tools: ToolArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let Args { output, dry_run, .. } = args;
    let (request, tools) = args.request();
    if dry_run {
        let outline = commands::create_outline(&request, tools.toolbox(context)).await?;
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
        let Self { metadata, mut spec, .. } = self;
        spec.set = self.variables.into_iter().map(|(name, value)| (name, value.into())).collect();
        // A flag that is not given says nothing; a document may say no.
        for is_set in [&mut spec.keep_bootstrap, &mut spec.no_backup, &mut spec.merge_kubeconfig] {
            *is_set = is_set.filter(|is_set| *is_set);
        }
        let flags = PivotDocument { metadata, spec, ..PivotDocument::default() };
        let request = CreateRequest { file: self.filename, flags, plugins: self.plugins.into() };
        (request, self.tools)
    }
}
