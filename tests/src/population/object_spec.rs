//! One object of a population, before it is created.

use serde_json::{Value, json};

/// A object_spec of a population, to be named as the owner of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub(super) usize);

/// Owner of a object_spec.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    /// Another object_spec.
    ObjectSpec { handle: Handle, controller: bool },
    /// An object that does not exist.
    Missing { api_version: String, kind: String, name: String },
}

/// Namespace of a object_spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The population's namespace.
    Here,
    /// Another namespace.
    Namespace(String),
    /// No namespace.
    Global,
}

/// An object and everything that has to be done to get it.
#[derive(Clone, Debug)]
pub struct ObjectSpec {
    pub(super) object: Value,
    pub(super) place: Place,
    pub(super) owners: Vec<Owner>,
    pub(super) status: Option<(String, Value)>,
    pub(super) manager: String,
    pub(super) applied: Vec<(String, Value)>,
}

impl ObjectSpec {
    /// An object in the population's namespace.
    pub fn new(api_version: &str, kind: &str, name: &str) -> Self {
        Self {
            object: json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}),
            place: Place::Here,
            owners: Vec::new(),
            status: None,
            manager: "manager".to_owned(),
            applied: Vec::new(),
        }
    }

    /// A Secret with one value.
    pub fn secret(name: &str) -> Self {
        Self::new("v1", "Secret", name)
            .with("stringData", json!({"value": format!("secret of {name}")}))
    }

    /// A Secret of the type that Cluster API uses.
    pub fn cluster_secret(name: &str) -> Self {
        Self::secret(name).with("type", json!("cluster.x-k8s.io/secret"))
    }

    /// A ConfigMap with one value.
    pub fn config_map(name: &str) -> Self {
        Self::new("v1", "ConfigMap", name)
            .with("data", json!({"value": format!("config of {name}")}))
    }

    /// In another namespace than the population's.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.place = Place::Namespace(namespace.to_owned());
        self
    }

    /// Cluster-scoped.
    #[must_use]
    pub fn global(mut self) -> Self {
        self.place = Place::Global;
        self
    }

    /// Sets a field at the top of the object, for example `spec` or `data`.
    #[must_use]
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.object[field] = value;
        self
    }

    /// Sets `spec`.
    #[must_use]
    pub fn spec(self, spec: Value) -> Self {
        self.with("spec", spec)
    }

    /// Sets `status`, through the subresource.
    #[must_use]
    pub fn status(self, status: Value) -> Self {
        let api_version = self.text("apiVersion").to_owned();
        self.status_at(&api_version, status)
    }

    /// Sets `status` through another version of the API.
    #[must_use]
    pub fn status_at(mut self, api_version: &str, status: Value) -> Self {
        self.status = Some((api_version.to_owned(), status));
        self
    }

    /// Sets a label.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.object["metadata"]["labels"][key] = value.into();
        self
    }

    /// Sets an annotation.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.object["metadata"]["annotations"][key] = value.into();
        self
    }

    /// Adds a finalizer.
    #[must_use]
    pub fn finalizer(mut self, name: &str) -> Self {
        let finalizers = &mut self.object["metadata"]["finalizers"];
        match finalizers.as_array_mut() {
            Some(list) => list.push(name.into()),
            None => *finalizers = json!([name]),
        }
        self
    }

    /// Adds an owner.
    #[must_use]
    pub fn owned_by(mut self, handle: Handle) -> Self {
        self.owners.push(Owner::ObjectSpec { handle, controller: false });
        self
    }

    /// Adds the owner that is its controller.
    #[must_use]
    pub fn controlled_by(mut self, handle: Handle) -> Self {
        self.owners.push(Owner::ObjectSpec { handle, controller: true });
        self
    }

    /// Adds an owner that does not exist, of a kind that is not served: the garbage collector
    /// cannot tell that it is gone, and leaves the object and its other owners alone.
    #[must_use]
    pub fn owned_by_missing(mut self, api_version: &str, kind: &str, name: &str) -> Self {
        self.owners.push(Owner::Missing {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        });
        self
    }

    /// The field manager that creates it.
    #[must_use]
    pub fn manager(mut self, name: &str) -> Self {
        name.clone_into(&mut self.manager);
        self
    }

    /// Lets another manager apply fields to it after it has been created (server-side apply).
    #[must_use]
    pub fn applied(mut self, manager: &str, fields: Value) -> Self {
        self.applied.push((manager.to_owned(), fields));
        self
    }

    pub(super) fn text(&self, field: &str) -> &str {
        self.object[field].as_str().unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }
}

/// The uid of an object that does not exist; the same for the same text.
pub fn made_up_uid(text: &str) -> String {
    // FNV-1a, twice: it only has to be stable and spread.
    let hash = |seed: u64| {
        text.bytes()
            .fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let digits =
        format!("{:016x}{:016x}", hash(0xcbf2_9ce4_8422_2325), hash(0x8422_2325_cbf2_9ce4));
    let (a, b, c, d, e) =
        (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
    format!("{a}-{b}-{c}-{d}-{e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_uids_look_like_uids_and_differ() {
        let uid = made_up_uid("Machine a");
        assert_eq!(uid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(uid, made_up_uid("Machine a"));
        assert_ne!(uid, made_up_uid("Machine b"));
    }
}
