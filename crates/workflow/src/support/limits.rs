//! The limits of the plugins, held against what is wanted: better known now than after twenty
//! minutes.

use blueprint::Blueprint;
use cluster::Client;
use kubectl_pivot_plugin_api::Capabilities;
use serde_json::Value;
use transfer::installed_providers;

use crate::error::StepError;
use crate::spec::Spec;

/// Fails if a plugin cannot do what is wanted, as far as it is known without a cluster.
///
/// # Errors
/// The cluster could host no management cluster, or its Kubernetes version is not supported.
pub(crate) fn check(
    spec: &Spec,
    blueprint: &Blueprint,
    objects: &[Value],
) -> Result<(), StepError> {
    let version = blueprint.kubernetes_version(objects);
    for (plugin, limits) in blueprint.capabilities() {
        // A user who names the target says that it is another one.
        if limits.workload_only && spec.document.spec.to_kubeconfig.is_none() {
            return Err(cannot_host(plugin));
        }
        if let Some(version) = version.as_deref().filter(|v| !limits.kubernetes.contains(v)) {
            return Err(unsupported_kubernetes(plugin, limits, version));
        }
    }
    Ok(())
}

/// Fails if a plugin does not support the Cluster API of a management cluster.
///
/// # Errors
/// The inventory of providers cannot be read, or the version is not supported.
pub(crate) async fn check_cluster_api(
    blueprint: &Blueprint,
    cluster: &Client,
) -> Result<(), StepError> {
    let installed = installed_providers(cluster).await?;
    let Some(core) = installed.iter().find(|provider| provider.kind == "CoreProvider") else {
        return Ok(());
    };
    for (plugin, limits) in blueprint.capabilities() {
        if !limits.cluster_api.contains(&core.version) {
            let (range, version, name) = (&limits.cluster_api, &core.version, cluster.name());
            return Err(StepError::refused(
                format!(
                    "plugin `{plugin}` supports Cluster API {range}; the {name} cluster has \
                     {version}"
                ),
                "get a version of the plugin for it, or pin the providers in clusterctl's \
                 configuration",
            ));
        }
    }
    Ok(())
}

fn cannot_host(plugin: &str) -> StepError {
    StepError::refused(
        format!("clusters of the plugin `{plugin}` cannot host a management cluster"),
        "choose another infrastructure, for example `--infrastructure docker`; to rehearse with a \
         target of your own, name it with --to-kubeconfig FILE",
    )
}

fn unsupported_kubernetes(plugin: &str, limits: &Capabilities, version: &str) -> StepError {
    let range = &limits.kubernetes;
    StepError::refused(
        format!("plugin `{plugin}` supports Kubernetes {range}, not {version}"),
        "choose another version with --kubernetes-version, or get another version of the plugin",
    )
}
