//! A document with every default filled in.

use std::path::{Path, PathBuf};
use std::time::Duration;

use blueprint::{BlueprintRequest, without_nulls};
use capi::{Chosen, at, set_field};
use cluster::KubeconfigRef;
use kubectl_pivot_plugin_api::capi::names;
use serde_json::{Map, Value, json};
use support::journal::state_folder;
use support::yaml;
use transfer::Choice;

use super::document::{
    Bootstrap, CniVia, DEFAULT_NAMESPACE, PivotDocument, PivotSpec, default_bootstrap_name,
};

/// Default limit of each wait.
const DEFAULT_WAIT_TIMEOUT: Duration = Duration::from_secs(20 * 60);
/// Default time in which Machines are watched after the move.
const DEFAULT_SETTLE_DURATION: Duration = Duration::from_secs(10);

/// The complete settings of a run.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Name of the Cluster, and of the run.
    pub name: String,
    /// Namespace of the Cluster.
    pub namespace: String,
    /// Kind of the bootstrap cluster.
    pub bootstrap: Bootstrap,
    /// Name of the bootstrap cluster in kind.
    pub bootstrap_name: String,
    /// Kubeconfig of an existing bootstrap cluster.
    pub bootstrap_kubeconfig: KubeconfigRef,
    /// File for the target's kubeconfig.
    pub kubeconfig_out: PathBuf,
    /// Each wait.
    pub timeout: Duration,
    /// Time in which Machines are watched after the move.
    pub settle: Duration,
    /// The document and flags that the settings come from.
    pub document: PivotDocument,
}

/// Errors of settings.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Something has to be given.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Two things do not go together.
    #[error("{0}")]
    Contradiction(&'static str),
    /// A setting would have no effect.
    #[error("{0} has no effect with --cluster-manifest; change the manifests instead")]
    Unused(&'static str),
    /// A file of manifests cannot be used.
    #[error("cannot read the manifests {}", path.display())]
    Manifests {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file of values cannot be used.
    #[error("cannot read the values {}", path.display())]
    Values {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The manifests are not those of this cluster.
    #[error("{} has no Cluster {namespace}/{name}", path.display())]
    NoCluster {
        /// The file.
        path: PathBuf,
        /// Namespace of the Cluster.
        namespace: String,
        /// Name of the Cluster.
        name: String,
    },
}

impl Spec {
    /// Fills in the defaults.
    ///
    /// # Errors
    /// Something is missing, or two things contradict each other.
    pub fn resolve(document: PivotDocument) -> Result<Self, SpecError> {
        let (metadata, spec) = (&document.metadata, &document.spec);
        let name = metadata.name.clone().ok_or(SpecError::Missing("the name of the cluster"))?;
        if spec.infrastructure.is_none() {
            return Err(SpecError::Missing("the infrastructure (--infrastructure NAME)"));
        }
        let bootstrap = spec.bootstrap.unwrap_or_default();
        if bootstrap == Bootstrap::Kind && spec.bootstrap_kubeconfig.is_some() {
            return Err(SpecError::Contradiction(
                "--bootstrap-kubeconfig needs --bootstrap existing: kind makes one of its own",
            ));
        }
        if bootstrap == Bootstrap::Existing && spec.bootstrap_kubeconfig.is_none() {
            return Err(SpecError::Missing("the bootstrap cluster (--bootstrap-kubeconfig FILE)"));
        }
        if bootstrap == Bootstrap::Existing && spec.kind_config.is_some() {
            return Err(SpecError::Contradiction(
                "--kind-config is for a bootstrap cluster that kind makes: leave --bootstrap \
                 existing out",
            ));
        }
        // `none` was the way to say it before.
        if spec.cni_manifest.is_some() && spec.cni.as_deref().is_some_and(|name| name != "none") {
            return Err(SpecError::Contradiction(
                "--cni-manifest is a network of its own: leave --cni out",
            ));
        }
        if spec.cni_chart.is_some() && spec.cni_repo.is_some() {
            return Err(SpecError::Contradiction(
                "--cni-chart names a chart on this machine, --cni-repo the repository of another \
                 one: give only one",
            ));
        }
        if spec.cni_chart.is_some() && spec.cni_via == Some(CniVia::Addon) {
            return Err(SpecError::Contradiction(
                "--cni-via addon cannot use --cni-chart: the Helm add-on provider reads charts \
                 from repositories only (--cni-repo URL)",
            ));
        }
        if spec.cluster_manifest.is_some()
            && let Some(flag) = flags_of_rendering(spec).next()
        {
            return Err(SpecError::Unused(flag));
        }
        let out = spec.to_kubeconfig_out.clone();
        Ok(Self {
            namespace: metadata.namespace.clone().unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
            bootstrap,
            bootstrap_name: spec
                .bootstrap_name
                .clone()
                .unwrap_or_else(|| default_bootstrap_name(&name)),
            bootstrap_kubeconfig: KubeconfigRef {
                path: spec.bootstrap_kubeconfig.clone(),
                context: None,
            },
            kubeconfig_out: out.unwrap_or_else(|| PathBuf::from(format!("{name}.kubeconfig"))),
            timeout: spec.timeout.map_or(DEFAULT_WAIT_TIMEOUT, Duration::from_secs),
            settle: spec.settle.map_or(DEFAULT_SETTLE_DURATION, Duration::from_secs),
            name,
            document,
        })
    }

    /// Returns the Clusters that move: all that a bootstrap cluster of this run holds, and of an
    /// existing one, in which there may be others, the one of this run.
    pub fn choice(&self) -> Choice {
        let own = (self.namespace.clone(), self.name.clone());
        match self.bootstrap {
            Bootstrap::Kind => Choice::All,
            Bootstrap::Existing => Choice::Fixed(Chosen::from_iter([own])),
        }
    }

    /// Returns true if the bootstrap cluster is deleted in the end.
    pub(crate) fn deletes_bootstrap(&self) -> bool {
        self.bootstrap == Bootstrap::Kind && !self.document.spec.keep_bootstrap.unwrap_or(false)
    }

    /// Returns the folder for a backup before the move, if there is to be one.
    pub fn backups(&self) -> Option<PathBuf> {
        let is_wanted = !self.document.spec.no_backup.unwrap_or(false);
        state_folder().filter(|_| is_wanted).map(|state| state.join("backups"))
    }

    /// Returns true if the target is merged into the user's kubeconfig.
    pub(crate) fn merges_kubeconfig(&self) -> bool {
        self.document.spec.merge_kubeconfig.unwrap_or(false)
    }

    /// Returns the installer of the network's chart that the user wants.
    pub fn cni_via(&self) -> Option<CniVia> {
        self.document.spec.cni_via
    }

    /// Returns the request to plugins.
    ///
    /// # Errors
    /// The manifests of the network cannot be read.
    pub fn blueprint(&self) -> Result<BlueprintRequest, SpecError> {
        let spec = &self.document.spec;
        let mut variables: Vec<(String, Value)> = Vec::new();
        let mut set = |name: &str, value: Value| variables.push((name.to_owned(), value));
        if let Some(replicas) = spec.control_plane_replicas {
            set(names::CONTROL_PLANE_REPLICAS, replicas.into());
        }
        if let Some(replicas) = spec.worker_replicas {
            set(names::WORKER_REPLICAS, replicas.into());
        }
        if !spec.pod_cidr.is_empty() {
            set(names::POD_CIDRS, json!(spec.pod_cidr));
        }
        if !spec.service_cidr.is_empty() {
            set(names::SERVICE_CIDRS, json!(spec.service_cidr));
        }
        variables.extend(spec.set.iter().map(|(name, value)| (name.clone(), value.clone())));
        Ok(BlueprintRequest {
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            infrastructure: spec.infrastructure.clone().unwrap_or_default(),
            cni: spec.cni.clone(),
            cni_manifests: spec.cni_manifest.as_deref().map(read).transpose()?,
            cni_values: spec.cni_values.as_deref().map_or(Ok(Map::new()), values)?,
            variables,
            kubernetes_version: spec.kubernetes_version.clone(),
            infrastructure_versions: infrastructure_versions(&spec.provider),
            wants_network: true,
            ..BlueprintRequest::default()
        })
    }

    /// The user's own manifests of the cluster, if there are any.
    ///
    /// # Errors
    /// They cannot be read, or this cluster is not among them.
    pub fn cluster_manifest(&self) -> Result<Option<Vec<Value>>, SpecError> {
        let Some(path) = &self.document.spec.cluster_manifest else { return Ok(None) };
        let objects = read(path)?.into_iter().map(without_nulls);
        let mut objects: Vec<_> = objects.collect();
        for object in &mut objects {
            let metadata = at(object, "/metadata");
            if metadata.is_object() && at(metadata, "/namespace").is_null() {
                set_field(object, &["metadata", "namespace"], self.namespace.clone().into());
            }
        }
        let is_cluster = |object: &Value| {
            let group = capi::group_of(object["apiVersion"].as_str().unwrap_or_default());
            (group, &object["kind"]) == ("cluster.x-k8s.io", &json!("Cluster"))
                && object["metadata"]["name"] == self.name
                && object["metadata"]["namespace"] == self.namespace
        };
        if objects.iter().any(is_cluster) {
            return Ok(Some(objects));
        }
        let (path, namespace, name) = (path.clone(), self.namespace.clone(), self.name.clone());
        Err(SpecError::NoCluster { path, namespace, name })
    }
}

/// The versions among `TYPE=NAME[:VERSION]`, as far as they are of infrastructure providers.
fn infrastructure_versions(given: &[String]) -> Vec<(String, String)> {
    let of = |given: &String| {
        let (name, version) = given.strip_prefix("infrastructure=")?.split_once(':')?;
        Some((name.to_owned(), version.to_owned()))
    };
    given.iter().filter_map(of).collect()
}

/// The flags that only the rendering of manifests reads.
fn flags_of_rendering(spec: &PivotSpec) -> impl Iterator<Item = &'static str> {
    let flags = [
        (spec.kubernetes_version.is_some(), "--kubernetes-version"),
        (spec.control_plane_replicas.is_some(), "--control-plane-replicas"),
        (spec.worker_replicas.is_some(), "--worker-replicas"),
        (!spec.pod_cidr.is_empty(), "--pod-cidr"),
        (!spec.service_cidr.is_empty(), "--service-cidr"),
    ];
    flags.into_iter().filter_map(|(is_given, flag)| is_given.then_some(flag))
}

fn read(path: &Path) -> Result<Vec<Value>, SpecError> {
    let error = |source| SpecError::Manifests { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(|source| error(source.into()))?;
    yaml::documents(&text).map_err(|source| error(source.into()))
}

/// One document with a mapping; an empty file has no values.
fn values(path: &Path) -> Result<Map<String, Value>, SpecError> {
    let error = |source| SpecError::Values { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(|source| error(source.into()))?;
    let documents = yaml::documents(&text).map_err(|source| error(source.into()))?;
    match documents.as_slice() {
        [] | [Value::Null] => Ok(Map::new()),
        [Value::Object(values)] => Ok(values.clone()),
        _ => Err(error("it is not a single mapping of values".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{PivotMetadata, PivotSpec};

    fn document(spec: PivotSpec) -> PivotDocument {
        let metadata = PivotMetadata { name: Some("pivot".to_owned()), namespace: None };
        PivotDocument { metadata, spec, ..PivotDocument::default() }
    }

    fn docker() -> PivotSpec {
        PivotSpec { infrastructure: Some("docker".to_owned()), ..PivotSpec::default() }
    }

    #[test]
    fn defaults_are_those_of_the_nine_steps() {
        let spec = Spec::resolve(document(docker())).expect("complete");
        assert_eq!((spec.namespace.as_str(), spec.bootstrap), ("default", Bootstrap::Kind));
        assert_eq!(spec.bootstrap_name, "pivot-bootstrap");
        assert_eq!(spec.kubeconfig_out, PathBuf::from("pivot.kubeconfig"));
        assert!(spec.deletes_bootstrap());
    }

    #[test]
    fn missing_and_contradictory_settings_are_reported() {
        let error = |spec| Spec::resolve(document(spec)).expect_err("incomplete").to_string();
        assert!(error(PivotSpec::default()).contains("--infrastructure"));
        let existing = PivotSpec { bootstrap: Some(Bootstrap::Existing), ..docker() };
        assert!(error(existing).contains("--bootstrap-kubeconfig"));
        let both = PivotSpec { bootstrap_kubeconfig: Some("x".into()), ..docker() };
        assert!(error(both).contains("--bootstrap existing"));
        let cni = Some("cilium".to_owned());
        let manifest = PivotSpec { cni_manifest: Some("x".into()), cni, ..docker() };
        assert!(error(manifest).contains("leave --cni out"));
        let both = PivotSpec {
            cni_chart: Some("x".into()),
            cni_repo: Some("https://charts.example".to_owned()),
            ..docker()
        };
        assert!(error(both).contains("--cni-repo"));
        let local =
            PivotSpec { cni_chart: Some("x".into()), cni_via: Some(CniVia::Addon), ..docker() };
        assert!(error(local).contains("repositories only"));
        let unused =
            PivotSpec { cluster_manifest: Some("x".into()), worker_replicas: Some(3), ..docker() };
        assert!(error(unused).contains("--worker-replicas has no effect"));
        let nameless = PivotDocument { spec: docker(), ..PivotDocument::default() };
        assert!(Spec::resolve(nameless).is_err());
    }

    #[test]
    fn values_are_one_mapping() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("values.yaml");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("written");
            values(&path)
        };
        assert_eq!(read("a: {b: 1}\n").expect("valid")["a"], json!({"b": 1}));
        assert!(read("# nothing\n").expect("valid").is_empty());
        for wrong in ["- a\n", "a: 1\n---\nb: 2\n", "a: [\n"] {
            let error = read(wrong).expect_err(wrong).to_string();
            assert!(error.ends_with("values.yaml"), "{error}");
        }
    }

    #[test]
    fn manifests_have_to_hold_the_cluster() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("cluster.yaml");
        let spec = PivotSpec { cluster_manifest: Some(path.clone()), ..docker() };
        let spec = Spec::resolve(document(spec)).expect("complete");
        assert!(spec.cluster_manifest().is_err(), "it is not there");
        let text = |name: &str| {
            format!(
                "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {{name: {name}}}\n"
            )
        };
        std::fs::write(&path, text("other")).expect("written");
        let error = spec.cluster_manifest().expect_err("another one").to_string();
        assert!(error.ends_with("has no Cluster default/pivot"), "{error}");
        for odd in ["a text\n", "kind: Cluster\nmetadata: a text\n"] {
            std::fs::write(&path, odd).expect("written");
            assert!(spec.cluster_manifest().is_err(), "{odd}");
        }
        std::fs::write(&path, text("pivot")).expect("written");
        let objects = spec.cluster_manifest().expect("valid").expect("given");
        assert_eq!(objects[0]["metadata"]["namespace"], "default");
    }
}
