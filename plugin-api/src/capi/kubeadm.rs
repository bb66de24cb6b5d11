//! A cluster of one kubeadm control plane and one set of workers, as manifests.

use serde_json::{Map, Value, json};

use super::health;
use super::pools::{FIRST, WorkerPool, pools, structured};
use super::settings::NodeSettings;
use super::variables::{common_variables, names};
use super::version::{ApiVersion, VersionChoice};
use super::{BOOTSTRAP, CONTROL_PLANE, CORE, INFRASTRUCTURE};
use crate::cluster::ClusterRequest;
use crate::error::{PluginError, PluginResult};
use crate::values::{Values, invalid};

/// Label of the machines of a further pool.
const POOL_LABEL: &str = "kubectl-pivot.io/worker-pool";

/// An infrastructure provider's part of the manifests.
#[derive(Clone, Debug, PartialEq)]
pub struct Infrastructure<'a> {
    /// Kind of the cluster's infrastructure, for example `DockerCluster`.
    pub cluster_kind: &'a str,
    /// `spec` of that object, if it needs one.
    pub cluster_spec: Option<Value>,
    /// Kind of the machine template, for example `DockerMachineTemplate`.
    pub template_kind: &'a str,
    /// `spec.template.spec` of the control plane's machine template.
    pub control_plane_machine: Value,
    /// `spec.template.spec` of the workers' machine template.
    pub worker_machine: Value,
}

/// The kubeadm part of a cluster, read from the variables of [`common_variables`].
#[derive(Clone, Debug)]
pub struct KubeadmCluster<'a> {
    pub(super) request: &'a ClusterRequest,
    pub(super) values: &'a Values,
    pub(super) versions: VersionChoice<'a>,
    pub(super) kubernetes_version: String,
    control_plane: NodeSettings,
    workers: NodeSettings,
    pub(super) pools: Vec<WorkerPool>,
}

impl<'a> KubeadmCluster<'a> {
    /// Reads and checks what the types of the variables cannot express.
    ///
    /// # Errors
    /// The name of the cluster, the Kubernetes version or a number of replicas is not usable.
    pub fn new(request: &'a ClusterRequest, values: &'a Values) -> PluginResult<Self> {
        check_name(&request.name)?;
        let replicas = values.integer(names::CONTROL_PLANE_REPLICAS)?;
        if replicas % 2 == 0 {
            let why = format!("{replicas} is even, and etcd needs an odd number of members");
            return Err(refuse(names::CONTROL_PLANE_REPLICAS, &why));
        }
        let version = match &request.kubernetes_version {
            Some(version) => version,
            None => values.text(names::KUBERNETES_VERSION)?,
        };
        Ok(Self {
            request,
            values,
            versions: VersionChoice::new(request, values.text(names::API_VERSION)?)?,
            kubernetes_version: checked_kubernetes_version(version)?,
            control_plane: structured(values, names::CONTROL_PLANE_NODES)?.unwrap_or_default(),
            workers: structured(values, names::WORKER_NODES)?.unwrap_or_default(),
            pools: pools(values)?,
        })
    }

    /// Returns the choice of versions, for the kinds of the infrastructure provider.
    pub fn versions(&self) -> &VersionChoice<'a> {
        &self.versions
    }

    /// The settings of the machines of the control plane, which a plugin may change.
    pub fn control_plane_settings(&mut self) -> &mut NodeSettings {
        &mut self.control_plane
    }

    /// The settings of workers without settings of their own, which a plugin may change.
    pub fn worker_settings(&mut self) -> &mut NodeSettings {
        &mut self.workers
    }

    /// The settings of all machines: the control plane, the workers, and the pools that have their
    /// own. A plugin may change them.
    pub fn all_settings(&mut self) -> impl Iterator<Item = &mut NodeSettings> {
        let of_pools = self.pools.iter_mut().filter_map(|pool| pool.nodes.as_mut());
        [&mut self.control_plane, &mut self.workers].into_iter().chain(of_pools)
    }

    /// Returns whether the cluster has machines beside those of the control plane.
    ///
    /// # Errors
    /// The plugin does not declare [`names::WORKER_REPLICAS`].
    pub fn has_workers(&self) -> PluginResult<bool> {
        let replicas = self.values.integer(names::WORKER_REPLICAS)?;
        Ok(replicas > 0 || self.pools.iter().any(|pool| pool.replicas > 0))
    }

    /// All objects: Cluster and its infrastructure, control plane and its machines, workers,
    /// their machines and their kubeadm configuration, further pools, health checks.
    ///
    /// # Errors
    /// [`crate::ErrorCode::Unsupported`] if one of the kinds is not served.
    pub fn objects(&self, infrastructure: &Infrastructure<'_>) -> PluginResult<Vec<Value>> {
        let mut objects = vec![
            self.cluster(infrastructure)?,
            self.object(
                (INFRASTRUCTURE, infrastructure.cluster_kind),
                &self.request.name,
                infrastructure.cluster_spec.clone(),
            )?,
            self.control_plane(infrastructure)?,
            self.machine_template(
                infrastructure,
                "controlplane",
                &infrastructure.control_plane_machine,
            )?,
            self.first_workers(infrastructure)?,
            self.machine_template(infrastructure, "worker", &infrastructure.worker_machine)?,
            self.worker_configuration("worker", None)?,
        ];
        for pool in &self.pools {
            let name = format!("worker-{}", pool.name);
            objects.push(self.workers(infrastructure, (&name, &name), pool)?);
            objects.extend(self.pool_machines(infrastructure, &name, pool)?);
        }
        objects.extend(self.health_checks()?);
        Ok(objects)
    }

    /// Health checks, if they are wanted. A control plane of one machine has nothing to replace it
    /// from.
    pub(super) fn health_checks(&self) -> PluginResult<Vec<Value>> {
        if !self.values.boolean(names::HEALTH_CHECK).unwrap_or(false) {
            return Ok(Vec::new());
        }
        let kind = (CORE, "MachineHealthCheck");
        let version = self.versions.of(kind.0, kind.1)?;
        let check = |name: &str, label: &str| {
            let spec = health::spec(version, &self.request.name, label);
            self.object(kind, &format!("{}-{name}", self.request.name), Some(spec))
        };
        let mut checks = vec![check("workers", "cluster.x-k8s.io/deployment-name")?];
        if self.values.integer(names::CONTROL_PLANE_REPLICAS)? > 1 {
            checks.push(check("control-plane", "cluster.x-k8s.io/control-plane")?);
        }
        Ok(checks)
    }

    /// The machine template of a further pool, and the kubeadm configuration of its machines.
    pub(super) fn pool_machines(
        &self,
        infrastructure: &Infrastructure<'_>,
        name: &str,
        pool: &WorkerPool,
    ) -> PluginResult<[Value; 2]> {
        Ok([
            self.machine_template(infrastructure, name, &infrastructure.worker_machine)?,
            self.worker_configuration(name, pool.nodes.as_ref())?,
        ])
    }

    pub(super) fn machine_template(
        &self,
        infrastructure: &Infrastructure<'_>,
        name: &str,
        machine: &Value,
    ) -> PluginResult<Value> {
        let spec = json!({"template": {"spec": machine}});
        let kind = (INFRASTRUCTURE, infrastructure.template_kind);
        self.object(kind, &self.named(name), Some(spec))
    }

    fn cluster(&self, infrastructure: &Infrastructure<'_>) -> PluginResult<Value> {
        let kind = (CORE, "Cluster");
        let control_plane = (CONTROL_PLANE, "KubeadmControlPlane");
        let infrastructure = (INFRASTRUCTURE, infrastructure.cluster_kind);
        let spec = json!({
            "clusterNetwork": self.network()?,
            "controlPlaneRef": self.reference(kind, control_plane, &self.control_plane_name())?,
            "infrastructureRef": self.reference(kind, infrastructure, &self.request.name)?,
        });
        self.object(kind, &self.request.name, Some(spec))
    }

    fn control_plane(&self, infrastructure: &Infrastructure<'_>) -> PluginResult<Value> {
        let kind = (CONTROL_PLANE, "KubeadmControlPlane");
        let version = self.versions.of(kind.0, kind.1)?;
        let template = (INFRASTRUCTURE, infrastructure.template_kind);
        let machines = json!({"infrastructureRef": self.reference(kind, template,
            &self.named("controlplane"))?});
        let mut spec = json!({
            "replicas": self.values.integer(names::CONTROL_PLANE_REPLICAS)?,
            "version": self.kubernetes_version,
            "machineTemplate": match version {
                ApiVersion::V1Beta1 => machines,
                ApiVersion::V1Beta2 => json!({"spec": machines}),
            },
        });
        let configuration = self.control_plane_configuration(version)?;
        if !configuration.is_empty() || version == ApiVersion::V1Beta1 {
            spec["kubeadmConfigSpec"] = configuration.into();
        }
        self.object(kind, &self.control_plane_name(), Some(spec))
    }

    pub(super) fn network(&self) -> PluginResult<Value> {
        let mut network = json!({"serviceDomain": self.values.text(names::SERVICE_DOMAIN)?});
        for (field, variable) in [("pods", names::POD_CIDRS), ("services", names::SERVICE_CIDRS)] {
            let ranges = self.values.list(variable)?;
            if !ranges.is_empty() {
                network[field] = json!({"cidrBlocks": ranges});
            }
        }
        Ok(network)
    }

    pub(super) fn control_plane_configuration(
        &self,
        version: ApiVersion,
    ) -> PluginResult<Map<String, Value>> {
        let mut configuration = Map::new();
        let cert_sans = self.values.list(names::CERT_SANS)?;
        if !cert_sans.is_empty() {
            let names = json!({"apiServer": {"certSANs": cert_sans}});
            configuration.insert("clusterConfiguration".to_owned(), names);
        }
        let configurations = ["initConfiguration", "joinConfiguration"];
        self.control_plane.add_to(&mut configuration, version, &configurations);
        Ok(configuration)
    }

    fn first_workers(&self, infrastructure: &Infrastructure<'_>) -> PluginResult<Value> {
        let replicas = self.values.integer(names::WORKER_REPLICAS)?;
        let replicas = u32::try_from(replicas).unwrap_or_default();
        let pool = WorkerPool { name: FIRST.to_owned(), replicas, ..WorkerPool::default() };
        self.workers(infrastructure, (&format!("worker-{FIRST}"), "worker"), &pool)
    }

    fn workers(
        &self,
        infrastructure: &Infrastructure<'_>,
        (name, template_name): (&str, &str),
        pool: &WorkerPool,
    ) -> PluginResult<Value> {
        let kind = (CORE, "MachineDeployment");
        let configuration = (BOOTSTRAP, "KubeadmConfigTemplate");
        let template = (INFRASTRUCTURE, infrastructure.template_kind);
        let worker = self.named(template_name);
        let mut machine = json!({
            "clusterName": self.request.name,
            "version": self.kubernetes_version,
            "bootstrap": {"configRef": self.reference(kind, configuration, &worker)?},
            "infrastructureRef": self.reference(kind, template, &worker)?,
        });
        if let Some(domain) = &pool.failure_domain {
            machine["failureDomain"] = json!(domain);
        }
        let mut labels = json!({"cluster.x-k8s.io/cluster-name": self.request.name});
        let mut template = json!({"spec": machine});
        if pool.name != FIRST {
            // Machines of one pool are not those of another.
            labels[POOL_LABEL] = json!(pool.name);
            template["metadata"] = json!({"labels": labels});
        }
        let spec = json!({
            "clusterName": self.request.name,
            "replicas": pool.replicas,
            "selector": {"matchLabels": labels},
            "template": template,
        });
        self.object(kind, &self.named(name), Some(spec))
    }

    /// Without any property, which is what `cloud-config` stands for; `v1beta2` insists on one.
    pub(super) fn worker_configuration(
        &self,
        name: &str,
        settings: Option<&NodeSettings>,
    ) -> PluginResult<Value> {
        let kind = (BOOTSTRAP, "KubeadmConfigTemplate");
        let version = self.versions.of(kind.0, kind.1)?;
        let mut spec = Map::new();
        let settings = settings.unwrap_or(&self.workers);
        settings.add_to(&mut spec, version, &["joinConfiguration"]);
        if spec.is_empty() && version == ApiVersion::V1Beta2 {
            spec.insert("format".to_owned(), json!("cloud-config"));
        }
        self.object(kind, &self.named(name), Some(json!({"template": {"spec": spec}})))
    }

    pub(super) fn object(
        &self,
        kind: (&str, &str),
        name: &str,
        spec: Option<Value>,
    ) -> PluginResult<Value> {
        let version = self.versions.of(kind.0, kind.1)?.as_str();
        let mut object = Map::from_iter([
            ("apiVersion".to_owned(), format!("{}/{version}", kind.0).into()),
            ("kind".to_owned(), kind.1.into()),
            ("metadata".to_owned(), json!({"name": name, "namespace": self.request.namespace})),
        ]);
        object.extend(spec.map(|spec| ("spec".to_owned(), spec)));
        Ok(object.into())
    }

    fn reference(&self, from: (&str, &str), to: (&str, &str), name: &str) -> PluginResult<Value> {
        let version = self.versions.of(from.0, from.1)?;
        let target = self.versions.of(to.0, to.1)?;
        Ok(version.reference(target, to, (&self.request.namespace, name)))
    }

    pub(super) fn control_plane_name(&self) -> String {
        format!("controlplane-{}", self.request.name)
    }

    pub(super) fn named(&self, name: &str) -> String {
        match self.values.boolean(names::PREFIX_NAMES) {
            Ok(true) => format!("{}-{name}", self.request.name),
            _ => name.to_owned(),
        }
    }
}

/// A Cluster's name becomes a label value and part of other names.
fn check_name(name: &str) -> PluginResult<()> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    if starts_well && !name.ends_with('-') && name.len() <= 63 && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(PluginError::invalid_request(format!(
        "`{name}` cannot be the name of a cluster: at most 63 lowercase letters, digits and \
         hyphens, starting with a letter and not ending with a hyphen"
    )))
}

/// A Kubernetes version with the `v` that Cluster API insists on.
///
/// # Errors
/// [`crate::ErrorCode::InvalidVariable`] for anything that is not like `v1.33.0`.
pub fn checked_kubernetes_version(version: &str) -> PluginResult<String> {
    let bare = version.strip_prefix('v').unwrap_or(version);
    let core = bare.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<_> = core.split('.').map(str::parse::<u32>).collect();
    if numbers.len() == 3 && numbers.iter().all(Result::is_ok) {
        return Ok(format!("v{bare}"));
    }
    let why = format!("`{version}` is not a Kubernetes version such as v1.33.0");
    Err(refuse(names::KUBERNETES_VERSION, &why))
}

fn refuse(name: &str, why: &str) -> PluginError {
    let declared = common_variables();
    match declared.iter().find(|variable| variable.name == name) {
        Some(variable) => invalid(variable, why),
        None => PluginError::internal(why),
    }
}
