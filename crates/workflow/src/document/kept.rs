//! The part of a document that `abort` needs, read also from documents that this version does not
//! understand otherwise.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::fields::Bootstrap;
use super::read::{DocumentError, parse};

/// The place of the bootstrap cluster of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBootstrap {
    /// Kind of the bootstrap cluster.
    pub bootstrap: Bootstrap,
    /// Name of the bootstrap cluster in kind.
    pub name: String,
    /// Kubeconfig of an existing bootstrap cluster.
    pub kubeconfig: Option<PathBuf>,
    /// Namespace of the Cluster.
    pub namespace: String,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    namespace: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    bootstrap: Option<Bootstrap>,
    bootstrap_name: Option<String>,
    bootstrap_kubeconfig: Option<PathBuf>,
}

/// Reads where the bootstrap cluster of a run of this name is.
///
/// # Errors
/// When the document cannot be read, is no YAML, or has another kind of bootstrap cluster.
pub fn read_bootstrap(path: &Path, run: &str) -> Result<KeptBootstrap, DocumentError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| DocumentError::Read { path: path.to_owned(), source })?;
    let Document { metadata, spec } = parse(&text)
        .map_err(|message| DocumentError::Invalid { path: path.to_owned(), message })?;
    Ok(KeptBootstrap {
        bootstrap: spec.bootstrap.unwrap_or_default(),
        name: spec.bootstrap_name.unwrap_or_else(|| default_bootstrap_name(run)),
        kubeconfig: spec.bootstrap_kubeconfig,
        namespace: metadata.namespace.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
    })
}

/// Namespace of a Cluster of which none is said.
pub const DEFAULT_NAMESPACE: &str = "default";

/// Returns the name of the bootstrap cluster in kind if none is said.
pub fn default_bootstrap_name(run: &str) -> String {
    format!("{run}-bootstrap")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_another_version_still_says_where_its_cluster_is() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("pivot.yaml");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("written");
            read_bootstrap(&path, "pivot")
        };
        let kept =
            read("apiVersion: kubectl-pivot.io/v9\nspec: {shape: round, kubernetesVersion: 1}\n");
        let kept = kept.expect("it has what is needed");
        assert_eq!((kept.bootstrap, kept.name.as_str()), (Bootstrap::Kind, "pivot-bootstrap"));
        let text = "metadata: {namespace: 1team}\n\
            spec: {bootstrap: existing, bootstrapName: my.boot, bootstrapKubeconfig: /k}\n";
        let kept = read(text).expect("it has what is needed");
        assert_eq!((kept.bootstrap, kept.name.as_str()), (Bootstrap::Existing, "my.boot"));
        assert_eq!((kept.kubeconfig, kept.namespace.as_str()), (Some("/k".into()), "1team"));
        assert!(read("spec: {bootstrap: minikube}\n").is_err(), "it is not known how to look");
    }
}
