//! kind: lists, makes and deletes bootstrap clusters.

use std::path::{Path, PathBuf};

use tools::{KnownTool, Tool, ToolCommand, Toolbox};

use crate::error::StepError;
use crate::order::Step;
use crate::store::RunFolder;

/// The program kind, with the log of a step of a run.
pub(crate) struct Kind<'a> {
    tool: Tool,
    toolbox: &'a Toolbox,
    log: PathBuf,
}

impl<'a> Kind<'a> {
    pub(crate) async fn find(
        toolbox: &'a Toolbox,
        folder: &RunFolder,
        step: Step,
    ) -> Result<Self, StepError> {
        let tool = toolbox.find(KnownTool::Kind).await?;
        Ok(Self { tool, toolbox, log: folder.log(step.name()) })
    }

    /// Returns true if there is a cluster of this name, whether it works or not.
    pub(crate) async fn has(&self, name: &str) -> Result<bool, StepError> {
        let listed = self.run(ToolCommand::new(["get", "clusters"]).keep_stdout()).await?;
        Ok(listed.lines().any(|line| line.trim() == name))
    }

    /// Returns the kubeconfig of a cluster; none while it is half made.
    pub(crate) async fn kubeconfig(&self, name: &str) -> Result<Option<String>, StepError> {
        let command = ToolCommand::new(["get", "kubeconfig"]).flag("--name", name).keep_stdout();
        match self.run(command).await {
            Ok(kubeconfig) => Ok(Some(kubeconfig)),
            Err(error) if error.is_interruption() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Deletes a cluster. kind would take its context out of the user's kubeconfig, where it never
    /// was, so it is given another file.
    pub(crate) async fn delete(&self, name: &str, kubeconfig: &Path) -> Result<(), StepError> {
        let command = ToolCommand::new(["delete", "cluster"])
            .flag("--name", name)
            .flag("--kubeconfig", kubeconfig);
        self.run(command).await.map(drop)
    }

    /// Runs it, and returns what it prints.
    pub(crate) async fn run(&self, command: ToolCommand) -> Result<String, StepError> {
        let output = self.tool.run(&command.log_to(self.log.clone()), self.toolbox).await?;
        Ok(output.stdout)
    }
}
