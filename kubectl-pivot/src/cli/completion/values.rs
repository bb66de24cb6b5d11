//! Values of flags and arguments that only this machine or a cluster knows.

use std::ffi::OsStr;
use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;

use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _,
};
use cluster::KubeconfigRef;

use super::typed::typed;
use crate::commands::{self, ClusterName, PluginPlaces};

/// Limits the wait for a cluster: who presses the tab key is waiting.
const CLUSTER_TIMEOUT: Duration = Duration::from_millis(1500);

/// Contexts of the kubeconfig of the source.
pub(in crate::cli) fn contexts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| contexts_in(&typed().source))
}

/// Contexts of the kubeconfig of the target.
pub(in crate::cli) fn target_contexts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| contexts_in(&typed().target))
}

fn contexts_in(kubeconfig: &KubeconfigRef) -> Vec<CompletionCandidate> {
    kubeconfig.contexts().into_iter().map(CompletionCandidate::new).collect()
}

/// Namespaces of the cluster.
pub(in crate::cli) fn namespaces() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let found = in_time(commands::namespace_names(typed().source.clone()));
        found.into_iter().map(CompletionCandidate::new).collect()
    })
}

/// Clusters of the management cluster: by name in the namespaces that the line is about, otherwise
/// with their namespace.
pub(in crate::cli) fn clusters() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let found = in_time(commands::cluster_names(typed().source.clone(), &typed().namespaces));
        found.iter().map(cluster).collect()
    })
}

fn cluster(found: &ClusterName) -> CompletionCandidate {
    let ClusterName { namespace, name, is_default } = found;
    let is_near = match typed().namespaces.as_slice() {
        [] => *is_default && !typed().is_for_all_namespaces,
        named => named.contains(namespace),
    };
    let value = if is_near { name.clone() } else { format!("{namespace}/{name}") };
    CompletionCandidate::new(value).help(Some(format!("namespace {namespace}").into()))
}

/// Management clusters that `delete` can be about: those that `create` has made, and the Clusters
/// of this one.
pub(in crate::cli) fn deletable() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let found = in_time(commands::cluster_names(typed().source.clone(), &typed().namespaces));
        let names = found.into_iter().map(|found| CompletionCandidate::new(found.name));
        names.chain(all_runs()).collect()
    })
}

/// Runs of `create` on this machine.
pub(in crate::cli) fn runs() -> ArgValueCandidates {
    ArgValueCandidates::new(all_runs)
}

fn all_runs() -> Vec<CompletionCandidate> {
    let runs = commands::create_status(None).map(|runs| runs.items).unwrap_or_default();
    let run = |run: workflow::RunState| {
        let state = if run.finished { "finished" } else { "unfinished" };
        CompletionCandidate::new(run.name).help(Some(state.into()))
    };
    runs.into_iter().map(run).collect()
}

/// Infrastructure plugins.
pub(in crate::cli) fn infrastructures() -> ArgValueCandidates {
    ArgValueCandidates::new(|| plugins_of(Some("infrastructure")))
}

/// Network plugins, and the word for none.
pub(in crate::cli) fn networks() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let none = CompletionCandidate::new("none").help(Some("manifests of your own".into()));
        plugins_of(Some("cni")).into_iter().chain([none]).collect()
    })
}

/// Plugins of each kind.
pub(in crate::cli) fn plugins() -> ArgValueCandidates {
    ArgValueCandidates::new(|| plugins_of(None))
}

/// Lists plugins without running any. A plugin without a description may be of each kind.
fn plugins_of(kind: Option<&str>) -> Vec<CompletionCandidate> {
    let found = commands::plugin_list(&PluginPlaces {
        folders: typed().plugin_folders.clone(),
        lock: None,
    })
    .map(|list| list.plugins);
    let found = found.unwrap_or_default().into_iter();
    let is_wanted = |of: &Option<String>| kind.is_none() || of.is_none() || of.as_deref() == kind;
    let wanted = found.filter(|plugin| is_wanted(&plugin.kind));
    let one = wanted.map(|plugin| {
        CompletionCandidate::new(plugin.name)
            .help(plugin.description.map(Into::into))
            .id(Some(plugin.path.display().to_string()))
    });
    one.collect()
}

/// Sandboxes on this machine.
pub(in crate::cli) fn sandboxes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let found = commands::sandbox_list().unwrap_or_default();
        found.into_iter().map(|sandbox| CompletionCandidate::new(sandbox.name)).collect()
    })
}

/// Folders, and the backups that moves have made.
pub(in crate::cli) fn backups() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let folder = commands::backup_folder();
        let kept = folder.map(|folder| commands::list_backups(&folder)).unwrap_or_default();
        let kept = kept.into_iter().map(|backup| CompletionCandidate::new(backup.directory));
        let is_near = |one: &CompletionCandidate| {
            one.get_value().as_encoded_bytes().starts_with(current.as_encoded_bytes())
        };
        PathCompleter::dir().complete(current).into_iter().chain(kept.filter(is_near)).collect()
    })
}

/// Returns what a cluster answers, or nothing when that takes too long. The request runs elsewhere,
/// since the call of a credential plugin cannot be cancelled.
fn in_time<T: Send + 'static>(request: impl Future<Output = Vec<T>> + Send + 'static) -> Vec<T> {
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().enable_all().build() else {
        return Vec::new();
    };
    let (sender, receiver) = mpsc::channel();
    runtime.spawn(async move {
        let _ = sender.send(request.await);
    });
    let found = receiver.recv_timeout(CLUSTER_TIMEOUT).unwrap_or_default();
    runtime.shutdown_background();
    found
}
