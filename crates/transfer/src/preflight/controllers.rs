//! Whose controllers the run is going to hold, and what is in the way of that.

use std::collections::BTreeSet;

use capi::names::{CORE_GROUP, PROVIDER_LABEL};
use capi::{Fate, Graph, ResourceType, is_cluster};
use cluster::{ApiError, Client};

use super::permissions::{Need, describe, missing};
use crate::controllers::{Election, Manager, look, namespaces};
use crate::error::PhaseError;
use crate::findings::{Findings, shortened};
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
    // A source that is left is held by its pauses; of the sides of a batch others are at work.
    let is_in_batches = options.batch_size.is_some() || options.batches.is_some();
    let is_never = options.hold_controllers == HoldControllers::Never;
    if is_never || options.leave_source || is_in_batches {
        return Ok(held);
    }
    for (cluster, role, providers) in
        [(&run.source, Role::Source, source), (&run.target, Role::Target, target)]
    {
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
        if !is_wanted && (!self.has_managers().await? || self.has_others(graph).await?) {
            return Ok(false);
        }
        let missing = missing(self.cluster, self.needs()).await?;
        if !missing.is_empty() {
            self.report_missing(is_wanted, &missing, findings);
            return Ok(false);
        }
        let managers = look(self.cluster, &self.namespaces).await?;
        let is_elected = managers.iter().any(|one| !matches!(one.election, Election::None));
        let is_pending = managers.iter().any(|one| matches!(one.election, Election::Pending));
        // A manager that does not come up would be waited for.
        let is_held = is_elected && (is_wanted || !is_pending);
        if is_held || is_wanted {
            self.report_unelected(&managers, findings);
        }
        Ok(is_held)
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
        let role = self.role;
        let name = if role == Role::Source { "source" } else { "target" };
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

    fn report_unelected(&self, managers: &[Manager], findings: &mut Findings) {
        let unelected = managers.iter().filter(|one| matches!(one.election, Election::None));
        let names: Vec<String> = unelected.map(|manager| manager.id.to_string()).collect();
        if names.is_empty() {
            return;
        }
        let name = if self.role == Role::Source { "source" } else { "target" };
        let names = shortened(names.into_iter(), SHOWN);
        findings.warning(
            "ManagersWithoutElection",
            name,
            format!(
                "{names}: no pod of it holds a leader-election Lease, so it works on while others \
                 are held"
            ),
            "switch leader election on (--leader-elect), if the provider can do that",
        );
    }

    /// Returns whether there are Clusters that are no part of the move. Who may not list all of
    /// them cannot know.
    async fn has_others(&self, graph: &Graph) -> Result<bool, ApiError> {
        let is_it =
            |resource: &&ResourceType| resource.kind == "Cluster" && resource.group == CORE_GROUP;
        let mut resources = graph.kinds.iter().map(|kind| &kind.resource);
        let Some(clusters) = resources.find(is_it) else { return Ok(false) };
        let listed = match self.cluster.list_metadata(clusters, None).await {
            Err(error) if error.is_forbidden() => return Ok(true),
            listed => listed?,
        };
        let moving = graph.nodes.iter().filter(|node| node.fate == Fate::Move);
        let moving = moving.map(|node| &node.object).filter(|object| is_cluster(object));
        let moving: BTreeSet<_> =
            moving.map(|object| (object.namespace(), object.name())).collect();
        Ok(listed.iter().any(|object| !moving.contains(&(object.namespace(), object.name()))))
    }
}
