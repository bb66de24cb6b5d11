//! Writing objects to files: for `backup`, for `--to-directory`, and before a move copies.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use capi::names::{
    DELETE_FOR_MOVE_ANNOTATION, PAUSED_ANNOTATION, PAUSED_BY_ANNOTATION, USER_PAUSED_ANNOTATION,
};
use capi::{Graph, Object, at, is_pausable, is_resumed_by_clusterctl};
use cluster::FIELD_MANAGER;

use super::files::{names, warn_if_not_own};
use super::manifest::{Encryption, Manifest, SavedObject};
use super::writer::Writer;
use crate::discover::MoveScope;
use crate::error::PhaseError;
use crate::own_pause::{annotation_of_pause, has_own_pause};
use crate::pause::{memory_of_false, paused_by};
use crate::run::Run;

/// The directory that objects are written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The directory.
    pub directory: PathBuf,
    /// True if it is a backup, with a manifest. Then it must not hold anything before; without, it
    /// may hold files of the same objects, as clusterctl has it.
    pub manifest: bool,
}

/// Writes the copied objects of a graph, several files at once: all of them or none.
///
/// # Errors
/// When the directory holds something else, a file cannot be written, or the user stops it.
pub(crate) fn write(
    run: &Run,
    move_scope: &MoveScope,
    graph: &Graph,
    to: &Destination,
) -> Result<(), PhaseError> {
    warn_if_not_own(run, &to.directory);
    let recipients = &run.options.encrypt_to;
    let copied = graph.copied().map(|index| &graph[index].object);
    let files = names(copied, recipients.ending());
    let may_be_there = files.iter().filter(|_| !to.manifest).map(|(name, _)| name.as_str());
    let mut writer = Writer::prepare(&to.directory, &may_be_there.collect::<HashSet<_>>())?;
    let done = AtomicUsize::new(0);
    let content =
        |object: &&Object| recipients.seal(for_file(object).value().to_string().into_bytes());
    let sums = writer.write(&files, content, || {
        run.events.progress(done.fetch_add(1, Ordering::Relaxed) + 1, files.len());
        run.stop.check()
    })?;
    if to.manifest {
        let namespace = move_scope.namespaces.selector();
        let heading = Manifest::new(&run.id, run.source.server(), namespace, &move_scope.providers);
        let saved = files.iter().zip(sums).map(|((file, object), sha256)| SavedObject {
            file: file.clone(),
            sha256,
            object: object.id(),
        });
        let clusters = graph.clusters().count();
        let manifest = Manifest {
            clusters,
            encryption: Encryption::to(recipients),
            objects: saved.collect(),
            ..heading
        };
        writer.write_manifest(&manifest.to_text())?;
    }
    writer.publish()
}

/// Makes the backup of a move in a folder of its own, named by the run. Returns the directory.
///
/// # Errors
/// When it cannot be written.
pub(crate) async fn back_up(
    run: &Run,
    move_scope: &MoveScope,
    graph: &Graph,
    folder: &Path,
) -> Result<PathBuf, PhaseError> {
    let directory = free_name(folder, &run.id);
    let to = Destination { directory, manifest: true };
    let written = blocking(|| write(run, move_scope, graph, &to));
    written.map(|()| to.directory).map_err(|error| match error {
        PhaseError::Interrupted | PhaseError::LockLost => error,
        other => PhaseError::Backup(Box::new(other)),
    })
}

/// The run's id; with a number if an earlier attempt of this run has made a backup.
fn free_name(folder: &Path, run: &str) -> PathBuf {
    let attempts = (2..).map(|attempt| format!("{run}-{attempt}"));
    let mut names = std::iter::once(run.to_owned()).chain(attempts).map(|name| folder.join(name));
    names.find(|path| !path.exists()).unwrap_or_else(|| folder.join(run))
}

/// Writing files must not hold up the renewal of the lock.
pub(super) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// The object as it goes into its file: without our marks, but with the memory of what its pause
/// was before: its user's, or an explicit `false`.
fn for_file(object: &Object) -> Object {
    let mut object = object.clone();
    let memory = match paused_by(&object) {
        Some(_) => memory_of_false(&object).map(str::to_owned),
        None => Some(String::new()),
    };
    if has_own_pause(&object) {
        object.remove_annotation(DELETE_FOR_MOVE_ANNOTATION);
    }
    if let Some(own) = annotation_of_pause(&object).map(str::to_owned) {
        object.remove_annotation(&own);
    }
    if memory.is_none() && !is_resumed_by_clusterctl(&object) {
        object.remove_annotation(PAUSED_ANNOTATION);
    }
    object.remove_annotation(PAUSED_BY_ANNOTATION);
    if let Some(memory) = memory.filter(|_| is_pausable(&object)) {
        object.set_annotation(USER_PAUSED_ANNOTATION, &memory);
    }
    let entries: Vec<_> = object
        .managed_fields()
        .iter()
        .filter(|entry| at(entry, "/manager") != FIELD_MANAGER)
        .cloned()
        .collect();
    object.metadata_mut().insert("managedFields".to_owned(), entries.into());
    object
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn no_backup_of_an_earlier_attempt_is_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut made = Vec::new();
        for _ in 0..3 {
            let free = free_name(folder.path(), "r");
            std::fs::create_dir(&free).expect("created");
            made.push(free.file_name().expect("a name").to_owned());
        }
        assert_eq!(made, ["r", "r-2", "r-3"]);
    }

    #[test]
    fn a_file_remembers_what_the_pause_was_before() {
        let saved = |mark: Option<&str>| -> Value {
            let mut cluster = Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2",
                "kind": "Cluster", "metadata": {"name": "a"}, "spec": {"paused": true}}));
            if let Some(mark) = mark {
                cluster.set_annotation(PAUSED_BY_ANNOTATION, mark);
            }
            for_file(&cluster).value()["metadata"]["annotations"].clone()
        };
        assert_eq!(saved(Some("r1")), Value::Null);
        assert_eq!(saved(Some("r1/false []")), json!({USER_PAUSED_ANNOTATION: "false []"}));
        assert_eq!(saved(None), json!({USER_PAUSED_ANNOTATION: ""}));
    }

    #[test]
    fn a_file_keeps_no_pause_that_a_run_has_given_to_an_object_itself() {
        let saved = |annotations: Value| -> Value {
            let object = Object::new(json!({"apiVersion": "infrastructure.io/v1",
                "kind": "FooMachine", "metadata": {"name": "a", "annotations": annotations}}));
            for_file(&object).value()["metadata"]["annotations"].clone()
        };
        for mark in ["r1", "r1/reported"] {
            let own = json!({PAUSED_ANNOTATION: "", PAUSED_BY_ANNOTATION: mark,
                DELETE_FOR_MOVE_ANNOTATION: ""});
            assert_eq!(saved(own), Value::Null, "{mark}");
        }
        let of_user = json!({PAUSED_ANNOTATION: "", DELETE_FOR_MOVE_ANNOTATION: ""});
        assert_eq!(saved(of_user.clone()), of_user);
    }

    #[test]
    fn a_file_does_not_keep_a_pause_that_clusterctl_would_not_end() {
        for kind in ["HelmReleaseProxy", "HelmChartProxy", "ClusterResourceSet"] {
            let saved = |annotations: Value| -> Value {
                let object = Object::new(json!({"apiVersion": "addons.cluster.x-k8s.io/v1beta2",
                    "kind": kind, "metadata": {"name": "a", "annotations": annotations}}));
                for_file(&object).value()["metadata"]["annotations"].clone()
            };
            let of_run = json!({PAUSED_ANNOTATION: "", PAUSED_BY_ANNOTATION: "r1"});
            assert_eq!(saved(of_run), Value::Null, "{kind}");
            let of_user = json!({PAUSED_ANNOTATION: "", USER_PAUSED_ANNOTATION: ""});
            assert_eq!(saved(json!({PAUSED_ANNOTATION: ""})), of_user, "{kind}");
        }
    }
}
