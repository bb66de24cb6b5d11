//! Speed and timeouts of a run, as flags.

use std::time::Duration;

use crate::transfer::MoveOptions;

/// Timeouts of the wait for controllers.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Tuning")]
pub(super) struct WaitArgs {
    /// Seconds to wait for `block-move` annotations to go.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    block_move_timeout: u64,
    /// Seconds to wait for controllers to report that they have paused; 0 does not wait.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pause_timeout: u64,
}

impl WaitArgs {
    /// Sets these options.
    pub(super) fn apply(&self, options: &mut MoveOptions) {
        options.block_move_timeout = Duration::from_secs(self.block_move_timeout);
        options.pause_timeout = Duration::from_secs(self.pause_timeout);
    }
}

/// Flags for speed and patience.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Tuning")]
pub(super) struct PaceArgs {
    #[command(flatten)]
    wait: WaitArgs,
    /// Seconds to try to delete an object from the source that refuses to go.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    delete_timeout: u64,
    /// Writes in flight at once, for each cluster.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    max_in_flight: u16,
}

impl PaceArgs {
    /// Sets these options.
    pub(super) fn apply(&self, options: &mut MoveOptions) {
        self.wait.apply(options);
        options.delete_timeout = Duration::from_secs(self.delete_timeout);
        options.max_in_flight = self.max_in_flight.into();
    }
}
