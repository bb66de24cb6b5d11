//! Readiness probes of the infrastructure plugin and the CNI plugin, awaited at their moments.
//!
//! Each is waited for as long as every wait of `create` (`--timeout`), whatever the plugin says.

use blueprint::{Blueprint, BlueprintError, served_by, unknown_endpoint};
use cluster::Client;
use kubectl_pivot_plugin_api::{Addon, Probe, ProbeCluster, ProbeStage, ServedKind};
use probes::{
    Clusters, Declared, Evaluation, Expression, Patience, ProbeOutcome, ProbeResult, Skips,
    UnknownProbe, evaluate,
};
use serde_json::Value;
use support::causes::in_one_line;
use support::journal::Events;

use crate::context::StepContext;
use crate::error::StepError;
use crate::spec::Spec;

/// The clusters of which probes are awaited, as far as they are there.
#[derive(Clone, Copy)]
pub(crate) enum ProbeTargets<'a> {
    /// The bootstrap cluster.
    Bootstrap(&'a Client),
    /// The target.
    Target(&'a Client),
    /// Both.
    Both {
        /// The bootstrap cluster.
        bootstrap: &'a Client,
        /// The target.
        target: &'a Client,
    },
}

impl<'a> ProbeTargets<'a> {
    fn each(self) -> Vec<(ProbeCluster, &'a Client)> {
        match self {
            Self::Bootstrap(client) => vec![(ProbeCluster::Bootstrap, client)],
            Self::Target(client) => vec![(ProbeCluster::Target, client)],
            Self::Both { bootstrap, target } => {
                vec![(ProbeCluster::Bootstrap, bootstrap), (ProbeCluster::Target, target)]
            }
        }
    }

    /// A cluster that is not there is stood for by the other one: no probe on it is among those
    /// awaited.
    fn clusters(self) -> Clusters {
        match self {
            Self::Bootstrap(client) | Self::Target(client) => Clusters::new(client, client),
            Self::Both { bootstrap, target } => Clusters::new(bootstrap, target),
        }
    }
}

/// So many probes, as a part of a sentence.
pub(crate) fn words(held: usize) -> String {
    match held {
        1 => "1 probe holds".to_owned(),
        held => format!("{held} probes hold"),
    }
}

/// Waits until the probes of a moment hold on these clusters. Returns how many do.
///
/// # Errors
/// [`StepError::NotReady`] with those that do not hold in time, or never can.
pub(crate) async fn hold(
    step_context: &StepContext<'_>,
    stage: ProbeStage,
    on: ProbeTargets<'_>,
) -> Result<usize, StepError> {
    let declared = due(step_context, stage, on).await?;
    all_hold(step_context, stage, on, &declared).await
}

/// Waits until the probes of an add-on hold in the target. Returns how many do.
///
/// # Errors
/// As [`hold`].
pub(crate) async fn hold_addon(
    step_context: &StepContext<'_>,
    addon: &Addon,
    target: ProbeTargets<'_>,
) -> Result<usize, StepError> {
    let stage = ProbeStage::CniInstalled;
    let plugin = step_context.blueprint().infrastructure_name();
    let declared = addon.probes.iter().map(|probe| Declared {
        plugin: plugin.to_owned(),
        probe: Probe {
            cluster: ProbeCluster::Target,
            stages: vec![stage],
            timeout_seconds: seconds(step_context),
            ..probe.clone()
        },
    });
    all_hold(step_context, stage, target, &declared.collect::<Vec<_>>()).await
}

async fn all_hold(
    step_context: &StepContext<'_>,
    stage: ProbeStage,
    on: ProbeTargets<'_>,
    declared: &[Declared],
) -> Result<usize, StepError> {
    let clusters = on.clusters();
    let evaluation = Evaluation {
        clusters: &clusters,
        stage,
        patience: Patience::Wait,
        skips: &skips(step_context.spec()),
        events: &step_context.events,
    };
    let results = evaluate(declared, &evaluation, step_context.stopped()).await;
    step_context.check()?;
    for left_out in results.iter().filter(|result| result.outcome == ProbeOutcome::Skipped) {
        step_context.events.note(left_out.to_string());
    }
    let bad: Vec<ProbeResult> = results.iter().filter(|result| result.is_bad()).cloned().collect();
    if !bad.is_empty() {
        return Err(StepError::NotReady(bad));
    }
    Ok(results.iter().filter(|result| result.outcome == ProbeOutcome::Held).count())
}

/// The probes of a moment that look at these clusters. Each may serve other kinds, so the plugins
/// are asked about each.
async fn due(
    step_context: &StepContext<'_>,
    stage: ProbeStage,
    on: ProbeTargets<'_>,
) -> Result<Vec<Declared>, StepError> {
    let objects = step_context.draft()?;
    let mut due = Vec::new();
    for (cluster, client) in on.each() {
        let all = declared(step_context.blueprint(), &objects, served_by(client).await?)?;
        let is_due =
            |declared: &Declared| declared.probe.cluster == cluster && declared.is_due(stage);
        due.extend(all.into_iter().filter(is_due).map(|mut declared| {
            declared.probe.timeout_seconds = seconds(step_context);
            declared
        }));
    }
    Ok(due)
}

fn seconds(step_context: &StepContext<'_>) -> u32 {
    u32::try_from(step_context.timeout().as_secs()).unwrap_or(u32::MAX)
}

/// Returns the probes of both plugins, and those of add-ons, which are of no stage, for a management
/// cluster that serves these kinds.
fn declared(
    blueprint: &Blueprint,
    objects: &[Value],
    served: Vec<ServedKind>,
) -> Result<Vec<Declared>, BlueprintError> {
    let of = |plugin: &str, probes: Vec<Probe>| {
        let plugin = plugin.to_owned();
        probes.into_iter().map(move |probe| Declared { plugin: plugin.clone(), probe })
    };
    let infrastructure = blueprint.infrastructure_probes(served)?;
    let network = blueprint.network_probes(objects)?;
    let network_name = blueprint.network_name().unwrap_or_default();
    let addons = blueprint.addons(objects, Some(unknown_endpoint()))?.addons;
    let of_addons = addons.into_iter().flat_map(|addon| addon.probes);
    let of_addons = of_addons.map(|probe| Probe { stages: Vec::new(), ..probe }).collect();
    Ok(of(blueprint.infrastructure_name(), infrastructure)
        .chain(of(blueprint.infrastructure_name(), of_addons))
        .chain(of(network_name, network))
        .collect())
}

fn skips(spec: &Spec) -> Skips {
    Skips::new(spec.document.spec.skip_probes.iter().cloned())
}

/// Checks that every name of `--skip-probes` means something.
///
/// # Errors
/// A plugin refuses, or a name means nothing.
pub(crate) fn check_skips(
    spec: &Spec,
    blueprint: &Blueprint,
    objects: &[Value],
) -> Result<Result<(), UnknownProbe>, BlueprintError> {
    let declared = declared(blueprint, objects, Vec::new())?;
    let names = [Some(blueprint.infrastructure_name()), blueprint.network_name()];
    let probes_of = |plugin: &str| {
        let of_plugin = declared.iter().filter(|declared| declared.plugin == plugin);
        of_plugin.map(|declared| declared.probe.name.as_str()).collect()
    };
    let known = names.into_iter().flatten().map(|plugin| (plugin, probes_of(plugin)));
    Ok(skips(spec).check(known))
}

/// Compiles every expression that is not left out, and tells of probes for moments that this
/// program does not know: better known before a run than in the middle of it.
///
/// # Errors
/// An expression is no CEL.
pub(crate) async fn compile(
    spec: &Spec,
    blueprint: &Blueprint,
    (objects, events): (&[Value], &Events),
) -> Result<(), StepError> {
    let skips = skips(spec);
    for Declared { plugin, probe } in declared(blueprint, objects, Vec::new())? {
        let id = format!("{plugin}/{}", probe.name);
        if !probe.stages.is_empty() && probe.stages.iter().all(|at| *at == ProbeStage::Unknown) {
            events.warning(format!(
                "probe {id} is for a point in time that this version of kubectl-pivot does not know"
            ));
        } else if skips.find(&plugin, &probe.name).is_none()
            && let Err(error) = Expression::compile(&probe.expression).await
        {
            let expression = &probe.expression;
            return Err(StepError::refused(
                format!("the expression `{expression}` of probe {id}: {}", in_one_line(&error)),
                format!(
                    "get another version of the plugin, or leave it out with --skip-probes {id}"
                ),
            ));
        }
    }
    Ok(())
}

/// The names of all probes, with the moments at which they are awaited.
pub(crate) fn listed(
    blueprint: &Blueprint,
    objects: &[Value],
) -> Result<Vec<String>, BlueprintError> {
    let stages = |probe: &Probe| match probe.stages.as_slice() {
        [] => "addons".to_owned(),
        stages => stages.iter().map(|stage| stage.as_str()).collect::<Vec<_>>().join(", "),
    };
    let all = declared(blueprint, objects, Vec::new())?;
    let of = |Declared { plugin, probe }| format!("{plugin}/{} ({})", probe.name, stages(&probe));
    Ok(all.into_iter().map(of).collect())
}
