//! The report of a move, for people and for machines.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use capi::names::CORE_GROUP;
use capi::{Fate, Graph, KeepReason, Node, NotChosen, ObjectId, StayReason};
use cluster::Client;
use serde::Serialize;
use support::causes::in_one_line;

use super::conversion::ConvertedKind;
use super::error::MoveError;
use super::findings::{Finding, Severity};
use super::operations::{ObjectOperation, plan};
use super::preflight::Preflight;
use super::readiness::Probes;
use super::record::{Operation, Role};
use super::run::Run;
use super::sides::ClusterState;

/// Version of the report's schema. Fields are only added to a version, never changed or removed.
pub const API_VERSION: &str = "kubectl-pivot.io/v1alpha1";

/// Ends of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Everything in scope has been moved. Exit code 0; 7 when a readiness probe of after the move
    /// fails.
    Moved,
    /// Everything in scope is in the target, and the source keeps it, paused. Exit code 0; 7 when a
    /// check or a readiness probe fails.
    Replaced,
    /// A dry-run that found nothing to stop the move. Exit code 0.
    Planned,
    /// Findings stop the move; nothing was changed. Exit code 3.
    Refused,
    /// Nothing to move is in scope; nothing was changed. Exit code 4.
    NothingInScope,
    /// The objects were written to a directory. Exit code 0.
    Saved,
    /// The objects were created from a directory. Exit code 0.
    Restored,
    /// It failed or was interrupted, and was rolled back. Exit code 5 or 130; 1 when the failure
    /// was a bug of this program.
    Undone,
    /// Some batches have moved, and the rest is in the source as before. Either one failed or was
    /// interrupted, and was rolled back: exit code 5 or 130; 1 when the failure was a bug of this
    /// program. Or `--stop-after` ended the move: exit code 0, and there is no `error`.
    PartlyMoved,
    /// It failed halfway; `error.hint` says the next command. Exit code 6.
    Unfinished,
    /// It could not start: a cluster or file cannot be read, another run has the lock, or there is
    /// no run to continue; nothing was changed. Exit code 3 or 4.
    NotBegun,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The reason why a run has not succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failure {
    /// The failure and its cause.
    pub message: String,
    /// The next step.
    pub hint: String,
}

/// An object, and why it was treated as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explained {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectId,
    /// The reason.
    pub reason: String,
}

/// The time that a phase took.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PhaseTime {
    /// Stable name of the phase.
    pub phase: &'static str,
    /// Wall-clock time in seconds, fractional.
    pub seconds: f64,
}

/// A batch of a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BatchState {
    /// Number of the batch, from 1.
    pub batch: usize,
    /// State of the batch: `moved`, `inFlight`, `rolledBack` or `toCome`.
    pub state: BatchCourse,
    /// Clusters of the batch, as `namespace/name`.
    pub clusters: Vec<String>,
}

/// State of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum BatchCourse {
    /// The target has it.
    Moved,
    /// It is on its way.
    InFlight,
    /// It failed, and the source has it as before.
    RolledBack,
    /// Nothing was done with it yet.
    ToCome,
}

/// The report of a move.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "MoveReport"))]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `kubectl-pivot.io/v1alpha1`.
    pub api_version: &'static str,
    /// `MoveReport`.
    pub kind: &'static str,
    /// Id of the run, eight hexadecimal digits, as in the annotations that it sets.
    pub run: String,
    /// The operation; `--to-directory` is a backup, `--from-directory` a restore.
    pub operation: Operation,
    /// The end of the run.
    pub outcome: Outcome,
    /// The reason why the run has not succeeded, and the next step; absent when it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// The namespace that moved; absent when all or several did, and for a restore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The namespaces that moved, if they are several; absent otherwise.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub namespaces: BTreeSet<String>,
    /// The Clusters that were chosen, as `namespace/name`; absent without a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Vec<String>>,
    /// True if the source keeps everything that is copied, paused; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub source_stays: bool,
    /// URL of the source's API server; for a restore the directory.
    pub source: String,
    /// URL of the target's API server; for a backup the directory.
    pub target: String,
    /// Directory of the backup that the move has made before it copied; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    /// Number of Clusters that were moved, or are to be moved.
    pub clusters: usize,
    /// Every Cluster of the run, also when it fails or is rolled back; absent before the first
    /// pause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster_states: Vec<ClusterState>,
    /// The batches of a move with `--batch-size`; absent when there is only one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<BatchState>,
    /// Sides whose controllers stand still while objects are in both clusters (`source`, `target`):
    /// the run takes their leader-election Leases. Absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Role>,
    /// The writes of the run, in their order; only in a dry-run of a move or a replacement without
    /// batches. What controllers report while the run waits for them, and objects that appear
    /// meanwhile, change them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<ObjectOperation>,
    /// Objects that were copied to the target and deleted from the source; owners before
    /// dependents.
    pub moved: Vec<ObjectId>,
    /// Objects that were copied to the target and kept in the source.
    pub kept: Vec<Explained>,
    /// Objects that were neither copied nor deleted, although a move looks at their kind, or they
    /// belong to an object that moves.
    pub not_moved: Vec<Explained>,
    /// Objects that were not moved, and that the garbage collector of the source deletes after
    /// their owners have moved: `--allow-collected` has allowed it, or, after a refusal, would have
    /// to.
    pub collected: Vec<Explained>,
    /// Objects that could not be deleted from the source, and the Clusters that they belong to; all
    /// others are gone from it, and everything in the target is paused until `kubectl pivot resume`
    /// has deleted the rest.
    pub held: Vec<Explained>,
    /// Those of `not_moved` that are not in the graph.
    #[serde(skip)]
    pub labelled: Vec<Explained>,
    /// Objects that existed in the target before, and are used unchanged, with the same content
    /// unless both clusters share them; each is in `moved` or `kept` too.
    pub reused: Vec<ObjectId>,
    /// Fields that defaults or webhooks of the target have added to copies, as
    /// `Kind namespace/name: path`.
    pub added_by_target: Vec<String>,
    /// Kinds that the target converts to another version.
    pub conversions: Vec<ConvertedKind>,
    /// Problems found before the first write, and controllers that did not answer the pause.
    pub findings: Vec<Finding>,
    /// Results of readiness probes.
    pub probes: Probes,
    /// Number of objects in `moved` and `kept`, by kind.
    pub counts_by_kind: BTreeMap<String, usize>,
    /// Time of each phase, in the order in which they ran.
    pub phases: Vec<PhaseTime>,
    /// Requests sent, retries included, by cluster (`source`, `target`) and verb (`get`, `list`,
    /// `watch`, `create`, `update`, `patch`, `delete`); verbs without requests are absent.
    pub requests: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
}

impl Report {
    /// The report of a run that has looked at nothing yet.
    pub fn blank(run: &Run) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "MoveReport",
            run: run.id.clone(),
            operation: Operation::Move,
            outcome: Outcome::Planned,
            error: None,
            namespace: run.options.namespaces.selector().map(str::to_owned),
            namespaces: run.options.namespaces.several(),
            chosen: run.options.choice.fixed().map(|chosen| chosen.names().collect()),
            source_stays: run.options.leave_source,
            source: run.source.server().to_owned(),
            target: run.target.server().to_owned(),
            backup: None,
            clusters: 0,
            cluster_states: Vec::new(),
            batches: Vec::new(),
            holds: Vec::new(),
            operations: Vec::new(),
            moved: Vec::new(),
            kept: Vec::new(),
            not_moved: Vec::new(),
            collected: Vec::new(),
            labelled: Vec::new(),
            reused: Vec::new(),
            added_by_target: Vec::new(),
            held: Vec::new(),
            conversions: Vec::new(),
            findings: Vec::new(),
            probes: Probes::default(),
            counts_by_kind: BTreeMap::new(),
            phases: Vec::new(),
            requests: BTreeMap::new(),
        }
    }

    /// The report of what preflight has planned.
    pub fn new(run: &Run, preflight: &Preflight) -> Self {
        let chosen = preflight.move_scope.chosen.as_deref();
        let mut report = Self {
            findings: preflight.findings.0.clone(),
            chosen: chosen.map(|chosen| chosen.names().collect()),
            conversions: preflight.conversions.clone(),
            holds: preflight.holds.clone(),
            ..Self::blank(run)
        };
        for related in &preflight.related_objects {
            let list = match related.lost_owner {
                Some(_) => &mut report.collected,
                None => &mut report.labelled,
            };
            list.push(Explained { object: related.object.clone(), reason: related.reason.clone() });
        }
        report.fill(&preflight.graph);
        report
    }

    /// Ends a plan: refused, nothing in scope, or planned. Without any Cluster and ClusterClass the
    /// scope is a mistake, whatever else a label would move.
    pub(super) fn conclude(&mut self) {
        let has_errors = self.findings.iter().any(|finding| finding.severity == Severity::Error);
        if has_errors {
            self.outcome = Outcome::Refused;
        } else if self.has_clusters_or_classes() {
            self.outcome = Outcome::Planned;
        } else {
            self.outcome = Outcome::NothingInScope;
            self.set_aside();
        }
    }

    fn has_clusters_or_classes(&self) -> bool {
        let kept = self.kept.iter().map(|explained| &explained.object);
        let mut all = self.moved.iter().chain(kept);
        all.any(|id| {
            id.group() == CORE_GROUP && matches!(id.kind.as_str(), "Cluster" | "ClusterClass")
        })
    }

    /// Reports what would have moved as not moved.
    fn set_aside(&mut self) {
        let kept = self.kept.drain(..).map(|explained| explained.object);
        let objects: Vec<ObjectId> = self.moved.drain(..).chain(kept).collect();
        self.counts_by_kind.clear();
        let reason = "there is no Cluster and no ClusterClass in scope";
        self.not_moved.extend(
            objects.into_iter().map(|object| Explained { object, reason: reason.to_owned() }),
        );
    }

    /// Lists what the run would do. Each batch of a move in batches is planned when it begins.
    pub fn list_operations(&mut self, preflight: &Preflight) {
        if self.batches.is_empty() {
            self.operations = plan::operations(&preflight.graph, self.source_stays);
        }
    }

    /// Takes over why the run has not succeeded.
    pub fn fail(&mut self, error: &MoveError) {
        self.outcome = match error {
            MoveError::Undone { .. } => Outcome::Undone,
            MoveError::PartlyMoved { .. } => Outcome::PartlyMoved,
            MoveError::HalfUndone { .. }
            | MoveError::Unfinished { .. }
            | MoveError::LockLost { .. } => Outcome::Unfinished,
            MoveError::Refused(_) => Outcome::Refused,
            MoveError::Unprepared(_)
            | MoveError::NotReady(_)
            | MoveError::UnknownProbe(_)
            | MoveError::Locked(_)
            | MoveError::NoRun(_)
            | MoveError::NotConfirmed
            | MoveError::OfFiles(_)
            | MoveError::BeingUndone(_)
            | MoveError::NotDeleted { .. }
            | MoveError::NoReturn { .. }
            | MoveError::NotAlone { .. }
            | MoveError::MarksDoNotSuffice { .. }
            | MoveError::TooLate { .. } => Outcome::NotBegun,
        };
        if let MoveError::Refused(findings) = error {
            self.findings.clone_from(&findings.0);
        }
        self.error =
            Some(Failure { message: in_one_line(error), hint: error.hint_of(self.operation) });
    }

    /// Takes over what becomes of the objects of a graph.
    pub fn fill(&mut self, graph: &Graph) {
        self.clusters = graph.clusters().count();
        self.moved.clear();
        self.kept.clear();
        self.counts_by_kind.clear();
        self.not_moved.clear();
        for node in graph.copied().map(|index| &graph[index]) {
            *self.counts_by_kind.entry(node.object.kind().to_owned()).or_default() += 1;
            match node.fate {
                Fate::Keep(reason) => self.kept.push(explain(node, kept_reason(reason))),
                _ => self.moved.push(node.object.id()),
            }
        }
        let collected: HashSet<&ObjectId> = self.collected.iter().map(|e| &e.object).collect();
        let stays = graph.nodes.iter().filter_map(|node| match &node.fate {
            Fate::Stay(reason) => Some(explain(node, &stay_reason(reason))),
            _ => None,
        });
        let stays = stays.filter(|explained| !collected.contains(&explained.object));
        self.not_moved.extend(stays.chain(self.labelled.iter().cloned()));
    }

    /// Forgets the plan of the whole move: each batch reports what it has moved.
    pub(super) fn begin_batches(&mut self) {
        self.clusters = 0;
        self.moved.clear();
        self.kept.clear();
        self.counts_by_kind.clear();
    }

    /// Takes over the report of one batch. What did not move of it is left out.
    pub(super) fn absorb(&mut self, batch: Self) {
        self.phases.extend(batch.phases);
        self.held = batch.held;
        self.backup = batch.backup.or(self.backup.take());
        for finding in batch.findings.into_iter().filter(|f| f.rule != "UnitExceedsBatch") {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        if batch.outcome != Outcome::Moved {
            return;
        }
        self.clusters += batch.clusters;
        self.added_by_target.extend(batch.added_by_target);
        let shared: HashSet<&ObjectId> = self.kept.iter().map(|kept| &kept.object).collect();
        let reused = batch.reused.into_iter().filter(|object| !shared.contains(object));
        self.reused.extend(reused);
        let moved: HashSet<&ObjectId> = batch.moved.iter().collect();
        let kept = self.kept.drain(..).filter(|kept| !moved.contains(&kept.object));
        let mut kept: Vec<Explained> = kept.collect();
        kept.extend(batch.kept.into_iter().filter(|new| !self.kept.contains(new)));
        kept.sort_by_key(|kept| kept.object.to_string());
        kept.dedup();
        self.kept = kept;
        self.moved.extend(batch.moved);
        self.not_moved = batch.not_moved;
        self.count_by_kind();
    }

    fn count_by_kind(&mut self) {
        self.counts_by_kind.clear();
        let kept = self.kept.iter().map(|kept| &kept.object);
        for object in self.moved.iter().chain(kept) {
            *self.counts_by_kind.entry(object.kind.clone()).or_default() += 1;
        }
    }

    /// Takes over the numbers of requests.
    pub fn count_requests(&mut self, source: &Client, target: &Client) {
        for (name, cluster) in [("source", source), ("target", target)] {
            let counts = cluster.requests().into_iter().filter(|(_, count)| *count > 0);
            self.requests
                .insert(name, counts.map(|(verb, count)| (verb.as_str(), count)).collect());
        }
    }

    /// Returns whether the objects have moved, and a readiness probe does not hold now.
    pub fn has_bad_probes(&self) -> bool {
        matches!(self.outcome, Outcome::Moved | Outcome::Replaced)
            && self.probes.bad().next().is_some()
    }

    /// Takes over the numbers of requests of a run that has failed somewhere.
    pub fn count_all_requests(&mut self, run: &Run) {
        self.count_requests(&run.source, &run.target);
        if run.is_alone() {
            let name = run.source.name();
            self.requests.retain(|cluster, _| *cluster == name);
        }
    }

    /// Objects that were or would be copied.
    pub fn objects(&self) -> usize {
        self.moved.len() + self.kept.len()
    }
}

fn explain(node: &Node, reason: &str) -> Explained {
    Explained { object: node.object.id(), reason: reason.to_owned() }
}

pub(super) fn kept_reason(reason: KeepReason) -> &'static str {
    match reason {
        KeepReason::Global => "cluster-scoped: others may use it",
        KeepReason::BelongsToGlobal => "belongs to a cluster-scoped object",
        KeepReason::UsedOutside => {
            "lies in another namespace, or Clusters of other namespaces use it"
        }
        KeepReason::Shared => "Clusters that were not chosen use it too",
        KeepReason::Referenced => "something that moves refers to it (--copy-referenced)",
    }
}

pub(super) fn stay_reason(reason: &StayReason) -> String {
    match reason {
        StayReason::Unrelated => {
            "belongs to no Cluster, ClusterClass or ClusterResourceSet, and has no move label"
                .to_owned()
        }
        StayReason::OwnerUnknown(owner) => {
            format!(
                "its owner {} {} is gone, or of a kind that does not move",
                owner.kind, owner.name
            )
        }
        StayReason::OwnerStays(owner) => format!("its owner {owner} is not moved"),
        StayReason::NotChosen(why) => not_chosen(why),
    }
}

fn not_chosen(why: &NotChosen) -> String {
    match why {
        NotChosen::Itself => "was not chosen".to_owned(),
        NotChosen::Belongs(cluster) => {
            format!("belongs to Cluster {cluster}, which was not chosen")
        }
        NotChosen::Used(cluster) => {
            format!("no chosen Cluster uses it, but Cluster {cluster}, which was not chosen")
        }
        NotChosen::Unused => "no Cluster uses it".to_owned(),
    }
}
