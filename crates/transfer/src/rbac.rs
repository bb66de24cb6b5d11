//! Permissions that a user needs for a move, as objects for an administrator to apply.
//!
//! The rules come from the same verbs that preflight asks about.

use std::collections::BTreeMap;

use capi::{MoveKind, ResourceType, set_field, well_known};
use cluster::Client;
use serde_json::{Value, json};

use super::error::PhaseError;
use super::inventory::{self, Provider};
use super::kinds;
use super::lease_location::lock_namespace;
use super::options::Namespaces;
use super::preflight::{
    HOLD_VERBS, LEDGER_VERBS, LOCK_VERBS, NAMESPACE_VERBS, SOURCE_VERBS, TARGET_VERBS, check_health,
};
use super::record::Role;

const API_VERSION: &str = "rbac.authorization.k8s.io/v1";

/// The subject that gets the permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A user.
    User(String),
    /// All users of a group.
    Group(String),
    /// A service account.
    ServiceAccount {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
}

/// Roles with all that a move needs in one of its clusters, and their bindings if somebody is to
/// get them.
///
/// # Errors
/// When the kinds or providers of the cluster cannot be read.
pub async fn rbac(
    cluster: &Client,
    role: Role,
    namespaces: &Namespaces,
    subject: Option<&Subject>,
) -> Result<Vec<Value>, PhaseError> {
    check_health(cluster).await?;
    let (kinds, providers) = tokio::try_join!(kinds::read(cluster), inventory::read(cluster))?;
    let grants = match role {
        Role::Source => Grants::of_source(&kinds, &providers, namespaces),
        Role::Target => Grants::of_target(&kinds, &providers, namespaces),
    };
    Ok(grants.objects(&format!("kubectl-pivot-{role}"), subject))
}

/// Rules by the namespace that they are for; those of `None` are for the whole cluster.
#[derive(Debug, Default)]
struct Grants(BTreeMap<Option<String>, Vec<Value>>);

impl Grants {
    fn of_source(kinds: &[MoveKind], providers: &[Provider], namespaces: &Namespaces) -> Self {
        let mut grants = Self::of_both(kinds, providers, namespaces);
        let moving = namespaces.selector().map(str::to_owned);
        grants.allow_kinds(moving.clone(), kinds, true, &with_get(&SOURCE_VERBS));
        grants.allow_kinds(None, kinds, false, &with_get(&SOURCE_VERBS));
        // What the garbage collector would delete is looked for among all kinds.
        grants.allow(moving, "*", vec!["*"], &["list"]);
        for namespace in namespaces_of_credentials(providers) {
            grants.allow(Some(namespace), "", vec!["secrets"], &with_get(&SOURCE_VERBS));
        }
        grants
    }

    fn of_target(kinds: &[MoveKind], providers: &[Provider], namespaces: &Namespaces) -> Self {
        let mut grants = Self::of_both(kinds, providers, namespaces);
        let moving = namespaces.selector().map(str::to_owned);
        grants.allow_kinds(moving, kinds, true, &TARGET_VERBS);
        grants.allow_kinds(None, kinds, false, &TARGET_VERBS);
        grants.allow(None, "", vec!["namespaces"], &NAMESPACE_VERBS);
        grants.allow(Some(lock_namespace(providers)), "", vec!["configmaps"], &LEDGER_VERBS);
        for namespace in namespaces_of_credentials(providers) {
            grants.allow(Some(namespace), "", vec!["secrets"], &TARGET_VERBS);
        }
        grants
    }

    fn of_both(kinds: &[MoveKind], providers: &[Provider], namespaces: &Namespaces) -> Self {
        let mut grants = Self::default();
        for ResourceType { group, plural, .. } in [well_known::crd(), inventory::provider_type()] {
            grants.allow(None, &group, vec![&plural], &["list"]);
        }
        grants.allow(None, "", vec!["namespaces"], &["get"]);
        let lock = Some(lock_namespace(providers));
        grants.allow(lock, "coordination.k8s.io", vec!["leases"], &LOCK_VERBS);
        // Others may use the classes that move, and may need the controllers that are held.
        let clusters =
            kinds.iter().filter(|kind| kind.resource.kind == "Cluster").map(|kind| &kind.resource);
        for clusters in clusters {
            grants.allow(None, &clusters.group, vec![&clusters.plural], &["list"]);
        }
        for namespace in super::controllers::namespaces(providers) {
            for (group, plural, verbs) in HOLD_VERBS {
                grants.allow(Some(namespace.clone()), group, vec![plural], verbs);
            }
        }
        // An API server may ask for this where an object holds up the deletion of its owner.
        for is_namespaced in [true, false] {
            let place = namespaces.selector().filter(|_| is_namespaced).map(str::to_owned);
            for (group, plurals) in by_group(kinds, is_namespaced) {
                let finalizers: Vec<String> =
                    plurals.iter().map(|plural| format!("{plural}/finalizers")).collect();
                let finalizers = finalizers.iter().map(String::as_str).collect();
                if !group.is_empty() {
                    grants.allow(place.clone(), group, finalizers, &["update"]);
                }
            }
        }
        grants
    }

    fn allow_kinds(
        &mut self,
        namespace: Option<String>,
        kinds: &[MoveKind],
        is_namespaced: bool,
        verbs: &[&str],
    ) {
        for (group, plurals) in by_group(kinds, is_namespaced) {
            self.allow(namespace.clone(), group, plurals, verbs);
        }
    }

    fn allow(
        &mut self,
        namespace: Option<String>,
        group: &str,
        resources: Vec<&str>,
        verbs: &[&str],
    ) {
        let rule = json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
        self.0.entry(namespace).or_default().push(rule);
    }

    fn objects(self, name: &str, subject: Option<&Subject>) -> Vec<Value> {
        let mut objects = Vec::new();
        for (namespace, rules) in self.0 {
            let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
            let mut metadata = json!({"name": name});
            if let Some(namespace) = namespace {
                set_field(&mut metadata, &["namespace"], namespace.into());
            }
            objects.push(json!({"apiVersion": API_VERSION, "kind": kind, "metadata": metadata,
                "rules": rules}));
            if let Some(subject) = subject {
                let role = API_VERSION.split('/').next();
                objects.push(json!({
                    "apiVersion": API_VERSION, "kind": format!("{kind}Binding"),
                    "metadata": metadata,
                    "roleRef": {"apiGroup": role, "kind": kind, "name": name},
                    "subjects": [subject.to_value()],
                }));
            }
        }
        objects
    }
}

impl Subject {
    fn to_value(&self) -> Value {
        let group = "rbac.authorization.k8s.io";
        match self {
            Self::User(name) => json!({"apiGroup": group, "kind": "User", "name": name}),
            Self::Group(name) => json!({"apiGroup": group, "kind": "Group", "name": name}),
            Self::ServiceAccount { namespace, name } => {
                json!({"kind": "ServiceAccount", "namespace": namespace, "name": name})
            }
        }
    }
}

/// Infrastructure providers keep the credentials of global identities in their own namespaces.
fn namespaces_of_credentials(providers: &[Provider]) -> impl Iterator<Item = String> {
    let infrastructure = providers.iter().filter(|provider| provider.is_infrastructure());
    infrastructure.map(|provider| provider.namespace.clone())
}

/// An object is read again before a second write, when somebody else was faster.
fn with_get(verbs: &[&'static str]) -> Vec<&'static str> {
    ["get"].iter().chain(verbs).copied().collect()
}

fn by_group(kinds: &[MoveKind], is_namespaced: bool) -> BTreeMap<&str, Vec<&str>> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for resource in kinds.iter().map(|kind| &kind.resource) {
        if resource.namespaced == is_namespaced {
            groups.entry(&resource.group).or_default().push(&resource.plural);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds() -> Vec<MoveKind> {
        let of = |resource| MoveKind {
            resource,
            moves: false,
            moves_hierarchy: false,
            has_status_subresource: true,
            converted_to: None,
            knowledge: None,
        };
        let group = "cluster.x-k8s.io/v1beta2";
        vec![
            of(ResourceType::new(group, "Cluster", "clusters", true)),
            of(ResourceType::new("g.io/v1", "Identity", "identities", false)),
            of(ResourceType::core("Secret", "secrets")),
        ]
    }

    fn providers() -> Vec<Provider> {
        let of = |kind: &str, namespace: &str| Provider {
            name: "n".to_owned(),
            kind: kind.to_owned(),
            version: "v1.0.0".to_owned(),
            namespace: namespace.to_owned(),
            is_recorded: true,
        };
        vec![of("CoreProvider", "capi-system"), of("InfrastructureProvider", "capd-system")]
    }

    /// Kind and namespace of every object, and whether one of its rules allows a verb on a
    /// resource.
    fn allowing(grants: Grants, resource: &str, verb: &str) -> Vec<String> {
        let has = |list: &Value, wanted: &str| {
            list.as_array().is_some_and(|list| list.iter().any(|item| item == wanted))
        };
        let allows = |rule: &Value| has(&rule["resources"], resource) && has(&rule["verbs"], verb);
        let objects = grants.objects("r", None);
        let allowing = objects.iter().filter(|object| {
            object["rules"].as_array().is_some_and(|rules| rules.iter().any(allows))
        });
        let place = |object: &Value| {
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or("-");
            format!("{} {namespace}", object["kind"].as_str().unwrap_or_default())
        };
        allowing.map(place).collect()
    }

    #[test]
    fn one_namespace_needs_roles_where_a_move_writes() {
        let one = Namespaces::One("n".to_owned());
        let source = || Grants::of_source(&kinds(), &providers(), &one);
        assert_eq!(allowing(source(), "clusters", "delete"), ["Role n"]);
        assert_eq!(allowing(source(), "clusters", "list"), ["ClusterRole -", "Role n"]);
        assert_eq!(allowing(source(), "leases", "update"), ["Role capi-system"]);
        assert_eq!(allowing(source(), "secrets", "patch"), ["Role capd-system", "Role n"]);
        assert_eq!(allowing(source(), "namespaces", "create"), [] as [&str; 0]);
        let target = || Grants::of_target(&kinds(), &providers(), &one);
        assert_eq!(allowing(target(), "identities", "create"), ["ClusterRole -"]);
        assert_eq!(allowing(target(), "clusters", "create"), ["Role n"]);
        assert_eq!(allowing(target(), "clusters/finalizers", "update"), ["Role n"]);
        assert_eq!(allowing(target(), "configmaps", "create"), ["Role capi-system"]);
        assert_eq!(allowing(target(), "namespaces", "create"), ["ClusterRole -"]);
    }

    /// The rules of one cluster as rows of the table in `docs/concepts/security.md`.
    fn rows(role: &str, grants: Grants) -> Vec<String> {
        let mut rows = Vec::new();
        for (namespace, rules) in grants.0 {
            let place = match namespace.as_deref() {
                None => "cluster",
                Some("n") => "namespace",
                Some("capi-system") => "core",
                Some(_) => "infrastructure",
            };
            let words = |list: &Value| {
                let words = list.as_array().into_iter().flatten().filter_map(Value::as_str);
                words.map(str::to_owned).collect::<Vec<_>>()
            };
            for rule in rules {
                let group = words(&rule["apiGroups"]).concat();
                let resources = words(&rule["resources"]).into_iter().map(|resource| {
                    match (resource.as_str(), group.as_str()) {
                        ("clusters", _) if place == "cluster" => {
                            "`clusters.cluster.x-k8s.io`".to_owned()
                        }
                        ("clusters", _) => "namespaced kinds of providers".to_owned(),
                        ("identities", _) => "cluster-scoped kinds of providers".to_owned(),
                        ("clusters/finalizers", _) => {
                            "namespaced kinds of providers, `/finalizers`".to_owned()
                        }
                        ("identities/finalizers", _) => {
                            "cluster-scoped kinds of providers, `/finalizers`".to_owned()
                        }
                        ("*", _) => "`*` of all groups".to_owned(),
                        (_, "") => format!("`{resource}`"),
                        _ => format!("`{resource}.{group}`"),
                    }
                });
                let resources = resources.collect::<Vec<_>>().join(", ");
                rows.push(format!(
                    "| {role} | {place} | {resources} | {} |",
                    words(&rule["verbs"]).join(", ")
                ));
            }
        }
        rows
    }

    #[test]
    fn the_permissions_in_the_documents_are_those_of_the_roles() {
        let one = Namespaces::One("n".to_owned());
        let mut rows_of_roles = rows("source", Grants::of_source(&kinds(), &providers(), &one));
        rows_of_roles.extend(rows("target", Grants::of_target(&kinds(), &providers(), &one)));
        rows_of_roles.sort();
        rows_of_roles.dedup();
        let text = include_str!("../../../docs/concepts/security.md");
        let table =
            text.lines().skip_while(|line| *line != "| cluster | where | resources | verbs |");
        let shown: Vec<&str> = table.skip(2).take_while(|line| line.starts_with('|')).collect();
        assert_eq!(shown, rows_of_roles, "\n{}\n", rows_of_roles.join("\n"));
    }

    #[test]
    fn all_namespaces_need_a_cluster_role() {
        let target = Grants::of_target(&kinds(), &providers(), &Namespaces::All);
        assert_eq!(allowing(target, "clusters", "create"), ["ClusterRole -"]);
    }

    #[test]
    fn the_named_subject_gets_a_binding_for_each_role() {
        let one = Namespaces::One("n".to_owned());
        let account =
            Subject::ServiceAccount { namespace: "ci".to_owned(), name: "mover".to_owned() };
        let objects = Grants::of_source(&kinds(), &providers(), &one).objects("r", Some(&account));
        for pair in objects.chunks(2) {
            let [role, binding] = pair else { panic!("a role without a binding") };
            assert_eq!(binding["roleRef"]["kind"], role["kind"]);
            assert_eq!(binding["metadata"], role["metadata"]);
            assert_eq!(
                binding["subjects"],
                json!([{"kind": "ServiceAccount", "namespace": "ci", "name": "mover"}])
            );
        }
    }
}
