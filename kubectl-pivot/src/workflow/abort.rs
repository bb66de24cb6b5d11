//! Taking back a run: what it has created and what holds nothing.

use super::context::Workflow;
use super::document::Bootstrap;
use super::error::{StepError, WorkflowError};
use super::order::Step;
use super::steps::{clusters_left, delete_kind_cluster, is_gone};
use super::support::mark;
use crate::journal::Events;
use crate::tools::KnownTool;

/// The clusters and files that an abort would remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftovers {
    /// Name of the run.
    pub name: String,
    /// The kind cluster of the run, if it is there.
    pub kind_cluster: Option<String>,
    /// Folder of the run.
    pub folder: std::path::PathBuf,
}

impl Workflow {
    /// Returns the leftovers of the run. Changes nothing.
    ///
    /// # Errors
    /// The bootstrap cluster holds Clusters, is not this run's, or cannot be read.
    pub async fn leftovers(&self) -> Result<Leftovers, WorkflowError> {
        self.look().await.map_err(|source| self.failed(source))
    }

    async fn look(&self) -> Result<Leftovers, StepError> {
        let turn = self.at(Step::DeleteBootstrap, Events::none());
        let mut leftovers = Leftovers {
            name: self.spec.name.clone(),
            kind_cluster: None,
            folder: self.folder.file(""),
        };
        let is_untouched = !turn.folder().file("bootstrap.begun").exists();
        if self.spec.bootstrap == Bootstrap::Existing || is_untouched || is_gone(&turn).await? {
            return Ok(leftovers);
        }
        // A cluster that does not answer was not finished, and holds nothing.
        let name = &self.spec.bootstrap_name;
        if self.folder.state()?.of(Step::Bootstrap).is_done() {
            let left = clusters_left(&turn.bootstrap().await?).await?;
            if !left.is_empty() {
                return Err(StepError::refused(
                    format!("the bootstrap cluster `{name}` holds {}", left.join(", ")),
                    "delete them first, so that their machines go too (kubectl delete cluster), or \
                     finish the run with `kubectl pivot resume`",
                ));
            }
        }
        leftovers.kind_cluster = Some(name.clone());
        Ok(leftovers)
    }

    /// Removes them, and forgets the run.
    ///
    /// # Errors
    /// A program or request fails; what is left can be aborted again.
    pub async fn abort(self, leftovers: &Leftovers) -> Result<(), WorkflowError> {
        self.remove(leftovers).await.map_err(|source| self.failed(source))?;
        self.folder.remove()?;
        Ok(())
    }

    async fn remove(&self, leftovers: &Leftovers) -> Result<(), StepError> {
        let turn = self.at(Step::DeleteBootstrap, self.events.clone());
        if let Some(name) = &leftovers.kind_cluster {
            let kind = turn.tool(KnownTool::Kind).await?;
            delete_kind_cluster(&turn, &kind, name).await?;
        }
        if self.spec.bootstrap == Bootstrap::Existing {
            mark::remove(&turn.bootstrap().await?, &self.spec.name).await?;
        }
        Ok(())
    }

    fn failed(&self, source: StepError) -> WorkflowError {
        WorkflowError::Step {
            name: self.spec.name.clone(),
            step: Step::DeleteBootstrap,
            inspection: Vec::new(),
            source: Box::new(source),
        }
    }
}
