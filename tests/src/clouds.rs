//! The infrastructure providers of clouds: their own cluster templates and CRDs, from Go modules,
//! in a local repository for the real clusterctl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::yaml;

/// A provider, and what its plugin needs.
#[derive(Clone, Copy, Debug)]
pub struct Cloud {
    /// Name of the provider and of the plugin.
    pub name: &'static str,
    module: &'static str,
    /// Version of the provider.
    pub version: &'static str,
    crds: &'static str,
    /// Environment of the provider's users.
    pub environment: &'static [(&'static str, &'static str)],
    /// Number of objects of the template, and of those that the plugin adds.
    pub objects: usize,
}

/// All providers that have a plugin.
pub const CLOUDS: [Cloud; 5] = [
    Cloud {
        name: "aws",
        module: "sigs.k8s.io/cluster-api-provider-aws/v2",
        version: "v2.13.0",
        crds: "config/crd/bases",
        environment: &[
            ("AWS_REGION", "eu-central-1"),
            ("AWS_SSH_KEY_NAME", "a-key"),
            ("AWS_CONTROL_PLANE_MACHINE_TYPE", "t3.large"),
            ("AWS_NODE_MACHINE_TYPE", "t3.large"),
            ("AWS_B64ENCODED_CREDENTIALS", "c2VjcmV0LW9mLWF3cw=="),
        ],
        objects: 11,
    },
    Cloud {
        name: "azure",
        module: "sigs.k8s.io/cluster-api-provider-azure",
        version: "v1.23.0",
        crds: "config/crd/bases",
        environment: &[
            ("AZURE_LOCATION", "centralus"),
            ("AZURE_CONTROL_PLANE_MACHINE_TYPE", "Standard_D2s_v3"),
            ("AZURE_NODE_MACHINE_TYPE", "Standard_D2s_v3"),
            ("AZURE_SUBSCRIPTION_ID", "00000000-0000-0000-0000-000000000001"),
            ("AZURE_TENANT_ID", "00000000-0000-0000-0000-000000000002"),
            ("AZURE_CLIENT_ID_USER_ASSIGNED_IDENTITY", "00000000-0000-0000-0000-000000000003"),
            ("AZURE_CLIENT_SECRET", "s3cret-of-azure"),
            ("CLUSTER_IDENTITY_NAME", "cluster-identity"),
        ],
        objects: 9,
    },
    Cloud {
        name: "gcp",
        module: "sigs.k8s.io/cluster-api-provider-gcp",
        version: "v1.13.1",
        crds: "config/crd/bases",
        environment: &[
            ("GCP_REGION", "us-east1"),
            ("GCP_PROJECT", "a-project"),
            ("GCP_CONTROL_PLANE_MACHINE_TYPE", "n1-standard-2"),
            ("GCP_NODE_MACHINE_TYPE", "n1-standard-2"),
            ("GCP_NETWORK_NAME", "default"),
            ("IMAGE_ID", "projects/a-project/global/images/an-image"),
            ("GCP_B64ENCODED_CREDENTIALS", "c2VjcmV0LW9mLWdjcA=="),
        ],
        objects: 7,
    },
    Cloud {
        name: "vsphere",
        module: "sigs.k8s.io/cluster-api-provider-vsphere",
        version: "v1.14.0",
        crds: "config/default/crd/bases",
        environment: &[
            ("VSPHERE_SERVER", "10.0.0.1"),
            ("VSPHERE_DATACENTER", "dc"),
            ("VSPHERE_DATASTORE", "ds"),
            ("VSPHERE_NETWORK", "VM Network"),
            ("VSPHERE_RESOURCE_POOL", "*/Resources"),
            ("VSPHERE_FOLDER", "vm"),
            ("VSPHERE_TEMPLATE", "ubuntu"),
            ("VSPHERE_SSH_AUTHORIZED_KEY", "ssh-ed25519 AAAA"),
            ("VSPHERE_TLS_THUMBPRINT", "97:48:03"),
            ("VSPHERE_STORAGE_POLICY", "policy"),
            ("CONTROL_PLANE_ENDPOINT_IP", "10.0.0.2"),
            ("CPI_IMAGE_K8S_VERSION", "v1.33.0"),
            ("VSPHERE_USERNAME", "a-user"),
            ("VSPHERE_PASSWORD", "s3cret-of-vsphere"),
        ],
        objects: 13,
    },
    Cloud {
        name: "openstack",
        module: "sigs.k8s.io/cluster-api-provider-openstack",
        version: "v0.13.0",
        crds: "config/crd/bases",
        environment: &[
            ("OPENSTACK_CLOUD", "a-cloud"),
            ("OPENSTACK_CLOUD_YAML_B64", "czNjcmV0LW9mLW9wZW5zdGFjaw=="),
            ("OPENSTACK_CLOUD_CACERT_B64", "Y2FjZXJ0"),
            ("OPENSTACK_CLOUD_PROVIDER_CONF_B64", "W0dsb2JhbF0K"),
            ("OPENSTACK_DNS_NAMESERVERS", "10.0.0.53"),
            ("OPENSTACK_FAILURE_DOMAIN", "nova"),
            ("OPENSTACK_CONTROL_PLANE_MACHINE_FLAVOR", "m1.medium"),
            ("OPENSTACK_NODE_MACHINE_FLAVOR", "m1.medium"),
            ("OPENSTACK_IMAGE_NAME", "ubuntu"),
            ("OPENSTACK_SSH_KEY_NAME", "a-key"),
            ("OPENSTACK_EXTERNAL_NETWORK_ID", "00000000-0000-0000-0000-000000000004"),
        ],
        objects: 8,
    },
];

impl Cloud {
    /// The folder of the provider's module in the cache of Go; fetched the first time.
    ///
    /// # Panics
    /// When Go cannot fetch it.
    pub fn sources(&self) -> PathBuf {
        let pins = tempfile::tempdir().expect("a temporary folder");
        for (file, text) in [
            ("go.mod", include_str!("../modules/clouds/go.mod")),
            ("go.sum", include_str!("../modules/clouds/go.sum")),
        ] {
            fs::write(pins.path().join(file), text).expect("write");
        }
        let mut go = Command::new("go");
        go.args(["mod", "download", "-json"]).arg(format!("{}@{}", self.module, self.version));
        go.env("GOWORK", "off").env("GOFLAGS", "-mod=readonly").current_dir(pins.path());
        let output = go.output().expect("Go is installed: https://go.dev/dl");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        match answer["Dir"].as_str() {
            Some(folder) if output.status.success() => folder.into(),
            _ => panic!("{}: {answer} {}", self.module, String::from_utf8_lossy(&output.stderr)),
        }
    }

    /// The CRDs of the provider.
    ///
    /// # Panics
    /// When they cannot be read.
    pub fn crds(&self) -> Vec<Value> {
        let folder = self.sources().join(self.crds);
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let paths = entries.map(|entry| entry.expect("readable").path());
        let paths = paths.filter(|path| path.extension().is_some_and(|end| end == "yaml"));
        let texts = paths.map(|path| fs::read_to_string(path).expect("readable"));
        let of_infrastructure =
            |crd: &Value| crd["spec"]["group"] == "infrastructure.cluster.x-k8s.io";
        let all = texts.flat_map(|text| yaml::documents(&text).expect("YAML"));
        all.filter(of_infrastructure).collect()
    }

    /// Writes the provider's own template into a local repository, and returns the path of its
    /// `clusterctl.yaml`.
    ///
    /// # Panics
    /// When a file cannot be read or written.
    pub fn repository(&self, folder: &Path) -> PathBuf {
        let template = self.sources().join("templates/cluster-template.yaml");
        let template = fs::read_to_string(template).expect("the module has it");
        self.repository_with(folder, &[("cluster-template.yaml", &template)])
    }

    /// As [`Self::repository`], with these templates.
    ///
    /// # Panics
    /// When a file cannot be written.
    pub fn repository_with(&self, folder: &Path, templates: &[(&str, &str)]) -> PathBuf {
        let place = folder.join(format!("infrastructure-{}", self.name)).join(self.version);
        fs::create_dir_all(&place).expect("create folder");
        for (file, text) in templates {
            // The module of Go has lost the mode of its files, which are read-only.
            fs::write(place.join(file), text).expect("write");
        }
        let url = place.join("infrastructure-components.yaml");
        let provider = json!({"name": self.name, "type": "InfrastructureProvider", "url": url});
        let config = folder.join("clusterctl.yaml");
        fs::write(&config, yaml::document(&json!({"providers": [provider]}))).expect("write");
        config
    }
}
