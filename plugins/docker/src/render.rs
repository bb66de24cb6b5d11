//! The manifests of a cluster.

use kubectl_pivot_plugin_api::capi::{Infrastructure, KubeadmCluster};
use kubectl_pivot_plugin_api::values::invalid;
use kubectl_pivot_plugin_api::{ClusterRequest, Manifests, Mount, PluginResult, Values};
use serde_json::{Map, Value, json};

use crate::kinds::Kinds;
use crate::variables;
use crate::{kubelet, registries};

const DEPRECATED: &str = "the Docker* kinds are deprecated in Cluster API 1.14 and gone in 1.15; \
                          `--set kinds=dev` renders their successors";

pub(crate) fn manifests(request: &ClusterRequest, values: &Values) -> PluginResult<Manifests> {
    let mut cluster = KubeadmCluster::new(request, values)?;
    kubelet::configure(&mut cluster)?;
    registries::configure(&mut cluster, values)?;
    let kinds = Kinds::choose(values.text(variables::KINDS)?, request, cluster.versions())?;
    let machine = machine(kinds, values)?;
    let infrastructure = Infrastructure {
        cluster_kind: kinds.cluster(),
        cluster_spec: match kinds {
            Kinds::Docker => None,
            Kinds::Dev => Some(json!({"backend": {"docker": {}}})),
        },
        template_kind: kinds.machine_template(),
        control_plane_machine: machine.clone(),
        worker_machine: machine,
    };
    let objects = match values.boolean(variables::TOPOLOGY)? {
        true => cluster.topology(&infrastructure)?,
        false => cluster.objects(&infrastructure)?,
    };
    let deprecated =
        kinds == Kinds::Docker && cluster.versions().capi_minor()?.is_some_and(|minor| minor >= 14);
    let notes = deprecated.then(|| DEPRECATED.to_owned()).into_iter().collect();
    Ok(Manifests { notes, ..objects.into() })
}

/// `spec.template.spec` of a machine template.
fn machine(kinds: Kinds, values: &Values) -> PluginResult<Value> {
    let mut machine = Map::new();
    let mounts = mounts(values)?;
    if !mounts.is_empty() {
        machine.insert("extraMounts".to_owned(), mounts.into());
    }
    if let Some(image) = values.optional_text(variables::CUSTOM_IMAGE) {
        machine.insert("customImage".to_owned(), image.into());
    }
    Ok(match kinds {
        Kinds::Docker => machine.into(),
        Kinds::Dev => json!({"backend": {"docker": machine}}),
    })
}

fn mounts(values: &Values) -> PluginResult<Vec<Value>> {
    let socket = values.text(variables::DOCKER_SOCKET)?;
    let mount = |text: &String| {
        let parsed = Mount::parse(text).map(|mount| with_socket(mount, socket));
        let variable = || variables::declared(variables::EXTRA_MOUNTS);
        parsed.map(|mount| mount.to_manifest()).map_err(|why| invalid(&variable(), &why))
    };
    values.list(variables::EXTRA_MOUNTS)?.iter().map(mount).collect()
}

/// The socket of Docker is one fact, whether the bootstrap cluster or a machine sees it.
fn with_socket(mount: Mount, socket: &str) -> Mount {
    if mount == Mount::same(variables::SOCKET) {
        return Mount { host_path: socket.to_owned(), ..mount };
    }
    mount
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
