//! Creating a population in a cluster.

use std::collections::BTreeSet;

use capi::{Object, ResourceType};
use cluster::{ApiError, Client, PatchKind, WriteOptions};
use serde_json::{Value, json};

use super::piece::{Handle, Owner, Piece, Place, made_up_uid};
use crate::dump::Kinds;

/// A piece of a population could not be created.
#[derive(Debug)]
pub struct CreateError {
    /// The piece.
    pub piece: String,
    /// The reason.
    pub source: ApiError,
}

impl std::fmt::Display for CreateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {}", self.piece, self.source, self.source.cause)
    }
}

impl std::error::Error for CreateError {}

/// Objects that belong together, in an order in which owners come first.
#[derive(Clone, Debug)]
pub struct Population {
    namespace: String,
    pieces: Vec<Piece>,
    ties: Vec<(Handle, Handle)>,
}

impl Population {
    /// An empty population whose pieces live in `namespace`.
    pub fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), pieces: Vec::new(), ties: Vec::new() }
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Adds a piece.
    pub fn add(&mut self, piece: Piece) -> Handle {
        self.pieces.push(piece);
        Handle(self.pieces.len() - 1)
    }

    /// Makes `owner` an owner of `dependent` once both exist; the only way to make a cycle.
    pub fn tie(&mut self, dependent: Handle, owner: Handle) {
        self.ties.push((dependent, owner));
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Returns whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Creates the namespaces and all objects.
    ///
    /// # Errors
    /// When the API server refuses one.
    pub async fn create(&self, client: &Client, kinds: &Kinds) -> Result<(), CreateError> {
        for namespace in self.namespaces() {
            ensure_namespace(client, &namespace).await?;
        }
        let mut uids = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let created = self.create_piece(client, kinds, piece, &uids).await;
            uids.push(created.map_err(|source| CreateError { piece: describe(piece), source })?);
        }
        for (dependent, owner) in &self.ties {
            let piece = &self.pieces[dependent.0];
            let last = Owner::Piece { handle: *owner, controller: false };
            let owners = piece.owners.iter().chain([&last]);
            let references: Value = owners.map(|owner| self.reference(owner, &uids)).collect();
            let patch = json!({"metadata": {"ownerReferences": references}});
            let kind = kinds.of(piece.text("apiVersion"), piece.text("kind"));
            let place = (self.namespace_of(piece), piece.name());
            client
                .patch(
                    &kind,
                    place,
                    (PatchKind::Merge, &patch),
                    &WriteOptions::manager(&piece.manager),
                )
                .await
                .map_err(|source| CreateError { piece: describe(piece), source })?;
        }
        Ok(())
    }

    fn namespaces(&self) -> BTreeSet<String> {
        let others = self.pieces.iter().filter_map(|piece| self.namespace_of(piece));
        others.chain([self.namespace.as_str()]).map(str::to_owned).collect()
    }

    fn namespace_of<'a>(&'a self, piece: &'a Piece) -> Option<&'a str> {
        match &piece.place {
            Place::Here => Some(&self.namespace),
            Place::Namespace(namespace) => Some(namespace),
            Place::Global => None,
        }
    }

    async fn create_piece(
        &self,
        client: &Client,
        kinds: &Kinds,
        piece: &Piece,
        uids: &[String],
    ) -> Result<String, ApiError> {
        let kind = kinds.of(piece.text("apiVersion"), piece.text("kind"));
        let object = self.object(piece, uids);
        let options = WriteOptions::manager(&piece.manager);
        let created = client.create(&kind, &object, &options).await?;
        let place = (object.namespace(), object.name());
        for (manager, fields) in &piece.applied {
            let mut patch = fields.clone();
            patch["apiVersion"] = piece.text("apiVersion").into();
            patch["kind"] = piece.text("kind").into();
            client
                .patch(&kind, place, (PatchKind::Apply, &patch), &WriteOptions::manager(manager))
                .await?;
        }
        if let Some((api_version, status)) = &piece.status {
            let kind = kinds.of(api_version, piece.text("kind"));
            let patch = json!({"status": status});
            client.patch(&kind, place, (PatchKind::Merge, &patch), &options.status()).await?;
        }
        Ok(created.uid().to_owned())
    }

    fn object(&self, piece: &Piece, uids: &[String]) -> Object {
        let mut value = piece.object.clone();
        if let Some(namespace) = self.namespace_of(piece) {
            value["metadata"]["namespace"] = namespace.into();
        }
        if !piece.owners.is_empty() {
            let references = piece.owners.iter().map(|owner| self.reference(owner, uids));
            value["metadata"]["ownerReferences"] = references.collect();
        }
        Object::new(value)
    }

    fn reference(&self, owner: &Owner, uids: &[String]) -> Value {
        match owner {
            Owner::Piece { handle, controller } => {
                let piece = &self.pieces[handle.0];
                let mut reference = json!({"apiVersion": piece.text("apiVersion"),
                    "kind": piece.text("kind"),
                    "name": piece.name(), "uid": uids[handle.0]});
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

fn describe(piece: &Piece) -> String {
    format!("{} {}", piece.text("kind"), piece.name())
}

async fn ensure_namespace(client: &Client, name: &str) -> Result<(), CreateError> {
    let kind = ResourceType::new("v1", "Namespace", "namespaces", false);
    let object =
        Object::new(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    match client.create(&kind, &object, &WriteOptions::manager("kubectl-create")).await {
        Err(source) if !source.is_already_exists() => {
            Err(CreateError { piece: format!("Namespace {name}"), source })
        }
        _ => Ok(()),
    }
}
