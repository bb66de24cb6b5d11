//! kube-vip: a static pod that announces the address of the API server.

use serde::Deserialize;
use serde_json::json;

use super::settings::File;

/// The login of the static pod.
const LOGIN: &str = "/etc/kubernetes/admin.conf";
/// The same with all rights, which `kubeadm init` needs before it has given any.
const FIRST_LOGIN: &str = "/etc/kubernetes/super-admin.conf";
/// The manifest of the static pod.
const MANIFEST: &str = "/etc/kubernetes/manifests/kube-vip.yaml";
/// The image if no other one is wanted.
const IMAGE: &str = "ghcr.io/kube-vip/kube-vip:v1.0.1";

/// A virtual address for the API server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubeVip {
    /// The address.
    pub address: String,
    /// Interface that gets it; kube-vip looks for one if absent.
    #[serde(default)]
    pub interface: Option<String>,
    /// Image.
    #[serde(default)]
    pub image: Option<String>,
}

impl KubeVip {
    /// The static pod. kubelets read JSON too, which is YAML.
    pub(super) fn file(&self) -> File {
        let mut environment = vec![
            ("address", self.address.as_str()),
            ("port", "6443"),
            ("vip_arp", "true"),
            ("cp_enable", "true"),
            ("cp_namespace", "kube-system"),
            ("vip_leaderelection", "true"),
        ];
        environment.extend(self.interface.as_deref().map(|name| ("vip_interface", name)));
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "kube-vip", "namespace": "kube-system"},
            "spec": {
                "hostNetwork": true,
                "hostAliases": [{"ip": "127.0.0.1", "hostnames": ["kubernetes"]}],
                "containers": [{
                    "name": "kube-vip",
                    "image": self.image.as_deref().unwrap_or(IMAGE),
                    "args": ["manager"],
                    "env": environment,
                    "securityContext": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
                    "volumeMounts": [{"name": "kubeconfig", "mountPath": LOGIN}],
                }],
                "volumes": [{"name": "kubeconfig", "hostPath": {"path": LOGIN}}],
            },
        });
        File {
            path: MANIFEST.to_owned(),
            content: pod.to_string(),
            owner: Some("root:root".to_owned()),
            permissions: Some("0644".to_owned()),
            encoding: None,
        }
    }

    /// While `kubeadm init` runs (1.29 and newer), `admin.conf` may do nothing yet, and the API
    /// server is reached by the address that only kube-vip brings.
    pub(super) fn command(&self) -> String {
        let change = format!("s#\"path\":\"{LOGIN}\"#\"path\":\"{FIRST_LOGIN}\"#");
        format!("if [ -f /run/kubeadm/kubeadm.yaml ]; then sed -i '{change}' {MANIFEST}; fi")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_finds_the_path_in_the_file() {
        let kube_vip = KubeVip { address: "10.0.0.9".to_owned(), ..KubeVip::default() };
        let file = kube_vip.file();
        assert!(
            file.content.contains(r#""path":"/etc/kubernetes/admin.conf""#),
            "{}",
            file.content
        );
        assert!(file.content.contains(r#"{"name":"address","value":"10.0.0.9"}"#));
        assert!(kube_vip.command().contains(r#"#"path":"/etc/kubernetes/admin.conf"#));
    }
}
