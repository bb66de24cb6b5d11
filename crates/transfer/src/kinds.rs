//! The kinds that a move lists: those whose CRDs carry clusterctl's label or that of a provider,
//! Secrets and ConfigMaps.

use std::sync::Arc;

use capi::names::{CLUSTERCTL_LABEL, MOVE_HIERARCHY_LABEL, MOVE_LABEL};
use capi::{MoveKind, Object, ObjectId, ResourceType, at, moves_its_hierarchy, valid, well_known};
use cluster::{ApiError, Client};
use serde_json::Value;

use super::findings::Findings;
use super::unlabelled;

/// The kinds of a management cluster, and the CRDs that claim to be of Cluster API and are not.
#[derive(Debug)]
pub struct Kinds {
    /// Kinds that may have objects to move.
    pub moving: Arc<Vec<MoveKind>>,
    /// CRDs with the label whose kinds never move: of a group of Kubernetes itself, or with names
    /// that no CRD can have. With them a source could create roles and webhooks in the target.
    pub refused: Vec<ObjectId>,
    /// CRDs that nothing but the label of their provider makes known: clusterctl has not installed
    /// them.
    pub unlabelled: Vec<ObjectId>,
}

/// Reads the kinds from a management cluster, at their storage versions; at the first that is
/// served where that one is not.
///
/// # Errors
/// When the CRDs cannot be listed.
pub async fn read(cluster: &Client) -> Result<Arc<Vec<MoveKind>>, ApiError> {
    Ok(survey(cluster).await?.moving)
}

/// As [`read`], with the CRDs that are refused.
///
/// # Errors
/// When the CRDs cannot be listed.
pub async fn survey(cluster: &Client) -> Result<Kinds, ApiError> {
    // Those without the label first: one that gets it in between is then in both lists, and in
    // neither the other way round.
    let others = unlabelled::list(cluster).await?;
    let mut crds = cluster.list_selected(&well_known::crd(), None, CLUSTERCTL_LABEL).await?;
    let others = others.into_iter().filter(|other| crds.iter().all(|crd| crd.uid() != other.uid()));
    let others: Vec<Object> = others.collect();
    let unlabelled = others.iter().map(Object::id).collect();
    crds.extend(others);
    let (mut kinds, refused) = sort_out(&crds);
    kinds.sort_by(|a, b| a.resource.cmp(&b.resource));
    for (kind, plural) in [("ConfigMap", "configmaps"), ("Secret", "secrets")] {
        let resource = ResourceType::core(kind, plural);
        kinds.push(MoveKind {
            resource,
            moves: false,
            moves_hierarchy: false,
            has_status_subresource: false,
            converted_to: None,
            knowledge: None,
        });
    }
    Ok(Kinds { moving: Arc::new(kinds), refused, unlabelled })
}

fn sort_out(crds: &[Object]) -> (Vec<MoveKind>, Vec<ObjectId>) {
    let mut kinds = Vec::new();
    let mut refused = Vec::new();
    for crd in crds {
        match from_crd(crd) {
            Some(kind) if may_move(&kind.resource) => kinds.push(kind),
            Some(_) => refused.push(crd.id()),
            None => {}
        }
    }
    (kinds, refused)
}

fn may_move(resource: &ResourceType) -> bool {
    valid::is_resource(resource) && !valid::is_built_in_group(&resource.group)
}

/// Reports CRDs without the label that they should have, and those that should not have it.
///
/// # Errors
/// When the CRDs cannot be listed.
pub(super) async fn report(
    (cluster, role): (&Client, &'static str),
    kinds: &Kinds,
    findings: &mut Findings,
) -> Result<(), ApiError> {
    report_refused(&kinds.refused, role, findings);
    unlabelled::report(&kinds.unlabelled, role, findings);
    unlabelled::check_clusters((cluster, role), &kinds.moving, findings).await
}

fn report_refused(refused: &[ObjectId], cluster: &'static str, findings: &mut Findings) {
    for crd in refused {
        findings.object_warning(
            "BuiltInGroup",
            cluster,
            crd.clone(),
            &format!(
                "it has the label {CLUSTERCTL_LABEL}, but its group is one of Kubernetes itself, \
                 or its names are not valid"
            ),
            "its objects never move; if no provider has installed it, find out who set the label",
        );
    }
}

fn from_crd(crd: &Object) -> Option<MoveKind> {
    let spec = crd.at("/spec");
    let versions = at(spec, "/versions").as_array()?;
    let is_served = |version: &&Value| *at(version, "/served") != Value::Bool(false);
    let stored = versions.iter().find(|version| *at(version, "/storage") == Value::Bool(true))?;
    let read = Some(stored).filter(is_served).or_else(|| versions.iter().find(is_served));
    let read = read.unwrap_or(stored);
    let group = at(spec, "/group").as_str()?;
    let kind = at(spec, "/names/kind").as_str()?;
    let resource = ResourceType {
        group: group.to_owned(),
        version: at(read, "/name").as_str()?.to_owned(),
        kind: kind.to_owned(),
        plural: at(spec, "/names/plural").as_str()?.to_owned(),
        namespaced: at(spec, "/scope") == "Namespaced",
    };
    let moves_hierarchy =
        moves_its_hierarchy(group, kind) || crd.label(MOVE_HIERARCHY_LABEL).is_some();
    Some(MoveKind {
        resource,
        moves: moves_hierarchy || crd.label(MOVE_LABEL).is_some(),
        moves_hierarchy,
        has_status_subresource: at(read, "/subresources/status").is_object(),
        converted_to: None,
        knowledge: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_version_that_is_not_served_is_not_read() {
        let version = |versions: Value| {
            let crd = json!({"spec": {"group": "g.io", "scope": "Namespaced", "versions": versions,
                "names": {"kind": "Thing", "plural": "things"}}});
            from_crd(&Object::new(crd)).expect("complete").resource.version
        };
        let stored = |served: bool| json!({"name": "v2", "storage": true, "served": served});
        let other = |served: bool| json!({"name": "v1", "served": served});
        assert_eq!(version(json!([other(true), stored(true)])), "v2");
        assert_eq!(version(json!([other(true), stored(false)])), "v1");
        assert_eq!(version(json!([other(false), stored(false)])), "v2");
    }

    #[test]
    fn a_labelled_crd_of_a_built_in_group_never_moves_and_is_named() {
        let crd = |group: &str, kind: &str, plural: &str| {
            let spec = json!({"group": group, "scope": "Cluster",
                "names": {"kind": kind, "plural": plural},
                "versions": [{"name": "v1", "storage": true}]});
            let metadata = json!({"name": format!("{plural}.{group}"),
                "labels": {CLUSTERCTL_LABEL: "", MOVE_LABEL: ""}});
            Object::new(
                json!({"kind": "CustomResourceDefinition", "metadata": metadata, "spec": spec}),
            )
        };
        let (kinds, refused) = sort_out(&[
            crd("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings"),
            crd("infrastructure.cluster.x-k8s.io", "Identity", "identities"),
            crd("g.io", "scratch/pwn/evil", "evils"),
            crd("apps", "Deployment", "deployments"),
        ]);
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.resource.kind.as_str()).collect();
        assert_eq!(kinds, ["Identity"]);
        let names: Vec<&str> = refused.iter().map(|crd| crd.name.as_str()).collect();
        let expected =
            ["clusterrolebindings.rbac.authorization.k8s.io", "evils.g.io", "deployments.apps"];
        assert_eq!(names, expected);
        let mut findings = Findings::default();
        report_refused(&refused, "source", &mut findings);
        assert_eq!(findings.0.len(), 3);
    }

    #[test]
    fn a_crd_is_read_at_its_storage_version() {
        let crd = Object::new(json!({"metadata": {"labels": {MOVE_LABEL: ""}},
                "spec": {"group": "g.io", "scope": "Cluster",
            "names": {"kind": "Identity", "plural": "identities"},
            "versions": [{"name": "v1"}, {"name": "v2", "storage": true,
                "subresources": {"status": {}}}]}}));
        let kind = from_crd(&crd).expect("complete");
        assert_eq!(kind.resource, ResourceType::new("g.io/v2", "Identity", "identities", false));
        assert!(kind.moves && !kind.moves_hierarchy && kind.has_status_subresource);
    }
}
