//! `kubectl pivot move`.

use std::path::PathBuf;

use capi::ObjectId;
use clap::ValueEnum;
use support::visible;
use transfer::{
    Choice, HoldControllers, KindSelector, MoveOptions, Namespaces, Operation, Outcome, Rehearsal,
    Report, Run,
};

use super::Context;
use super::allow::AllowArgs;
use super::backups::{BackupArgs, keep_to};
use super::choice::{ChoiceArgs, NamespaceArgs};
use super::clusters::{ClusterArgs, SOURCE_CONTEXT, SOURCE_KUBECONFIG, TargetArgs};
use super::output::{Output, print_report};
use super::pace::{BatchArgs, PaceArgs};
use super::probes::ProbeArgs;
use super::{next, prompt};
use crate::commands::{self, CommandError, Directory, MoveRequest, exit};
use crate::render::{self, Format, Screen};

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # The plan and every problem found; changes nothing
  kubectl pivot move --to-kubeconfig target.kubeconfig --dry-run

  # The namespace of the current context
  kubectl pivot move --to-kubeconfig target.kubeconfig

  # All namespaces, without a question, with a report for scripts
  kubectl pivot move --to-kubeconfig target.kubeconfig -A --yes -o json

  # Both clusters in one kubeconfig
  kubectl pivot move --context old --to-context new -n fleet";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("kubeconfig", |arg| arg.help(SOURCE_KUBECONFIG)),
    mut_arg("context", |arg| arg.help(SOURCE_CONTEXT)),
    mut_arg("to_kubeconfig", |arg| arg
        .help("Kubeconfig of the target management cluster [with --from-directory: the default \
               kubeconfig]")
        .required_unless_present_any(["to_context", "to_directory", "from_directory"]))
)]
pub(super) struct Args {
    #[command(flatten)]
    source: ClusterArgs,
    #[command(flatten)]
    target: TargetArgs,
    /// Write the objects to this directory instead of another cluster; the source continues as
    /// before.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["to_kubeconfig", "to_context",
        "from_directory"], help_heading = "Scope")]
    to_directory: Option<PathBuf>,
    /// Read the objects from this directory instead of another cluster.
    #[arg(long, value_name = "DIR",
        conflicts_with_all = ["kubeconfig", "context", "namespace", "all_namespaces", "selector"],
        help_heading = "Scope")]
    from_directory: Option<PathBuf>,
    #[command(flatten)]
    namespaces: NamespaceArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// Also copy what moving objects refer to and nothing owns, such as Secrets with credentials
    /// and templates. The source keeps it.
    #[arg(long, conflicts_with = "from_directory", help_heading = "Scope")]
    copy_referenced: bool,
    /// Contact both clusters, show what would happen, and change nothing.
    #[arg(long, help_heading = "Safety")]
    dry_run: bool,
    #[command(flatten)]
    backups: BackupArgs,
    /// Do not ask before moving. Nothing is asked either when standard input is no terminal.
    #[arg(long, short, help_heading = "Safety")]
    yes: bool,
    /// Rehearse on the target (server-side dry-run) before the first write: one object of each kind
    /// (sample), all (full), or nothing (off).
    #[arg(long, value_enum, default_value_t, help_heading = "Safety")]
    preflight: Preflight,
    /// Hold the controllers of both clusters still while objects are in both: take the
    /// leader-election Leases of the providers, and delete the pods that led. Their webhooks stay.
    /// Auto skips a cluster that also has Clusters outside this move or this batch, or where you
    /// lack the permission.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, help_heading = "Safety")]
    hold_controllers: Hold,
    /// Believe that the controllers of this kind honour a pause, although its objects do not report
    /// it and the move does not hold them: KIND, KIND.GROUP, *.GROUP or *; can be given more than
    /// once, and with commas.
    #[arg(long, value_name = "KIND", value_delimiter = ',', help_heading = "Safety")]
    trust_pause: Vec<String>,
    #[command(flatten)]
    allow: AllowArgs,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    batches: BatchArgs,
    #[command(flatten)]
    probes: ProbeArgs,
    /// Accepted for scripts written for clusterctl; API warnings are never shown.
    #[arg(long, value_name = "WHICH", help_heading = "Output")]
    hide_api_warnings: Option<String>,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

/// Extents of the rehearsal.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Preflight {
    #[default]
    Sample,
    Full,
    Off,
}

/// Clusters whose controllers are held.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Hold {
    #[default]
    Auto,
    Always,
    Never,
}

impl From<Preflight> for Rehearsal {
    fn from(extent: Preflight) -> Self {
        match extent {
            Preflight::Sample => Self::Sample,
            Preflight::Full => Self::Full,
            Preflight::Off => Self::Off,
        }
    }
}

impl From<Hold> for HoldControllers {
    fn from(hold: Hold) -> Self {
        match hold {
            Hold::Auto => Self::Auto,
            Hold::Always => Self::Always,
            Hold::Never => Self::Never,
        }
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let format = Format::from(args.output);
    let yes = args.yes;
    let needs_backup = args.to_directory.is_none() && args.from_directory.is_none();
    if let Some(which) = &args.hide_api_warnings {
        tracing::debug!(which, "--hide-api-warnings has no effect");
    }
    let limit = args.backups.limit().filter(|_| needs_backup);
    let request = request(args, needs_backup)?;
    let run = commands::connect(&request, &context.events_of_run(), &context.stop).await?;
    let confirm = |plan: &Report| {
        context.progress.clear();
        yes || ask("Move", plan)
    };
    let moved = commands::move_clusters(&run, &request, confirm).await;
    context.progress.clear();
    let flags = next::flags(&request);
    let report = print_report(moved, format, (context, &flags))?;
    if report.outcome == Outcome::Moved {
        keep_to(limit, &report.run, &run.events);
    }
    Ok(match report.outcome {
        Outcome::Refused => exit::REFUSED,
        Outcome::NothingInScope => {
            explain_nothing(&run, context).await;
            exit::NOTHING_IN_SCOPE
        }
        _ if report.has_bad_probes() => exit::NOT_VERIFIED,
        _ => exit::OK,
    })
}

fn request(args: Args, needs_backup: bool) -> Result<MoveRequest, CommandError> {
    let mut options = MoveOptions::new(Namespaces::All);
    if needs_backup {
        args.backups.apply(&mut options)?;
    }
    args.pace.apply(&mut options);
    args.batches.apply(&mut options);
    args.allow.apply(&mut options);
    options.copy_referenced = args.copy_referenced;
    options.rehearsal = args.preflight.into();
    options.trust_pause = args.trust_pause.iter().map(|kind| KindSelector::new(kind)).collect();
    options.hold_controllers = args.hold_controllers.into();
    options.probes = Some(args.probes.options()?);
    options.choice = args.choice.choice();
    Ok(MoveRequest {
        source: args.source.cluster(),
        target: args.target.cluster(),
        directory: args
            .to_directory
            .map(Directory::To)
            .or(args.from_directory.map(Directory::From)),
        namespaces: args.namespaces.names(),
        all_namespaces: args.namespaces.all_namespaces,
        dry_run: args.dry_run,
        alone: None,
        options,
    })
}

/// Asks before a run changes something. Without a terminal the answer is yes: scripts that were
/// written for clusterctl expect no question.
pub(super) fn ask(what: &str, plan: &Report) -> bool {
    prompt::agrees(&question(what, plan, &Screen::of_stderr()))
}

/// Returns the plan and the question. It names cluster-scoped objects, since they can affect more
/// than one cluster.
fn question(what: &str, plan: &Report, screen: &Screen) -> String {
    let kept = plan.kept.iter().map(|kept| &kept.object);
    let named = cluster_scoped(plan.moved.iter().chain(kept));
    let table = render::move_plan(plan, screen, false);
    let effect = match plan.operation {
        Operation::Move if plan.source_stays => {
            "The source keeps all of this, paused. `kubectl pivot rollback` goes back to it until \
             it is deleted."
        }
        Operation::Move => {
            "All these Clusters are paused meanwhile. The move can be rolled back until the first \
             deletion."
        }
        Operation::Backup => "All these Clusters are paused while the files are written.",
        Operation::Restore => "Objects that are there already stay as they are.",
    };
    let effect = screen.line("", &format!("{effect}{named}"));
    let (clusters, objects) = (plan.clusters, plan.objects());
    screen.fit(&format!("{table}{effect}{what} {clusters} clusters, {objects} objects?"))
}

/// Names the cluster-scoped ones among objects, or none.
fn cluster_scoped<'a>(objects: impl Iterator<Item = &'a ObjectId>) -> String {
    let global = objects.filter(|object| object.namespace.is_none());
    let global: Vec<String> = global.map(|object| visible::one_line(&object.to_string())).collect();
    match global.len() {
        0 => String::new(),
        _ => format!(" cluster-scoped: {}.", global.join(", ")),
    }
}

pub(super) async fn explain_nothing(run: &Run, context: &Context) {
    if run.options.choice != Choice::All {
        context.progress.hint(
            "no Cluster in scope matches --cluster, --selector and --exclude; see names and labels \
             with `kubectl get clusters -A --show-labels`",
        );
        return;
    }
    let elsewhere = commands::find_clusters_elsewhere(run).await;
    context.progress.hint(&if elsewhere.is_empty() {
        "the source has no Clusters in any namespace; check --kubeconfig and --context".to_owned()
    } else {
        format!("Clusters are in: {}; use -n NAMESPACE or --all-namespaces", elsewhere.join(", "))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_names_every_cluster_scoped_object() {
        let id = |kind: &str, namespace: Option<&str>, name: &str| ObjectId {
            api_version: "infrastructure.cluster.x-k8s.io/v1beta2".to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        };
        let machine = id("DockerMachine", Some("fleet"), "a");
        let identity = id("AWSClusterStaticIdentity", None, "admin\u{1b}[2J");
        assert_eq!(cluster_scoped([&machine].into_iter()), "");
        let named = cluster_scoped([&machine, &identity].into_iter());
        assert_eq!(named, r" cluster-scoped: AWSClusterStaticIdentity admin\u{1b}[2J.");
    }
}
