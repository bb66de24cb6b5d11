//! The file of a deletion's folder that says what the deletion is about.

use std::path::PathBuf;

use capi::Object;
use serde::{Deserialize, Serialize};

use crate::context::Turn;
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
    pub(super) fn new(turn: &Turn<'_>, server: &str, cluster: &Object) -> Self {
        let spec = turn.spec();
        Self {
            namespace: spec.namespace.clone(),
            bootstrap: spec.bootstrap,
            bootstrap_name: spec.bootstrap_name.clone(),
            bootstrap_kubeconfig: spec.bootstrap_kubeconfig.path.clone(),
            server: server.to_owned(),
            uid: cluster.uid().to_owned(),
        }
    }

    pub(super) fn read(turn: &Turn<'_>) -> Result<Option<Self>, StepError> {
        let file = turn.folder().file(FILE);
        let Ok(text) = std::fs::read(&file) else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            StepError::refused(
                format!("cannot read {}: {error}", file.display()),
                format!(
                    "if nothing of this deletion is left: kubectl pivot delete {} --forget",
                    turn.spec().name
                ),
            )
        })
    }

    pub(super) fn write(&self, turn: &Turn<'_>) -> Result<(), StepError> {
        let text = serde_json::to_vec(self).unwrap_or_default();
        turn.folder().write(FILE, text)?;
        Ok(())
    }

    /// Returns true if it is about the same namespace, by way of the same bootstrap cluster.
    pub(super) fn is_the_way_of(&self, turn: &Turn<'_>) -> bool {
        let spec = turn.spec();
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
pub(super) fn refuse_another_way(turn: &Turn<'_>) -> Result<(), StepError> {
    let has_moved = *turn.folder().state()?.of(Step::Move) != StepState::Waiting;
    if !claim::is_staked(turn.folder()) && !has_moved {
        return Ok(());
    }
    match Begun::read(turn)? {
        Some(begun) if !begun.is_the_way_of(turn) => Err(StepError::refused(
            "this deletion was begun with other flags",
            format!("carry it on with {}", begun.flags()),
        )),
        _ => Ok(()),
    }
}
