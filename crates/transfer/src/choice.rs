//! Choosing Clusters: what a user has asked for, and the Clusters that it comes to.
//!
//! A run decides once which Clusters it is about, and keeps their names in its record: whatever
//! appears, or is labelled otherwise, while it lasts changes nothing.

use std::fmt;
use std::str::FromStr;

use capi::names::CORE_GROUP;
use capi::{Chosen, Graph, Object, ObjectId, ResourceType, Shared, Sharing, valid};
use cluster::{ApiError, Client};
use glob::Pattern;

use super::discover::{MoveScope, list_or_none};
use super::error::PhaseError;
use super::findings::Findings;

/// Names shown that are like one that no Cluster has.
const NEAR_NAMES: usize = 3;

/// Similarity from which on a name is suggested, from 0 to 1.
const LIKENESS: f64 = 0.7;

/// Clusters that a run shows of each side of a finding.
const SHOWN: usize = 3;

/// The Clusters in scope that a run is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// All of them, with everything else that moves.
    #[default]
    All,
    /// Those that a user asks for.
    Wanted(Wish),
    /// These, as they were decided on before.
    Fixed(Chosen),
}

impl Choice {
    /// The Clusters, if they were decided on.
    pub fn fixed(&self) -> Option<&Chosen> {
        match self {
            Self::Fixed(chosen) => Some(chosen),
            Self::All | Self::Wanted(_) => None,
        }
    }
}

/// The wish of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Names; all when empty.
    pub clusters: Vec<ClusterPattern>,
    /// Names that are left out.
    pub exclude: Vec<ClusterPattern>,
    /// A label selector, which the API server reads.
    pub selector: Option<String>,
    /// True if objects that other Clusters use too are copied, and kept in the source.
    pub copy_shared: bool,
}

/// A shell pattern for names of Clusters: `NAME` or `NAMESPACE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterPattern {
    namespace: Option<Pattern>,
    name: Pattern,
}

impl ClusterPattern {
    /// The namespace, if it is named, and whether it is a pattern.
    pub fn namespace(&self) -> Option<(&str, bool)> {
        let namespace = self.namespace.as_ref()?.as_str();
        Some((namespace, !valid::is_label(namespace)))
    }

    /// The pattern, in this namespace if it names none.
    #[must_use]
    pub fn within(self, namespace: &str) -> Self {
        let here = || Pattern::new(&Pattern::escape(namespace)).ok();
        Self { namespace: self.namespace.or_else(here), ..self }
    }

    fn matches(&self, (namespace, name): (&str, &str)) -> bool {
        self.name.matches(name) && self.namespace.as_ref().is_none_or(|own| own.matches(namespace))
    }
}

impl fmt::Display for ClusterPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

impl FromStr for ClusterPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, text),
        };
        let pattern = |part: &str, signs: &str| {
            let is_known = |letter: char| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || signs.contains(letter)
            };
            if part.is_empty() || !part.chars().all(is_known) {
                return Err(
                    "use NAME or NAMESPACE/NAME; `*`, `?` and `[a-z]` stand for letters".to_owned()
                );
            }
            Pattern::new(part).map_err(|error| format!("no pattern: {}", error.msg))
        };
        // No namespace has a dot in its name.
        let namespace = namespace.map(|namespace| pattern(namespace, "-*?[]!")).transpose()?;
        Ok(Self { namespace, name: pattern(name, "-.*?[]!")? })
    }
}

/// Namespace and name.
type Name = (String, String);

/// Decides which Clusters of a cluster a run is about. `None` when it is about all.
///
/// A name that no Cluster has, and a selector that is none, are findings.
///
/// # Errors
/// When Clusters cannot be listed.
pub(super) async fn decide(
    (cluster, role): (&Client, &'static str),
    move_scope: &MoveScope,
    (choice, findings): (&Choice, &mut Findings),
) -> Result<Option<Chosen>, PhaseError> {
    let wish = match choice {
        Choice::All => return Ok(None),
        Choice::Fixed(chosen) => return Ok(Some(chosen.clone())),
        Choice::Wanted(wish) => wish,
    };
    let Some(resource) = cluster_type(move_scope) else { return Ok(Some(Chosen::default())) };
    let namespace = move_scope.namespaces.selector();
    let all = list_or_none(cluster, resource, namespace).await?;
    let all = names(&all, move_scope);
    let selected = match &wish.selector {
        Some(selector) if !all.is_empty() => {
            let selected = cluster.list_selected(resource, namespace, selector).await;
            match selected {
                Ok(selected) => names(&selected, move_scope),
                Err(error) if error.is_invalid() => {
                    report_bad_selector(&error, (role, findings));
                    Vec::new()
                }
                Err(error) => return Err(error.into()),
            }
        }
        _ => all.clone(),
    };
    Ok(Some(wish.choose((&all, selected), (role, findings))))
}

impl Wish {
    /// Chooses among Clusters (all of the scope, and those that were selected).
    pub(super) fn choose(
        &self,
        (all, selected): (&[Name], Vec<Name>),
        (cluster, findings): (&'static str, &mut Findings),
    ) -> Chosen {
        for pattern in self.clusters.iter().chain(&self.exclude) {
            if !all.iter().any(|(namespace, name)| pattern.matches((namespace, name))) {
                report_unknown(pattern, all, (cluster, findings));
            }
        }
        let has = |patterns: &[ClusterPattern], (namespace, name): &Name| {
            patterns.iter().any(|pattern| pattern.matches((namespace, name)))
        };
        let is_wanted = |name: &Name| {
            (self.clusters.is_empty() || has(&self.clusters, name)) && !has(&self.exclude, name)
        };
        let chosen: Chosen = selected.into_iter().filter(is_wanted).collect();
        Chosen { copy_shared: self.copy_shared, ..chosen }
    }
}

fn report_unknown(
    pattern: &ClusterPattern,
    all: &[Name],
    (cluster, findings): (&'static str, &mut Findings),
) {
    let near = near_names(pattern, all);
    let hint = match near.is_empty() {
        true if all.is_empty() => "there is no Cluster in this scope; use -n NAMESPACE or \
            --all-namespaces"
            .to_owned(),
        true => "see the Clusters with `kubectl get clusters -A`; another namespace needs \
            -n NAMESPACE or --all-namespaces"
            .to_owned(),
        false => format!("did you mean {}?", near.join(", ")),
    };
    let message = format!("no Cluster in scope has the name {pattern}");
    findings.error("NoSuchCluster", cluster, message, hint);
}

fn report_bad_selector(error: &ApiError, (cluster, findings): (&'static str, &mut Findings)) {
    let message = format!("the API server refuses the label selector: {}", error.cause);
    let hint = "write it as for kubectl, for example --selector 'tier=dev,region in (eu, us)'";
    findings.error("BadSelector", cluster, message, hint);
}

/// The names that are most like a pattern.
fn near_names(pattern: &ClusterPattern, all: &[Name]) -> Vec<String> {
    let wanted = pattern.to_string();
    let mut near: Vec<(f64, String)> = all
        .iter()
        .map(|(namespace, name)| {
            let shown = format!("{namespace}/{name}");
            let compared = if pattern.namespace.is_some() { &shown } else { name };
            (strsim::jaro_winkler(&wanted, compared), shown)
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.into_iter().take(NEAR_NAMES).map(|(_, name)| name).collect()
}

fn cluster_type(move_scope: &MoveScope) -> Option<&ResourceType> {
    let mut kinds = move_scope.kinds.iter().map(|kind| &kind.resource);
    kinds.find(|resource| resource.kind == "Cluster" && resource.group == CORE_GROUP)
}

fn names(clusters: &[Object], move_scope: &MoveScope) -> Vec<Name> {
    let name =
        |cluster: &Object| Some((cluster.namespace()?.to_owned(), cluster.name().to_owned()));
    let named = clusters.iter().filter_map(name);
    named.filter(|(namespace, _)| move_scope.namespaces.has(namespace)).collect()
}

/// Reports what chosen Clusters share with others, unless it is to be copied and can be.
pub(super) fn check(graph: &Graph, chosen: Option<&Chosen>, findings: &mut Findings) {
    let may_copy = chosen.is_some_and(|chosen| chosen.copy_shared);
    for shared in &graph.shared {
        let objects = shared.nodes.iter().map(|index| graph[*index].object.id()).collect();
        let (ours, others) = sides(shared);
        let users = match shared.is_assumed {
            true => format!(
                "a label moves it and nobody is known to use it, so that any Cluster may: chosen \
                 ones ({ours}) and others ({others})"
            ),
            false => format!("chosen Clusters ({ours}) and others ({others}) use it"),
        };
        match shared.sharing {
            Sharing::Copyable if may_copy => {}
            Sharing::Copyable => {
                let hint = "choose all of these Clusters or none, or copy it and keep it in the \
                    source too, with --copy-shared";
                findings.group_error("SharedObject", "source", objects, &users, hint);
            }
            Sharing::Allocates => {
                let problem = format!("{users}; this kind is not known to be safe in two clusters");
                let hint = match shared.is_assumed {
                    true => {
                        "choose all of these Clusters or none, or take the label off if it is to \
                         stay"
                    }
                    false => "choose all of these Clusters or none",
                };
                findings.group_error("CannotShare", "source", objects, &problem, hint);
            }
            Sharing::Owned => report_owned((objects, "source"), (&ours, &others), findings),
        }
    }
}

/// Reports what belongs to Clusters of both sides, for files: these can hold all else that both
/// sides use.
pub(super) fn check_owned(graph: &Graph, cluster: &'static str, findings: &mut Findings) {
    for shared in graph.shared.iter().filter(|shared| shared.sharing == Sharing::Owned) {
        let objects = shared.nodes.iter().map(|index| graph[*index].object.id()).collect();
        let (ours, others) = sides(shared);
        report_owned((objects, cluster), (&ours, &others), findings);
    }
}

fn report_owned(
    (objects, cluster): (Vec<ObjectId>, &'static str),
    (ours, others): (&str, &str),
    findings: &mut Findings,
) {
    let problem = format!(
        "it belongs to chosen Clusters ({ours}), and others ({others}) own it too or refer to it"
    );
    let hint = "choose all of these Clusters or none, or remove the owner reference or the \
                reference that ties it to both";
    findings.group_error("CannotShare", cluster, objects, &problem, hint);
}

fn sides(shared: &Shared) -> (String, String) {
    let side = |clusters: &[Name]| {
        let names = clusters.iter().map(|(namespace, name)| format!("{namespace}/{name}"));
        super::findings::shortened(names, SHOWN)
    };
    (side(&shared.chosen), side(&shared.others))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Name> {
        [("a", "blue-1"), ("a", "blue-2"), ("a", "green"), ("b", "blue-1")]
            .map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
            .to_vec()
    }

    fn patterns(texts: &[&str]) -> Vec<ClusterPattern> {
        texts.iter().map(|text| text.parse().expect("a pattern")).collect()
    }

    fn choose(clusters: &[&str], exclude: &[&str]) -> (Vec<String>, Findings) {
        let wish =
            Wish { clusters: patterns(clusters), exclude: patterns(exclude), ..Wish::default() };
        let mut findings = Findings::default();
        let chosen = wish.choose((&all(), all()), ("source", &mut findings));
        (chosen.names().collect(), findings)
    }

    #[test]
    fn patterns_choose_by_name_and_namespace() {
        for (clusters, exclude, chosen) in [
            (&["green"][..], &[][..], &["a/green"][..]),
            (&["blue-1"], &[], &["a/blue-1", "b/blue-1"]),
            (&["a/blue-?", "green"], &["*-2"], &["a/blue-1", "a/green"]),
            (&["[!a]/*"], &[], &["b/blue-1"]),
            (&[], &["a/*"], &["b/blue-1"]),
            (&["green"], &["green"], &[]),
        ] {
            assert_eq!(
                choose(clusters, exclude),
                (chosen.iter().map(|name| (*name).to_owned()).collect(), Findings::default())
            );
        }
    }

    #[test]
    fn a_name_that_no_cluster_has_is_an_error_that_names_near_ones() {
        for (clusters, exclude, hint) in [
            (&["bleu-1"][..], &[][..], "a/blue-1"),
            (&["a/gren"], &[], "did you mean a/green"),
            (&[], &["grene"], "a/green"),
            (&["zzz*"], &[], "kubectl get clusters -A"),
        ] {
            let (_, findings) = choose(clusters, exclude);
            let [finding] = findings.0.as_slice() else { panic!("{findings:?}") };
            assert_eq!(finding.rule, "NoSuchCluster");
            assert!(finding.hint.contains(hint), "{finding:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_name_and_no_pattern_is_refused() {
        for text in ["", "a/", "/a", "a/b/c", "[a", "A", "a b", "../x"] {
            assert!(text.parse::<ClusterPattern>().is_err(), "{text:?}");
        }
    }
}
