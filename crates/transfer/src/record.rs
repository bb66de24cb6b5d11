//! The record that a run leaves in both clusters, so that anybody can finish or undo it from there:
//! its identity, what it moves, and how far it has come.

use std::collections::BTreeSet;
use std::fmt;

use capi::{Chosen, KindKnowledge, valid};
pub use protocol::{IllegalStep, OnResume, Phase, Step};
use serde::{Deserialize, Serialize};

use super::batches::Batches;
use super::conversion::AcceptedLoss;
use super::ledger::Page;
use super::options::{KindSelector, Namespaces};

/// Version of the record's format. A reader refuses newer ones.
///
/// Readers of version 1 take every record for that of a move. Readers of version 2 do not know the
/// phase `undoing`: they must not continue a run that a newer program may have begun to put back.
/// Readers of version 3 do not know `handingOver`, nor that copies without a mark may be those of a
/// run that can be rolled back. Readers of version 4 would leave copies without finalizers, and
/// paused; those of version 5 would leave objects paused that have a pause of their own. Readers of
/// version 6 do not know `choice` and `namespaces`: they would move all Clusters. Nor do they know
/// `acceptLoss`: they would undo a run for a loss that its user accepts. Readers of version 7 do
/// not know `batches`: they would end the run with the batch in flight; nor `holds`: they would
/// work among controllers that only a hold keeps still. Readers of version 8 do not know `leaves`:
/// they would delete what is to stay. Readers of version 9 do not know `knowledge`: they would
/// leave annotations that pause objects. They would also take the place of a replacement that
/// rests, and remove the records that stand beside theirs.
const VERSION: u32 = 10;

/// The operation of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// From one cluster to another.
    #[default]
    Move,
    /// From a cluster to files.
    Backup,
    /// From files to a cluster.
    Restore,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Move => "move",
            Self::Backup => "backup",
            Self::Restore => "restore",
        })
    }
}

/// The end of the move that a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Objects move away from it.
    Source,
    /// Objects move to it.
    Target,
}

impl Role {
    /// Returns the other end.
    pub fn other(self) -> Self {
        if self == Self::Source { Self::Target } else { Self::Source }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Source { "source" } else { "target" })
    }
}

/// The record of a run in one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Version of this format.
    pub version: u32,
    /// The operation.
    #[serde(default, skip_serializing_if = "is_move")]
    pub operation: Operation,
    /// Id of the run.
    pub run: String,
    /// Role of this cluster in the run.
    pub role: Role,
    /// Progress of the run. The target's record decides.
    pub phase: Phase,
    /// Namespace that moves; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Namespaces that move, if they are several.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub namespaces: BTreeSet<String>,
    /// Clusters that were chosen in them; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Chosen>,
    /// Batches of the run, if it has several; the choice is that of the one in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batches: Option<Batches>,
    /// Fields that may get lost when the target converts objects: a resumed run accepts them too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept_loss: Vec<AcceptedLoss>,
    /// True if the source keeps what was copied, paused: chosen before the first write, so that
    /// nobody ends the run in the other way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaves: bool,
    /// True if what moving objects refer to is copied too. Older programs do not know that: they
    /// roll such a run back as long as it can be, and finish it without looking at these objects.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy_referenced: bool,
    /// Kinds whose controllers honour a pause although they do not report it, as the user says.
    /// Older programs do not know that: they may refuse to resume such a run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trust_pause: Vec<KindSelector>,
    /// The sides whose controllers the run holds: a process that resumes it holds them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Role>,
    /// True if it continues without, when they cannot be held while it is preparing. Older programs
    /// do not know that, and stop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hold_is_optional: bool,
    /// Facts about kinds that plugins knew when the run began. Who resumes it may have no plugin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub knowledge: Vec<KindKnowledge>,
    /// URL of the other cluster's API server, as the run addressed it; or the directory.
    pub peer: String,
    /// Of a restore: sha256 of the names and contents of the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// When the run began, RFC 3339.
    pub started: String,
    /// Number of times that a process has taken the lock for this run; the same in both clusters.
    /// Each take-over raises it, so what an older process of the run still sends can be recognised
    /// by it. 0: written by a program that did not count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epoch: u64,
    /// ConfigMaps of the target that list the copies of a move, from `handingOver` on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<Page>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_move(operation: &Operation) -> bool {
    *operation == Operation::Move
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is not valid.
    #[error("the record of a run cannot be read: {0}")]
    Invalid(#[from] serde_json::Error),
    /// It was written by a newer program.
    #[error("the record of a run has version {found}; this program knows version {VERSION}")]
    Newer {
        /// The version.
        found: u32,
    },
    /// The id is not that of a run. Files are called after runs, so this is not taken lightly.
    #[error("the record of a run has no valid id: {0:?}")]
    Run(String),
    /// It names a scope that no run has.
    #[error("the record of a run names {0:?}, which is not the name of a namespace")]
    Namespace(String),
    /// It is about a batch that its plan does not have.
    #[error("the record of a run names batch {batch} of {batches}, which cannot be")]
    Batch {
        /// Number of the batch, from 1.
        batch: usize,
        /// Number of all batches.
        batches: usize,
    },
}

impl Record {
    /// The record of a run that begins now.
    pub fn new(run: &str, role: Role, namespaces: &Namespaces, peer: &str) -> Self {
        Self {
            version: VERSION,
            operation: Operation::Move,
            run: run.to_owned(),
            role,
            phase: Phase::Preparing,
            namespace: namespaces.selector().map(str::to_owned),
            namespaces: namespaces.several(),
            choice: None,
            batches: None,
            accept_loss: Vec::new(),
            leaves: false,
            copy_referenced: false,
            trust_pause: Vec::new(),
            holds: Vec::new(),
            hold_is_optional: false,
            knowledge: Vec::new(),
            peer: peer.to_owned(),
            content: None,
            started: jiff::Timestamp::now()
                .round(jiff::Unit::Second)
                .unwrap_or_default()
                .to_string(),
            epoch: 0,
            copies: Vec::new(),
        }
    }

    /// The record of a run between a cluster and files.
    #[must_use]
    pub fn of(self, operation: Operation, content: Option<String>) -> Self {
        Self { operation, content, ..self }
    }

    /// The record of a run about these Clusters.
    #[must_use]
    pub fn choosing(self, choice: Option<&Chosen>) -> Self {
        Self { choice: choice.cloned(), ..self }
    }

    /// The record of a run in these batches.
    #[must_use]
    pub fn in_batches(self, batches: Option<&Batches>) -> Self {
        Self { batches: batches.cloned(), ..self }
    }

    /// Returns whether a batch is over and another follows: nothing is in flight.
    pub fn is_between_batches(&self) -> bool {
        self.phase == Phase::Finished && self.batches.as_ref().is_some_and(Batches::has_next)
    }

    /// Returns whether nothing is left to do of the run.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Finished && !self.is_between_batches()
    }

    /// Returns whether another record of the run is about the same part of it: the same batch of
    /// the same objects. A run that somebody resumes may come to its next batch while another
    /// process waits for its lock.
    pub fn is_of_same_part(&self, other: &Self) -> bool {
        let batch = |record: &Self| record.batches.as_ref().map(|batches| batches.current);
        batch(self) == batch(other) && self.choice == other.choice
    }

    /// The record of a run that leaves its source as it is, or deletes from it.
    #[must_use]
    pub fn leaving(self, leaves: bool) -> Self {
        Self { leaves, ..self }
    }

    /// The record of a run that copies what moving objects refer to, or does not.
    #[must_use]
    pub fn copying_referenced(self, copy_referenced: bool) -> Self {
        Self { copy_referenced, ..self }
    }

    /// The record of a run that takes it as known that the controllers of these kinds honour a
    /// pause.
    #[must_use]
    pub fn trusting(self, kinds: &[KindSelector]) -> Self {
        Self { trust_pause: kinds.to_vec(), ..self }
    }

    /// The record of a run that holds the controllers of these sides.
    #[must_use]
    pub fn holding(self, sides: &[Role], hold_is_optional: bool) -> Self {
        Self { holds: sides.to_vec(), hold_is_optional, ..self }
    }

    /// The record of a run that knows this of kinds.
    #[must_use]
    pub fn knowing(self, knowledge: Vec<KindKnowledge>) -> Self {
        Self { knowledge, ..self }
    }

    /// The record of a run that continues without holding the controllers of a side.
    #[must_use]
    pub fn without_hold(mut self, side: Role) -> Self {
        self.holds.retain(|held| *held != side);
        self
    }

    /// The record of a run in which these losses are accepted too.
    #[must_use]
    pub fn accepting(mut self, losses: &[AcceptedLoss]) -> Self {
        for loss in losses {
            if !self.accept_loss.contains(loss) {
                self.accept_loss.push(loss.clone());
            }
        }
        self
    }

    /// The record once a process of this program has taken the lock. Older programs do not read it
    /// any more, even if one of them has written it.
    #[must_use]
    pub fn taken(self, epoch: u64) -> Self {
        Self { version: VERSION, epoch, ..self }
    }

    /// Returns whether an older program has written it, which cannot read the records of this one.
    pub fn is_older(&self) -> bool {
        self.version < VERSION
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When it is not valid or too new.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = serde_json::from_str(text)?;
        if version > VERSION {
            return Err(RecordError::Newer { found: version });
        }
        let record: Self = serde_json::from_str(text)?;
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if record.run.is_empty() || record.run.len() > 63 || !record.run.bytes().all(is_valid) {
            return Err(RecordError::Run(record.run));
        }
        let beyond = |batches: &&Batches| batches.current >= batches.plan.len();
        if let Some(batches) = record.batches.as_ref().filter(beyond) {
            let (batch, batches) = (batches.current.saturating_add(1), batches.plan.len());
            return Err(RecordError::Batch { batch, batches });
        }
        let mut named = record.namespace.iter().chain(&record.namespaces);
        match named.find(|namespace| !valid::is_label(namespace)) {
            Some(namespace) => Err(RecordError::Namespace(namespace.clone())),
            None => Ok(record),
        }
    }

    /// The record as text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a record has string keys only")
    }

    /// Returns whether the run can be rolled back in the phase that it is in.
    ///
    /// A restore has no list of its copies, and takes its marks off them while it hands them over.
    pub fn can_be_rolled_back(&self) -> bool {
        let is_unmarked = self.operation == Operation::Restore && self.phase == Phase::HandingOver;
        self.phase.can_roll_back() && !is_unmarked
    }

    /// Returns true if no other run may begin in this cluster. The target of a replacement is as
    /// any other cluster: only its source waits for the end.
    pub fn is_in_the_way(&self) -> bool {
        let is_replacement = self.phase == Phase::Left && self.role == Role::Target;
        self.phase != Phase::Finished && !is_replacement
    }

    /// Returns the Clusters that it names, by namespace and name.
    pub fn clusters(&self) -> impl Iterator<Item = (String, String)> {
        let batched = self.batches.iter().flat_map(Batches::all);
        self.choice.iter().flat_map(Chosen::keys).chain(batched)
    }

    /// Returns which cluster has a Cluster: the commit of its batch brings it to the target.
    pub fn side_of(&self, namespace: &str, name: &str) -> Role {
        let batches = self.batches.as_ref();
        let elsewhere = batches.and_then(|batches| batches.side_of(namespace, name));
        let is_there = self.phase.is_committed() || self.phase.is_left();
        let is_over = is_there || self.phase == Phase::Finished;
        elsewhere.unwrap_or(if is_over { Role::Target } else { Role::Source })
    }

    /// Returns the namespaces that the run moves.
    pub fn namespaces(&self) -> Namespaces {
        if !self.namespaces.is_empty() {
            return Namespaces::from(self.namespaces.clone());
        }
        self.namespace.clone().map_or(Namespaces::All, Namespaces::One)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_move_can_be_rolled_back_while_it_hands_over() {
        let record = Record::new("r", Role::Target, &Namespaces::All, "https://a");
        let handing_over = Record { phase: Phase::HandingOver, ..record };
        assert!(handing_over.can_be_rolled_back());
        let restore = handing_over.clone().of(Operation::Restore, None);
        assert!(!restore.can_be_rolled_back());
        assert!(Record { phase: Phase::Preparing, ..restore }.can_be_rolled_back());
        assert!(!Record { phase: Phase::Deleting, ..handing_over }.can_be_rolled_back());
    }

    #[test]
    fn a_run_that_has_gone_on_is_about_another_part() {
        let chosen = |name: &str| [("n".to_owned(), name.to_owned())].into_iter().collect();
        let (a, b): (Chosen, Chosen) = (chosen("a"), chosen("b"));
        let plan = vec![a.clusters.clone(), b.clusters.clone()];
        let batches = Batches { plan, ..Batches::default() };
        let record = Record::new("r", Role::Target, &Namespaces::All, "https://a");
        let first = record.clone().choosing(Some(&a)).in_batches(Some(&batches));
        assert!(first.is_of_same_part(&Record { phase: Phase::Deleting, ..first.clone() }));
        let second = record.choosing(Some(&b)).in_batches(batches.next().as_ref());
        assert!(!first.is_of_same_part(&second));
        assert!(!first.is_of_same_part(&Record { choice: None, ..first.clone() }));
        assert!(!first.is_of_same_part(&Record { batches: second.batches, ..first.clone() }));
    }

    #[test]
    fn a_batch_that_the_plan_does_not_have_is_refused() {
        let plan = vec![std::collections::BTreeMap::new(); 2];
        let record = Record::new("r", Role::Target, &Namespaces::All, "https://a");
        for (current, is_valid) in [(0, true), (1, true), (2, false), (usize::MAX, false)] {
            let batches = Batches { plan: plan.clone(), current, ..Batches::default() };
            let read = Record::parse(&record.clone().in_batches(Some(&batches)).to_text());
            match read {
                Err(RecordError::Batch { batches: 2, .. }) => assert!(!is_valid, "{current}"),
                other => assert!(is_valid && other.is_ok(), "{current}: {other:?}"),
            }
        }
        let none = record.in_batches(Some(&Batches::default()));
        assert!(Record::parse(&none.to_text()).is_err());
    }

    #[test]
    fn only_the_source_of_a_replacement_is_in_the_way_of_others() {
        let record =
            |role, phase| Record { phase, ..Record::new("r", role, &Namespaces::All, "https://a") };
        for phase in Phase::ALL {
            let is_over = phase == Phase::Finished;
            assert_eq!(record(Role::Source, phase).is_in_the_way(), !is_over, "{phase}");
            let rests = is_over || phase == Phase::Left;
            assert_eq!(record(Role::Target, phase).is_in_the_way(), !rests, "{phase}");
        }
        let left = record(Role::Source, Phase::Left).leaving(true);
        assert!(left.to_text().contains("\"leaves\":true"));
        assert_eq!(Record::parse(&left.to_text()).expect("valid"), left);
        assert_eq!(left.side_of("n", "c"), Role::Target);
    }

    #[test]
    fn older_programs_read_no_record_of_this_one() {
        let record = Record::new("r", Role::Source, &Namespaces::All, "https://a");
        let plain = record.to_text();
        assert!(plain.contains("\"version\":10") && !plain.contains("operation"), "{plain}");
        let backup = record.of(Operation::Backup, None);
        assert!(backup.to_text().contains("\"version\":10"));
        assert_eq!(Record::parse(&backup.to_text()).expect("valid"), backup);
    }

    #[test]
    fn records_of_older_programs_are_read() {
        let record = Record::new("r", Role::Source, &Namespaces::All, "https://a");
        for version in 1..10 {
            let older = Record { version, ..record.clone() };
            let read = Record::parse(&older.to_text()).expect("known");
            assert_eq!(read, older);
            assert!(read.taken(1).to_text().contains("\"version\":10"), "{version}");
        }
    }

    #[test]
    fn records_of_programs_without_epochs_are_read() {
        let record = Record::new("r", Role::Source, &Namespaces::All, "https://a");
        assert!(!record.to_text().contains("epoch"));
        assert_eq!(Record::parse(&record.to_text()).expect("valid").epoch, 0);
        let taken = Record { epoch: 3, ..record };
        assert_eq!(Record::parse(&taken.to_text()).expect("valid"), taken);
    }

    #[test]
    fn accepted_losses_are_recorded_once_and_added_to() {
        let loss = |text: &str| AcceptedLoss::new(text).expect("complete");
        let record = Record::new("r", Role::Source, &Namespaces::All, "https://a");
        assert!(!record.to_text().contains("acceptLoss"));
        let record = record.accepting(&[loss("Machine.spec.a"), loss("Machine.spec.a")]);
        assert!(record.to_text().contains("\"acceptLoss\":[\"Machine.spec.a\"]"));
        let read = Record::parse(&record.to_text()).expect("valid");
        assert_eq!(read, record);
        let added = read.accepting(&[loss("Machine.spec.a"), loss("Cluster.spec.b")]);
        assert_eq!(added.accept_loss, [loss("Machine.spec.a"), loss("Cluster.spec.b")]);
        let broken = record.to_text().replace("Machine.spec.a", "Machine");
        assert!(matches!(Record::parse(&broken), Err(RecordError::Invalid(_))));
    }

    #[test]
    fn records_survive_writing_and_newer_ones_are_refused() {
        let page = Page { name: "copies".to_owned(), uid: "u".to_owned() };
        let record = Record::new("r", Role::Target, &Namespaces::One("ns".to_owned()), "https://a");
        let record = Record { phase: Phase::HandingOver, copies: vec![page], ..record };
        assert_eq!(Record::parse(&record.to_text()).expect("valid"), record);
        assert!(
            Record::parse(&record.to_text().replacen("{", "{\"future\":1,", 1)).is_ok(),
            "unknown fields are ignored"
        );
        assert!(matches!(
            Record::parse("{\"version\": 11}"),
            Err(RecordError::Newer { found: 11 })
        ));
        assert!(Record::parse("nonsense").is_err());
        let elsewhere = record.to_text().replace("\"run\":\"r\"", "\"run\":\"../r\"");
        assert!(matches!(Record::parse(&elsewhere), Err(RecordError::Run(_))));
        let scope = record.to_text().replace("\"namespace\":\"ns\"", "\"namespace\":\"a/../b\"");
        assert!(matches!(Record::parse(&scope), Err(RecordError::Namespace(_))));
    }
}
