//! What a user can choose about a move.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::plugins::Registry;
use crate::probes::Skips;

/// Which objects move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// Those of one namespace (and the cluster-scoped and provider objects they need).
    One(String),
    /// Those of every namespace.
    All,
}

impl Namespaces {
    /// The namespace to list, `None` for all.
    pub fn selector(&self) -> Option<&str> {
        match self {
            Self::One(namespace) => Some(namespace),
            Self::All => None,
        }
    }
}

/// How much is rehearsed on the target before the first write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rehearsal {
    /// A server-side dry-run create of one object of each kind.
    #[default]
    Sample,
    /// A server-side dry-run create of every object.
    Full,
    /// None.
    Off,
}

/// What is done about an object that is in the target already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// It has to have the same content.
    #[default]
    MustMatch,
    /// It is left as it is.
    Keep,
}

/// Which readiness probes are awaited: those of the infrastructure plugins whose providers are
/// installed in the clusters.
#[derive(Clone, Debug)]
pub struct ProbeOptions {
    /// The plugins.
    pub plugins: Arc<Registry>,
    /// What is left out of them.
    pub skips: Skips,
}

/// Options of a move.
#[derive(Clone, Debug)]
pub struct MoveOptions {
    /// Which objects move.
    pub namespaces: Namespaces,
    /// Writes in flight at once, for each cluster.
    pub max_in_flight: usize,
    /// How long to wait for `block-move` annotations to go.
    pub block_move_timeout: Duration,
    /// How long to wait for controllers to report that they have stopped; zero for not at all.
    pub pause_timeout: Duration,
    /// How long to try to delete an object from the source that refuses to go.
    pub delete_timeout: Duration,
    /// How much is rehearsed on the target.
    pub rehearsal: Rehearsal,
    /// What is done about objects that are in the target already.
    pub existing: Existing,
    /// Readiness probes to await before and after the move; `None` for none at all.
    pub probes: Option<ProbeOptions>,
    /// Folder in which a move makes a backup before it copies; none without.
    pub backups: Option<PathBuf>,
}

impl MoveOptions {
    /// The default choices for these namespaces.
    pub fn new(namespaces: Namespaces) -> Self {
        Self {
            namespaces,
            max_in_flight: 16,
            block_move_timeout: Duration::from_secs(120),
            pause_timeout: Duration::from_secs(30),
            delete_timeout: Duration::from_secs(60),
            rehearsal: Rehearsal::default(),
            existing: Existing::default(),
            probes: None,
            backups: None,
        }
    }
}
