//! Errors of a move, by their meaning for the user's clusters.

use capi::names::{PAUSED_ANNOTATION, PAUSED_BY_ANNOTATION};
use capi::{ObjectId, OwnerCycle};
use cluster::ApiError;
use probes::{ProbeResult, UnknownProbe, names, sentences};

use super::conversion;
use super::findings::Findings;
use super::lock::{AdvanceError, LockError, of_files};
use super::record::{Operation, Phase, Record, Role};

/// Errors of a phase.
#[derive(Debug, thiserror::Error)]
pub enum PhaseError {
    /// A request failed for good.
    #[error(transparent)]
    Api(ApiError),
    /// Several requests failed; the first one is shown in full.
    #[error("{} requests failed; the first: {first}", others + 1)]
    Several {
        /// Number of the others that failed.
        others: usize,
        /// The first failure.
        first: String,
        /// The details.
        #[source]
        source: Box<ApiError>,
    },
    /// Objects own each other.
    #[error(transparent)]
    Cycle(#[from] OwnerCycle),
    /// Something asked the move to wait, for longer than the user wants to.
    #[error("{object} still blocks the move after {seconds} s (annotation {annotation})")]
    Blocked {
        /// The object.
        object: ObjectId,
        /// The annotation.
        annotation: &'static str,
        /// Duration of the wait.
        seconds: u64,
    },
    /// Controllers run and have not come to rest, for longer than the user wants to wait.
    #[error(
        "{object} was not reported as paused within {seconds} s, although other objects were: its \
         controller may still work on it"
    )]
    Busy {
        /// The object.
        object: ObjectId,
        /// Duration of the wait.
        seconds: u64,
    },
    /// Objects went on changing while the move was being prepared.
    #[error("new objects kept appearing: {object} was new after {rounds} rounds of pausing")]
    Restless {
        /// Rounds tried.
        rounds: usize,
        /// The newest object.
        object: ObjectId,
    },
    /// The target has an object of this name that this run has not made.
    #[error("{object} exists in the target cluster already, and this run did not create it")]
    Foreign {
        /// The object.
        object: ObjectId,
    },
    /// A copy that was read back differs from the object that was copied.
    #[error("{object} in the target cluster differs from the source at {path}")]
    CopyDiffers {
        /// The object.
        object: ObjectId,
        /// The first field that differs.
        path: String,
    },
    /// The target's conversion to another version does not keep a field.
    #[error("the target cluster converts {object} to another version and does not keep {path}")]
    ConversionLoss {
        /// The object.
        object: ObjectId,
        /// The first field that is lost.
        path: String,
    },
    /// A copy is not there when read back.
    #[error("{object} is missing in the target cluster although this run created it")]
    CopyMissing {
        /// The object.
        object: ObjectId,
    },
    /// A Cluster that has moved does not become Available in the target.
    #[error("{object} is not Available in the target cluster after {seconds} s")]
    NotAvailable {
        /// The Cluster.
        object: ObjectId,
        /// Time that it had.
        seconds: u64,
    },
    /// The source has an object that was not there when the copies were verified.
    #[error("{object} appeared in the source cluster after the copies were complete")]
    Late {
        /// The object.
        object: ObjectId,
    },
    /// The original of a copy is gone from the source.
    #[error(
        "{object} was copied, but is now gone from the source cluster or no longer in the scope of \
         the move"
    )]
    OriginalGone {
        /// The object.
        object: String,
    },
    /// Somebody has resumed a copy.
    #[error("{object} is active in the target cluster: somebody ended its pause during the move")]
    CopyActive {
        /// The object.
        object: ObjectId,
    },
    /// The source is gone, and copies are too.
    #[error("{first} is missing in the target cluster{}",
        .count.checked_sub(1).filter(|n| *n > 0).map_or_else(String::new,
            |n| format!(", and {n} others")))]
    LastCopiesGone {
        /// The first of them.
        first: String,
        /// Their number.
        count: usize,
    },
    /// Somebody has removed or damaged a part of the list of copies.
    #[error(
        "a ConfigMap with the list of copies is missing or unreadable in the target cluster: \
         somebody removed or changed it"
    )]
    NoLedger,
    /// The target is not the cluster any more that a replacement has copied to.
    #[error(
        "the target cluster no longer has the list of the copies: it is another cluster, or was \
         restored from a backup"
    )]
    TargetReset,
    /// The target of a replacement has changed, so that its source is out of date.
    #[error("{}", .0.join("; "))]
    GoneOn(Vec<String>),
    /// A copy that is to be removed does not go.
    #[error("{object} is still in the target cluster after several attempts to delete it")]
    CopyStays {
        /// The object.
        object: ObjectId,
    },
    /// Somebody has changed a copy between its comparison and its deletion.
    #[error(
        "{object} changed in the target cluster after it was compared with its original, and was \
         not deleted"
    )]
    CopyChanged {
        /// The object.
        object: ObjectId,
    },
    /// The target has not stored a status that has to go along.
    #[error("the target does not keep `{path}` of {object}, which has to go along")]
    StatusNotKept {
        /// The object.
        object: ObjectId,
        /// The first field that is missing or different.
        path: String,
    },
    /// Somebody has resumed what the run has paused.
    #[error("{object} is active in the source cluster: somebody ended its pause during the move")]
    SourceActive {
        /// The object.
        object: ObjectId,
    },
    /// A cluster has left it out of a list when it was to be resumed.
    #[error("{object} is still paused in the {side} cluster: the API server left it out of a list")]
    StillPaused {
        /// The object.
        object: ObjectId,
        /// `source` or `target`.
        side: &'static str,
    },
    /// Somebody has created again what the run has deleted.
    #[error("{object} is in the source cluster again: somebody created it again, or resumed it")]
    CameBack {
        /// The object.
        object: ObjectId,
    },
    /// A Cluster that was to move has gone.
    #[error("{object} was in the source cluster when the move was checked, and is gone now")]
    Vanished {
        /// The object.
        object: ObjectId,
    },
    /// Objects have come into a state in which they cannot move, after they were checked.
    #[error("{}", .0.summary())]
    Unmovable(Findings),
    /// An object of the source changed after it was copied.
    #[error("{object} changed in the source cluster after it was copied")]
    SourceChanged {
        /// The object.
        object: ObjectId,
    },
    /// Somebody has taken the mark of the run off what it has paused.
    #[error(
        "{object} is paused in the source cluster, and no longer has the mark of the move that \
         paused it: somebody took it off ({PAUSED_BY_ANNOTATION}), so the move cannot end this \
         pause"
    )]
    PauseUnmarked {
        /// The object.
        object: ObjectId,
    },
    /// A controller works on an object that is being taken away from it.
    #[error(
        "a controller of the source cluster put a finalizer on {object}, which is about to be \
         deleted: {finalizers}"
    )]
    FinalizerReturned {
        /// The object.
        object: ObjectId,
        /// The finalizers.
        finalizers: String,
    },
    /// Deleted objects do not go away.
    #[error(
        "{object} is still in the source cluster {seconds} s after it was deleted; finalizers: \
         {finalizers}"
    )]
    NotGone {
        /// The object.
        object: ObjectId,
        /// Duration of the wait.
        seconds: u64,
        /// The finalizers that hold it.
        finalizers: String,
    },
    /// Some objects could not be deleted; all others are gone.
    #[error(
        "{objects} could not be deleted{}; all others are gone from the source. The first: {first}",
        of(clusters)
    )]
    Held {
        /// The Clusters that they belong to.
        clusters: Vec<ObjectId>,
        /// Objects that could not be deleted, counted in words.
        objects: String,
        /// Error of the first of them.
        #[source]
        first: Box<PhaseError>,
    },
    /// Controllers cannot be held.
    #[error(
        "the controllers of the {side} could not be held within {seconds} s: the run still waits \
         for {waits_for}"
    )]
    NotHeld {
        /// The cluster.
        side: Role,
        /// The condition that has not come true.
        waits_for: String,
        /// Seconds for which the run has waited.
        seconds: u64,
    },
    /// A namespace of the target is in the way of itself.
    #[error("namespace {namespace} of the target cluster is still being deleted after {seconds} s")]
    NamespaceTerminating {
        /// The namespace.
        namespace: String,
        /// Duration of the wait.
        seconds: u64,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// This program has a bug.
    #[error("kubectl-pivot panicked, which is a bug: {0}")]
    Panicked(String),
    /// Another run may be active.
    #[error("this run lost its lock and stopped writing at once")]
    LockLost,
    /// The phase of the run could not be written down.
    #[error(transparent)]
    Advance(#[from] Box<AdvanceError>),
    /// The lock could not be read, taken or removed.
    #[error(transparent)]
    Lock(#[from] Box<LockError>),
    /// A file could not be read or written.
    #[error("cannot {action} {path}")]
    File {
        /// `read`, `write` and the like.
        action: &'static str,
        /// The file or directory.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file of a backup is not what its manifest says.
    #[error("{path}: {problem}")]
    BadBackup {
        /// The file or directory.
        path: String,
        /// The problem.
        problem: String,
    },
    /// A backup is encrypted, and no identity was given.
    #[error("{path} is encrypted; reading it needs an identity")]
    Encrypted {
        /// The directory.
        path: String,
        /// The public keys that it is encrypted to.
        recipients: Vec<String>,
    },
    /// A file of a backup cannot be decrypted.
    #[error("cannot decrypt {path}: {problem}")]
    NotDecrypted {
        /// The file.
        path: String,
        /// The reason.
        problem: String,
        /// The public keys that it is encrypted to.
        recipients: Vec<String>,
    },
    /// The backup that a move makes before it copies could not be written.
    #[error("cannot write the backup")]
    Backup(#[source] Box<PhaseError>),
    /// A file does not hold what it should.
    #[error("{path}: {problem}")]
    BadFile {
        /// The file or directory.
        path: String,
        /// The problem.
        problem: String,
    },
}

/// The work that a resume has left undone when it ends without a change.
pub(super) const MOVE_AGAIN: &str = "check the move again";
pub(super) const BATCH_AGAIN: &str = "check the batch in flight again";

/// Clusters that are named one by one.
const NAMED: usize = 5;

fn of(clusters: &[ObjectId]) -> String {
    let names: Vec<String> = clusters.iter().take(NAMED).map(ToString::to_string).collect();
    match clusters.len() - names.len() {
        _ if names.is_empty() => String::new(),
        0 => format!(", of {}", names.join(", ")),
        others => format!(", of {} and {others} others", names.join(", ")),
    }
}

impl From<ApiError> for PhaseError {
    fn from(error: ApiError) -> Self {
        if error.is_lock_lost() { Self::LockLost } else { Self::Api(error) }
    }
}

impl PhaseError {
    /// Returns whether it is about the objects of the two clusters, and trying again does not help.
    pub(super) fn is_about_objects(&self) -> bool {
        matches!(
            self,
            Self::Late { .. }
                | Self::OriginalGone { .. }
                | Self::CopyActive { .. }
                | Self::CopyDiffers { .. }
                | Self::ConversionLoss { .. }
                | Self::CopyMissing { .. }
                | Self::StatusNotKept { .. }
                | Self::CameBack { .. }
                | Self::SourceActive { .. }
                | Self::SourceChanged { .. }
                | Self::PauseUnmarked { .. }
        )
    }

    /// Returns whether an object is the matter with it, and others can be deleted nevertheless.
    pub(super) fn is_of_one_object(&self) -> bool {
        match self {
            Self::SourceChanged { .. } | Self::FinalizerReturned { .. } => true,
            Self::Api(error) => {
                matches!(error.code(), Some(400 | 403 | 409 | 422))
                    || error.is_refused_by_admission()
            }
            _ => false,
        }
    }

    /// Returns whether a request that it comes from may still be carried out.
    pub(super) fn is_ambiguous(&self) -> bool {
        match self {
            Self::Api(error) => error.is_ambiguous(),
            // Of the others nothing is known; a panic forgets the requests that are under way.
            Self::Several { .. } | Self::Panicked(_) => true,
            _ => false,
        }
    }

    /// Returns the next step for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Api(error) => error.hint(),
            Self::Several { source, .. } => source.hint(),
            Self::Cycle(_) => {
                "break the cycle by removing one of these owner references".to_owned()
            }
            Self::Blocked { object, .. } => format!(
                "find out which controller has set this annotation on {object} and why, or wait \
                 longer with --block-move-timeout"
            ),
            Self::Busy { object, .. } => format!(
                "read the logs of the controller of {object}, or wait longer with --pause-timeout"
            ),
            Self::Restless { .. } => "find out what creates these objects in the source, and stop \
                                      it"
            .to_owned(),
            Self::Foreign { object } => {
                format!(
                    "compare {object} in both clusters; delete or rename the one that is not wanted"
                )
            }
            Self::CopyDiffers { object, .. }
            | Self::CopyMissing { object }
            | Self::CopyStays { object } => format!(
                "find out what changes {object} in the target (a webhook, a controller, another \
                 move)"
            ),
            Self::StatusNotKept { object, .. } => format!(
                "compare the CRD of {object} in both clusters: the target's has to have this field \
                 and keep its values"
            ),
            Self::ConversionLoss { object, path } => conversion::hint(&object.kind, path),
            Self::NotAvailable { object, .. } => format!(
                "look at its conditions in the target: kubectl describe cluster {} -n {}; once it \
                 is Available, run the command again: it moves the rest",
                object.name,
                object.namespace.as_deref().unwrap_or_default()
            ),
            Self::Late { object } => format!(
                "find out what created {object} although its Cluster is paused, and delete it in \
                 the source"
            ),
            Self::NoLedger => {
                "finish the move with `kubectl pivot resume`: it compares each copy with its \
                 source instead"
                    .to_owned()
            }
            Self::TargetReset => "check the kubeconfigs; if the target is lost, `kubectl pivot \
                                  rollback --target-is-gone` resumes the source"
                .to_owned(),
            Self::GoneOn(_) => {
                "make the same change in the source for each of them, or undo it in the target"
                    .to_owned()
            }
            Self::CopyChanged { object } => format!(
                "make the change of {object} in the source too, if it is wanted; in the target, \
                 undo a change of its spec. The next rollback deletes it there"
            ),
            Self::SourceChanged { object } => {
                format!(
                    "find out what still writes to {object} although its Cluster is paused; if the \
                     annotation {PAUSED_BY_ANNOTATION} was changed, remove it and resume {object}; \
                     if deletions have started, repeat a wanted change in the target"
                )
            }
            Self::PauseUnmarked { object } => format!(
                "look at {object}: if the pause is not yours, end it by hand (spec.paused of a \
                 Cluster, the annotation {PAUSED_ANNOTATION} of all else); find out what took the \
                 mark off"
            ),
            Self::LastCopiesGone { first, .. } => format!(
                "leave the target paused, since its controllers would create new machines for the \
                 missing objects; restore the backup of the move into a new cluster with `kubectl \
                 pivot restore`, or find out who deleted {first}"
            ),
            Self::OriginalGone { object } => {
                format!("find out who deleted {object}, and check both clusters")
            }
            Self::SourceActive { object } | Self::CopyActive { object } => format!(
                "find out who resumes {object} (Argo CD, Flux, a person), suspend that until the \
                 move has ended, and pause it again"
            ),
            Self::StillPaused { side, .. } => format!(
                "find out what answers in place of the {side}'s API server (a proxy, a cache); \
                 then finish the move with `kubectl pivot resume`"
            ),
            Self::CameBack { object } => format!(
                "suspend the tool that creates {object} (Argo CD, Flux, a pipeline); then pause it \
                 in the source, remove its finalizers and delete it there, since the target has it \
                 now"
            ),
            Self::Vanished { .. } => {
                "find out who deleted or moved it, and check both clusters".to_owned()
            }
            Self::Unmovable(findings) => {
                findings.0.first().map_or_else(String::new, |first| first.hint.clone())
            }
            Self::FinalizerReturned { object, .. } => format!(
                "this controller ignores the pause, and would destroy the infrastructure of \
                 {object}: stop it in the source, for example by scaling its Deployment to 0 if \
                 the source needs none of its webhooks"
            ),
            Self::NotGone { object, .. } => {
                format!(
                    "find out which controller puts the finalizers on {object} again, and stop it"
                )
            }
            Self::Held { first, .. } => first.hint(),
            Self::NamespaceTerminating { namespace, .. } => format!(
                "its conditions name what blocks it: kubectl get namespace {namespace} -o yaml"
            ),
            Self::NotHeld { .. } => "look at its pods and their events, or use \
                                     --hold-controllers=never"
                .to_owned(),
            Self::LockLost => {
                "`kubectl pivot status` shows who has the lock and how far the run is".to_owned()
            }
            Self::Advance(error) => match error.as_ref() {
                AdvanceError::Lock(error) => error.hint(),
                AdvanceError::Illegal(_) => {
                    "this is a bug: please report it with the report of the run".to_owned()
                }
            },
            Self::Lock(error) => error.hint(),
            Self::Panicked(_) => {
                "please report this bug with the report of the run; KUBECTL_PIVOT_LOG=error prints \
                 where it is"
                    .to_owned()
            }
            Self::Interrupted => "nothing failed; a signal stopped the run".to_owned(),
            Self::File { .. } => "check permissions and free space".to_owned(),
            Self::BadBackup { .. } => "use another copy of this backup; a directory that was \
                                       changed on purpose, or comes from clusterctl, can be read \
                                       with `kubectl pivot move --from-directory`, which checks \
                                       less"
                .to_owned(),
            Self::Encrypted { recipients, .. } | Self::NotDecrypted { recipients, .. } => format!(
                "name the file of the identity of one of its recipients with --identity: {}",
                recipients.join(", ")
            ),
            Self::Backup(_) => "check permissions and free space, choose another folder with \
                                --backup-dir, or leave the backup out with --no-backup"
                .to_owned(),
            Self::BadFile { .. } => {
                "check that this is a directory written by `move --to-directory`".to_owned()
            }
        }
    }
}

/// Ends of a move that did not succeed, by the state that each leaves behind.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A cluster could not be read, before anything was changed.
    #[error("{}; nothing was changed", reason(.0, "cannot prepare the run"))]
    Unprepared(#[source] PhaseError),
    /// Problems were found before anything was changed.
    #[error("refused; nothing was changed: {}", .0.summary())]
    Refused(Findings),
    /// Readiness probes do not hold; nothing was changed.
    #[error("not ready; nothing was changed: {}", sentences(.0))]
    NotReady(Vec<ProbeResult>),
    /// The user leaves out a probe that does not exist; nothing was changed.
    #[error(transparent)]
    UnknownProbe(#[from] UnknownProbe),
    /// Another run has the lock, or was interrupted; nothing was changed.
    #[error(transparent)]
    Locked(Box<LockError>),
    /// No run was found that could be resumed or rolled back.
    #[error("{0}")]
    NoRun(String),
    /// The user does not want to take the interrupted run over.
    #[error("not confirmed; nothing was changed")]
    NotConfirmed,
    /// The run is past the point up to which it can be put back.
    #[error("the {} {} is past its point of no return ({phase}), and cannot be rolled back",
        record.operation, record.run)]
    TooLate {
        /// The record of the run.
        record: Box<Record>,
        /// Progress of the run.
        phase: Phase,
    },
    /// A rollback of the run has begun, and only a rollback continues it.
    #[error("the {} {} is being rolled back, and cannot be resumed", .0.operation, .0.run)]
    BeingUndone(Box<Record>),
    /// The old objects of a replacement cannot be deleted: the clusters are not as they were.
    #[error("cannot delete what was left: {source}; nothing was deleted")]
    NotDeleted {
        /// The difference.
        #[source]
        source: PhaseError,
    },
    /// A replacement cannot be rolled back: its target continues.
    #[error("cannot roll back: {}, and the target continues: {source}", no_return(source))]
    NoReturn {
        /// The changes.
        #[source]
        source: PhaseError,
    },
    /// The other cluster of the run is said to be gone, and the run is not ended without it.
    #[error("cannot end the move {} with its {} alone: {problem}", record.run, record.role)]
    NotAlone {
        /// The record of the run.
        record: Box<Record>,
        /// The cause.
        problem: String,
        /// The next step.
        hint: String,
    },
    /// There is no record of a run, and its marks do not suffice to put it back.
    #[error("{problem}")]
    MarksDoNotSuffice {
        /// The cause.
        problem: String,
        /// The next step.
        hint: &'static str,
    },
    /// The run is not a move, and is not resumed in this way.
    #[error("the {} {} ({}) was interrupted while it was {}", .0.operation, .0.run, .0.started,
        .0.phase)]
    OfFiles(Box<Record>),
    /// The lock was lost on the way.
    #[error("lost the lock while trying to {doing}; stopped without rolling back")]
    LockLost {
        /// Work of the move when it failed.
        doing: &'static str,
        /// The cause.
        #[source]
        source: PhaseError,
    },
    /// It failed before the source was touched for good, and everything was rolled back.
    #[error("{}; everything was rolled back", reason(source, &format!("failed to {doing}")))]
    Undone {
        /// Work of the move when it failed.
        doing: &'static str,
        /// The cause.
        #[source]
        source: PhaseError,
    },
    /// A batch failed and was put back, or has not begun; others have moved before it.
    #[error(
        "failed to {doing} in batch {batch}, and nothing of this batch has moved; {moved} Clusters \
         have moved before it, {left} are in the source as before"
    )]
    PartlyMoved {
        /// Clusters that the target has.
        moved: u32,
        /// Clusters that the source has.
        left: u32,
        /// Number of the batch, and of all.
        batch: Box<str>,
        /// The work that failed.
        doing: &'static str,
        /// The cause.
        #[source]
        source: PhaseError,
    },
    /// It failed before the source was touched for good, and putting things back failed too.
    #[error("failed to {doing}, and the rollback failed too: {undo}")]
    HalfUndone {
        /// Work of the move when it failed.
        doing: &'static str,
        /// Error of the rollback.
        undo: String,
        /// Error of the move.
        #[source]
        source: PhaseError,
    },
    /// It failed where it is not put back: after the commit, or when it was only resumed.
    #[error("failed to {doing}; the move is interrupted, and can be resumed")]
    Unfinished {
        /// Work of the move when it failed.
        doing: &'static str,
        /// The cause.
        #[source]
        source: PhaseError,
    },
}

/// The reason of an end: a wish of the user is not a failure.
fn reason(source: &PhaseError, failure: &str) -> String {
    match source {
        PhaseError::Interrupted => "interrupted".to_owned(),
        _ => failure.to_owned(),
    }
}

fn no_return(source: &PhaseError) -> &'static str {
    match source {
        PhaseError::GoneOn(_) | PhaseError::CopyChanged { .. } => {
            "the target has changed since it took over"
        }
        _ => "the target could not be compared with its source",
    }
}

impl MoveError {
    /// Returns whether the user's wish to stop was all that happened.
    pub fn is_interruption(&self) -> bool {
        match self {
            Self::Undone { source: PhaseError::Interrupted, .. }
            | Self::NotDeleted { source: PhaseError::Interrupted }
            | Self::PartlyMoved { source: PhaseError::Interrupted, .. }
            | Self::Unprepared(PhaseError::Interrupted)
            | Self::Unfinished {
                doing: MOVE_AGAIN | BATCH_AGAIN,
                source: PhaseError::Interrupted,
            } => true,
            Self::Locked(error) => matches!(**error, LockError::Stopped),
            _ => false,
        }
    }

    /// Returns the next step for the user when a run of this kind has failed.
    pub fn hint_of(&self, operation: Operation) -> String {
        let rollback = "run `kubectl pivot rollback` with the kubeconfig of this cluster";
        match (self, operation) {
            (Self::HalfUndone { source, .. }, Operation::Backup | Operation::Restore) => {
                format!("{}; then {rollback}", source.hint())
            }
            (Self::Unfinished { source, .. }, Operation::Restore) => {
                format!(
                    "{}; then run the command again, which continues the restore",
                    source.hint()
                )
            }
            _ => self.hint(),
        }
    }

    /// Returns the next step for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Unprepared(PhaseError::Interrupted)
            | Self::Undone { source: PhaseError::Interrupted, .. } => {
                "run the command again to start over".to_owned()
            }
            Self::Unprepared(source) | Self::Undone { source, .. } => {
                format!("{}; then run the command again", source.hint())
            }
            Self::PartlyMoved { source, .. } => format!(
                "{}; then run the command again, which moves the rest. What has moved goes back \
                 with a move in the other direction and --cluster",
                source.hint()
            ),
            Self::Refused(_) => "fix the errors listed above, then run the command again; \
                                 --dry-run lists them at any time"
                .to_owned(),
            Self::NotReady(probes) => {
                format!(
                    "fix the condition they wait for, then run the command again; or leave them \
                     out with --skip-probes {}",
                    names(probes)
                )
            }
            Self::UnknownProbe(error) => error.hint(),
            Self::Locked(error) => error.hint(),
            Self::NotConfirmed => "`kubectl pivot status` shows the runs in both clusters; --yes \
                                   takes the run over without a question"
                .to_owned(),
            Self::NoRun(_) => "`kubectl pivot status` shows the runs in both clusters".to_owned(),
            Self::OfFiles(record) => of_files(record),
            Self::NotDeleted { source: PhaseError::SourceChanged { object } } => format!(
                "make the same change of {object} in the target, or undo it in the source; then \
                 run the command again"
            ),
            Self::NotDeleted { source } => {
                format!("{}; then run the command again", source.hint())
            }
            Self::NoReturn { source } => {
                format!(
                    "{}; then run the command again. The source stays paused meanwhile",
                    source.hint()
                )
            }
            Self::NotAlone { hint, .. } => hint.clone(),
            Self::MarksDoNotSuffice { hint, .. } => (*hint).to_owned(),
            Self::BeingUndone(record) if record.operation != Operation::Move => of_files(record),
            Self::BeingUndone(_) => {
                "finish the rollback with `kubectl pivot rollback`; then the objects can be moved \
                 again"
                    .to_owned()
            }
            Self::TooLate { record, .. } if record.operation != Operation::Move => of_files(record),
            Self::TooLate { .. } => {
                "finish it with `kubectl pivot resume`; then another move can bring the objects \
                 back"
                    .to_owned()
            }
            Self::LockLost { source, .. } => source.hint(),
            Self::HalfUndone { source: source @ PhaseError::NoLedger, .. } => source.hint(),
            Self::HalfUndone { source, .. } => {
                format!("{}; then `kubectl pivot rollback`", source.hint())
            }
            Self::Unfinished {
                doing: MOVE_AGAIN | BATCH_AGAIN,
                source: PhaseError::Interrupted,
            } => "continue with `kubectl pivot resume`, or put back what is in flight with \
                  `kubectl pivot rollback`"
                .to_owned(),
            // Only before the copies are complete.
            Self::Unfinished { source: source @ PhaseError::Unmovable(_), .. } => format!(
                "{}; then `kubectl pivot resume`. Or `kubectl pivot rollback`, which puts back \
                 what is in flight and ends the run",
                source.hint()
            ),
            Self::Unfinished { source, .. } => {
                format!(
                    "{}; then `kubectl pivot resume`. Do not delete anything in the target",
                    source.hint()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resume_that_is_interrupted_while_it_checks_leaves_the_run_to_resume_or_roll_back() {
        let unfinished = |doing| MoveError::Unfinished { doing, source: PhaseError::Interrupted };
        for doing in [MOVE_AGAIN, BATCH_AGAIN] {
            let error = unfinished(doing);
            assert!(error.is_interruption());
            assert!(error.hint().contains("pivot resume`, or"), "{}", error.hint());
            assert!(error.hint().contains("pivot rollback`"), "{}", error.hint());
            assert!(error.to_string().ends_with("is interrupted, and can be resumed"), "{error}");
        }
        assert!(!unfinished("delete").is_interruption());
    }
}
