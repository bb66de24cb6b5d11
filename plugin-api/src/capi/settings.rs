//! Settings of kubeadm for machines: what cloud-init and the kubelet get.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::kube_vip::KubeVip;
use super::version::ApiVersion;

/// Settings of kubeadm for machines. Users give them as JSON or YAML, in the variables
/// `control-plane-nodes`, `worker-nodes` and `worker-pools`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NodeSettings {
    /// Name of the node, for example `{{ ds.meta_data.local_hostname }}` of cloud-init.
    pub name: Option<String>,
    /// Arguments of the kubelet, without the dashes.
    pub kubelet_args: BTreeMap<String, String>,
    /// Taints of the node; an empty list leaves out that of the control plane.
    pub taints: Option<Vec<Taint>>,
    /// Files that are written before kubeadm runs.
    pub files: Vec<File>,
    /// Commands before kubeadm runs.
    pub pre_kubeadm_commands: Vec<String>,
    /// Commands after kubeadm has run.
    pub post_kubeadm_commands: Vec<String>,
    /// Users of the machine.
    pub users: Vec<User>,
    /// Folder of the machine with patches for kubeadm.
    pub patches: Option<String>,
    /// A virtual address for the API server, which kube-vip announces. For the control plane.
    pub kube_vip: Option<KubeVip>,
}

/// A taint of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Taint {
    /// Key.
    pub key: String,
    /// Value.
    #[serde(default)]
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// A file of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct File {
    /// Absolute path.
    pub path: String,
    /// Content.
    pub content: String,
    /// For example `root:root`.
    #[serde(default)]
    pub owner: Option<String>,
    /// For example `0600`.
    #[serde(default)]
    pub permissions: Option<String>,
    /// `base64`, `gzip` or `gzip+base64`, if the content is that.
    #[serde(default)]
    pub encoding: Option<String>,
}

/// A user of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// Name.
    pub name: String,
    /// Rule for sudo.
    #[serde(default)]
    pub sudo: Option<String>,
    /// Public keys that may log in.
    #[serde(default)]
    pub ssh_authorized_keys: Vec<String>,
}

impl NodeSettings {
    /// Adds the settings to a `kubeadmConfigSpec`, for a machine that joins and, if it is of the
    /// control plane, for the one that begins.
    pub(super) fn add_to(
        &self,
        spec: &mut Map<String, Value>,
        version: ApiVersion,
        configurations: &[&str],
    ) {
        let mut registration = Map::new();
        if let Some(name) = &self.name {
            registration.insert("name".to_owned(), json!(name));
        }
        if !self.kubelet_args.is_empty() {
            registration.insert("kubeletExtraArgs".to_owned(), self.arguments(version));
        }
        if let Some(taints) = &self.taints {
            let taints: Vec<_> = taints.iter().map(Taint::to_manifest).collect();
            registration.insert("taints".to_owned(), taints.into());
        }
        for configuration in configurations {
            let mut fields = Map::new();
            if !registration.is_empty() {
                fields.insert("nodeRegistration".to_owned(), registration.clone().into());
            }
            if let Some(folder) = &self.patches {
                fields.insert("patches".to_owned(), json!({"directory": folder}));
            }
            if !fields.is_empty() {
                spec.insert((*configuration).to_owned(), fields.into());
            }
        }
        self.add_cloud_init_to(spec);
    }

    fn add_cloud_init_to(&self, spec: &mut Map<String, Value>) {
        let mut files: Vec<_> = self.files.iter().map(File::to_manifest).collect();
        let mut before = self.pre_kubeadm_commands.clone();
        if let Some(kube_vip) = &self.kube_vip {
            files.push(kube_vip.file().to_manifest());
            before.push(kube_vip.command());
        }
        let users = self.users.iter().map(User::to_manifest).collect();
        let commands = |commands: &[String]| commands.iter().map(|text| json!(text)).collect();
        let lists: [(&str, Vec<Value>); 4] = [
            ("files", files),
            ("preKubeadmCommands", commands(&before)),
            ("postKubeadmCommands", commands(&self.post_kubeadm_commands)),
            ("users", users),
        ];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            spec.insert(name.to_owned(), list.into());
        }
    }

    /// `v1beta1` has a map, `v1beta2` a list, since an argument may be given more than once.
    fn arguments(&self, version: ApiVersion) -> Value {
        match version {
            ApiVersion::V1Beta1 => json!(self.kubelet_args),
            ApiVersion::V1Beta2 => {
                let pairs = self.kubelet_args.iter();
                pairs.map(|(name, value)| json!({"name": name, "value": value})).collect()
            }
        }
    }
}

impl Taint {
    fn to_manifest(&self) -> Value {
        let mut taint = json!({"key": self.key, "effect": self.effect});
        if !self.value.is_empty() {
            taint["value"] = json!(self.value);
        }
        taint
    }
}

impl File {
    fn to_manifest(&self) -> Value {
        let mut file = json!({"path": self.path, "content": self.content});
        for (name, value) in [
            ("owner", &self.owner),
            ("permissions", &self.permissions),
            ("encoding", &self.encoding),
        ] {
            if let Some(value) = value {
                file[name] = json!(value);
            }
        }
        file
    }
}

impl User {
    fn to_manifest(&self) -> Value {
        let mut user = json!({"name": self.name});
        if let Some(sudo) = &self.sudo {
            user["sudo"] = json!(sudo);
        }
        if !self.ssh_authorized_keys.is_empty() {
            user["sshAuthorizedKeys"] = json!(self.ssh_authorized_keys);
        }
        user
    }
}
