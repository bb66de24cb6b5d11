//! One archive with everything that may explain a failure: the journal and logs of the run, and of
//! both clusters objects, events, records of moves and the logs of controllers.
//!
//! It is made to be handed to somebody else, after a look through it: kubeconfigs and Secrets are
//! left out, and known secrets and what looks like one are taken out of the rest.

mod archive;
mod logs;
mod machine;
mod objects;
mod scope;
mod scrub;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cluster::KubeconfigRef;
use support::journal::Events;
use support::yaml;
use tools::Toolbox;
use transfer::Stop;

use crate::context::{BOOTSTRAP_KUBECONFIG, TARGET_KUBECONFIG, Workflow};
use crate::document::DEFAULT_NAMESPACE;
use crate::error::StepError;
use crate::order::Step;
use crate::store::{StoreError, kept_run};
use crate::support::inspect;

use archive::Archive;

/// Limit of the look at one cluster.
const CLUSTER_TIMEOUT: Duration = Duration::from_secs(60);
/// The archive that a failed run leaves in its folder.
const FILE: &str = "diagnosis.tar.gz";
/// Files of the folder of a run that go into the archive as they are, but for secrets.
const FILES: [&str; 5] = ["pivot.yaml", "journal.jsonl", KIND, "providers.json", "deletion.json"];
/// The configuration of kind, which has what the user wrote for the runtime of containers.
const KIND: &str = "kind.yaml";
/// An archive takes some time: the user should know for what he waits.
const COLLECTS: &str =
    "collecting objects, events and logs of both clusters (Ctrl-C leaves it out)";

/// The places of a run.
#[derive(Clone, Debug)]
struct Places {
    folder: PathBuf,
    clusters: [(&'static str, KubeconfigRef); 2],
    /// Namespace of the Cluster.
    namespace: String,
}

impl Workflow {
    /// The answers of the clusters about a failure. A user who wants to stop gets no more of it.
    pub(super) async fn explain(&self, step: Step, failure: &StepError) -> Vec<String> {
        let mut lines = failure.details();
        if failure.is_interruption() {
            return lines;
        }
        let looks = async {
            lines.extend(inspect::inspect(self, step).await);
            lines.extend(self.diagnose(step).await);
        };
        // Not the token of the steps: the failure has cancelled that one.
        unless_stopped(&self.stop, looks).await;
        lines
    }

    /// Leaves an archive in the folder of the run after a failure, if that can be done, and says
    /// where it is.
    async fn diagnose(&self, failed: Step) -> Option<String> {
        // Nothing was created.
        if failed == Step::Preflight {
            return None;
        }
        let step_context = self.at(failed, Events::none());
        let file = self.folder.file(FILE);
        let places = Places {
            folder: self.folder.file(""),
            clusters: step_context.clusters(),
            namespace: self.spec.namespace.clone(),
        };
        self.events.note(COLLECTS);
        collect(&places, &self.toolbox).await.write(&file).ok()?;
        Some(format!(
            "objects, events and logs of both clusters; known secrets are taken out, look through \
             it before you hand it on, it may not be without secrets: {}",
            file.display()
        ))
    }
}

/// Waits for something, until the user wants to stop.
async fn unless_stopped(stop: &Stop, what: impl Future<Output = ()>) {
    tokio::select! {
        () = what => {}
        () = stop.token().cancelled() => {}
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
    let namespace = document.metadata.namespace.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
    let archive = collect(&Places { folder, clusters, namespace }, toolbox).await;
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
        let added = objects::add(&mut archive, name, kubeconfig, &places.namespace);
        if tokio::time::timeout(CLUSTER_TIMEOUT, added).await.is_err() {
            let seconds = CLUSTER_TIMEOUT.as_secs();
            archive.add(&format!("{name}/incomplete.txt"), &format!("stopped after {seconds} s\n"));
        }
    }
    archive
}

fn add_run(archive: &mut Archive, folder: &Path) {
    for name in FILES {
        let Ok(text) = std::fs::read_to_string(folder.join(name)) else { continue };
        let text = if name == KIND { without_patches(&text) } else { Some(text) };
        if let Some(text) = text {
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

/// Nothing of a text that cannot be read.
fn without_patches(text: &str) -> Option<String> {
    let documents = yaml::documents(text).ok()?;
    let clean: Vec<_> = documents.into_iter().map(scrub::scrub).collect();
    Some(yaml::stream(&clean))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_of_the_runtime_are_not_in_the_archive() {
        let text =
            "kind: Cluster\ncontainerdConfigPatches:\n- |-\n  [x.auth]\n  key = \"hunter2\"\n";
        let clean = without_patches(text).expect("it is YAML");
        assert!(clean.contains("kind: Cluster") && !clean.contains("hunter2"), "{clean}");
        assert_eq!(without_patches("a: ["), None);
    }

    #[tokio::test]
    async fn who_stops_does_not_wait_for_a_diagnosis() {
        let stop = Stop::default();
        stop.request();
        unless_stopped(&stop, std::future::pending()).await;
        let mut is_done = false;
        unless_stopped(&Stop::default(), async { is_done = true }).await;
        assert!(is_done);
    }
}
