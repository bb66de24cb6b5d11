//! `kubectl pivot backup prune`.

use std::path::PathBuf;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use super::output::Output;
use super::{Context, prompt};
use crate::commands::{self, CommandError, Keep, Pruned, exit};
use crate::render::{self, Screen};

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # What would be deleted; deletes nothing
  kubectl pivot backup prune --keep 5 --dry-run

  # Older than three months, but not the newest five of each source cluster
  kubectl pivot backup prune --older-than 90d --keep 5

  # Backups in a folder of your own, without a question
  kubectl pivot backup prune --backup-dir /srv/backups --older-than 1y --yes";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Keep those of the newest runs of each source cluster and namespace.
    #[arg(long, value_name = "N", required_unless_present = "older_than", help_heading = "Scope")]
    keep: Option<usize>,
    /// Delete only those that are older, for example `36h`, `90d`, `1y`.
    #[arg(long, value_name = "AGE", value_parser = age, help_heading = "Scope")]
    older_than: Option<SignedDuration>,
    /// Folder with the backups [default: the user's state folder].
    #[arg(long, value_name = "DIR", help_heading = "Scope")]
    backup_dir: Option<PathBuf>,
    /// Show what would be deleted, and delete nothing.
    #[arg(long, help_heading = "Safety")]
    dry_run: bool,
    /// Do not ask before deleting. Without a terminal it is required.
    #[arg(long, short, help_heading = "Safety")]
    yes: bool,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<u8, CommandError> {
    let folder = args.backup_dir.clone().map_or_else(commands::backup_folder, Ok)?;
    let found = commands::list_backups(&folder);
    let keep = Keep { newest: args.keep, younger_than: args.older_than };
    let old = keep.others(&found, Timestamp::now());
    let kept = found.len() - old.len();
    let pruned = if args.dry_run || old.is_empty() {
        Pruned { deleted: old, kept, ..Pruned::default() }
    } else {
        context.progress.clear();
        if !args.yes {
            agree(&render::backups(&old, Timestamp::now(), &Screen::of_stderr()), old.len())?;
        }
        commands::prune(&folder, old, kept)
    };
    let text = render::structured(&pruned, args.output.into());
    render::show(text, |screen| render::pruned(&pruned, args.dry_run, screen));
    Ok(if pruned.failed.is_empty() { exit::OK } else { exit::FAILED })
}

/// Deleting has no way back, so a script has to say that it means it.
fn agree(list: &str, count: usize) -> Result<(), CommandError> {
    if !prompt::is_possible() {
        let text = "there is no terminal to ask on; add --yes to delete, or --dry-run to look";
        return Err(CommandError::Usage(text.to_owned()));
    }
    let question = format!("{list}Delete these {count} backups for good?");
    if prompt::confirm(&question) { Ok(()) } else { Err(CommandError::NotConfirmed) }
}

/// An age in the words of jiff, such as `90d`, with days of 24 hours and months and years by the
/// calendar of today.
fn age(text: &str) -> Result<SignedDuration, String> {
    let span: Span =
        text.parse().map_err(|_| "use a form such as 36h, 90d, 6mo or 1y".to_owned())?;
    let today = jiff::Zoned::now().datetime();
    let duration =
        span.to_duration(SpanRelativeTo::from(today)).map_err(|error| error.to_string())?;
    if duration.is_negative() { Err("an age is not negative".to_owned()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_as_people_write_them() {
        let hours = |text| age(text).map(|duration| duration.as_hours());
        assert_eq!(hours("36h"), Ok(36));
        assert_eq!(hours("90d"), Ok(90 * 24));
        assert!(hours("1y").is_ok_and(|hours| (365 * 24..=366 * 24).contains(&hours)));
        for wrong in ["", "90", "-3d", "soon"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}
