//! The file of a deletion's folder that says what the deletion is about.

use std::path::PathBuf;

use capi::Object;
use serde::{Deserialize, Serialize};

use crate::context::StepContext;
use crate::document::Bootstrap;
use crate::error::StepError;
use crate::order::Step;
use crate::store::StepState;
use crate::support::claim;

const FILE: &str = "deletion.json";

/// The subject of a deletion, and its bootstrap cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Begun {
    namespace: String,
    bootstrap: Bootstrap,
    bootstrap_name: String,
    bootstrap_kubeconfig: Option<PathBuf>,
    /// URL of the management cluster.
    pub(super) server: String,
    /// uid of the Cluster in it.
    pub(super) uid: String,
}

impl Begun {
    pub(super) fn new(step_context: &StepContext<'_>, server: &str, cluster: &Object) -> Self {
        let spec = step_context.spec();
        Self {
            namespace: spec.namespace.clone(),
            bootstrap: spec.bootstrap,
            bootstrap_name: spec.bootstrap_name.clone(),
            bootstrap_kubeconfig: spec.bootstrap_kubeconfig.path.clone(),
            server: server.to_owned(),
            uid: cluster.uid().to_owned(),
        }
    }

    pub(super) fn read(step_context: &StepContext<'_>) -> Result<Option<Self>, StepError> {
        let file = step_context.folder().file(FILE);
        let Ok(text) = std::fs::read(&file) else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            StepError::refused(
                format!("cannot read {}: {error}", file.display()),
                format!(
                    "if nothing of this deletion is left: kubectl pivot delete {} --forget",
                    step_context.spec().name
                ),
            )
        })
    }

    pub(super) fn write(&self, step_context: &StepContext<'_>) -> Result<(), StepError> {
        let text = serde_json::to_vec(self).unwrap_or_default();
        step_context.folder().write(FILE, text)?;
        Ok(())
    }

    /// Returns true if it is about the same namespace, by way of the same bootstrap cluster.
    pub(super) fn is_the_way_of(&self, step_context: &StepContext<'_>) -> bool {
        let spec = step_context.spec();
        let is_same_cluster = match self.bootstrap {
            Bootstrap::Kind => self.bootstrap_name == spec.bootstrap_name,
            Bootstrap::Existing => self.bootstrap_kubeconfig == spec.bootstrap_kubeconfig.path,
        };
        (&self.namespace, self.bootstrap) == (&spec.namespace, spec.bootstrap) && is_same_cluster
    }

    fn flags(&self) -> String {
        let path = self.bootstrap_kubeconfig.clone().unwrap_or_default();
        let bootstrap = match self.bootstrap {
            Bootstrap::Kind => format!("--bootstrap kind --bootstrap-name {}", self.bootstrap_name),
            Bootstrap::Existing => {
                format!("--bootstrap existing --bootstrap-kubeconfig {}", path.display())
            }
        };
        format!("--namespace {} {bootstrap}", self.namespace)
    }
}

/// A deletion that was begun with another bootstrap cluster, or of another namespace, has its
/// cluster there.
pub(super) fn refuse_another_way(step_context: &StepContext<'_>) -> Result<(), StepError> {
    let has_moved = *step_context.folder().state()?.of(Step::Move) != StepState::Waiting;
    if !claim::is_staked(step_context.folder()) && !has_moved {
        return Ok(());
    }
    match Begun::read(step_context)? {
        Some(begun) if !begun.is_the_way_of(step_context) => Err(StepError::refused(
            "this deletion was begun with other flags",
            format!("carry it on with {}", begun.flags()),
        )),
        _ => Ok(()),
    }
}
