//! Preflight: everything that can be known before the first write, in one report.
//!
//! Writes nothing; the rehearsal creates with server-side dry-run only.

mod backups;
mod collected;
mod collector;
mod contracts;
mod controllers;
mod existing;
mod labelled;
mod managed;
mod namespaces;
mod objects;
mod permissions;
mod references;
mod rehearse;
mod room;
mod runs;
mod secrets;
mod ties;
mod unreported;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use capi::{Graph, MoveKind, ResourceType, is_cluster, is_cluster_class};
use cluster::{ApiError, Client, Served};

use super::choice;
use super::conversion::ConvertedKind;
use super::discover::{MoveScope, discover};
use super::error::PhaseError;
use super::exposure;
use super::findings::Findings;
use super::inventory::{self, Provider};
use super::kinds;
use super::knowledge::{self, learn};
use super::options::Rehearsal;
use super::record::Role;
use super::run::Run;

pub use collected::RelatedObject;
pub(crate) use controllers::HOLD_VERBS;
pub(crate) use labelled::check as check_labelled;
pub(crate) use objects::{check as check_objects, check_marks, identity};
pub(crate) use permissions::{
    LEDGER_VERBS, LOCK_VERBS, NAMESPACE_VERBS, SOURCE_VERBS, TARGET_VERBS,
};
pub(crate) use runs::check as check_runs;
pub(crate) use ties::check as check_ties;

/// Everything preflight has found out.
#[derive(Clone, Debug)]
pub struct Preflight {
    /// Kinds to list, with their versions.
    pub move_scope: MoveScope,
    /// The objects and what becomes of them.
    pub graph: Graph,
    /// Objects that do not move although they are tied to something that does.
    pub related_objects: Vec<RelatedObject>,
    /// Kinds that the target converts, as far as their objects were rehearsed.
    pub conversions: Vec<ConvertedKind>,
    /// The sides whose controllers are held.
    pub holds: Vec<Role>,
    /// Problems.
    pub findings: Findings,
}

/// Runs all checks.
///
/// # Errors
/// When a cluster cannot be read; problems that were found are no errors here.
pub async fn preflight(run: &Run) -> Result<Preflight, PhaseError> {
    run.events.doing("contacting both clusters");
    tokio::try_join!(check_health(&run.source), check_health(&run.target))?;
    let mut findings = Findings::default();
    exposure::check(run, &mut findings);
    backups::check(run, &mut findings);
    run.events.doing("reading kinds and objects");
    let surveyed = Surveyed::read(run, &mut findings).await?;
    let mut move_scope = surveyed.move_scope.clone();
    let choice = (&run.options.choice, &mut findings);
    move_scope.chosen =
        choice::decide((&run.source, "source"), &move_scope, choice).await?.map(Arc::new);
    let graph = discover(&run.source, &move_scope).await?;
    if let Some(batches) = &run.options.batches {
        batches.check_own(&graph, &mut findings);
    }
    if !has_clusters_or_classes(&graph) {
        let (related_objects, conversions, holds) = (Vec::new(), Vec::new(), Vec::new());
        return Ok(Preflight { move_scope, graph, related_objects, conversions, holds, findings });
    }
    choice::check(&graph, move_scope.chosen.as_deref(), &mut findings);
    if let Some(batches) = &run.options.batches {
        batches.check(&graph, &mut findings);
    }
    let tied = ties::check(&graph, &mut findings);
    let related_objects = collected::check(run, &graph, &tied, &mut findings).await?;

    run.events.doing("checking objects, permissions and the target");
    objects::check(run, &graph, &mut findings);
    objects::check_marks(run, &graph, &mut findings);
    knowledge::check(&graph, &mut findings).await;
    room::check(&graph, &mut findings);
    managed::check(&graph, &mut findings);
    check_served(&graph, &surveyed.target_serves, &mut findings);
    let mut holds = Vec::new();
    // What follows asks the target about kinds, so it has to serve them.
    if !findings.has_errors() {
        holds = check_target(run, (&move_scope, &graph), &surveyed, &mut findings).await?;
    }
    let mut conversions = Vec::new();
    if !findings.has_errors() && run.options.rehearsal != Rehearsal::Off {
        conversions = rehearse::check(run, &graph, &mut findings).await?;
    }
    Ok(Preflight { move_scope, graph, related_objects, conversions, holds, findings })
}

/// Both clusters, before anything is known of their objects.
struct Surveyed {
    move_scope: MoveScope,
    source_serves: Served,
    target_serves: Served,
    target_kinds: Arc<Vec<MoveKind>>,
    target_providers: Vec<Provider>,
}

impl Surveyed {
    /// Reads what needs no other answer at the same time.
    async fn read(run: &Run, findings: &mut Findings) -> Result<Self, PhaseError> {
        let [mut distinct, mut at_source, mut at_target, mut of_kinds, mut of_contracts] =
            [const { Findings(Vec::new()) }; 5];
        let source = async {
            let kinds = kinds::survey(&run.source).await?;
            let report = kinds::report((&run.source, "source"), &kinds, &mut of_kinds);
            let report = async { Ok::<_, PhaseError>(report.await?) };
            Ok(tokio::try_join!(report, survey_of(run, &kinds.moving))?.1)
        };
        let target =
            async { Ok(tokio::try_join!(kinds::read(&run.target), inventory::read(&run.target))?) };
        let contracts =
            async { Ok(contracts::check((&run.source, &run.target), &mut of_contracts).await?) };
        let (surveyed, target, ..) = tokio::try_join!(
            source,
            target,
            objects::check_distinct(run, &mut distinct),
            check_runs(run, (&run.source, "source"), &mut at_source),
            check_runs(run, (&run.target, "target"), &mut at_target),
            contracts,
        )?;
        [distinct, at_source, at_target, of_kinds].into_iter().for_each(|f| findings.extend(f));
        let (mut move_scope, source_serves, target_serves) = surveyed;
        let (target_kinds, target_providers) = target;
        move_scope.taken = Some(Arc::clone(&target_kinds));
        run.options.knowledge.report(findings);
        findings.extend(inventory::compare(&move_scope.providers, &target_providers));
        findings.extend(of_contracts);
        Ok(Self { move_scope, source_serves, target_serves, target_kinds, target_providers })
    }
}

/// Asks the target about what is to be copied, and both users about their permissions; all at the
/// same time. Returns the sides whose controllers are held.
async fn check_target(
    run: &Run,
    (move_scope, graph): (&MoveScope, &Graph),
    surveyed: &Surveyed,
    findings: &mut Findings,
) -> Result<Vec<Role>, PhaseError> {
    labelled::check(graph, &surveyed.target_kinds, findings);
    let [mut of_references, mut of_existing, mut of_namespaces, mut of_controllers] =
        [const { Findings(Vec::new()) }; 4];
    let served = (&surveyed.source_serves, &surveyed.target_serves);
    let providers = (move_scope.providers.as_slice(), surveyed.target_providers.as_slice());
    let ((), permissions, (), (), holds) = tokio::try_join!(
        references::check(run, graph, served, &mut of_references),
        permissions::check(run, graph),
        existing::check(run, move_scope, graph, &mut of_existing),
        namespaces::check(run, graph, &mut of_namespaces),
        controllers::check(run, graph, providers, &mut of_controllers),
    )?;
    let in_order = [of_references, permissions, of_existing, of_namespaces, of_controllers];
    in_order.into_iter().for_each(|f| findings.extend(f));
    // A run that is resumed holds what its record says.
    let recorded = run.options.held_sides.iter().copied().filter(|role| run.holds(*role));
    let held: Vec<Role> = holds.iter().copied().chain(recorded).collect();
    let source = (move_scope.providers.as_slice(), held.as_slice());
    unreported::check(run, graph, source, findings).await?;
    Ok(holds)
}

/// Returns whether there is anything that a move is for. Objects that a label would move are no
/// reason to begin one.
pub(super) fn has_clusters_or_classes(graph: &Graph) -> bool {
    let mut objects = graph.copied().map(|index| &graph[index].object);
    objects.any(|object| is_cluster(object) || is_cluster_class(object))
}

/// An API server that does not answer, or not to this user, is reported at once and not after
/// minutes.
pub(super) async fn check_health(cluster: &Client) -> Result<(), PhaseError> {
    let brief = cluster.clone().with_retry(cluster::RetryPolicy::brief());
    brief.get_path("/version").await?;
    Ok(())
}

/// Reads what there can be to move, in versions that both clusters serve; and what each serves.
pub(super) async fn survey(run: &Run) -> Result<(MoveScope, Served, Served), PhaseError> {
    let kinds = kinds::read(&run.source).await?;
    survey_of(run, &kinds).await
}

/// As [`survey`], of kinds that were read.
async fn survey_of(
    run: &Run,
    kinds: &[MoveKind],
) -> Result<(MoveScope, Served, Served), PhaseError> {
    // Right after providers are installed, discovery may not list all of their kinds yet.
    let is_wanted = |group: &str| kinds.iter().any(|kind| kind.resource.group == group);
    let (providers, source, target, stored) = tokio::try_join!(
        inventory::read(&run.source),
        Served::read_settled(&run.source, is_wanted),
        Served::read_settled(&run.target, is_wanted),
        stored_in(&run.target)
    )?;
    learn(run, &providers, &source).await;
    let common = |kind| common_version(kind, (&source, &target), &stored);
    let kinds = run.options.knowledge.of_kinds(kinds.iter().map(common));
    let namespaces = run.options.namespaces.clone();
    let chosen = run.options.choice.fixed().cloned().map(Arc::new);
    let kinds = Arc::new(kinds);
    let copies_referenced = run.options.copy_referenced;
    let move_scope =
        MoveScope { kinds, providers, namespaces, chosen, copies_referenced, taken: None };
    Ok((move_scope, source, target))
}

/// The kinds of a target at the versions that it stores. Who may not read its CRDs learns by the
/// verification what it converts.
async fn stored_in(target: &Client) -> Result<Arc<Vec<MoveKind>>, ApiError> {
    match kinds::read(target).await {
        Err(error) if error.is_forbidden() => Ok(Arc::default()),
        read => read,
    }
}

/// A kind at a version that both clusters serve: the source's storage version if possible.
fn common_version(
    kind: &MoveKind,
    (source, target): (&Served, &Served),
    stored: &[MoveKind],
) -> MoveKind {
    let mut kind = kind.clone();
    if kind.resource.group.is_empty() {
        return kind;
    }
    let offered = target.versions(&kind.resource.group, &kind.resource.kind);
    if !target.has(&kind.resource)
        && let Some(common) = offered.iter().find(|resource| source.has(resource))
    {
        kind.resource = common.clone();
    }
    kind.converted_to = conversion(&kind.resource, (source, target), stored);
    kind
}

/// Returns the version to which the target converts a kind: the one that it stores, or, where its
/// CRDs do not tell, the one that it prefers if it serves others than the source.
fn conversion(
    resource: &ResourceType,
    (source, target): (&Served, &Served),
    stored: &[MoveKind],
) -> Option<String> {
    let is_it = |kind: &&MoveKind| {
        (&kind.resource.group, &kind.resource.kind) == (&resource.group, &resource.kind)
    };
    if let Some(kind) = stored.iter().find(is_it) {
        let version = &kind.resource.version;
        return (*version != resource.version).then(|| version.clone());
    }
    let versions = |served: &Served| {
        let versions = served.versions(&resource.group, &resource.kind).iter();
        versions.map(|resource| resource.version.clone()).collect::<BTreeSet<_>>()
    };
    let preferred = &target.versions(&resource.group, &resource.kind).first()?.version;
    let is_converted = *preferred != resource.version && versions(source) != versions(target);
    is_converted.then(|| preferred.clone())
}

fn check_served(graph: &Graph, target: &Served, findings: &mut Findings) {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    graph.copied().for_each(|index| *counts.entry(graph[index].kind).or_default() += 1);
    for (index, kind) in graph.kinds.iter().enumerate() {
        let (resource, count) = (&kind.resource, counts.get(&index).copied().unwrap_or_default());
        if count == 0 || resource.group.is_empty() || target.has(resource) {
            continue;
        }
        let stale = target.stale().iter().any(|stale| *stale == resource.api_version());
        let (problem, hint) = if stale {
            (
                "does not say whether it serves",
                "fix the APIService of this group in the target cluster".to_owned(),
            )
        } else {
            (
                "does not serve",
                "install the provider with this CRD, at the source's version or newer".to_owned(),
            )
        };
        let message = format!(
            "it {problem} {resource} at {} ({count} objects of it would move)",
            resource.version
        );
        findings.error("KindNotServed", "target", message, hint);
    }
}
