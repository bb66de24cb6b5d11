//! A cluster of one kubeadm control plane and one set of workers, as manifests.

use serde_json::{Map, Value, json};

use super::variables::{common_variables, names};
use super::version::{ApiVersion, VersionChoice};
use super::{BOOTSTRAP, CONTROL_PLANE, CORE, INFRASTRUCTURE};
use crate::cluster::ClusterRequest;
use crate::error::{PluginError, PluginResult};
use crate::values::{Values, invalid};

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
    request: &'a ClusterRequest,
    values: &'a Values,
    versions: VersionChoice<'a>,
    kubernetes_version: String,
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
            kubernetes_version: kubernetes_version(version)?,
        })
    }

    /// Returns the choice of versions, for the kinds of the infrastructure provider.
    pub fn versions(&self) -> &VersionChoice<'a> {
        &self.versions
    }

    /// All objects: Cluster and its infrastructure, control plane and its machines, workers,
    /// their machines and their kubeadm configuration.
    ///
    /// # Errors
    /// [`crate::ErrorCode::Unsupported`] if one of the kinds is not served.
    pub fn objects(&self, infrastructure: &Infrastructure<'_>) -> PluginResult<Vec<Value>> {
        let template = |name: &str, machine: &Value| {
            let spec = json!({"template": {"spec": machine}});
            let kind = (INFRASTRUCTURE, infrastructure.template_kind);
            self.object(kind, &self.named(name), Some(spec))
        };
        Ok(vec![
            self.cluster(infrastructure)?,
            self.object(
                (INFRASTRUCTURE, infrastructure.cluster_kind),
                &self.request.name,
                infrastructure.cluster_spec.clone(),
            )?,
            self.control_plane(infrastructure)?,
            template("controlplane", &infrastructure.control_plane_machine)?,
            self.workers(infrastructure)?,
            template("worker", &infrastructure.worker_machine)?,
            self.worker_configuration()?,
        ])
    }

    fn cluster(&self, infrastructure: &Infrastructure<'_>) -> PluginResult<Value> {
        let kind = (CORE, "Cluster");
        let mut network = json!({"serviceDomain": self.values.text(names::SERVICE_DOMAIN)?});
        for (field, variable) in [("pods", names::POD_CIDRS), ("services", names::SERVICE_CIDRS)] {
            let ranges = self.values.list(variable)?;
            if !ranges.is_empty() {
                network[field] = json!({"cidrBlocks": ranges});
            }
        }
        let control_plane = (CONTROL_PLANE, "KubeadmControlPlane");
        let infrastructure = (INFRASTRUCTURE, infrastructure.cluster_kind);
        let spec = json!({
            "clusterNetwork": network,
            "controlPlaneRef": self.reference(kind, control_plane, &self.control_plane_name())?,
            "infrastructureRef": self.reference(kind, infrastructure, &self.request.name)?,
        });
        self.object(kind, &self.request.name, Some(spec))
    }

    fn control_plane(&self, infrastructure: &Infrastructure<'_>) -> PluginResult<Value> {
        let kind = (CONTROL_PLANE, "KubeadmControlPlane");
        let version = self.versions.of(kind.0, kind.1)?;
        let template = (INFRASTRUCTURE, infrastructure.template_kind);
        let machines = json!({"infrastructureRef": self.reference(kind, template, &self.named("controlplane"))?});
        let mut spec = json!({
            "replicas": self.values.integer(names::CONTROL_PLANE_REPLICAS)?,
            "version": self.kubernetes_version,
            "machineTemplate": match version {
                ApiVersion::V1Beta1 => machines,
                ApiVersion::V1Beta2 => json!({"spec": machines}),
            },
        });
        let cert_sans = self.values.list(names::CERT_SANS)?;
        if !cert_sans.is_empty() {
            spec["kubeadmConfigSpec"] =
                json!({"clusterConfiguration": {"apiServer": {"certSANs": cert_sans}}});
        } else if version == ApiVersion::V1Beta1 {
            spec["kubeadmConfigSpec"] = json!({});
        }
        self.object(kind, &self.control_plane_name(), Some(spec))
    }

    fn workers(&self, infrastructure: &Infrastructure<'_>) -> PluginResult<Value> {
        let kind = (CORE, "MachineDeployment");
        let configuration = (BOOTSTRAP, "KubeadmConfigTemplate");
        let template = (INFRASTRUCTURE, infrastructure.template_kind);
        let worker = self.named("worker");
        let spec = json!({
            "clusterName": self.request.name,
            "replicas": self.values.integer(names::WORKER_REPLICAS)?,
            "selector": {"matchLabels": {"cluster.x-k8s.io/cluster-name": self.request.name}},
            "template": {
                "spec": {
                    "clusterName": self.request.name,
                    "version": self.kubernetes_version,
                    "bootstrap": {"configRef": self.reference(kind, configuration, &worker)?},
                    "infrastructureRef": self.reference(kind, template, &worker)?,
                },
            },
        });
        self.object(kind, &self.named("worker-md-0"), Some(spec))
    }

    /// Without any property, which is what `cloud-config` stands for; `v1beta2` insists on one.
    fn worker_configuration(&self) -> PluginResult<Value> {
        let kind = (BOOTSTRAP, "KubeadmConfigTemplate");
        let spec = match self.versions.of(kind.0, kind.1)? {
            ApiVersion::V1Beta1 => json!({}),
            ApiVersion::V1Beta2 => json!({"format": "cloud-config"}),
        };
        self.object(kind, &self.named("worker"), Some(json!({"template": {"spec": spec}})))
    }

    fn object(&self, kind: (&str, &str), name: &str, spec: Option<Value>) -> PluginResult<Value> {
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

    fn control_plane_name(&self) -> String {
        format!("controlplane-{}", self.request.name)
    }

    fn named(&self, name: &str) -> String {
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

/// Adds the `v` that Cluster API insists on.
fn kubernetes_version(version: &str) -> PluginResult<String> {
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
