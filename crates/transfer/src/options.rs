//! Options of a move.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugin_host::Registry;
use probes::Skips;
use serde::{Deserialize, Serialize};

use super::batches::Batches;
use super::choice::Choice;
use super::conversion::AcceptedLoss;
use super::directory::{Identities, Recipients};
use super::knowledge::Learned;
use super::record::Role;
use super::take_over::TakeOver;

/// Namespaces of the objects that move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// Those of one namespace (and the cluster-scoped and provider objects they need).
    One(String),
    /// Those of several namespaces, for a user who may list all of them.
    Several(BTreeSet<String>),
    /// Those of every namespace.
    All,
}

impl Namespaces {
    /// The namespace to list, `None` for all.
    pub fn selector(&self) -> Option<&str> {
        match self {
            Self::One(namespace) => Some(namespace),
            Self::Several(_) | Self::All => None,
        }
    }

    /// Returns whether a namespace is among them.
    pub fn has(&self, namespace: &str) -> bool {
        match self {
            Self::One(one) => one == namespace,
            Self::Several(several) => several.contains(namespace),
            Self::All => true,
        }
    }

    /// The namespaces by name if they are several, and none otherwise.
    pub fn several(&self) -> BTreeSet<String> {
        match self {
            Self::Several(names) => names.clone(),
            Self::One(_) | Self::All => BTreeSet::new(),
        }
    }

    /// The namespaces by name; `None` for all.
    pub fn names(&self) -> Option<BTreeSet<String>> {
        match self {
            Self::One(one) => Some(BTreeSet::from([one.clone()])),
            Self::Several(several) => Some(several.clone()),
            Self::All => None,
        }
    }
}

impl From<BTreeSet<String>> for Namespaces {
    /// These namespaces; all when there is none.
    fn from(mut names: BTreeSet<String>) -> Self {
        match names.len() {
            0 => Self::All,
            1 => names.pop_first().map_or(Self::All, Self::One),
            _ => Self::Several(names),
        }
    }
}

/// Extent of the rehearsal on the target before the first write.
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

/// Sides whose controllers a run holds by their leader-election Leases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HoldControllers {
    /// If it is allowed, and every Cluster of that side is part of the move.
    #[default]
    Auto,
    /// On both sides.
    Always,
    /// On no side.
    Never,
}

/// Treatment of an object that is in the target already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// It has to have the same content.
    #[default]
    MustMatch,
    /// It is left as it is.
    Keep,
}

/// Kinds that a user names: `KIND`, `KIND.GROUP`, `*.GROUP` or `*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindSelector {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

impl KindSelector {
    /// Reads what a user has written. The core group has no name, so its kinds stand alone.
    pub fn new(text: &str) -> Self {
        match text.split_once('.') {
            Some((kind, group)) => Self { kind: kind.to_owned(), group: Some(group.to_owned()) },
            None => Self { kind: text.to_owned(), group: None },
        }
    }

    /// Returns whether it names this kind, in whatever case.
    pub fn matches(&self, group: &str, kind: &str) -> bool {
        (self.kind == "*" || self.kind.eq_ignore_ascii_case(kind))
            && self.group.as_deref().is_none_or(|wanted| wanted == group)
    }
}

/// The readiness probes that are awaited: those of the infrastructure plugins whose providers are
/// installed in the clusters.
#[derive(Clone, Debug)]
pub struct ProbeOptions {
    /// The plugins.
    pub plugins: Arc<Registry>,
    /// Probes that are left out.
    pub skips: Skips,
}

/// Sides whose controllers a run was to hold and does not. Clones of it are one set: a run is
/// cloned for parts of its work.
#[derive(Clone, Debug, Default)]
pub struct Unheld(Arc<Mutex<Vec<Role>>>);

impl Unheld {
    pub(super) fn insert(&self, role: Role) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(role);
    }

    pub(super) fn contains(&self, role: Role) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&role)
    }
}

/// Options of a move.
#[derive(Clone, Debug)]
pub struct MoveOptions {
    /// Namespaces of the objects that move.
    pub namespaces: Namespaces,
    /// The chosen Clusters in them.
    pub choice: Choice,
    /// At how many Clusters a batch ends; all move at once without.
    pub batch_size: Option<usize>,
    /// Time between two batches.
    pub pause_between: Duration,
    /// Limits the wait, between two batches, until the Clusters that have moved are Available; zero
    /// does not wait.
    pub wait_available: Duration,
    /// Number of batches after which the run ends.
    pub stop_after: Option<usize>,
    /// The batches that the record of the run has.
    pub batches: Option<Batches>,
    /// Writes in flight at once; as many as the clusters take without.
    pub max_in_flight: Option<usize>,
    /// Limits the wait for `block-move` annotations to go.
    pub block_move_timeout: Duration,
    /// Limits the wait for controllers to report that they have stopped; zero does not wait.
    pub pause_timeout: Duration,
    /// Limits the attempts to delete an object from the source that refuses to go.
    pub delete_timeout: Duration,
    /// Extent of the rehearsal on the target.
    pub rehearsal: Rehearsal,
    /// Treatment of objects that are in the target already.
    pub existing: Existing,
    /// Kinds whose objects the source's garbage collector may delete with owners that move.
    pub allow_collected: Vec<KindSelector>,
    /// Kinds that need not be listed to find out what the garbage collector would delete.
    pub allow_unlisted: Vec<KindSelector>,
    /// True if objects that moving ones refer to are copied too, and kept in the source.
    pub copy_referenced: bool,
    /// Fields that may get lost when the target converts objects to another version.
    pub accept_loss: Vec<AcceptedLoss>,
    /// True if Secrets that a control plane needs may be missing.
    pub allow_missing_secrets: bool,
    /// The source keeps what was copied, paused, and nothing is deleted from it.
    pub leave_source: bool,
    /// True if what a replacement has left in its source is to be deleted.
    pub delete_left: bool,
    /// Kinds whose controllers are believed to honour a pause, although they do not report it.
    pub trust_pause: Vec<KindSelector>,
    /// True if logins to a cluster itself and objects in namespaces of Kubernetes may get into the
    /// target.
    pub allow_reserved: bool,
    /// The wish to hold controllers.
    pub hold_controllers: HoldControllers,
    /// The sides whose controllers are held, once that is decided.
    pub held_sides: Vec<Role>,
    /// True if the run continues without, when controllers cannot be held.
    pub hold_is_optional: bool,
    /// Those of the sides that it continues without holding.
    pub unheld: Unheld,
    /// Readiness probes to await before and after the move; `None` for none at all.
    pub probes: Option<ProbeOptions>,
    /// Facts about kinds that plugins know, once they were asked.
    pub knowledge: Learned,
    /// Decides whether an interrupted run is resumed or rolled back.
    pub take_over: TakeOver,
    /// Folder in which a move makes a backup before it copies; none without.
    pub backups: Option<PathBuf>,
    /// Keys that the files of a backup are encrypted to.
    pub encrypt_to: Recipients,
    /// Keys that the files of an encrypted backup are read with.
    pub identities: Identities,
}

impl MoveOptions {
    /// The default choices for these namespaces.
    pub fn new(namespaces: Namespaces) -> Self {
        Self {
            namespaces,
            choice: Choice::All,
            batch_size: None,
            pause_between: Duration::ZERO,
            wait_available: Duration::ZERO,
            stop_after: None,
            batches: None,
            max_in_flight: None,
            block_move_timeout: Duration::from_secs(120),
            pause_timeout: Duration::from_secs(30),
            delete_timeout: Duration::from_secs(60),
            rehearsal: Rehearsal::default(),
            existing: Existing::default(),
            allow_collected: Vec::new(),
            allow_unlisted: Vec::new(),
            copy_referenced: false,
            accept_loss: Vec::new(),
            allow_missing_secrets: false,
            leave_source: false,
            delete_left: false,
            trust_pause: Vec::new(),
            allow_reserved: false,
            hold_controllers: HoldControllers::default(),
            held_sides: Vec::new(),
            hold_is_optional: false,
            unheld: Unheld::default(),
            probes: None,
            knowledge: Learned::default(),
            take_over: TakeOver::default(),
            backups: None,
            encrypt_to: Recipients::default(),
            identities: Identities::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_names_a_kind_of_one_group_or_of_any() {
        let matches = |text: &str, group, kind| KindSelector::new(text).matches(group, kind);
        assert!(matches("Deployment", "apps", "Deployment"));
        assert!(matches("deployment.apps", "apps", "Deployment"));
        assert!(!matches("Deployment.g.io", "apps", "Deployment"));
        assert!(!matches("Deploy", "apps", "Deployment"));
        assert!(matches("*", "apps", "Deployment"));
        assert!(matches("*.g.io", "g.io", "*") && !matches("*.g.io", "apps", "Deployment"));
    }
}
