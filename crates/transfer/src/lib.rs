//! The move: one file for each phase, and the order that makes them a transaction.
//!
//! [`plan`] finds out what would happen and writes nothing; [`execute`] carries the plan out.
//! Phases: preflight, pause (and discover again), quiesce, copy, verify, hand over, delete, resume.
//! A failure up to verify is undone. Nothing here prints, and nothing is kept in local files.

#![deny(clippy::indexing_slicing)]

mod acceptance;
mod admission_rules;
mod alone;
mod available;
mod batches;
#[cfg(test)]
mod check_again_tests;
mod choice;
mod classes;
mod compare;
mod controllers;
mod conversion;
mod copy;
mod delete;
mod directory;
mod discover;
mod entry;
mod error;
mod exposure;
mod findings;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod hand_over;
mod held;
mod hold;
mod hold_left;
mod in_batches;
mod inventory;
mod kinds;
mod knowledge;
mod lease_location;
mod ledger;
mod lock;
mod marks;
mod mover;
mod namespaces;
mod operations;
mod options;
mod own_pause;
#[cfg(test)]
mod panic_tests;
mod pause;
mod precondition;
mod preflight;
mod quiesce;
mod rbac;
mod readiness;
mod record;
mod recover;
mod replacement;
mod report;
mod reserved;
mod resumed;
mod returning;
mod run;
mod running_providers;
mod sides;
mod take_over;
mod undo;
mod units;
mod unlabelled;
mod unrecorded;
mod verify;

pub use acceptance::{Acceptance, Check, Waiting};
pub use alone::Gone;
pub use batches::Batches;
pub use choice::{Choice, ClusterPattern, Wish};
pub use conversion::{AcceptedLoss, ConvertedField, ConvertedKind};
pub use directory::{
    Contents, Destination, Encryption, EncryptionError, Identities, LoadPlan, MANIFEST, Manifest,
    Recipients, SavedObject, inspect,
};
pub use entry::{
    accept, execute, find, hold_left, installed_providers, load, look_once, marks, own_replacement,
    plan, plan_load, plan_save, plan_units, resume, resume_without_source, rollback,
    rollback_from_marks, rollback_without, save,
};
pub use error::{MoveError, PhaseError};
pub use findings::{Finding, Findings, Severity};
pub use inventory::Provider as InstalledProvider;
pub use knowledge::Learned;
pub use lock::{Holder, Lease, LeaseState, LockError};
pub use marks::{Mark, Marks, Unread};
pub use operations::{Action, ObjectOperation, Precondition};
pub use options::{
    Existing, HoldControllers, KindSelector, MoveOptions, Namespaces, ProbeOptions, Rehearsal,
    Unheld,
};
pub use preflight::{Preflight, RelatedObject};
pub use rbac::{Subject, rbac};
pub use readiness::{Probes, Unprobed};
pub use record::{Operation, Phase, Record, Role};
pub use recover::Found;
pub use report::{BatchCourse, BatchState, Explained, Failure, Outcome, PhaseTime, Report};
pub use run::{Run, Stop};
pub use sides::paused_before;
pub use sides::{ClusterState, Sides};
pub use take_over::{Interruption, TakeOver};
pub use units::{MovePlan, PlannedCluster, PlannedFate, SharedObjects, Unit};
