//! Limits of a restore: objects that the manifest names, in the places that it is about. The
//! manifest is a checksum and no signature: a user who can change the files can change it too.

use std::collections::HashSet;
use std::path::Path;

use capi::{Object, ObjectId, cluster_class_of};

use super::manifest::Manifest;
use crate::error::PhaseError;

/// Refuses objects that no backup of this scope would hold.
///
/// A backup of one namespace also has the credentials of providers in their namespaces, and
/// ClusterClasses of other namespaces that its Clusters use.
pub(super) fn check(
    directory: &Path,
    manifest: Option<&Manifest>,
    objects: &[Object],
) -> Result<(), PhaseError> {
    let refused = |object: &Object, problem: &str| {
        let (path, problem) =
            (directory.display().to_string(), format!("{}: {problem}", object.id()));
        match manifest {
            Some(_) => Err(PhaseError::BadBackup { path, problem }),
            None => Err(PhaseError::BadFile { path, problem }),
        }
    };
    let named: Option<HashSet<&ObjectId>> =
        manifest.map(|manifest| manifest.objects.iter().map(|saved| &saved.object).collect());
    let allowed = manifest.and_then(|manifest| namespaces(manifest, objects));
    for object in objects {
        if named.as_ref().is_some_and(|named| !named.contains(&object.id())) {
            return refused(object, "the manifest does not name it");
        }
        let Some(namespace) = object.namespace() else { continue };
        if allowed.as_ref().is_some_and(|allowed| !allowed.contains(namespace)) {
            return refused(object, "its namespace is not one that the backup is of");
        }
    }
    Ok(())
}

/// The namespaces that a backup of one namespace may have objects of.
fn namespaces(manifest: &Manifest, objects: &[Object]) -> Option<HashSet<String>> {
    let only = manifest.namespace.clone()?;
    let clusters = objects.iter().filter(|object| object.namespace() == Some(only.as_str()));
    let of_classes = clusters.filter_map(cluster_class_of).map(|(namespace, _)| namespace);
    let of_providers = manifest.providers.iter().map(|provider| provider.namespace.clone());
    let mut all: HashSet<String> = of_classes.chain(of_providers).collect();
    all.insert(only);
    Some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::directory::manifest::SavedObject;
    use crate::inventory::Provider;

    fn secret(namespace: &str, kind: &str) -> Object {
        let metadata = json!({"namespace": namespace, "name": "a", "uid": "u"});
        Object::new(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind}),
        )
    }

    fn problem(namespace: Option<&str>, objects: &[Object]) -> Option<String> {
        let provider = Provider {
            name: "docker".to_owned(),
            kind: "InfrastructureProvider".to_owned(),
            version: "v1.0.0".to_owned(),
            namespace: "capd-system".to_owned(),
            is_recorded: true,
        };
        let mut manifest = Manifest::new("r", "https://a", namespace, &[provider]);
        manifest.objects = objects
            .iter()
            .map(|object| SavedObject {
                file: String::new(),
                sha256: String::new(),
                object: object.id(),
            })
            .collect();
        check(Path::new("/b"), Some(&manifest), objects).err().map(|error| error.to_string())
    }

    #[test]
    fn a_backup_of_a_namespace_restores_into_no_other() {
        assert_eq!(problem(Some("team"), &[secret("team", "Opaque")]), None);
        assert_eq!(problem(Some("team"), &[secret("capd-system", "Opaque")]), None);
        assert_eq!(problem(None, &[secret("other", "Opaque")]), None);
        let other = problem(Some("team"), &[secret("other", "Opaque")]).expect("refused");
        assert!(other.contains("Secret other/a: its namespace is not one"), "{other}");
        let class = |fields: Value| {
            Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
                "metadata": {"namespace": "team", "name": "c", "uid": "c"},
                "spec": {"topology": fields}}))
        };
        let shared = json!({"classRef": {"name": "k", "namespace": "other"}});
        assert_eq!(problem(Some("team"), &[class(shared), secret("other", "Opaque")]), None);
    }

    #[test]
    fn an_object_that_the_manifest_does_not_name_is_refused() {
        let manifest = Manifest::new("r", "https://a", None, &[]);
        let error = check(Path::new("/b"), Some(&manifest), &[secret("team", "Opaque")]);
        assert!(error.expect_err("unknown").to_string().contains("does not name it"));
    }
}
