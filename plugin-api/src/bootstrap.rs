//! Requirements on the bootstrap cluster, and on the machine it runs on.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Requirements of an infrastructure provider before anything exists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct BootstrapRequirements {
    /// IP versions of the bootstrap cluster; kind decides if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_family: Option<IpFamily>,
    /// Paths of the host that the node of the bootstrap cluster must see.
    pub extra_mounts: Vec<Mount>,
    /// Programs that must be there.
    pub tools: Vec<Tool>,
    /// Credentials that the provider's controllers need.
    pub credentials: Vec<Credential>,
}

/// IP versions of a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum IpFamily {
    /// IPv4 only.
    Ipv4,
    /// IPv6 only.
    Ipv6,
    /// Both.
    Dual,
    /// A word from a newer version of this interface: left to kind.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A path of the host made visible in a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Mount {
    /// Path on the host.
    pub host_path: String,
    /// Path in the node.
    pub container_path: String,
    /// True if the node may only read it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

/// A program that must be installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Tool {
    /// Name of the program, looked up in `PATH`.
    pub name: String,
    /// Arguments with which it must succeed, for example `["info"]`. Empty: being there is enough.
    pub check: Vec<String>,
    /// Purpose, as a sentence fragment.
    pub purpose: String,
    /// Next step if it is missing or fails.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// A credential, taken from the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Credential {
    /// Environment variable that holds it.
    pub env: String,
    /// True if the provider cannot work without it.
    pub required: bool,
    /// Description, and the way to get it.
    pub description: String,
}

impl IpFamily {
    /// The word used in a kind configuration, or `None` if kind should decide.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Ipv4 => Some("ipv4"),
            Self::Ipv6 => Some("ipv6"),
            Self::Dual => Some("dual"),
            Self::Unknown => None,
        }
    }
}

impl Mount {
    /// The same path on both sides.
    pub fn same(path: impl Into<String>) -> Self {
        let path = path.into();
        Self { host_path: path.clone(), container_path: path, read_only: false }
    }

    /// Reads `HOST[:CONTAINER][:ro|:rw]`; without `CONTAINER` it is the same path.
    ///
    /// # Errors
    /// A sentence fragment that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (paths, read_only) = match text.rsplit_once(':') {
            Some((paths, "ro")) => (paths, true),
            Some((paths, "rw")) => (paths, false),
            _ => (text, false),
        };
        let (host, container) = paths.split_once(':').unwrap_or((paths, paths));
        for path in [host, container] {
            if !path.starts_with('/') || path.contains(':') {
                return Err(format!("`{text}` is not of the form /host/path:/node/path[:ro]"));
            }
        }
        Ok(Self { host_path: host.to_owned(), container_path: container.to_owned(), read_only })
    }

    /// The mount as kind and the Docker provider of Cluster API write it.
    pub fn to_manifest(&self) -> Value {
        let mut mount = json!({"hostPath": self.host_path, "containerPath": self.container_path});
        if self.read_only {
            mount["readOnly"] = Value::Bool(true);
        }
        mount
    }
}

impl BootstrapRequirements {
    /// The configuration of kind (`kind.x-k8s.io/v1alpha4`) for a bootstrap cluster `name` with
    /// one control-plane node.
    pub fn kind_config(&self, name: &str) -> Value {
        let mut node = Map::from_iter([("role".to_owned(), json!("control-plane"))]);
        if !self.extra_mounts.is_empty() {
            let mounts: Vec<_> = self.extra_mounts.iter().map(Mount::to_manifest).collect();
            node.insert("extraMounts".to_owned(), mounts.into());
        }
        let mut config = json!({
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "name": name,
            "nodes": [node],
        });
        if let Some(family) = self.ip_family.and_then(IpFamily::as_str) {
            config["networking"] = json!({"ipFamily": family});
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_mounts() {
        let socket = Mount::same("/var/run/docker.sock");
        assert_eq!(Mount::parse("/var/run/docker.sock"), Ok(socket.clone()));
        assert_eq!(Mount::parse("/var/run/docker.sock:/var/run/docker.sock"), Ok(socket));
        let read_only = Mount {
            host_path: "/etc/ssl".to_owned(),
            container_path: "/ca".to_owned(),
            read_only: true,
        };
        assert_eq!(Mount::parse("/etc/ssl:/ca:ro"), Ok(read_only));
        for text in ["", "docker.sock", "/a:b", "/a:/b:/c", "/a:/b:rx"] {
            assert!(Mount::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn leaves_out_what_is_not_required() {
        let expected = json!({
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "name": "bootstrap",
            "nodes": [{"role": "control-plane"}],
        });
        assert_eq!(BootstrapRequirements::default().kind_config("bootstrap"), expected);
    }
}
