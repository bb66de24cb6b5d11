//! Holds the objects of a template against the flags: a flag that a template ignores is
//! better known now than when the machines are there.

use capi::group_of;
use kubectl_pivot_plugin_api::capi::names;
use serde_json::Value;

use super::error::TemplateError;
use crate::request::BlueprintRequest;

pub(super) fn check(
    provider: &str,
    request: &BlueprintRequest,
    objects: &[Value],
) -> Result<(), TemplateError> {
    let Some(cluster) = the_cluster(request, objects) else {
        return Err(TemplateError::NoCluster {
            provider: provider.to_owned(),
            namespace: request.namespace.clone(),
            name: request.name.clone(),
        });
    };
    let topology = &cluster["spec"]["topology"];
    let objects = Objects { provider, cluster, objects };
    objects.check_version(request.kubernetes_version.as_deref())?;
    if topology.is_null() {
        objects.check_replicas(request)?;
    }
    for (flag, name, field) in [
        ("--pod-cidr", names::POD_CIDRS, "pods"),
        ("--service-cidr", names::SERVICE_CIDRS, "services"),
    ] {
        objects.check_ranges(flag, request.variable(name), field)?;
    }
    Ok(())
}

fn the_cluster<'a>(request: &BlueprintRequest, objects: &'a [Value]) -> Option<&'a Value> {
    let is_it = |object: &&Value| {
        object["kind"] == "Cluster"
            && group_of(object["apiVersion"].as_str().unwrap_or_default()) == "cluster.x-k8s.io"
            && object["metadata"]["name"] == request.name.as_str()
    };
    objects.iter().find(is_it)
}

struct Objects<'a> {
    provider: &'a str,
    cluster: &'a Value,
    objects: &'a [Value],
}

impl Objects<'_> {
    fn of_kind<'k>(&'k self, kind: &'k str) -> impl Iterator<Item = &'k Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    fn control_plane(&self) -> Option<&Value> {
        let reference = &self.cluster["spec"]["controlPlaneRef"];
        let is_it = |object: &&Value| {
            object["kind"] == reference["kind"] && object["metadata"]["name"] == reference["name"]
        };
        self.objects.iter().find(is_it)
    }

    fn check_version(&self, wanted: Option<&str>) -> Result<(), TemplateError> {
        let Some(wanted) = wanted else { return Ok(()) };
        let found = match self.control_plane() {
            Some(control_plane) => &control_plane["spec"]["version"],
            None => &self.cluster["spec"]["topology"]["version"],
        };
        let bare = |version: &str| version.trim_start_matches('v').to_owned();
        match found.as_str() {
            Some(found) if bare(found) != bare(wanted) => {
                self.ignored("--kubernetes-version", "the version of the control plane", found)
            }
            _ => Ok(()),
        }
    }

    fn check_replicas(&self, request: &BlueprintRequest) -> Result<(), TemplateError> {
        let control_plane = self.control_plane().map(replicas);
        self.check_count(
            ("--control-plane-replicas", request.variable(names::CONTROL_PLANE_REPLICAS)),
            "the number of control plane machines",
            control_plane,
        )?;
        let workers = ["MachineDeployment", "MachinePool"];
        let workers = workers.into_iter().flat_map(|kind| self.of_kind(kind)).map(replicas).sum();
        self.check_count(
            ("--worker-replicas", request.variable(names::WORKER_REPLICAS)),
            "the number of workers",
            Some(workers),
        )
    }

    fn check_count(
        &self,
        (flag, wanted): (&'static str, Option<&Value>),
        what: &str,
        found: Option<u64>,
    ) -> Result<(), TemplateError> {
        match (wanted.and_then(count), found) {
            (Some(wanted), Some(found)) if wanted != found => {
                self.ignored(flag, what, &found.to_string())
            }
            _ => Ok(()),
        }
    }

    fn check_ranges(
        &self,
        flag: &'static str,
        wanted: Option<&Value>,
        field: &str,
    ) -> Result<(), TemplateError> {
        let found = &self.cluster["spec"]["clusterNetwork"][field]["cidrBlocks"];
        match wanted.map(ranges) {
            Some(wanted) if wanted != ranges(found) => {
                let what = format!("the range of {field} in the Cluster");
                self.ignored(flag, &what, &ranges(found).join(","))
            }
            _ => Ok(()),
        }
    }

    fn ignored(&self, flag: &'static str, what: &str, found: &str) -> Result<(), TemplateError> {
        let (provider, what) = (self.provider.to_owned(), what.to_owned());
        Err(TemplateError::Ignored { provider, flag, what, found: found.to_owned() })
    }
}

/// One, if the object does not say it.
fn replicas(object: &Value) -> u64 {
    object["spec"]["replicas"].as_u64().unwrap_or(1)
}

fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn ranges(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::Array(ranges) => ranges.iter().filter_map(text).collect(),
        Value::String(ranges) => ranges
            .split(',')
            .map(|range| range.trim().to_owned())
            .filter(|r| !r.is_empty())
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn objects() -> Vec<Value> {
        let reference = json!({"kind": "KubeadmControlPlane", "name": "pivot-control-plane"});
        let network = json!({"pods": {"cidrBlocks": ["192.168.0.0/16"]}});
        vec![
            json!({"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Cluster",
                "metadata": {"name": "pivot"},
                "spec": {"controlPlaneRef": reference, "clusterNetwork": network}}),
            json!({"kind": "KubeadmControlPlane", "metadata": {"name": "pivot-control-plane"},
                "spec": {"replicas": 3, "version": "v1.33.0"}}),
            json!({"kind": "MachineDeployment", "spec": {"replicas": 2}}),
            json!({"kind": "MachinePool", "spec": {}}),
        ]
    }

    fn checked(version: Option<&str>, variables: &[(&str, Value)]) -> Result<(), String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let request = BlueprintRequest {
            name: "pivot".to_owned(),
            kubernetes_version: version.map(str::to_owned),
            variables: variables.collect(),
            ..BlueprintRequest::default()
        };
        check("potato", &request, &objects()).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_that_a_template_ignores_are_named() {
        assert_eq!(checked(None, &[]), Ok(()));
        assert_eq!(checked(Some("1.33.0"), &[(names::WORKER_REPLICAS, json!(3))]), Ok(()));
        assert_eq!(checked(None, &[(names::POD_CIDRS, json!("192.168.0.0/16"))]), Ok(()));
        let error = |version, variables: &[(&str, Value)]| {
            checked(version, variables).expect_err("ignored")
        };
        assert_eq!(
            error(Some("v1.34.0"), &[]),
            "the template of the provider `potato` ignores --kubernetes-version: the version of \
             the control \
             plane is v1.33.0"
        );
        assert!(error(None, &[(names::WORKER_REPLICAS, json!("4"))]).contains("workers is 3"));
        assert!(
            error(None, &[(names::CONTROL_PLANE_REPLICAS, json!(1))]).contains("machines is 3")
        );
        assert!(
            error(None, &[(names::SERVICE_CIDRS, json!(["10.0.0.0/8"]))])
                .contains("--service-cidr")
        );
    }

    #[test]
    fn a_template_without_the_cluster_is_refused() {
        let request = BlueprintRequest { name: "other".to_owned(), ..BlueprintRequest::default() };
        assert!(matches!(
            check("potato", &request, &objects()),
            Err(TemplateError::NoCluster { .. })
        ));
    }
}
