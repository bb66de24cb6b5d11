//! The operating system, as far as it matters.

use std::fmt;

/// The place where containers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    /// On this kernel.
    Linux,
    /// In a virtual machine that Docker manages.
    MacOs,
}

impl Platform {
    pub(super) fn current() -> Self {
        if cfg!(target_os = "macos") { Self::MacOs } else { Self::Linux }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linux => "linux",
            Self::MacOs => "macos",
        })
    }
}
