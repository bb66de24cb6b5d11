//! `plan`: what a management cluster holds, as units of Clusters with what they share. Reads the
//! source only.

#![expect(
    clippy::indexing_slicing,
    reason = "Clusters are known by the numbers that the usage gives them"
)]
//!
//! Clusters are one unit if something belongs to several of them, or gives something out to
//! several, such as a pool of addresses: such Clusters can only move together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use capi::{Fate, Graph, ObjectId, Sharing, Usage, is_resource_set};
use serde::Serialize;

use super::choice;
use super::discover::{MoveScope, discover};
use super::error::{MoveError, PhaseError};
use super::findings::{Finding, Findings};
use super::inventory;
use super::kinds;
use super::preflight::check_health;
use super::report::{API_VERSION, Explained, kept_reason, stay_reason};
use super::run::Run;

/// The contents of a management cluster, with the fate of each object.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MovePlan {
    /// Version of this document's schema.
    pub api_version: &'static str,
    /// `MovePlan`.
    pub kind: &'static str,
    /// URL of the API server.
    pub source: String,
    /// Clusters that move together or not at all.
    pub units: Vec<Unit>,
    /// Objects that belong to no Cluster and that Clusters use.
    pub shared: Vec<SharedObjects>,
    /// Other objects that do not move, with the reasons.
    pub stays: Vec<Explained>,
    /// Problems of the choice.
    pub findings: Vec<Finding>,
}

/// Clusters that move together or not at all.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Unit {
    /// The Clusters.
    pub clusters: Vec<PlannedCluster>,
    /// Objects that tie several of them together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tied_by: Vec<ObjectId>,
}

/// A Cluster and what belongs to it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlannedCluster {
    /// `namespace/name`.
    pub name: String,
    /// True if it moves.
    pub moves: bool,
    /// Objects that belong to it, by kind.
    pub objects: BTreeMap<String, usize>,
}

/// Objects that own each other, and belong to no Cluster.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SharedObjects {
    /// The objects.
    pub objects: Vec<ObjectId>,
    /// The Clusters that use them, as `namespace/name`.
    pub used_by: Vec<String>,
    /// Their fate.
    pub fate: PlannedFate,
    /// The reason, unless they move; or that nobody is known to use them, so that every Cluster
    /// counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The fate of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum PlannedFate {
    /// It moves.
    Moves,
    /// It is copied, and kept in the source.
    Kept,
    /// It stays.
    Stays,
}

/// Reads the source and finds the units.
///
/// # Errors
/// [`MoveError::Unprepared`] when it cannot be read.
pub async fn plan_units(run: &Run) -> Result<MovePlan, MoveError> {
    let mut findings = Findings::default();
    let graph = look(run, &mut findings).await.map_err(MoveError::Unprepared)?;
    Ok(MovePlan { source: run.source.server().to_owned(), findings: findings.0, ..plan_of(&graph) })
}

async fn look(run: &Run, findings: &mut Findings) -> Result<Graph, PhaseError> {
    check_health(&run.source).await?;
    let (kinds, providers) =
        tokio::try_join!(kinds::read(&run.source), inventory::read(&run.source))?;
    let namespaces = run.options.namespaces.clone();
    let copies_referenced = run.options.copy_referenced;
    let mut move_scope =
        MoveScope { kinds, providers, namespaces, chosen: None, copies_referenced, taken: None };
    let choice = (&run.options.choice, &mut *findings);
    let chosen = choice::decide((&run.source, "source"), &move_scope, choice).await?;
    move_scope.chosen = chosen.map(Arc::new);
    let graph = discover(&run.source, &move_scope).await?;
    choice::check(&graph, move_scope.chosen.as_deref(), findings);
    Ok(graph)
}

/// The plan of a graph.
fn plan_of(graph: &Graph) -> MovePlan {
    let usage = graph.usage();
    let units = Units::of(graph, &usage);
    let is_told = |index: usize| usage.group(index).is_some() || !usage.homes(index).is_empty();
    let stays = graph.nodes.iter().enumerate().filter(|(index, _)| !is_told(*index));
    let stays = stays.filter_map(|(_, node)| match &node.fate {
        Fate::Stay(reason) => {
            Some(Explained { object: node.object.id(), reason: stay_reason(reason) })
        }
        Fate::Move | Fate::Keep(_) => None,
    });
    MovePlan {
        api_version: API_VERSION,
        kind: "MovePlan",
        source: String::new(),
        units: units.finish(graph, &usage),
        shared: (0..usage.groups()).map(|group| shared(graph, &usage, group)).collect(),
        stays: stays.collect(),
        findings: Vec::new(),
    }
}

fn shared(graph: &Graph, usage: &Usage, group: usize) -> SharedObjects {
    let members = usage.members(group);
    let fates = members.iter().map(|index| &graph[*index].fate);
    let (fate, reason) = fates.fold((PlannedFate::Moves, None), |so_far, fate| match fate {
        Fate::Move => so_far,
        Fate::Keep(reason) => (PlannedFate::Kept, Some(kept_reason(*reason).to_owned())),
        Fate::Stay(reason) => (PlannedFate::Stays, Some(stay_reason(reason))),
    });
    let assumed = || "nobody is known to use it, so any Cluster may".to_owned();
    let reason = reason.or_else(|| usage.is_assumed(group).then(assumed));
    SharedObjects {
        objects: members.iter().map(|index| graph[*index].object.id()).collect(),
        used_by: usage.users(group).iter().map(|cluster| usage.name(*cluster)).collect(),
        fate,
        reason,
    }
}

/// Clusters that move in one batch.
pub(super) struct Tied {
    /// Namespaces and names.
    pub(super) clusters: Vec<(String, String)>,
    /// Objects that tie several of them together.
    pub(super) by: Vec<ObjectId>,
}

/// Returns the units of a move in batches. A ClusterResourceSet ties the Clusters that it selects:
/// as soon as it is active in the target, its controller would create what hangs on the copies of
/// later batches before the move does.
pub(super) fn units_for_batches(graph: &Graph) -> Vec<Tied> {
    let usage = graph.usage();
    let mut units = Units::of(graph, &usage);
    for group in 0..usage.groups() {
        let mut objects = usage.members(group).iter().map(|index| &graph[*index].object);
        if let Some(set) = objects.find(|object| is_resource_set(object)) {
            units.tie(usage.users(group), || set.id());
        }
    }
    let tied = units.finish(graph, &usage).into_iter().map(|unit| {
        let moving = unit.clusters.iter().filter(|cluster| cluster.moves);
        let split = |name: &str| name.split_once('/').map(|(a, b)| (a.to_owned(), b.to_owned()));
        let clusters = moving.filter_map(|cluster| split(&cluster.name)).collect();
        Tied { clusters, by: unit.tied_by }
    });
    let mut tied: Vec<Tied> = tied.filter(|tied| !tied.clusters.is_empty()).collect();
    tied.iter_mut().for_each(|tied| tied.clusters.sort());
    tied.sort_by(|a, b| a.clusters.cmp(&b.clusters));
    tied
}

/// Clusters by their unit: the smallest number of the Clusters in it.
struct Units {
    unit: Vec<usize>,
    ties: Vec<(usize, ObjectId)>,
}

impl Units {
    fn of(graph: &Graph, usage: &Usage) -> Self {
        let mut units = Self { unit: (0..usage.clusters()).collect(), ties: Vec::new() };
        for (index, node) in graph.nodes.iter().enumerate() {
            let needed: BTreeSet<usize> =
                usage.homes(index).iter().chain(usage.borrowers(index)).copied().collect();
            units.tie(&needed, || node.object.id());
        }
        for group in 0..usage.groups() {
            if graph.sharing(usage.members(group)) == Sharing::Allocates {
                let first = usage.members(group).first();
                let first = first.expect("a group has members");
                units.tie(usage.users(group), || graph[*first].object.id());
            }
        }
        units
    }

    fn tie(&mut self, clusters: &BTreeSet<usize>, by: impl Fn() -> ObjectId) {
        let units: BTreeSet<usize> = clusters.iter().map(|cluster| self.unit[*cluster]).collect();
        let Some(first) = units.first().copied().filter(|_| clusters.len() > 1) else { return };
        for unit in self.unit.iter_mut().filter(|unit| units.contains(*unit)) {
            *unit = first;
        }
        self.ties.push((first, by()));
    }

    fn finish(self, graph: &Graph, usage: &Usage) -> Vec<Unit> {
        let mut objects = vec![BTreeMap::new(); usage.clusters()];
        let mut moving = BTreeSet::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            let Some(home) = usage.homes(index).first() else { continue };
            *objects[*home].entry(node.object.kind().to_owned()).or_default() += 1;
            if capi::is_cluster(&node.object) && node.fate == Fate::Move {
                moving.insert(*home);
            }
        }
        let mut units: BTreeMap<usize, Unit> = BTreeMap::new();
        for (cluster, objects) in objects.into_iter().enumerate() {
            let planned = PlannedCluster {
                name: usage.name(cluster),
                moves: moving.contains(&cluster),
                objects,
            };
            let unit = units.entry(self.unit[cluster]);
            let empty = || Unit { clusters: Vec::new(), tied_by: Vec::new() };
            unit.or_insert_with(empty).clusters.push(planned);
        }
        for (unit, object) in self.ties {
            // What was the smallest number then may have been tied to a smaller one since.
            if let Some(unit) = units.get_mut(&self.unit[unit]) {
                unit.tied_by.push(object);
            }
        }
        units.into_values().collect()
    }
}
