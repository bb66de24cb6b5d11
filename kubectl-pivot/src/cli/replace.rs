//! `kubectl pivot replace`.

use std::path::PathBuf;
use std::time::Duration;

use cluster::KubeconfigRef;
use transfer::{Check, HoldControllers, KindSelector, MoveOptions, Namespaces, Outcome, Report};
use workflow::PivotDocument;

use super::allow::AllowArgs;
use super::backups::{BackupArgs, keep_to};
use super::choice::{ChoiceArgs, NamespaceArgs};
use super::duration::seconds;
use super::move_clusters::{Preflight, ask, explain_nothing};
use super::output::{Output, print_report};
use super::pace::PaceArgs;
use super::probes::ProbeArgs;
use super::tools::ToolArgs;
use super::{Context, next, prompt};
use crate::commands::{
    self, CommandError, CreateRequest, MoveRequest, ReplaceRequest, Replaced, exit,
};
use crate::render::{self, Format, ReportView};

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # The plan and every problem found; changes nothing
  kubectl pivot replace -A --kubeconfig old.kubeconfig --to-kubeconfig new.kubeconfig --dry-run

  # Into a management cluster that is there; the old one stays, paused
  kubectl pivot replace -A --kubeconfig old.kubeconfig --to-kubeconfig new.kubeconfig

  # Create the new management cluster first
  kubectl pivot replace -A --kubeconfig old.kubeconfig -f new.yaml

  # Later: delete what was left in the old one
  kubectl pivot replace --delete-old --kubeconfig old.kubeconfig --to-kubeconfig new.kubeconfig";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Kubeconfig of the old management cluster [default: $KUBECONFIG, then ~/.kube/config].
    #[arg(long, value_name = "FILE", help_heading = "Clusters")]
    kubeconfig: Option<PathBuf>,
    /// Context within the kubeconfig of the old one [default: its current context].
    #[arg(long, value_name = "NAME", help_heading = "Clusters")]
    kubeconfig_context: Option<String>,
    /// Kubeconfig of the new management cluster.
    #[arg(long, value_name = "FILE", help_heading = "Clusters",
        required_unless_present_any = ["to_kubeconfig_context", "filename"])]
    to_kubeconfig: Option<PathBuf>,
    /// Context within the kubeconfig of the new one [default: its current context].
    #[arg(long, value_name = "NAME", help_heading = "Clusters")]
    to_kubeconfig_context: Option<String>,
    /// Document of the new management cluster (kind: Pivot), which is created first, as create
    /// does.
    #[arg(long, short, value_name = "FILE", help_heading = "Clusters",
        conflicts_with_all = ["to_kubeconfig", "to_kubeconfig_context"])]
    filename: Option<PathBuf>,
    #[command(flatten)]
    namespaces: NamespaceArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// Delete what an earlier replacement has left in the old cluster. There is no way back after
    /// it.
    #[arg(long, help_heading = "Safety",
        conflicts_with_all = ["filename", "dry_run", "namespace", "all_namespaces", "cluster",
            "selector", "exclude"])]
    delete_old: bool,
    /// Show what would happen, and change nothing.
    #[arg(long, help_heading = "Safety")]
    dry_run: bool,
    #[command(flatten)]
    backups: BackupArgs,
    /// Do not ask.
    #[arg(long, short, help_heading = "Safety")]
    yes: bool,
    /// Rehearse on the target (server-side dry-run) before the first write: one object of each kind
    /// (sample), all (full), or nothing (off).
    #[arg(long, value_enum, default_value_t, help_heading = "Safety")]
    preflight: Preflight,
    /// Believe that the controllers of this kind honour a pause, although no object of it reports
    /// that: KIND, KIND.GROUP, *.GROUP or *; can be given more than once, and with commas.
    #[arg(long, value_name = "KIND", value_delimiter = ',', help_heading = "Safety")]
    trust_pause: Vec<String>,
    #[command(flatten)]
    allow: AllowArgs,
    #[command(flatten)]
    pace: PaceArgs,
    /// Seconds afterwards in which no Machine may be created or deleted; 0 leaves this out.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = 10,
        help_heading = "Tuning")]
    settle: u64,
    /// Seconds to wait until the checks of the new cluster pass; 0 looks once.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = 300,
        help_heading = "Tuning")]
    timeout: u64,
    #[command(flatten)]
    probes: ProbeArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
    #[command(flatten)]
    tools: ToolArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let (format, yes, limit) = (Format::from(args.output), args.yes, args.backups.limit());
    if args.delete_old {
        return delete_old(args, context).await;
    }
    let (request, tools) = args.request()?;
    if request.moving.dry_run
        && let Some(create) = &request.create
    {
        let outline = commands::create_outline(create, tools.toolbox(context)).await?;
        let text = render::structured(&outline, format);
        render::show(text, |screen| {
            format!("{}\n{AFTER_CREATE}", render::outline(&outline, screen))
        });
        return Ok(exit::OK);
    }
    let confirm = |plan: &Report| {
        context.progress.clear();
        yes || ask("Replace the source for", plan)
    };
    let with = (tools.toolbox(context), &context.events_of_run(), &context.stop);
    let replaced = commands::replace(request, with, confirm).await;
    context.progress.clear();
    let replaced = match replaced {
        Ok(replaced) => replaced,
        Err(error) => {
            print_report(Err(error), format, (context, ""))?;
            return Ok(exit::OK);
        }
    };
    if replaced.report.moved.outcome == Outcome::Replaced {
        keep_to(limit, &replaced.report.moved.run, &replaced.run.events);
    }
    show(&replaced, format, context);
    code(&replaced, context).await
}

/// Tells what a dry-run cannot know yet.
const AFTER_CREATE: &str = "Then everything of the old management cluster moves into the new one, \
                            and stays in the old one, paused. Its plan is known once the new one \
                            is there.";

fn show(replaced: &Replaced, format: Format, context: &Context) {
    let Replaced { report, moving, .. } = replaced;
    let flags = next::flags(moving);
    let view =
        ReportView { is_verbose: context.is_verbose, next: next::after(&report.moved, &flags) };
    render::show(render::structured(report, format), |screen| {
        let created = report.created.as_ref();
        let created = created.map(|created| render::pivot(created, screen)).unwrap_or_default();
        let checks = match report.checks.is_empty() {
            true => String::new(),
            false => render::checks(&report.checks, screen),
        };
        format!("{created}{checks}{}", render::report(&report.moved, &view, screen))
    });
}

async fn code(replaced: &Replaced, context: &Context) -> Result<u8, CommandError> {
    let Replaced { report, run, .. } = replaced;
    Ok(match report.moved.outcome {
        Outcome::Refused => exit::REFUSED,
        Outcome::NothingInScope => {
            explain_nothing(run, context).await;
            exit::NOTHING_IN_SCOPE
        }
        _ if report.moved.has_bad_probes() => exit::NOT_VERIFIED,
        _ if !report.checks.iter().all(Check::holds) => exit::NOT_VERIFIED,
        _ => exit::OK,
    })
}

async fn delete_old(args: Args, context: &Context) -> Result<u8, CommandError> {
    let format = Format::from(args.output);
    let question = "Delete what was left in the old cluster? There is no way back after it.";
    let agreed = args.yes || (prompt::is_possible() && prompt::confirm(question));
    if !agreed {
        return Err(CommandError::NotConfirmed);
    }
    let (mut request, _) = args.request()?;
    request.moving.options.delete_left = true;
    let events = context.events_of_run();
    let run = commands::connect(&request.moving, &events, &context.stop).await?;
    let deleted = commands::delete_old(&run).await;
    context.progress.clear();
    print_report(deleted, format, (context, &next::flags(&request.moving)))?;
    Ok(exit::OK)
}

impl Args {
    fn request(self) -> Result<(ReplaceRequest, ToolArgs), CommandError> {
        let mut options = MoveOptions::new(Namespaces::All);
        self.backups.apply(&mut options)?;
        self.pace.apply(&mut options);
        self.allow.apply(&mut options);
        options.leave_source = true;
        // A source that stays is held by its pauses: nobody would renew the Leases of its managers.
        options.hold_controllers = HoldControllers::Never;
        options.trust_pause = self.trust_pause.iter().map(|kind| KindSelector::new(kind)).collect();
        options.rehearsal = self.preflight.into();
        options.choice = self.choice.choice();
        let create = self.filename.map(|file| CreateRequest {
            file: Some(file),
            flags: PivotDocument::default(),
            plugins: self.probes.places(),
        });
        options.probes = Some(self.probes.options()?);
        let moving = MoveRequest {
            source: KubeconfigRef { path: self.kubeconfig, context: self.kubeconfig_context },
            target: KubeconfigRef { path: self.to_kubeconfig, context: self.to_kubeconfig_context },
            directory: None,
            alone: None,
            namespaces: self.namespaces.names(),
            all_namespaces: self.namespaces.all_namespaces,
            dry_run: self.dry_run,
            options,
        };
        let settle = Duration::from_secs(self.settle);
        let timeout = Duration::from_secs(self.timeout);
        Ok((ReplaceRequest { create, moving, settle, timeout }, self.tools))
    }
}
