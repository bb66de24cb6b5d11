//! Starting the relay's process.

use std::path::{Path, PathBuf};

use crate::controllers::manager::IN_MEMORY;
use crate::controllers::start::Management;
use crate::error::{ControlPlaneError, FileError};
use crate::launch::{death, wait_for};
use crate::process::Process;
use crate::young_server::CallError;
use own_files::private;

/// A relay that listens.
pub(in crate::controllers) struct Launched {
    /// The process.
    pub(in crate::controllers) process: Process,
    /// Leads to it.
    pub(in crate::controllers) kubeconfig: PathBuf,
}

/// Starts `program` as the relay between these clusters, and waits until it listens.
pub(in crate::controllers) async fn launch(
    program: &Path,
    dir: &Path,
    clusters: &[Management<'_>],
) -> Result<Launched, ControlPlaneError> {
    private::create_folder(dir).map_err(FileError::of("create", dir))?;
    let kubeconfig = dir.join("relay.kubeconfig");
    let mut args = vec!["sandbox".into(), "relay".into()];
    args.push(format!("--write-kubeconfig={}", kubeconfig.display()));
    for cluster in clusters {
        let leads_to = cluster.kubeconfig_of(&IN_MEMORY)?;
        args.push(format!("--cluster={}", leads_to.display()));
    }
    let log = dir.join("relay.log");
    let environment = [("KUBECTL_PIVOT_LOG", "kubectl_pivot=info".to_owned())];
    let spawned = Process::spawn(program, &args, &environment, &log);
    let mut process = spawned.map_err(|source| ControlPlaneError::Spawn {
        program: program.display().to_string(),
        source,
    })?;
    let is_there = || async {
        let there = kubeconfig.exists();
        there.then_some(()).ok_or_else(|| CallError("it does not listen yet".to_owned()))
    };
    let parts = &mut [&mut process];
    tokio::select! {
        listening = wait_for("the relay", &log, is_there) => listening?,
        error = death(parts) => return Err(error),
    }
    Ok(Launched { process, kubeconfig })
}
