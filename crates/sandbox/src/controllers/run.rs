//! The processes of the controllers.

use crate::error::{ControlPlaneError, FileError};
use crate::process::Process;

/// A process, and what users call it.
#[derive(Debug)]
pub(crate) struct Controller {
    /// For example `core-manager`.
    pub(super) name: String,
    /// The cluster that it works for; `None` for one that works for all.
    pub(super) cluster: Option<String>,
    /// The process.
    pub(super) process: Process,
}

/// All controllers of a sandbox. Dropping it kills them.
#[derive(Debug, Default)]
pub(crate) struct Controllers(pub(super) Vec<Controller>);

impl Controllers {
    /// Name, cluster and process id of each.
    pub(crate) fn list(&self) -> impl Iterator<Item = (&str, Option<&str>, &Process)> {
        self.0.iter().map(|one| (one.name.as_str(), one.cluster.as_deref(), &one.process))
    }

    /// Lets them run on when this program ends.
    pub(crate) fn detach(self) -> Result<(), ControlPlaneError> {
        for controller in self.0 {
            let log = controller.process.log().to_owned();
            controller.process.detach().map_err(FileError::of("detach", log))?;
        }
        Ok(())
    }
}
