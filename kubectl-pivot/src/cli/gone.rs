//! A cluster of a move that is gone for good, as flags.

use crate::transfer::Gone;

/// How sure a user is that a cluster is gone.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum GoneArg {
    /// Refuse if its address still accepts connections.
    Checked,
    /// Go on, whatever has its address now.
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
