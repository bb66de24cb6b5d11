//! Speed and timeouts of a run, as flags.

use std::time::Duration;

use transfer::MoveOptions;

use super::duration::seconds;

/// Timeouts of the wait for controllers.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Tuning")]
pub(super) struct WaitArgs {
    /// Seconds to wait for `block-move` annotations to go.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = 120)]
    block_move_timeout: u64,
    /// Seconds to wait for controllers to report that they have paused; 0 does not wait.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = 30)]
    pause_timeout: u64,
}

impl WaitArgs {
    /// Sets these options.
    pub(super) fn apply(&self, options: &mut MoveOptions) {
        options.block_move_timeout = Duration::from_secs(self.block_move_timeout);
        options.pause_timeout = Duration::from_secs(self.pause_timeout);
    }
}

/// Flags for batches.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Tuning")]
pub(super) struct BatchArgs {
    /// Move the Clusters in batches of at most N, one transaction after the other: a Cluster is
    /// paused for as long as its batch takes. Clusters that cannot part are in one batch [default:
    /// all Clusters at once].
    #[arg(long, value_name = "N", conflicts_with_all = ["to_directory", "from_directory"],
        value_parser = clap::value_parser!(u16).range(1..))]
    batch_size: Option<u16>,
    /// Seconds between two batches.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, requires = "batch_size")]
    pause_between: u64,
    /// Seconds that the Clusters of a batch have to become Available in the target; then the run
    /// ends before the next batch. 0 does not wait.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = 0,
        requires = "batch_size")]
    wait_available: u64,
    /// End the run after N batches; the same command without it moves the rest.
    #[arg(long, value_name = "N", requires = "batch_size",
        value_parser = clap::value_parser!(u16).range(1..))]
    stop_after: Option<u16>,
}

impl BatchArgs {
    /// Sets these options.
    pub(super) fn apply(&self, options: &mut MoveOptions) {
        options.batch_size = self.batch_size.map(usize::from);
        options.pause_between = Duration::from_secs(self.pause_between);
        options.wait_available = Duration::from_secs(self.wait_available);
        options.stop_after = self.stop_after.map(usize::from);
    }
}

/// Flags for speed and patience.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Tuning")]
pub(super) struct PaceArgs {
    #[command(flatten)]
    wait: WaitArgs,
    /// Seconds to try to delete an object from the source that refuses to go.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = 60)]
    delete_timeout: u64,
    /// Writes in flight at once, for each cluster [default: 16, and up to 128 while the API servers
    /// answer as fast].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    max_in_flight: Option<u16>,
}

impl PaceArgs {
    /// Sets these options.
    pub(super) fn apply(&self, options: &mut MoveOptions) {
        self.wait.apply(options);
        options.delete_timeout = Duration::from_secs(self.delete_timeout);
        options.max_in_flight = self.max_in_flight.map(usize::from);
    }
}
