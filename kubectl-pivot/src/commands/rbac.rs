//! `rbac`: the permissions that a move needs, as objects to apply. Writes nothing.

use cluster::{Client, KubeconfigRef};
use serde_json::Value;
use transfer::{MoveError, Namespaces, Role, Subject};

use super::error::CommandError;

/// The request of `rbac`.
#[derive(Clone, Debug)]
pub struct RbacRequest {
    /// The cluster that the permissions are for.
    pub cluster: KubeconfigRef,
    /// Role of the cluster in the move.
    pub role: Role,
    /// The namespace to move; that of the context if absent.
    pub namespace: Option<String>,
    /// True if all namespaces move.
    pub all_namespaces: bool,
    /// Subject that gets the permissions; without one, roles have no bindings.
    pub subject: Option<Subject>,
}

/// Reads the kinds of a management cluster, and returns the roles and bindings of a move from or to
/// it.
///
/// # Errors
/// When the cluster cannot be read.
pub async fn rbac(request: &RbacRequest) -> Result<Vec<Value>, CommandError> {
    let cluster = Client::connect("management", &request.cluster).await?;
    let namespaces = match (&request.namespace, request.all_namespaces) {
        (_, true) => Namespaces::All,
        (Some(namespace), false) => Namespaces::One(namespace.clone()),
        (None, false) => Namespaces::One(cluster.default_namespace().to_owned()),
    };
    let subject = request.subject.as_ref();
    let roles = transfer::rbac(&cluster, request.role, &namespaces, subject).await;
    Ok(roles.map_err(MoveError::Unprepared)?)
}
