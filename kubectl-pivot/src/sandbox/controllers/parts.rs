//! What controllers are made of: four programs and the manifests of their webhooks.

use std::io;
use std::path::{Path, PathBuf};

use super::super::error::PartsError;
use super::super::part::Part;
use super::super::parts::{PartsOptions, Search};
use super::manager::{IN_MEMORY, Manager, STATELESS};
use super::webhooks;
use crate::journal::Events;

/// How to run Cluster API's controllers in a sandbox.
#[derive(Clone, Debug)]
pub struct ControllersOptions {
    /// The `kubectl-pivot` program, whose hidden command `sandbox relay` is run beside them.
    pub program: PathBuf,
}

impl ControllersOptions {
    /// With the program that runs.
    ///
    /// # Errors
    /// The operating system does not tell its path.
    pub fn of_this_program() -> io::Result<Self> {
        Ok(Self { program: std::env::current_exe()? })
    }
}

/// Programs and manifests, found or built.
#[derive(Debug)]
pub(in crate::sandbox) struct ControllerParts {
    stateless: Vec<PathBuf>,
    in_memory: PathBuf,
    /// Folder with the webhook configurations.
    pub(super) webhooks: PathBuf,
}

impl ControllerParts {
    /// Finds everything, and builds what is missing: about three minutes the first time.
    pub(in crate::sandbox) async fn resolve(
        options: &PartsOptions,
        events: &Events,
    ) -> Result<Self, PartsError> {
        let mut stateless = Vec::new();
        for manager in &STATELESS {
            stateless.push(manager.part.resolve(options, events).await?);
        }
        Ok(Self {
            stateless,
            in_memory: Part::DevManager.resolve(options, events).await?,
            webhooks: webhooks::resolve(&Search::new(options)?, events).await?,
        })
    }

    /// The programs that each cluster has, with what is known of them.
    pub(super) fn stateless(&self) -> impl Iterator<Item = (&'static Manager, &Path)> {
        STATELESS.iter().zip(self.stateless.iter().map(PathBuf::as_path))
    }

    /// The program that all clusters share.
    pub(super) fn in_memory(&self) -> (&'static Manager, &Path) {
        (&IN_MEMORY, &self.in_memory)
    }
}
