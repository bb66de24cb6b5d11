//! Values of flags and arguments that only this machine or a cluster knows.

use std::ffi::OsStr;
use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;

use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _,
};
use cluster::KubeconfigRef;
use kubectl_pivot_plugin_api::is_name;
use support::visible::{one_line, shell_word};

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

/// Returns a candidate, but none for a name that a shell or a terminal would obey, or that would be
/// a flag: names come from files and clusters of others, and scripts hand them to the shell as they
/// are.
fn plain(name: impl Into<String>) -> Option<CompletionCandidate> {
    let name = name.into();
    let is_plain = shell_word(&name) == name && !name.starts_with('-');
    is_plain.then(|| CompletionCandidate::new(name))
}

fn contexts_in(kubeconfig: &KubeconfigRef) -> Vec<CompletionCandidate> {
    kubeconfig.contexts().into_iter().filter_map(plain).collect()
}

/// Namespaces of the cluster.
pub(in crate::cli) fn namespaces() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let found = in_time(commands::namespace_names(typed().source.clone()));
        found.into_iter().filter_map(plain).collect()
    })
}

/// Clusters of the management cluster: by name in the namespaces that the line is about, otherwise
/// with their namespace.
pub(in crate::cli) fn clusters() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let found = in_time(commands::cluster_names(typed().source.clone(), &typed().namespaces));
        found.iter().filter_map(cluster).collect()
    })
}

fn cluster(found: &ClusterName) -> Option<CompletionCandidate> {
    let ClusterName { namespace, name, is_default } = found;
    let is_near = match typed().namespaces.as_slice() {
        [] => *is_default && !typed().is_for_all_namespaces,
        named => named.contains(namespace),
    };
    let value = if is_near { name.clone() } else { format!("{namespace}/{name}") };
    Some(plain(value)?.help(Some(one_line(&format!("namespace {namespace}")).into())))
}

/// Management clusters that `delete` can be about: those that `create` has made, and the Clusters
/// of this one.
pub(in crate::cli) fn deletable() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let found = in_time(commands::cluster_names(typed().source.clone(), &typed().namespaces));
        let names = found.into_iter().filter_map(|found| plain(found.name));
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
        Some(plain(run.name)?.help(Some(state.into())))
    };
    runs.into_iter().filter_map(run).collect()
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
    let wanted = found.filter(|plugin| is_wanted(&plugin.kind) && is_name(&plugin.name));
    let one = wanted.map(|plugin| {
        CompletionCandidate::new(plugin.name)
            .help(plugin.description.map(|text| one_line(&text).into()))
            .id(Some(plugin.path.display().to_string()))
    });
    one.collect()
}

/// Sandboxes on this machine.
pub(in crate::cli) fn sandboxes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let found = commands::sandbox_list().unwrap_or_default();
        found.into_iter().filter_map(|sandbox| plain(sandbox.name)).collect()
    })
}

/// Folders, and the backups that moves have made.
pub(in crate::cli) fn backups() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let folder = commands::backup_folder();
        let kept = folder.map(|folder| commands::list_backups(&folder)).unwrap_or_default();
        let kept = kept.into_iter().filter_map(|backup| plain(backup.directory.to_str()?));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_obey_is_no_candidate() {
        for name in ["kind-fleet", "admin@fleet", "arn:aws:eks:eu:1:cluster/a", "/var/a_1"] {
            assert!(plain(name).is_some(), "{name}");
        }
        for name in ["", "a b", "$(id)", "a;b", "`id`", "a\nb", "\u{1b}[2J", "\u{202e}a", "-y"] {
            assert!(plain(name).is_none(), "{name:?}");
        }
    }
}
