//! A cluster as a ClusterClass and a Cluster with a topology.

use serde_json::{Value, json};

use super::kubeadm::{Infrastructure, KubeadmCluster};
use super::pools::FIRST;
use super::variables::names;
use super::version::ApiVersion;
use super::{BOOTSTRAP, CONTROL_PLANE, CORE, INFRASTRUCTURE};
use crate::error::PluginResult;

/// The class of the workers that every cluster has.
const WORKER: &str = "worker";

impl KubeadmCluster<'_> {
    /// All objects, as a ClusterClass with its templates and a Cluster whose topology names it. The
    /// core provider needs the feature gate `CLUSTER_TOPOLOGY=true`.
    ///
    /// # Errors
    /// [`crate::ErrorCode::Unsupported`] if one of the kinds is not served.
    pub fn topology(&self, infrastructure: &Infrastructure<'_>) -> PluginResult<Vec<Value>> {
        let mut objects = vec![
            self.class(infrastructure)?,
            self.cluster_template(infrastructure)?,
            self.control_plane_template()?,
            self.machine_template(
                infrastructure,
                "controlplane",
                &infrastructure.control_plane_machine,
            )?,
            self.machine_template(infrastructure, WORKER, &infrastructure.worker_machine)?,
            self.worker_configuration(WORKER, None)?,
        ];
        for pool in &self.pools {
            let name = format!("{WORKER}-{}", pool.name);
            objects.extend(self.pool_machines(infrastructure, &name, pool)?);
        }
        objects.push(self.with_topology()?);
        objects.extend(self.health_checks()?);
        Ok(objects)
    }

    fn class_name(&self) -> String {
        format!("{}-class", self.request.name)
    }

    fn class(&self, infrastructure: &Infrastructure<'_>) -> PluginResult<Value> {
        let kind = (CORE, "ClusterClass");
        let version = self.versions.of(kind.0, kind.1)?;
        let template = (INFRASTRUCTURE, infrastructure.template_kind);
        let cluster_kind = format!("{}Template", infrastructure.cluster_kind);
        let control_plane = (CONTROL_PLANE, "KubeadmControlPlaneTemplate");
        let at = |to: (&str, &str), name: &str| self.template_reference(version, to, name);
        let mut plane = at(control_plane, &self.control_plane_name())?;
        plane["machineInfrastructure"] = at(template, &self.named("controlplane"))?;
        let mut workers = vec![self.worker_class(version, template, WORKER)?];
        for pool in &self.pools {
            workers.push(self.worker_class(
                version,
                template,
                &format!("{WORKER}-{}", pool.name),
            )?);
        }
        let spec = json!({
            "infrastructure": at((INFRASTRUCTURE, &cluster_kind), &self.request.name)?,
            "controlPlane": plane,
            "workers": {"machineDeployments": workers},
        });
        self.object(kind, &self.class_name(), Some(spec))
    }

    fn worker_class(
        &self,
        version: ApiVersion,
        template: (&str, &str),
        name: &str,
    ) -> PluginResult<Value> {
        let configuration = (BOOTSTRAP, "KubeadmConfigTemplate");
        let bootstrap = self.template_reference(version, configuration, &self.named(name))?;
        let machines = self.template_reference(version, template, &self.named(name))?;
        let parts = json!({"bootstrap": bootstrap, "infrastructure": machines});
        let mut class = json!({"class": name});
        match version {
            ApiVersion::V1Beta1 => class["template"] = parts,
            ApiVersion::V1Beta2 => {
                class["bootstrap"] = parts["bootstrap"].clone();
                class["infrastructure"] = parts["infrastructure"].clone();
            }
        }
        Ok(class)
    }

    /// Both versions name the whole `apiVersion` here, in a field of another name.
    fn template_reference(
        &self,
        version: ApiVersion,
        (group, kind): (&str, &str),
        name: &str,
    ) -> PluginResult<Value> {
        let field = match version {
            ApiVersion::V1Beta1 => "ref",
            ApiVersion::V1Beta2 => "templateRef",
        };
        let target = self.versions.of(group, kind)?.as_str();
        Ok(json!({field: {"apiVersion": format!("{group}/{target}"), "kind": kind, "name": name}}))
    }

    fn cluster_template(&self, infrastructure: &Infrastructure<'_>) -> PluginResult<Value> {
        let kind = format!("{}Template", infrastructure.cluster_kind);
        let spec = infrastructure.cluster_spec.clone().unwrap_or_else(|| json!({}));
        let spec = json!({"template": {"spec": spec}});
        self.object((INFRASTRUCTURE, &kind), &self.request.name, Some(spec))
    }

    fn control_plane_template(&self) -> PluginResult<Value> {
        let kind = (CONTROL_PLANE, "KubeadmControlPlaneTemplate");
        let version = self.versions.of(kind.0, kind.1)?;
        let mut configuration = self.control_plane_configuration(version)?;
        if configuration.is_empty() {
            configuration.insert("format".to_owned(), json!("cloud-config"));
        }
        let spec = json!({"template": {"spec": {"kubeadmConfigSpec": configuration}}});
        self.object(kind, &self.control_plane_name(), Some(spec))
    }

    fn with_topology(&self) -> PluginResult<Value> {
        let kind = (CORE, "Cluster");
        let class = self.class_name();
        let mut workers = vec![json!({
            "class": WORKER,
            "name": FIRST,
            "replicas": self.values.integer(names::WORKER_REPLICAS)?,
        })];
        for pool in &self.pools {
            let class = format!("{WORKER}-{}", pool.name);
            let mut workers_of_pool =
                json!({"class": class, "name": pool.name, "replicas": pool.replicas});
            if let Some(domain) = &pool.failure_domain {
                workers_of_pool["failureDomain"] = json!(domain);
            }
            workers.push(workers_of_pool);
        }
        let mut topology = json!({
            "version": self.kubernetes_version,
            "controlPlane": {"replicas": self.values.integer(names::CONTROL_PLANE_REPLICAS)?},
            "workers": {"machineDeployments": workers},
        });
        match self.versions.of(kind.0, kind.1)? {
            ApiVersion::V1Beta1 => topology["class"] = json!(class),
            ApiVersion::V1Beta2 => topology["classRef"] = json!({"name": class}),
        }
        let spec = json!({"clusterNetwork": self.network()?, "topology": topology});
        self.object(kind, &self.request.name, Some(spec))
    }
}
