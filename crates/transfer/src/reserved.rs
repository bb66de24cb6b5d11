//! Objects with which a source, or somebody who can change a backup, would get into the target
//! itself: whatever is in a namespace of Kubernetes, such as a bootstrap token or `aws-auth`, and
//! Secrets that log in to the cluster they are in.

use capi::Object;

use super::findings::Findings;
use super::options::MoveOptions;

/// Namespaces of Kubernetes itself.
const NAMESPACES: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// Types of Secrets that log in to the cluster that they are in.
const LOGINS: [&str; 2] = ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"];

const RULE: &str = "ReservedObject";
const UNLABEL: &str = "remove the label or the owner reference with which it moves, or move its \
                       Clusters to another namespace first; if it belongs in the target, give \
                       --allow-reserved";
const OTHER_COPY: &str = "find out who has put it there, and use another copy of these files; if \
                          it belongs in the target, give --allow-reserved";
const KNOW: &str = "make sure that you know who has made it";

/// Says why an object is none that another cluster gets.
pub(super) fn problem(object: &Object) -> Option<&'static str> {
    let kind = object.value().get("type").and_then(|kind| kind.as_str());
    // Providers make such Secrets too, and own them.
    if kind.is_some_and(|kind| LOGINS.contains(&kind)) && object.owner_references().is_empty() {
        return Some("a Secret of this type is a login to the cluster itself");
    }
    let namespace = object.namespace()?;
    NAMESPACES.contains(&namespace).then_some("its namespace is one of Kubernetes itself")
}

/// The destination of objects: another cluster, or files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// The source's objects get into the target.
    Moved,
    /// The objects of files get into the target.
    Restored,
    /// The source's objects get into files.
    Saved,
}

/// Refuses such objects, unless the user has asked for them. A backup may hold them: there it is a
/// warning.
pub(super) fn check<'a>(
    to: Use,
    objects: impl IntoIterator<Item = &'a Object>,
    options: &MoveOptions,
    findings: &mut Findings,
) {
    let (cluster, hint) = match to {
        Use::Restored => ("target", OTHER_COPY),
        Use::Moved | Use::Saved => ("source", UNLABEL),
    };
    for object in objects {
        let (Some(problem), id) = (problem(object), object.id()) else { continue };
        if to == Use::Saved {
            let problem = format!("{problem}; a restore refuses it without --allow-reserved");
            findings.object_warning(RULE, cluster, id, &problem, hint);
        } else if options.allow_reserved {
            let problem = format!("{problem}, and gets into the target by --allow-reserved");
            findings.object_warning(RULE, cluster, id, &problem, KNOW);
        } else {
            findings.object_error(RULE, cluster, id, problem, hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::findings::Severity;
    use crate::options::Namespaces;

    fn object(kind: &str, namespace: &str, of_type: &str) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": kind, "type": of_type,
            "metadata": {"namespace": namespace, "name": "a", "uid": kind}}))
    }

    fn found(to: Use, object: &Object, is_asked: bool) -> Vec<(Severity, bool)> {
        let mut options = MoveOptions::new(Namespaces::All);
        options.allow_reserved = is_asked;
        let mut findings = Findings::default();
        check(to, [object], &options, &mut findings);
        let found = findings.0.into_iter();
        found.map(|found| (found.severity, found.hint.contains("--allow-reserved"))).collect()
    }

    #[test]
    fn logins_and_objects_of_kubernetes_get_into_no_target_unless_asked() {
        for (kind, namespace, of_type) in [
            ("Secret", "team", "bootstrap.kubernetes.io/token"),
            ("Secret", "team", "kubernetes.io/service-account-token"),
            ("Secret", "kube-system", "Opaque"),
            ("ConfigMap", "kube-public", ""),
        ] {
            let object = object(kind, namespace, of_type);
            for to in [Use::Moved, Use::Restored] {
                assert_eq!(found(to, &object, false), [(Severity::Error, true)], "{object:?}");
                assert_eq!(found(to, &object, true), [(Severity::Warning, false)], "{object:?}");
            }
            assert_eq!(found(Use::Saved, &object, false), [(Severity::Warning, true)]);
        }
        let of_cluster = object("Secret", "team", "cluster.x-k8s.io/secret");
        assert_eq!(found(Use::Moved, &of_cluster, false), []);
    }
}
