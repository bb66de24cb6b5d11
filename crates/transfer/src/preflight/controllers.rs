//! Whose controllers the run is going to hold, and what is in the way of that.

use std::collections::BTreeSet;

use capi::names::{CORE_GROUP, PROVIDER_LABEL};
use capi::{Fate, Graph, Object, ResourceType, is_cluster};
use cluster::{ApiError, Client};

use super::permissions::{Need, describe, missing};
use crate::controllers::{Election, Manager, look, namespaces};
use crate::error::PhaseError;
use crate::findings::{Findings, shortened};
use crate::in_batches::plan_batches;
use crate::inventory::Provider;
use crate::options::HoldControllers;
use crate::record::Role;
use crate::run::Run;

/// Group, plural and verbs of what a hold reads and writes in the namespaces of providers.
pub(crate) const HOLD_VERBS: [(&str, &str, &[&str]); 3] = [
    ("apps", "deployments", &["list"]),
    ("", "pods", &["list", "delete"]),
    ("coordination.k8s.io", "leases", &["get", "list", "patch"]),
];

/// Names of Deployments in a message; the rest is counted.
const SHOWN: usize = 6;

/// Decides whose controllers are held.
pub(super) async fn check(
    run: &Run,
    graph: &Graph,
    (source, target): (&[Provider], &[Provider]),
    findings: &mut Findings,
) -> Result<Vec<Role>, PhaseError> {
    let mut held = Vec::new();
    let options = &run.options;
    let is_in_batches = || {
        let planned = plan_batches(run, graph, &mut Findings::default());
        options.batches.is_some() || planned.is_some()
    };
    let may_hold = match options.hold_controllers {
        HoldControllers::Always => true,
        // Clusters of other batches are at work on both sides.
        HoldControllers::Auto => !is_in_batches(),
        HoldControllers::Never => false,
    };
    if !may_hold {
        return Ok(held);
    }
    for (cluster, role, providers) in
        [(&run.source, Role::Source, source), (&run.target, Role::Target, target)]
    {
        // Beside a source that is left the target works at once.
        if options.leave_source && role == Role::Target {
            continue;
        }
        let side = Side { cluster, role, namespaces: namespaces(providers) };
        if side.is_held(run, graph, findings).await? {
            held.push(role);
        }
    }
    Ok(held)
}

/// A side whose controllers may be held.
struct Side<'a> {
    cluster: &'a Client,
    role: Role,
    namespaces: BTreeSet<String>,
}

impl Side<'_> {
    async fn is_held(
        &self,
        run: &Run,
        graph: &Graph,
        findings: &mut Findings,
    ) -> Result<bool, PhaseError> {
        let is_wanted = run.options.hold_controllers == HoldControllers::Always;
        if !is_wanted && !self.is_free(graph, findings).await? {
            return Ok(false);
        }
        let managers = match look(self.cluster, &self.namespaces).await {
            Err(error) if error.is_forbidden() => None,
            managers => Some(managers?),
        };
        let elects = managers.as_deref().is_none_or(has_elections);
        if !is_wanted && !elects {
            return Ok(false);
        }
        let missing = missing(self.cluster, self.needs()).await?;
        if !missing.is_empty() {
            self.report_missing(is_wanted, &missing, findings);
            return Ok(false);
        }
        let managers = managers.unwrap_or_default();
        if !is_wanted && self.report_pending(&managers, findings) {
            return Ok(false);
        }
        self.report_unelected(&managers, findings);
        Ok(elects)
    }

    /// Returns whether there are managers, and nothing but what moves needs them.
    async fn is_free(&self, graph: &Graph, findings: &mut Findings) -> Result<bool, ApiError> {
        if !self.has_managers().await? {
            return Ok(false);
        }
        let others = self.others(graph).await?;
        if matches!(others, Others::Unknown) {
            self.report_unknown(findings);
        }
        Ok(matches!(others, Others::None))
    }

    /// Returns whether a Deployment of a provider is there, for all that the user may see.
    async fn has_managers(&self) -> Result<bool, ApiError> {
        let deployments = ResourceType::new("apps/v1", "Deployment", "deployments", true);
        match self.cluster.list_selected(&deployments, None, PROVIDER_LABEL).await {
            Err(error) if error.is_forbidden() => Ok(true),
            listed => Ok(!listed?.is_empty()),
        }
    }

    fn needs(&self) -> BTreeSet<Need> {
        let verbs = HOLD_VERBS.iter().flat_map(|(group, plural, verbs)| {
            verbs.iter().map(move |verb| (*group, *plural, *verb))
        });
        let needs = verbs.flat_map(|(group, plural, verb)| {
            self.namespaces.iter().map(move |namespace| Need {
                group: group.to_owned(),
                plural: plural.to_owned(),
                namespace: Some(namespace.clone()),
                verb,
            })
        });
        needs.collect()
    }

    fn report_missing(&self, is_wanted: bool, missing: &[Need], findings: &mut Findings) {
        let name = self.name();
        let message = format!("its controllers cannot be held: its user {}", describe(missing));
        let hint = format!(
            "grant the user of the {name} kubeconfig these verbs (`kubectl pivot rbac {name}` \
             prints roles with them), or use --hold-controllers=never"
        );
        if is_wanted {
            findings.error("ControllersNotHeld", name, message, hint);
        } else {
            findings.warning("ControllersNotHeld", name, message, hint);
        }
    }

    /// Says that the run may not know whether others need the controllers.
    fn report_unknown(&self, findings: &mut Findings) {
        let name = self.name();
        findings.warning(
            "ControllersNotHeld",
            name,
            "its controllers are not held: its user may not list the Clusters of all namespaces, \
             and others may need them"
                .to_owned(),
            format!(
                "grant the user of the {name} kubeconfig this right (`kubectl pivot rbac {name}` \
                 prints roles with it), or use --hold-controllers=never"
            ),
        );
    }

    /// Reports managers that would have to be waited for: while nobody leads, nobody knows whether
    /// they come up. Returns whether there are any.
    fn report_pending(&self, managers: &[Manager], findings: &mut Findings) -> bool {
        let pending = managers.iter().filter(|one| matches!(one.election, Election::Pending));
        let names: Vec<String> = pending.map(|manager| manager.id.to_string()).collect();
        if names.is_empty() {
            return false;
        }
        let names = shortened(names.into_iter(), SHOWN);
        findings.warning(
            "ControllersNotHeld",
            self.name(),
            format!("its controllers are not held: no pod leads now of {names}"),
            "wait until its pods are ready, or use --hold-controllers=always, which waits for them",
        );
        true
    }

    fn name(&self) -> &'static str {
        if self.role == Role::Source { "source" } else { "target" }
    }

    fn report_unelected(&self, managers: &[Manager], findings: &mut Findings) {
        let unelected = managers.iter().filter(|one| matches!(one.election, Election::None));
        let names: Vec<String> = unelected.map(|manager| manager.id.to_string()).collect();
        if names.is_empty() {
            return;
        }
        let names = shortened(names.into_iter(), SHOWN);
        findings.warning(
            "ManagersWithoutElection",
            self.name(),
            format!(
                "{names}: no pod of it holds a leader-election Lease, so it works on while others \
                 are held"
            ),
            "switch leader election on (--leader-elect), if the provider can do that",
        );
    }

    /// Looks for Clusters that are no part of the move.
    async fn others(&self, graph: &Graph) -> Result<Others, ApiError> {
        let is_it =
            |resource: &&ResourceType| resource.kind == "Cluster" && resource.group == CORE_GROUP;
        let mut resources = graph.kinds.iter().map(|kind| &kind.resource);
        let Some(clusters) = resources.find(is_it) else { return Ok(Others::None) };
        let listed = match self.cluster.list_metadata(clusters, None).await {
            Err(error) if error.is_forbidden() => return Ok(Others::Unknown),
            listed => listed?,
        };
        let moving = graph.nodes.iter().filter(|node| node.fate == Fate::Move);
        let moving = moving.map(|node| &node.object).filter(|object| is_cluster(object));
        let moving: BTreeSet<_> =
            moving.map(|object| (object.namespace(), object.name())).collect();
        let is_other = |object: &Object| !moving.contains(&(object.namespace(), object.name()));
        Ok(if listed.iter().any(is_other) { Others::Some } else { Others::None })
    }
}

/// Returns whether any of these managers elects a leader.
fn has_elections(managers: &[Manager]) -> bool {
    managers.iter().any(|manager| !matches!(manager.election, Election::None))
}

/// Clusters that are no part of a move.
enum Others {
    None,
    Some,
    /// The user may not list all Clusters.
    Unknown,
}
