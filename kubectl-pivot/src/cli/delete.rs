//! `kubectl pivot delete`.

use std::path::PathBuf;

use workflow::Prospect;

use super::Context;
use super::clusters::ClusterArgs;
use super::completion::values;
use super::names::label;
use super::output::Output;
use super::plugin::PluginFolders;
use super::prompt;
use super::tools::ToolArgs;
use crate::commands::{self, CommandError, DeleteRequest, exit};
use crate::render::{self, Screen};

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Every step, and what would be deleted; changes nothing
  kubectl pivot delete pivot --kubeconfig pivot.kubeconfig --dry-run

  # Ask for the name, then delete the management cluster with its machines
  kubectl pivot delete pivot --kubeconfig pivot.kubeconfig

  # The bootstrap cluster is lost; the machines were removed by hand
  kubectl pivot delete pivot --forget";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the Cluster, a management cluster that manages itself.
    #[arg(value_parser = label, add = values::deletable())]
    name: String,
    /// Namespace of the Cluster [default: that of its run of create, else default].
    #[arg(long, short, value_name = "NAMESPACE", value_parser = label, help_heading = "Clusters",
        add = values::namespaces())]
    namespace: Option<String>,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Infrastructure plugin [default: that of its run of create, else that of the only provider].
    #[arg(long, short, value_name = "NAME", help_heading = "Bootstrap cluster",
        add = values::infrastructures())]
    infrastructure: Option<String>,
    /// Cluster whose controllers delete the machines: one that kind makes, or one that is there.
    #[arg(long, value_enum, help_heading = "Bootstrap cluster")]
    bootstrap: Option<workflow::Bootstrap>,
    /// Name of the kind cluster [default: NAME-bootstrap].
    #[arg(long, value_name = "NAME", value_parser = label, help_heading = "Bootstrap cluster")]
    bootstrap_name: Option<String>,
    /// Node image of the kind cluster [default: that of its run of create, else kind's].
    #[arg(long, value_name = "IMAGE", help_heading = "Bootstrap cluster")]
    bootstrap_image: Option<String>,
    /// Kubeconfig of the cluster that is there.
    #[arg(long, value_name = "FILE", help_heading = "Bootstrap cluster")]
    bootstrap_kubeconfig: Option<PathBuf>,
    /// Configuration of clusterctl [default: that of its run of create, else clusterctl's].
    #[arg(long, value_name = "FILE", help_heading = "Programs")]
    clusterctl_config: Option<PathBuf>,
    /// Seconds that each wait may take [default: 1200].
    #[arg(long, value_name = "SECONDS", help_heading = "Tuning")]
    timeout: Option<u64>,
    /// Print every step and what would be deleted; changes nothing.
    #[arg(long, help_heading = "Safety")]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, short, help_heading = "Safety")]
    yes: bool,
    /// Remove nothing but the folder of a deletion that was begun: for one whose bootstrap cluster
    /// is lost. Whatever there is stays, machines too.
    #[arg(long, conflicts_with = "dry_run", help_heading = "Safety")]
    forget: bool,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    tools: ToolArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    if args.forget {
        return forget(&args.name, args.yes);
    }
    let (name, output) = (args.name.clone(), args.output);
    let (dry_run, yes) = (args.dry_run, args.yes);
    let (request, tools) = args.request();
    let deletion = commands::delete_prepare(request, tools.toolbox(context), &context.stop).await?;
    context.progress.clear();
    if dry_run {
        let outline = deletion.outline();
        render::print(&render::structured(&outline, output.into()).unwrap_or_else(|| {
            let screen = Screen::of_stdout();
            let prospect = render::prospect(&deletion.prospect, &screen);
            format!("{prospect}\n{}", render::outline(&outline, &screen))
        }));
        return Ok(exit::OK);
    }
    // A cluster does not come back: without a terminal somebody must have said yes.
    if !yes && !confirm(&deletion.prospect, &name) {
        return Err(CommandError::NotConfirmed);
    }
    let report = deletion.run().await?;
    context.progress.clear();
    let text = render::structured(&report, output.into());
    render::show(text, |screen| render::deletion(&report, screen));
    Ok(exit::OK)
}

fn forget(name: &str, yes: bool) -> Result<u8, CommandError> {
    let question = format!("Forget the deletion of {name}? Its clusters and machines stay.");
    let agrees = yes || (prompt::is_possible() && prompt::confirm(&question));
    if !agrees {
        return Err(CommandError::NotConfirmed);
    }
    commands::delete_forget(name)?;
    render::print(&format!("the deletion of {name} is forgotten"));
    Ok(exit::OK)
}

fn confirm(prospect: &Prospect, name: &str) -> bool {
    prompt::is_possible() && prompt::typed(&render::prospect(prospect, &Screen::of_stderr()), name)
}

impl Args {
    fn request(self) -> (DeleteRequest, ToolArgs) {
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let request = DeleteRequest {
            name: self.name,
            namespace: self.namespace,
            management: self.cluster.cluster(),
            infrastructure: self.infrastructure,
            bootstrap: self.bootstrap,
            bootstrap_name: self.bootstrap_name,
            bootstrap_image: self.bootstrap_image,
            bootstrap_kubeconfig: self.bootstrap_kubeconfig.map(absolute),
            clusterctl_config: self.clusterctl_config.map(absolute),
            timeout: self.timeout,
            plugins: self.plugins.into(),
        };
        (request, self.tools)
    }
}
