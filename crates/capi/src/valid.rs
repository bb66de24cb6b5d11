//! The rules that Kubernetes has for names. Whatever comes from an API server or a file becomes
//! part of paths, URLs and commands, so it is held to them when it is read.

#![deny(clippy::indexing_slicing)]

use super::object::Object;
use super::resource::ResourceType;

/// The longest name of an object, in bytes. Kubernetes bounds the names of most kinds by 253.
const LONGEST_NAME: usize = 1024;

/// Returns whether a text is a DNS label (RFC 1123), as names of namespaces are.
pub fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_part(text)
}

/// Returns whether a text is a DNS subdomain (RFC 1123), as API groups and most names of objects
/// are.
pub fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_part)
}

/// Returns whether a text can be the name of an object of any kind: one segment of a path
/// (`k8s.io/apimachinery/pkg/api/validation/path`).
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_NAME
        && !matches!(text, "." | "..")
        && !text.contains(['/', '%'])
}

/// Returns whether group, version, kind and plural are such as a CRD can have
/// (`k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation`).
pub fn is_resource(resource: &ResourceType) -> bool {
    (resource.group.is_empty() || is_subdomain(&resource.group))
        && is_old_label(&resource.version)
        && is_old_label(&resource.kind.to_ascii_lowercase())
        && is_old_label(&resource.plural)
}

/// Returns whether a group is one of Kubernetes itself: it has no dot, or ends in `.k8s.io`. The
/// groups of Cluster API end in `x-k8s.io`.
pub fn is_built_in_group(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

/// Says what is wrong with the name or the namespace of an object. Only metadata of kinds that do
/// not move may have other names than DNS subdomains, such as those of roles.
pub fn problem_of_names(object: &Object, is_any_kind: bool) -> Option<String> {
    let name = object.name();
    let is_valid = if is_any_kind { is_name(name) } else { is_subdomain(name) };
    if !is_valid {
        return Some(format!("{name:?} is not a name of an object"));
    }
    let namespace = object.namespace().filter(|namespace| !is_label(namespace))?;
    Some(format!("{namespace:?} is not a name of a namespace"))
}

/// Returns whether a text is a DNS label that begins with a letter (RFC 1035), as names of Services
/// are, and of Clusters, from which those are made.
pub fn is_old_label(text: &str) -> bool {
    is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

fn is_part(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_those_of_kubernetes() {
        for label in ["a", "default", "a-1", "0", &"a".repeat(63)] {
            assert!(is_label(label) && is_subdomain(label) && is_name(label), "{label}");
        }
        for (text, subdomain, name) in [
            ("a.b-c.d", true, true),
            ("system:node", false, true),
            ("A", false, true),
            ("", false, false),
            ("..", false, false),
            ("../x", false, false),
            ("a/b", false, false),
            ("a%2fb", false, false),
            ("a..b", false, true),
            ("-a", false, true),
            ("a\u{1b}[2J", false, true),
        ] {
            assert!(!is_label(text), "{text:?}");
            assert_eq!((is_subdomain(text), is_name(text)), (subdomain, name), "{text:?}");
        }
        assert!(!is_label(&"a".repeat(64)) && is_subdomain(&"a".repeat(64)));
        assert!(!is_subdomain(&"a".repeat(254)));
    }

    #[test]
    fn resources_are_such_as_a_crd_can_have() {
        let of = |api_version: &str, kind: &str, plural: &str| {
            is_resource(&ResourceType::new(api_version, kind, plural, true))
        };
        assert!(of("cluster.x-k8s.io/v1beta2", "Machine", "machines"));
        assert!(of("v1", "Secret", "secrets"));
        assert!(!of("g.io/v1", "scratch/pwn/evil", "evils"));
        assert!(!of("g.io/v1", "Evil", "../evils"));
        assert!(!of("g.io/..", "Evil", "evils"));
        assert!(!of("../v1", "Evil", "evils"));
        assert!(!of("g.io/v1", "", "evils"));
    }

    #[test]
    fn groups_of_kubernetes_are_distinguished_from_those_of_cluster_api() {
        for group in ["", "apps", "batch", "rbac.authorization.k8s.io", "apiextensions.k8s.io"] {
            assert!(is_built_in_group(group), "{group}");
        }
        for group in ["cluster.x-k8s.io", "addons.cluster.x-k8s.io", "metal3.io", "x-k8s.io"] {
            assert!(!is_built_in_group(group), "{group}");
        }
    }

    #[test]
    fn names_of_objects_are_held_to_the_rules_of_their_kind() {
        let of = |namespace: &str, name: &str, is_any_kind| {
            let object = json!({"metadata": {"namespace": namespace, "name": name}});
            problem_of_names(&Object::new(object), is_any_kind)
        };
        assert_eq!(of("default", "c0-ca", false), None);
        assert_eq!(of("default", "system:a", true), None);
        assert!(
            of("default", "system:a", false).is_some_and(|problem| problem.contains("system:a"))
        );
        assert!(of("../x", "a", true).is_some_and(|problem| problem.contains("namespace")));
        assert!(of("default", "\u{1b}[2J", false).is_some_and(|p| p.contains(r"\u{1b}")));
    }
}
