//! The template of a cluster, with its values.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::facts::Templated;
use super::variables::names;
use crate::capi::{CORE, VersionChoice, checked_kubernetes_version, names as common};
use crate::cluster::ClusterRequest;
use crate::error::PluginResult;
use crate::manifests::Manifests;
use crate::template::{ClusterctlTemplate, TemplatePatch};
use crate::values::Values;

pub(super) fn manifests(
    facts: &Templated,
    cluster: &ClusterRequest,
    values: &Values,
) -> PluginResult<Manifests> {
    // The objects are of the provider's choice, but a management cluster of the future is refused.
    VersionChoice::new(cluster, "auto")?.of(CORE, "Cluster")?;
    let mut patches = ranges(values)?;
    patches.extend((facts.patches)(values)?);
    let template = ClusterctlTemplate {
        provider: facts.name.to_owned(),
        version: values.text(names::PROVIDER_VERSION)?.to_owned(),
        flavour: values.text(names::FLAVOUR)?.to_owned(),
        variables: variables(facts, cluster, values)?,
        patches,
    };
    let objects = (facts.objects)(&cluster.namespace, values)?;
    Ok(Manifests { objects, ..template.into() })
}

fn variables(
    facts: &Templated,
    cluster: &ClusterRequest,
    values: &Values,
) -> PluginResult<BTreeMap<String, String>> {
    let version = match &cluster.kubernetes_version {
        Some(version) => version,
        None => values.text(common::KUBERNETES_VERSION)?,
    };
    let count = |name| Ok(values.integer(name)?.to_string());
    let mut variables = BTreeMap::from([
        ("KUBERNETES_VERSION".to_owned(), checked_kubernetes_version(version)?),
        ("CONTROL_PLANE_MACHINE_COUNT".to_owned(), count(common::CONTROL_PLANE_REPLICAS)?),
        ("WORKER_MACHINE_COUNT".to_owned(), count(common::WORKER_REPLICAS)?),
    ]);
    for variable in facts.variables {
        if let Some(value) = values.optional_text(&variable.name()) {
            variables.insert(variable.env.to_owned(), value.to_owned());
        }
    }
    Ok(variables)
}

/// Templates write their own ranges down; those of the user are put in their place. The fields are
/// the same in all versions of the Cluster.
fn ranges(values: &Values) -> PluginResult<Vec<TemplatePatch>> {
    let mut network = Map::new();
    for (field, name) in [("pods", common::POD_CIDRS), ("services", common::SERVICE_CIDRS)] {
        if values.get(name).is_some() {
            network.insert(field.to_owned(), json!({"cidrBlocks": values.list(name)?}));
        }
    }
    if network.is_empty() {
        return Ok(Vec::new());
    }
    let patch = json!({"spec": {"clusterNetwork": network}});
    Ok(vec![TemplatePatch::new(CORE, "Cluster", patch)])
}
