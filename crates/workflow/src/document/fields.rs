//! The fields of the document, which are the flags of `create`: each is declared here only.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{ArgAction, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use support::duration::seconds;

use super::scalars;
use crate::order::Step;

/// The whole document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Pivot"))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PivotDocument {
    /// `kubectl-pivot.io/v1alpha1`.
    #[serde(deserialize_with = "scalars::api_version")]
    pub api_version: String,
    /// `Pivot`.
    #[serde(deserialize_with = "scalars::kind")]
    pub kind: String,
    /// Name and namespace of the Cluster.
    #[serde(default)]
    pub metadata: PivotMetadata,
    /// The settings.
    #[serde(default)]
    pub spec: PivotSpec,
}

/// Name and namespace of the Cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PivotMetadata {
    /// Name of the cluster [default: the one in the document].
    #[serde(deserialize_with = "scalars::name", skip_serializing_if = "Option::is_none")]
    #[arg(required_unless_present = "filename", value_parser = scalars::cluster_name)]
    pub name: Option<String>,
    /// Namespace of the objects [default: default].
    #[serde(deserialize_with = "scalars::namespace", skip_serializing_if = "Option::is_none")]
    #[arg(long, short, value_name = "NAMESPACE", value_parser = scalars::namespace_name,
        help_heading = "Cluster")]
    pub namespace: Option<String>,
}

/// The settings of a run. An absent field has the default of its flag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(
    rustdoc::broken_intra_doc_links,
    reason = "the command line shows these texts as they are"
)]
pub struct PivotSpec {
    /// Infrastructure plugin, for example docker.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(
        long,
        short,
        value_name = "NAME",
        required_unless_present = "filename",
        help_heading = "Cluster"
    )]
    pub infrastructure: Option<String>,
    /// Kubernetes version of the machines, for example v1.33.0 [default: that of the plugin].
    #[serde(deserialize_with = "scalars::version", skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "VERSION", value_parser = scalars::kubernetes_version,
        help_heading = "Cluster")]
    pub kubernetes_version: Option<String>,
    /// Machines of the control plane [default: that of the plugin].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Cluster")]
    pub control_plane_replicas: Option<u32>,
    /// Worker machines [default: that of the plugin].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "N", help_heading = "Cluster")]
    pub worker_replicas: Option<u32>,
    /// IP range for pods; can be given more than once [default: that of the plugin].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_name = "CIDR", help_heading = "Cluster")]
    pub pod_cidr: Vec<String>,
    /// IP range for services; can be given more than once [default: that of the plugin].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_name = "CIDR", help_heading = "Cluster")]
    pub service_cidr: Vec<String>,
    /// Variables of the plugins. The flag `--set` has one with each use.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[arg(skip)]
    pub set: BTreeMap<String, Value>,
    /// Provider of Cluster API, TYPE=NAME[:VERSION]: a version for one of the plugin's, or one
    /// more; can be given more than once.
    #[serde(deserialize_with = "scalars::providers", skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_name = "PROVIDER", value_parser = scalars::provider,
        help_heading = "Cluster")]
    pub provider: Vec<String>,
    /// Manifests of the cluster instead of those that the plugin renders.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub cluster_manifest: Option<PathBuf>,
    /// CNI plugin [default: what the infrastructure plugin says].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "NAME", help_heading = "Network")]
    pub cni: Option<String>,
    /// Installer of the network's chart: helm on this machine, or the Helm add-on provider of
    /// Cluster API [default: helm].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Network")]
    pub cni_via: Option<CniVia>,
    /// Local chart of the network, an archive or a folder, in the place of the one in a repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "PATH", conflicts_with = "cni_repo", help_heading = "Network")]
    pub cni_chart: Option<PathBuf>,
    /// Repository of the chart of the network (https:, http:, oci:) [default: that of the plugin].
    #[serde(deserialize_with = "scalars::repository", skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "URL", value_parser = scalars::chart_repository,
        help_heading = "Network")]
    pub cni_repo: Option<String>,
    /// File with values for the network's chart, merged over the plugin's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub cni_values: Option<PathBuf>,
    /// Manifests of your own network, in the place of a CNI plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub cni_manifest: Option<PathBuf>,
    /// Bootstrap cluster: one that kind creates and that is deleted in the end, or an existing one
    /// that stays [default: kind].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Bootstrap cluster")]
    pub bootstrap: Option<Bootstrap>,
    /// Name of the bootstrap cluster in kind [default: NAME-bootstrap].
    #[serde(deserialize_with = "scalars::kind_cluster", skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "NAME", value_parser = scalars::kind_cluster_name,
        help_heading = "Bootstrap cluster")]
    pub bootstrap_name: Option<String>,
    /// Node image of the bootstrap cluster [default: that of kind].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "IMAGE", help_heading = "Bootstrap cluster")]
    pub bootstrap_image: Option<String>,
    /// Configuration of kind for the bootstrap cluster; mounts and the network of the plugin are
    /// added to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", help_heading = "Bootstrap cluster")]
    pub kind_config: Option<PathBuf>,
    /// Load an image of this machine's Docker into the nodes, as `kind load docker-image` does; can
    /// be repeated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_name = "IMAGE", help_heading = "Bootstrap cluster")]
    pub load_image: Vec<String>,
    /// Load the images of an archive into the nodes, as `kind load image-archive` does; can be
    /// repeated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_name = "FILE", help_heading = "Bootstrap cluster")]
    pub image_bundle: Vec<PathBuf>,
    /// Kubeconfig of the bootstrap cluster; required with `bootstrap: existing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", help_heading = "Bootstrap cluster")]
    pub bootstrap_kubeconfig: Option<PathBuf>,
    /// Leave the bootstrap cluster as it is in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Bootstrap cluster")]
    pub keep_bootstrap: Option<bool>,
    /// Configuration of clusterctl [default: where clusterctl looks for it].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", help_heading = "Bootstrap cluster")]
    pub clusterctl_config: Option<PathBuf>,
    /// Reach the target with this kubeconfig instead of the one that Cluster API makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", help_heading = "Kubeconfig of the target")]
    pub to_kubeconfig: Option<PathBuf>,
    /// File for the kubeconfig of the target [default: NAME.kubeconfig].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "FILE", help_heading = "Kubeconfig of the target")]
    pub to_kubeconfig_out: Option<PathBuf>,
    /// Make no backup before the move.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Safety")]
    pub no_backup: Option<bool>,
    /// Merge the target's cluster, user and context into your kubeconfig ($KUBECONFIG or
    /// ~/.kube/config); your current context stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Kubeconfig of the target")]
    pub merge_kubeconfig: Option<bool>,
    /// Leave out readiness probes: PLUGIN, PLUGIN/PROBE or PROBE; can be given more than once, and
    /// with commas.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[arg(long, value_name = "NAME", value_delimiter = ',', help_heading = "Plugins and probes")]
    pub skip_probes: Vec<String>,
    /// Seconds that each wait may take [default: 1200].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Tuning")]
    pub timeout: Option<u64>,
    /// Seconds after the move in which no Machine may be replaced [default: 10].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Tuning")]
    pub settle: Option<u64>,
}

/// Kinds of bootstrap clusters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Bootstrap {
    /// A cluster that kind makes and that is deleted in the end.
    #[default]
    #[value(help = Resettable::Reset)]
    Kind,
    /// A cluster that is there and stays.
    #[value(help = Resettable::Reset)]
    Existing,
}

/// Installers of charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CniVia {
    /// helm is run here.
    #[value(help = Resettable::Reset)]
    Helm,
    /// The Helm add-on provider installs them.
    #[value(help = Resettable::Reset)]
    Addon,
}

impl Default for PivotDocument {
    fn default() -> Self {
        Self {
            api_version: scalars::API_VERSION.to_owned(),
            kind: scalars::KIND.to_owned(),
            metadata: PivotMetadata::default(),
            spec: PivotSpec::default(),
        }
    }
}

impl PivotSpec {
    /// Every path that is given.
    pub fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let paths = [
            &mut self.cluster_manifest,
            &mut self.cni_chart,
            &mut self.cni_values,
            &mut self.cni_manifest,
            &mut self.kind_config,
            &mut self.bootstrap_kubeconfig,
            &mut self.clusterctl_config,
            &mut self.to_kubeconfig,
            &mut self.to_kubeconfig_out,
        ];
        paths.into_iter().flatten().chain(&mut self.image_bundle)
    }
}

impl PivotDocument {
    /// Returns true if both want the same cluster in the same way. How long a run waits is no part
    /// of that, nor is a setting of a step that is still to be done.
    pub(crate) fn wants_what(&self, other: &Self, is_done: impl Fn(Step) -> bool) -> bool {
        let mut other = other.clone();
        let (new, old) = (&mut other.spec, &self.spec);
        new.timeout = old.timeout;
        new.settle = old.settle;
        if !is_done(Step::Kubeconfig) {
            new.to_kubeconfig_out.clone_from(&old.to_kubeconfig_out);
        }
        if !is_done(Step::Network) {
            new.cni_chart.clone_from(&old.cni_chart);
            new.cni_repo.clone_from(&old.cni_repo);
            new.cni_values.clone_from(&old.cni_values);
        }
        if !is_done(Step::Move) {
            new.to_kubeconfig.clone_from(&old.to_kubeconfig);
            new.no_backup = old.no_backup;
        }
        if !is_done(Step::Nodes) {
            new.load_image.clone_from(&old.load_image);
            new.image_bundle.clone_from(&old.image_bundle);
        }
        if !is_done(Step::MergeKubeconfig) {
            new.merge_kubeconfig = old.merge_kubeconfig;
        }
        if !is_done(Step::DeleteBootstrap) {
            new.keep_bootstrap = old.keep_bootstrap;
        }
        *self == other
    }

    /// This document with everything that `over` has; variables are merged one by one.
    #[must_use]
    pub fn overridden_by(self, over: Self) -> Self {
        let Self { metadata, spec, .. } = self;
        let (o, m) = (over.spec, over.metadata);
        let list = |over: Vec<String>, base| if over.is_empty() { base } else { over };
        let mut set = spec.set;
        set.extend(o.set);
        Self {
            metadata: PivotMetadata {
                name: m.name.or(metadata.name),
                namespace: m.namespace.or(metadata.namespace),
            },
            spec: PivotSpec {
                infrastructure: o.infrastructure.or(spec.infrastructure),
                kubernetes_version: o.kubernetes_version.or(spec.kubernetes_version),
                control_plane_replicas: o.control_plane_replicas.or(spec.control_plane_replicas),
                worker_replicas: o.worker_replicas.or(spec.worker_replicas),
                pod_cidr: list(o.pod_cidr, spec.pod_cidr),
                service_cidr: list(o.service_cidr, spec.service_cidr),
                set,
                provider: list(o.provider, spec.provider),
                cluster_manifest: o.cluster_manifest.or(spec.cluster_manifest),
                cni: o.cni.or(spec.cni),
                cni_via: o.cni_via.or(spec.cni_via),
                cni_chart: o.cni_chart.or(spec.cni_chart),
                cni_repo: o.cni_repo.or(spec.cni_repo),
                cni_values: o.cni_values.or(spec.cni_values),
                cni_manifest: o.cni_manifest.or(spec.cni_manifest),
                bootstrap: o.bootstrap.or(spec.bootstrap),
                bootstrap_name: o.bootstrap_name.or(spec.bootstrap_name),
                bootstrap_image: o.bootstrap_image.or(spec.bootstrap_image),
                kind_config: o.kind_config.or(spec.kind_config),
                load_image: list(o.load_image, spec.load_image),
                image_bundle: match o.image_bundle.is_empty() {
                    true => spec.image_bundle,
                    false => o.image_bundle,
                },
                bootstrap_kubeconfig: o.bootstrap_kubeconfig.or(spec.bootstrap_kubeconfig),
                keep_bootstrap: o.keep_bootstrap.or(spec.keep_bootstrap),
                clusterctl_config: o.clusterctl_config.or(spec.clusterctl_config),
                to_kubeconfig: o.to_kubeconfig.or(spec.to_kubeconfig),
                to_kubeconfig_out: o.to_kubeconfig_out.or(spec.to_kubeconfig_out),
                no_backup: o.no_backup.or(spec.no_backup),
                merge_kubeconfig: o.merge_kubeconfig.or(spec.merge_kubeconfig),
                skip_probes: list(o.skip_probes, spec.skip_probes),
                timeout: o.timeout.or(spec.timeout),
                settle: o.settle.or(spec.settle),
            },
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_steps_that_are_still_to_be_done_may_change() {
        let document = |spec| PivotDocument { spec, ..PivotDocument::default() };
        let old = document(PivotSpec { worker_replicas: Some(1), ..PivotSpec::default() });
        let reached = document(PivotSpec { to_kubeconfig: Some("/k".into()), ..old.spec.clone() });
        let kept = document(PivotSpec { keep_bootstrap: Some(true), ..old.spec.clone() });
        let other = document(PivotSpec { worker_replicas: Some(2), ..old.spec.clone() });
        let before = |step: Step| move |other: Step| other < step;
        assert!(old.wants_what(&reached, before(Step::Move)));
        assert!(!old.wants_what(&reached, before(Step::Verify)), "another target by now");
        assert!(old.wants_what(&kept, before(Step::DeleteBootstrap)));
        assert!(!old.wants_what(&other, |_| false), "it was applied");
    }
}
