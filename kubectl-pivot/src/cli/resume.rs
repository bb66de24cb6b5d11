//! `kubectl pivot resume`.

use super::Context;
use super::backups::BackupArgs;
use super::clusters::OneOrTwoArgs;
use super::output::{Output, print_report};
use super::pace::PaceArgs;
use super::probes::ProbeArgs;
use crate::commands::{self, CommandError, exit};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    clusters: OneOrTwoArgs,
    #[command(flatten)]
    backups: BackupArgs,
    /// Take the lock even if its holder seems alive. If it is, both write at once: make sure that it
    /// is dead.
    #[arg(long)]
    force_unlock: bool,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    probes: ProbeArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let mut request = args.clusters.request();
    args.pace.apply(&mut request.options);
    request.options.probes = Some(args.probes.options()?);
    request.options.backups = args.backups.folder()?;
    let run = commands::connect(&request, &context.events_of_run(), &context.stop).await?;
    let result = commands::resume(&run, args.force_unlock).await;
    context.progress.clear();
    let report = print_report(result, args.output.into())?;
    Ok(if report.has_bad_probes() { exit::NOT_VERIFIED } else { exit::OK })
}
