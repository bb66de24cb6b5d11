//! `create`: from nothing to a management cluster that manages itself, one file for each step.
//!
//! Steps are a fixed list with dependencies ([`Step`]); independent ones overlap. Each ensures a
//! state, so running it twice is running it once, and `resume` is running all of them again: what
//! is in the clusters decides, and the journal of the run is for the report only. Nothing here
//! prints.

mod abort;
mod context;
mod diagnosis;
mod document;
mod engine;
mod error;
mod order;
mod outline;
mod removal;
mod spec;
mod steps;
mod store;
mod support;
mod user_kubeconfig;

pub use abort::{Abort, Leftovers};
pub use context::Workflow;
pub use diagnosis::diagnose;
#[cfg(fuzzing)]
pub use document::fuzzing;
pub use document::{
    API_VERSION, Bootstrap, CniVia, DEFAULT_NAMESPACE, DocumentError, KIND, PivotDocument,
    PivotMetadata, PivotSpec, chart_repository, cluster_name, kind_cluster_name,
    kubernetes_version, namespace_name, provider, read_document,
};
pub use engine::{Finished, run};
pub use error::{StepError, WorkflowError};
pub use order::Step;
pub use outline::{Outline, OutlineStep, outline};
pub use removal::{Prospect, prospect, removal_outline, remove};
pub use spec::{Spec, SpecError};
pub use store::{RunFolder, RunState, StepState, StoreError, kept_run, runs};
pub use user_kubeconfig::UserKubeconfigError;
