//! Creating a population in a cluster.

use std::collections::BTreeSet;

use capi::{Object, ResourceType};
use cluster::{ApiError, Client, PatchKind, WriteOptions};
use serde_json::{Value, json};

use super::object_spec::{Handle, ObjectSpec, Owner, Place, made_up_uid};
use crate::dump::Kinds;

/// A object_spec of a population could not be created.
#[derive(Debug)]
pub struct CreateError {
    /// The object_spec.
    pub object_spec: String,
    /// The reason.
    pub source: ApiError,
}

impl std::fmt::Display for CreateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {}", self.object_spec, self.source, self.source.cause)
    }
}

impl std::error::Error for CreateError {}

/// Objects that belong together, in an order in which owners come first.
#[derive(Clone, Debug)]
pub struct Population {
    namespace: String,
    object_specs: Vec<ObjectSpec>,
    ties: Vec<(Handle, Handle)>,
}

impl Population {
    /// An empty population whose object_specs live in `namespace`.
    pub fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), object_specs: Vec::new(), ties: Vec::new() }
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Adds a object_spec.
    pub fn add(&mut self, object_spec: ObjectSpec) -> Handle {
        self.object_specs.push(object_spec);
        Handle(self.object_specs.len() - 1)
    }

    /// Makes `owner` an owner of `dependent` once both exist; the only way to make a cycle.
    pub fn tie(&mut self, dependent: Handle, owner: Handle) {
        self.ties.push((dependent, owner));
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.object_specs.len()
    }

    /// Returns whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.object_specs.is_empty()
    }

    /// Creates the namespaces and all objects.
    ///
    /// # Errors
    /// When the API server refuses one.
    pub async fn create(&self, client: &Client, kinds: &Kinds) -> Result<(), CreateError> {
        for namespace in self.namespaces() {
            ensure_namespace(client, &namespace).await?;
        }
        let mut uids = Vec::with_capacity(self.object_specs.len());
        for object_spec in &self.object_specs {
            let created = self.create_piece(client, kinds, object_spec, &uids).await;
            uids.push(
                created
                    .map_err(|source| CreateError { object_spec: describe(object_spec), source })?,
            );
        }
        for (dependent, owner) in &self.ties {
            let object_spec = &self.object_specs[dependent.0];
            let last = Owner::ObjectSpec { handle: *owner, controller: false };
            let owners = object_spec.owners.iter().chain([&last]);
            let references: Value = owners.map(|owner| self.reference(owner, &uids)).collect();
            let patch = json!({"metadata": {"ownerReferences": references}});
            let kind = kinds.of(object_spec.text("apiVersion"), object_spec.text("kind"));
            let place = (self.namespace_of(object_spec), object_spec.name());
            client
                .patch(
                    &kind,
                    place,
                    (PatchKind::Merge, &patch),
                    &WriteOptions::manager(&object_spec.manager),
                )
                .await
                .map_err(|source| CreateError { object_spec: describe(object_spec), source })?;
        }
        Ok(())
    }

    fn namespaces(&self) -> BTreeSet<String> {
        let others =
            self.object_specs.iter().filter_map(|object_spec| self.namespace_of(object_spec));
        others.chain([self.namespace.as_str()]).map(str::to_owned).collect()
    }

    fn namespace_of<'a>(&'a self, object_spec: &'a ObjectSpec) -> Option<&'a str> {
        match &object_spec.place {
            Place::Here => Some(&self.namespace),
            Place::Namespace(namespace) => Some(namespace),
            Place::Global => None,
        }
    }

    async fn create_piece(
        &self,
        client: &Client,
        kinds: &Kinds,
        object_spec: &ObjectSpec,
        uids: &[String],
    ) -> Result<String, ApiError> {
        let kind = kinds.of(object_spec.text("apiVersion"), object_spec.text("kind"));
        let object = self.object(object_spec, uids);
        let options = WriteOptions::manager(&object_spec.manager);
        let created = client.create(&kind, &object, &options).await?;
        let place = (object.namespace(), object.name());
        for (manager, fields) in &object_spec.applied {
            let mut patch = fields.clone();
            patch["apiVersion"] = object_spec.text("apiVersion").into();
            patch["kind"] = object_spec.text("kind").into();
            client
                .patch(&kind, place, (PatchKind::Apply, &patch), &WriteOptions::manager(manager))
                .await?;
        }
        if let Some((api_version, status)) = &object_spec.status {
            let kind = kinds.of(api_version, object_spec.text("kind"));
            let patch = json!({"status": status});
            client.patch(&kind, place, (PatchKind::Merge, &patch), &options.status()).await?;
        }
        Ok(created.uid().to_owned())
    }

    fn object(&self, object_spec: &ObjectSpec, uids: &[String]) -> Object {
        let mut value = object_spec.object.clone();
        if let Some(namespace) = self.namespace_of(object_spec) {
            value["metadata"]["namespace"] = namespace.into();
        }
        if !object_spec.owners.is_empty() {
            let references = object_spec.owners.iter().map(|owner| self.reference(owner, uids));
            value["metadata"]["ownerReferences"] = references.collect();
        }
        Object::new(value)
    }

    fn reference(&self, owner: &Owner, uids: &[String]) -> Value {
        match owner {
            Owner::ObjectSpec { handle, controller } => {
                let object_spec = &self.object_specs[handle.0];
                let mut reference = json!({"apiVersion": object_spec.text("apiVersion"),
                    "kind": object_spec.text("kind"),
                    "name": object_spec.name(), "uid": uids[handle.0]});
                if *controller {
                    reference["controller"] = true.into();
                    reference["blockOwnerDeletion"] = true.into();
                }
                reference
            }
            Owner::Missing { api_version, kind, name } => {
                json!({"apiVersion": api_version, "kind": kind,
                "name": name, "uid": made_up_uid(&format!("{kind} {name}"))})
            }
        }
    }
}

fn describe(object_spec: &ObjectSpec) -> String {
    format!("{} {}", object_spec.text("kind"), object_spec.name())
}

async fn ensure_namespace(client: &Client, name: &str) -> Result<(), CreateError> {
    let kind = ResourceType::new("v1", "Namespace", "namespaces", false);
    let object =
        Object::new(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    match client.create(&kind, &object, &WriteOptions::manager("kubectl-create")).await {
        Err(source) if !source.is_already_exists() => {
            Err(CreateError { object_spec: format!("Namespace {name}"), source })
        }
        _ => Ok(()),
    }
}
