//! Clusters on AWS, by the template of the AWS provider (CAPA).
//!
//! The template brings the cloud controller manager and the storage driver along, as
//! ClusterResourceSets. The plugin has never reached AWS: its template and its kinds are tested.

mod credentials;
mod variables;

use kubectl_pivot_plugin_api::templated::Templated;
use kubectl_pivot_plugin_api::{Probe, ProbeStage, export_plugin};

/// The plugin.
pub const AWS: Templated = Templated {
    version: env!("CARGO_PKG_VERSION"),
    description: "Clusters on AWS, by its provider's template (CAPA); never tried on a cloud",
    home_page: "https://cluster-api-aws.sigs.k8s.io/",
    controller: ("capa-system", "capa-controller-manager"),
    cluster_kind: "AWSCluster",
    variables: variables::ALL,
    credentials: credentials::ALL,
    // The security groups of the provider are open for the traffic of Calico.
    cni: "calico",
    probes: || {
        let (name, namespace) = ("aws-cloud-controller-manager", "kube-system");
        vec![Probe::daemon_set_ready(name, namespace, name).at(&[ProbeStage::CniInstalled])]
    },
    notes: &[
        "the IAM roles of the machines have to exist: \
         `clusterawsadm bootstrap iam create-cloudformation-stack`",
        "this plugin has never reached AWS: try it with --dry-run first",
    ],
    ..Templated::new("aws", "v2.13.0")
};

export_plugin!(infrastructure: AWS);

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{ClusterRequest, InfrastructureProvider as _};
    use serde_json::json;

    use super::AWS;

    #[test]
    fn conforms() {
        kubectl_pivot_plugin_api::testing::assert_infrastructure(&AWS);
    }

    #[test]
    fn its_providers_are_known_without_values() {
        let providers = AWS.providers(&ClusterRequest::named("pivot")).expect("all have defaults");
        assert_eq!(providers.infrastructure, ["aws:v2.13.0"]);
    }

    #[test]
    fn the_template_gets_the_variables() {
        let mut request = ClusterRequest::named("pivot");
        request.kubernetes_version = Some("1.34.0".to_owned());
        for (name, value) in [
            ("aws-region", "eu-central-1"),
            ("aws-ssh-key-name", "key"),
            ("aws-control-plane-machine-type", "t3.large"),
            ("aws-node-machine-type", "t3.small"),
            ("worker-replicas", "3"),
        ] {
            request.variables.insert(name.to_owned(), json!(value));
        }
        let template = AWS.render(&request).expect("complete").template.expect("it plans one");
        assert_eq!((&*template.provider, &*template.version), ("aws", "v2.13.0"));
        for (name, value) in [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_NODE_MACHINE_TYPE", "t3.small"),
            ("KUBERNETES_VERSION", "v1.34.0"),
            ("WORKER_MACHINE_COUNT", "3"),
            ("CONTROL_PLANE_MACHINE_COUNT", "1"),
        ] {
            assert_eq!(template.variables[name], value, "{name}");
        }
    }
}
