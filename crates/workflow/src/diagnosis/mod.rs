//! One archive with everything that may explain a failure: the journal and logs of the run, and of
//! both clusters objects, events, records of moves and the logs of controllers.
//!
//! It can be handed to somebody else: kubeconfigs and Secrets are left out, and what looks like a
//! secret is taken out of the rest.

mod archive;
mod logs;
mod machine;
mod objects;
mod scrub;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cluster::KubeconfigRef;
use support::journal::Events;
use tools::Toolbox;

use crate::context::{BOOTSTRAP_KUBECONFIG, TARGET_KUBECONFIG, Workflow};
use crate::order::Step;
use crate::store::{StoreError, kept_run};

use archive::Archive;

/// Limit of the look at one cluster.
const CLUSTER_TIMEOUT: Duration = Duration::from_secs(60);
/// The archive that a failed run leaves in its folder.
const FILE: &str = "diagnosis.tar.gz";
/// Files of the folder of a run that go into the archive as they are, but for secrets.
const FILES: [&str; 5] =
    ["pivot.yaml", "journal.jsonl", "kind.yaml", "providers.json", "deletion.json"];

/// The places of a run.
#[derive(Clone, Debug)]
struct Places {
    folder: PathBuf,
    clusters: [(&'static str, KubeconfigRef); 2],
}

impl Workflow {
    /// Leaves an archive in the folder of the run after a failure, if that can be done, and says
    /// where it is.
    pub(super) async fn diagnose(&self, failed: Step) -> Option<String> {
        // Nothing was created.
        if failed == Step::Preflight {
            return None;
        }
        let step_context = self.at(failed, Events::none());
        let file = self.folder.file(FILE);
        let places = Places { folder: self.folder.file(""), clusters: step_context.clusters() };
        collect(&places, &self.toolbox).await.write(&file).ok()?;
        Some(format!(
            "objects, events and logs of both clusters, without secrets: {}",
            file.display()
        ))
    }
}

/// Writes the archive of a run of this machine, while it works or after it.
///
/// # Errors
/// There is no such run, or the file cannot be written.
pub async fn diagnose(name: &str, file: &Path, toolbox: &Toolbox) -> Result<(), StoreError> {
    let (folder, document) = kept_run(name)?.ok_or_else(|| StoreError::Unknown(name.to_owned()))?;
    let spec = &document.spec;
    let bootstrap = spec.bootstrap_kubeconfig.clone();
    let target = spec.to_kubeconfig.clone();
    let kubeconfig = |given: Option<PathBuf>, name: &str| {
        KubeconfigRef::file(given.unwrap_or_else(|| folder.join(name)))
    };
    let clusters = [
        ("bootstrap", kubeconfig(bootstrap, BOOTSTRAP_KUBECONFIG)),
        ("target", kubeconfig(target, TARGET_KUBECONFIG)),
    ];
    let archive = collect(&Places { folder, clusters }, toolbox).await;
    archive
        .write(file)
        .map_err(|source| StoreError::File { path: file.to_owned(), source: source.into() })
}

async fn collect(places: &Places, toolbox: &Toolbox) -> Archive {
    let mut archive = Archive::new(toolbox.redactor.clone());
    archive.add("versions.txt", &machine::versions(toolbox).await);
    add_run(&mut archive, &places.folder);
    for (name, kubeconfig) in &places.clusters {
        if kubeconfig.path.as_ref().is_some_and(|path| !path.exists()) {
            archive.add(&format!("{name}/absent.txt"), "there is no kubeconfig of it\n");
            continue;
        }
        let looked =
            tokio::time::timeout(CLUSTER_TIMEOUT, objects::add(&mut archive, name, kubeconfig));
        if looked.await.is_err() {
            let seconds = CLUSTER_TIMEOUT.as_secs();
            archive.add(&format!("{name}/incomplete.txt"), &format!("stopped after {seconds} s\n"));
        }
    }
    archive
}

fn add_run(archive: &mut Archive, folder: &Path) {
    for name in FILES {
        if let Ok(text) = std::fs::read_to_string(folder.join(name)) {
            archive.add(&format!("run/{name}"), &text);
        }
    }
    let logs = std::fs::read_dir(folder.join("logs"));
    for entry in logs.into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Ok(text) = std::fs::read(entry.path()) {
            archive.add(&format!("run/logs/{name}"), &String::from_utf8_lossy(&text));
        }
    }
}
