//! A cluster of a move that is gone for good, as flags.

use transfer::Gone;

/// Degrees of certainty that a cluster is gone.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum GoneArg {
    Checked,
    Sure,
}

impl From<GoneArg> for Gone {
    fn from(arg: GoneArg) -> Self {
        match arg {
            GoneArg::Checked => Self::Checked,
            GoneArg::Sure => Self::Sure,
        }
    }
}
