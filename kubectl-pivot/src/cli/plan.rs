//! `kubectl pivot plan`.

use clap::ValueEnum;
use transfer::{MoveOptions, Namespaces, Role, Severity, plan_units};

use super::Context;
use super::choice::{ChoiceArgs, NamespaceArgs};
use super::clusters::ClusterArgs;
use crate::commands::{self, CommandError, MoveRequest, exit};
use crate::render::{self, Format};

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # The Clusters of all namespaces, what they share and with whom
  kubectl pivot plan -A

  # What would go with one of them, as a picture
  kubectl pivot plan -n fleet --cluster edge -o dot | dot -Tsvg > plan.svg";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    namespaces: NamespaceArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

/// Output formats.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Output {
    /// For people.
    #[default]
    Table,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// For Graphviz.
    Dot,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let mut options = MoveOptions::new(Namespaces::All);
    options.choice = args.choice.choice();
    let cluster = args.cluster.cluster();
    let request = MoveRequest {
        source: cluster.clone(),
        target: cluster,
        directory: None,
        alone: Some(Role::Source),
        namespaces: args.namespaces.names(),
        all_namespaces: args.namespaces.all_namespaces,
        dry_run: true,
        options,
    };
    let run = commands::connect(&request, &context.progress.events(), &context.stop).await?;
    let plan = plan_units(&run).await.map_err(CommandError::Move)?;
    context.progress.clear();
    let text = match args.output {
        Output::Table => None,
        Output::Json => render::structured(&plan, Format::Json),
        Output::Yaml => render::structured(&plan, Format::Yaml),
        Output::Dot => Some(render::plan_dot(&plan)),
    };
    render::show(text, |screen| render::plan(&plan, screen));
    let is_refused = plan.findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(match (is_refused, plan.units.is_empty()) {
        (true, _) => exit::REFUSED,
        (false, true) => exit::NOTHING_IN_SCOPE,
        (false, false) => exit::OK,
    })
}
