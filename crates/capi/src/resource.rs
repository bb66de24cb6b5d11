//! Resource types: what the API server calls the kinds this program handles.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::object::{ObjectId, group_of};

/// Everything that does not stand for itself in a segment of a path. Colons do (RFC 3986, 3.3).
const RESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// A kind together with the path under which an API server serves it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceType {
    /// API group; empty for the core group.
    pub group: String,
    /// Version in use, for example `v1beta2`.
    pub version: String,
    /// Kind, for example `Machine`.
    pub kind: String,
    /// Plural in paths, for example `machines`.
    pub plural: String,
    /// True if objects live in namespaces.
    pub namespaced: bool,
}

impl ResourceType {
    /// A namespaced type of the core group, for example `core("Secret", "secrets")`.
    pub fn core(kind: &str, plural: &str) -> Self {
        Self::new("v1", kind, plural, true)
    }

    /// A type from its `apiVersion`.
    pub fn new(api_version: &str, kind: &str, plural: &str, namespaced: bool) -> Self {
        let version = api_version.rsplit_once('/').map_or(api_version, |(_, version)| version);
        Self {
            group: group_of(api_version).to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced,
        }
    }

    /// `apiVersion` of objects of this type.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Path of the group at this version, where an API server names its resources.
    pub fn root(&self) -> String {
        let (group, version) = (segment(&self.group), segment(&self.version));
        if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        }
    }

    /// Path of the collection; of all namespaces when `namespace` is `None`.
    pub fn collection(&self, namespace: Option<&str>) -> String {
        let (root, plural) = (self.root(), segment(&self.plural));
        match namespace {
            Some(namespace) if self.namespaced => {
                format!("{root}/namespaces/{}/{plural}", segment(namespace))
            }
            _ => format!("{root}/{plural}"),
        }
    }

    /// Path of one object.
    pub fn path(&self, namespace: Option<&str>, name: &str) -> String {
        format!("{}/{}", self.collection(namespace), segment(name))
    }

    /// Names one object of this type.
    pub fn id(&self, namespace: Option<&str>, name: &str) -> ObjectId {
        ObjectId {
            api_version: self.api_version(),
            kind: self.kind.clone(),
            namespace: namespace.filter(|_| self.namespaced).map(str::to_owned),
            name: name.to_owned(),
        }
    }
}

/// A text as one segment of a path.
fn segment(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.plural)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_the_api_conventions() {
        let secrets = ResourceType::core("Secret", "secrets");
        assert_eq!(secrets.path(Some("default"), "a"), "/api/v1/namespaces/default/secrets/a");
        assert_eq!(secrets.collection(None), "/api/v1/secrets");
        assert_eq!(
            secrets.path(Some("a/../b"), "c?d"),
            "/api/v1/namespaces/a%2F..%2Fb/secrets/c%3Fd"
        );
        assert_eq!(secrets.path(Some("a"), "system:c"), "/api/v1/namespaces/a/secrets/system:c");
        let machines = ResourceType::new("cluster.x-k8s.io/v1beta2", "Machine", "machines", true);
        assert_eq!(
            machines.collection(Some("x")),
            "/apis/cluster.x-k8s.io/v1beta2/namespaces/x/machines"
        );
        assert_eq!(machines.to_string(), "machines.cluster.x-k8s.io");
        let global = ResourceType::new("g.io/v1", "Identity", "identities", false);
        assert_eq!(global.collection(Some("x")), "/apis/g.io/v1/identities");
        assert_eq!(global.id(Some("x"), "a").namespace, None);
    }
}
