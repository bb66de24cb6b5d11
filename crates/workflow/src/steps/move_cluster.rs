//! The move itself: the shared routine, or what is left of it after an interruption.

use capi::Chosen;
use capi::names::CORE_GROUP;
use cluster::{Client, Served};
use kubectl_pivot_plugin_api::ProbeStage;
use support::causes::in_one_line;
use support::journal::Events;
use support::visible::one_line;
use transfer::{
    self, Choice, KindSelector, Learned, MoveError, MoveOptions, Namespaces, Operation, Outcome,
    Phase, Preflight, Record, Report, Run, Sides,
};

use super::control_plane::the_cluster;
use super::left;
use crate::context::StepContext;
use crate::error::StepError;
use crate::outline::{DryRun, StepPreview};
use crate::support::probes::{self, ProbeTargets};
use crate::support::wait::{Poll, until};

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let source = step_context.bootstrap().await?;
    let target = step_context.target().await?;
    between(step_context, &source, &target, async || {
        let both = ProbeTargets::Both { bootstrap: &source, target: &target };
        probes::hold(step_context, ProbeStage::BeforeMove, both).await.map(drop)
    })
    .await
}

/// A new move of the namespace of the cluster.
pub(crate) fn new_move(step_context: &StepContext<'_>, source: &Client, target: &Client) -> Run {
    // What is deleted right after needs no deletion of each object, and until then there is a way
    // back.
    let leave_source = !step_context.is_removal() && step_context.spec().deletes_bootstrap();
    Run {
        id: format!("{:08x}", rand::random::<u32>()),
        source: source.clone(),
        target: target.clone(),
        options: MoveOptions {
            choice: step_context.spec().choice(),
            backups: step_context.spec().backups(),
            leave_source,
            ..MoveOptions::new(Namespaces::One(step_context.spec().namespace.clone()))
        },
        events: step_context.events.clone(),
        stop: step_context.workflow.stop.clone(),
        sides: Sides::default(),
    }
}

/// Facts of the infrastructure plugin about its kinds. A move does without them if it has to.
async fn knowledge(step_context: &StepContext<'_>) -> Learned {
    let blueprint = step_context.blueprint();
    let warn = |warning: String| {
        step_context.events.warning(warning);
        Learned::default()
    };
    match blueprint.moving() {
        Ok(said) => {
            let plugin = blueprint.infrastructure_name();
            Learned::from_plugin(plugin, said).await.unwrap_or_else(warn)
        }
        Err(error) => warn(in_one_line(&error)),
    }
}

/// Moves the cluster once `ready` holds, or ends an earlier move of it.
pub(crate) async fn between(
    step_context: &StepContext<'_>,
    source: &Client,
    target: &Client,
    ready: impl AsyncFnOnce() -> Result<(), StepError>,
) -> Result<String, StepError> {
    let mut run = new_move(step_context, source, target);
    run.options.knowledge = knowledge(step_context).await;
    run.options.trust_pause = templates(source).await?;
    let found = transfer::find(source, target).await.map_err(StepError::Phase)?;
    if left::record_of(&found).is_some_and(|record| record.namespaces() == run.options.namespaces) {
        return was_left(step_context, target).await;
    }
    match found
        .record()
        // The target of a replacement is as any other cluster.
        .filter(|record| record.is_in_the_way() || record.phase == Phase::Finished)
        .map(|record| own_phase(record, (&run.options.namespaces, &run.options.choice)))
        .transpose()?
        .flatten()
    {
        Some(Phase::Undoing) => put_back(step_context, &run).await?,
        Some(_) => return carry_on(step_context, &run).await,
        None => {}
    }
    if the_cluster(step_context, source).await?.is_none() {
        if the_cluster(step_context, target).await?.is_some() {
            return Ok("was moved before".to_owned());
        }
        let (namespace, name) = (&step_context.spec().namespace, &step_context.spec().name);
        return Err(StepError::refused(
            format!(
                "Cluster {namespace}/{name} is in neither the {} cluster nor the {}",
                source.name(),
                target.name()
            ),
            "find out who deleted it; the run does not apply it again",
        ));
    }
    ready().await?;
    let (run, preflight, mut report) = plan(run).await?;
    if preflight.findings.has_errors() {
        return Err(MoveError::Refused(preflight.findings).into());
    }
    transfer::execute(&run, preflight, &mut report).await?;
    Ok(summary(&report, ""))
}

/// One line of result.
fn summary(report: &Report, more: &str) -> String {
    let kept = match report.outcome {
        Outcome::Replaced => "; the bootstrap cluster keeps them, paused",
        _ => "",
    };
    format!("{} objects{more}{kept}", report.objects())
}

/// The bootstrap cluster keeps what has moved; a target without it is another one.
async fn was_left(step_context: &StepContext<'_>, target: &Client) -> Result<String, StepError> {
    if the_cluster(step_context, target).await?.is_some() {
        return Ok("was moved before".to_owned());
    }
    let (namespace, name) = (&step_context.spec().namespace, &step_context.spec().name);
    Err(StepError::refused(
        format!(
            "Cluster {namespace}/{name} has moved away from the bootstrap cluster, and the target \
             {} does not have it",
            target.server()
        ),
        "make the kubeconfig of the target lead to the cluster that it was moved into \
         (--to-kubeconfig)",
    ))
}

/// Plans the move. Where controllers do not report that they honour a pause, nothing can be left to
/// them: it is deleted, as by any move.
async fn plan(mut run: Run) -> Result<(Run, Preflight, Report), StepError> {
    let (preflight, report) = transfer::plan(&run).await?;
    if preflight.findings.errors().all(|found| found.rule != UNREPORTED) {
        return Ok((run, preflight, report));
    }
    run.options.leave_source = false;
    // The user has seen this phase.
    let unseen = Run { events: Events::none(), ..run.clone() };
    let (preflight, report) = transfer::plan(&unseen).await?;
    Ok((run, preflight, report))
}

/// Returns the kinds of templates. Controllers read them, and write at most their status, so there
/// is nothing that a pause would have to hold back.
async fn templates(source: &Client) -> Result<Vec<KindSelector>, StepError> {
    let served = Served::read(source).await?;
    let kinds = served
        .kinds()
        .filter(|(group, kind, _)| group.ends_with(CORE_GROUP) && kind.ends_with("Template"));
    Ok(kinds.map(|(group, kind, _)| KindSelector::new(&format!("{kind}.{group}"))).collect())
}

/// The finding of a move that would leave objects to controllers that may ignore a pause.
const UNREPORTED: &str = "PauseUnreported";

/// Returns the phase of the run to continue, which is one that an earlier `create` or `resume` of
/// this document has begun. Nobody is asked, so a run about anything else is not touched; one that
/// is finished is in nobody's way.
fn own_phase(
    record: &Record,
    (namespaces, choice): (&Namespaces, &Choice),
) -> Result<Option<Phase>, StepError> {
    let clusters = |chosen: Option<&Chosen>| chosen.map(|chosen| chosen.clusters.clone());
    let is_about_the_same = clusters(record.choice.as_ref()) == clusters(choice.fixed());
    let is_move = record.operation == Operation::Move && record.batches.is_none();
    if is_move && is_about_the_same && record.namespaces() == *namespaces {
        return Ok(Some(record.phase));
    }
    if record.phase == Phase::Finished {
        return Ok(None);
    }
    let scope = |namespaces: &Namespaces| match namespaces {
        Namespaces::One(namespace) => format!("namespace {}", one_line(namespace)),
        Namespaces::Several(_) => "several namespaces".to_owned(),
        Namespaces::All => "all namespaces".to_owned(),
    };
    Err(StepError::refused(
        format!(
            "the {} {} of {}, begun {}, was interrupted while it was {}; the document is about {}",
            record.operation,
            record.run,
            scope(&record.namespaces()),
            one_line(&record.started),
            record.phase,
            scope(namespaces)
        ),
        "look with `kubectl pivot status` at that run, and end it with `kubectl pivot resume` or \
         `kubectl pivot rollback`; then run the command again",
    ))
}

/// Finishes the rollback of an earlier move, after which the Cluster is moved anew.
async fn put_back(step_context: &StepContext<'_>, run: &Run) -> Result<(), StepError> {
    let put_back = until(step_context, "the lock of the interrupted move is free", async || {
        let rolled_back = transfer::rollback(run, false).await;
        match rolled_back {
            // Without a run somebody else has put it back meanwhile.
            Ok(_) | Err(MoveError::NoRun(_)) => Ok(Poll::Ready(())),
            Err(error @ MoveError::Locked(_)) => Ok(Poll::Pending(in_one_line(&error))),
            Err(error) => Err(error.into()),
        }
    });
    put_back.await
}

/// The lock of a run that was killed expires half a minute after its last renewal.
async fn carry_on(step_context: &StepContext<'_>, run: &Run) -> Result<String, StepError> {
    let report = until(step_context, "the lock of the interrupted move is free", async || {
        let mut report = Report::blank(run);
        match transfer::resume(run, false, &mut report).await {
            Ok(()) => Ok(Poll::Ready(report)),
            Err(error @ MoveError::Locked(_)) => Ok(Poll::Pending(in_one_line(&error))),
            Err(error) => Err(error.into()),
        }
    });
    let report = report.await?;
    Ok(summary(&report, ", after an interruption"))
}

pub(super) fn sketch(sketch: &DryRun<'_>) -> StepPreview {
    let what = match sketch.spec.choice() {
        Choice::All => format!("everything of namespace {}", sketch.spec.namespace),
        _ => format!("Cluster {}/{}", sketch.spec.namespace, sketch.spec.name),
    };
    StepPreview::says("waits until the probes of the plugins hold")
        .and(format!(
            "moves {what} from the bootstrap cluster to the target, as `kubectl pivot move` does: \
         checked before, verified before anything is deleted"
        ))
        .and(match sketch.spec.deletes_bootstrap() {
            true => "the bootstrap cluster keeps what has moved, paused, until it is deleted",
            false => "what has moved is deleted from the bootstrap cluster",
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use transfer::Role;

    #[test]
    fn only_a_run_about_the_namespace_of_the_document_is_continued() {
        let one = |name: &str| Namespaces::One(name.to_owned());
        let record = |of: &Namespaces| Record::new("r1", Role::Target, of, "https://a");
        let own = own_phase(&record(&one("n")), (&one("n"), &Choice::All)).expect("its own run");
        assert_eq!(own, Some(Phase::Preparing));
        let chosen = |name: &str| Chosen::from_iter([("n".to_owned(), name.to_owned())]);
        let fixed = |name: &str| Choice::Fixed(chosen(name));
        let of_one = Record { choice: Some(chosen("a")), ..record(&one("n")) };
        assert!(own_phase(&of_one, (&one("n"), &fixed("a"))).is_ok(), "its own Cluster");
        assert!(own_phase(&of_one, (&one("n"), &fixed("b"))).is_err(), "another Cluster");
        assert!(own_phase(&of_one, (&one("n"), &Choice::All)).is_err(), "all Clusters");
        for other in [one("other"), Namespaces::All] {
            let all = (&one("n"), &Choice::All);
            let error = own_phase(&record(&other), all).expect_err("a run of others");
            let StepError::Refused { what, hint } = error else { panic!("{error}") };
            assert!(what.contains("r1") && what.contains("namespace n"), "{what}");
            assert!(hint.contains("kubectl pivot status"), "{hint}");
            let finished = Record { phase: Phase::Finished, ..record(&other) };
            assert_eq!(own_phase(&finished, all).expect("in nobody's way"), None);
        }
    }
}
