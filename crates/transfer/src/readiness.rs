//! Readiness probes around a move: of every infrastructure plugin whose provider is installed in
//! one of the clusters, before the first write and after the last.
//!
//! A provider without a usable plugin is moved all the same; the report says so. Writes nothing.

use std::collections::BTreeSet;
use std::time::Instant;

use cluster::ApiError;
use kubectl_pivot_plugin_api::{ProbeCluster, ProbeStage, ProbesRequest};
use plugin_host::{CallError, Plugin};
use probes::served_kinds;
use probes::{
    Clusters, Declared, Evaluation, Patience, ProbeOutcome, ProbeResult, Skips, compile, evaluate,
    of_the_future,
};
use serde::Serialize;
use support::causes::in_one_line;

use super::error::{MoveError, PhaseError};
use super::inventory::{self, Provider};
use super::options::ProbeOptions;
use super::report::{PhaseTime, Report};
use super::run::Run;

/// Results of the readiness probes of a move.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Probes {
    /// Every readiness probe that was due before or after the move, in the order of the moments;
    /// also those that were left out.
    pub results: Vec<ProbeResult>,
    /// Infrastructure providers that were moved without probes.
    pub unprobed: Vec<Unprobed>,
}

/// An infrastructure provider that is moved without being probed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Unprobed {
    /// Name of the provider.
    pub provider: String,
    /// The plugin that could not be used; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// The cause.
    pub reason: String,
}

impl Probes {
    /// Results of probes that do not hold.
    pub fn bad(&self) -> impl Iterator<Item = &ProbeResult> {
        self.results.iter().filter(|result| result.is_bad())
    }
}

/// The probes of a run: asked for once, evaluated at its moments.
pub(super) struct Readiness {
    clusters: Clusters,
    skips: Skips,
    declared: Vec<Declared>,
    unprobed: Vec<Unprobed>,
}

/// Evaluates the probes of before the move once, without waiting, for a dry-run. What does not hold
/// becomes a warning.
///
/// # Errors
/// When a cluster cannot be read, or the user leaves out a probe that does not exist.
pub async fn look_once(
    run: &Run,
    providers: &[Provider],
    report: &mut Report,
) -> Result<(), MoveError> {
    let readiness = Readiness::prepare(run, providers).await?;
    let results = readiness.at(run, ProbeStage::BeforeMove, Patience::Once).await;
    run.stop.check().map_err(MoveError::Unprepared)?;
    let mut findings = super::findings::Findings::default();
    for result in results.iter().filter(|result| result.is_bad()) {
        let cluster = if result.cluster.as_deref() == Some("source") { "source" } else { "target" };
        let hint = format!(
            "the move will wait for it; fix the condition it waits for, or leave it out with \
             --skip-probes {}",
            result.id()
        );
        findings.warning("ProbeNotReady", cluster, result.to_string(), hint);
    }
    report.findings.extend(findings.0);
    readiness.record(results, report);
    report.count_requests(&run.source, &run.target);
    Ok(())
}

impl Readiness {
    /// Asks the plugins. Needs no lock.
    ///
    /// # Errors
    /// See [`look_once`].
    pub(super) async fn prepare(run: &Run, providers: &[Provider]) -> Result<Self, MoveError> {
        let mut readiness = Self {
            clusters: Clusters::new(&run.source, &run.target),
            skips: Skips::default(),
            declared: Vec::new(),
            unprobed: Vec::new(),
        };
        let Some(options) = &run.options.probes else { return Ok(readiness) };
        readiness.skips = options.skips.clone();
        readiness.ask(run, options, providers).await.map_err(unprepared)?;
        let plugins: BTreeSet<String> =
            options.plugins.all().iter().map(plugin_host::Found::name).collect();
        let probes_of = |plugin: &'_ str| {
            let of_plugin = readiness.declared.iter().filter(|declared| declared.plugin == plugin);
            of_plugin.map(|declared| declared.probe.name.as_str()).collect()
        };
        let known = plugins.iter().map(|plugin| (plugin.as_str(), probes_of(plugin)));
        options.skips.check(known)?;
        Ok(readiness)
    }

    async fn ask(
        &mut self,
        run: &Run,
        options: &ProbeOptions,
        of_source: &[Provider],
    ) -> Result<(), ApiError> {
        let is_infrastructure = |provider: &&Provider| provider.is_infrastructure();
        let name = |provider: &Provider| provider.name.clone();
        let mut names: BTreeSet<String> =
            of_source.iter().filter(is_infrastructure).map(name).collect();
        if !options.plugins.all().is_empty() {
            let of_target = inventory::read(&run.target).await?;
            names.extend(of_target.iter().filter(is_infrastructure).map(name));
        }
        for provider in names {
            let plugins = options.plugins.load_for_provider(&provider);
            if plugins.is_empty() {
                self.unprobed(run, &provider, None, "no plugin for it is installed".to_owned());
            }
            for plugin in plugins {
                match plugin {
                    Ok(plugin) => self.ask_plugin(run, &provider, &plugin).await?,
                    Err((plugin, error)) => {
                        self.unprobed(run, &provider, Some(&plugin), in_one_line(&error));
                    }
                }
            }
        }
        Ok(())
    }

    /// Each cluster may serve other kinds, so the plugin is asked about each.
    async fn ask_plugin(
        &mut self,
        run: &Run,
        provider: &str,
        plugin: &Plugin,
    ) -> Result<(), ApiError> {
        let name = &plugin.info().name;
        for cluster in [ProbeCluster::Bootstrap, ProbeCluster::Target] {
            let request = ProbesRequest {
                namespace: run.options.namespaces.selector().map(str::to_owned),
                served: served_kinds(self.clusters.served(cluster).await?),
                ..ProbesRequest::default()
            };
            let asked = plugin.infrastructure().and_then(|plugin| plugin.probes(&request));
            match asked {
                Ok(probes) => {
                    // Those on unknown clusters are taken from one of the two answers.
                    let is_asked = |known: ProbeCluster| match known {
                        ProbeCluster::Bootstrap => cluster == ProbeCluster::Bootstrap,
                        _ => cluster == ProbeCluster::Target,
                    };
                    let probes = probes.into_iter().filter(|probe| is_asked(probe.cluster));
                    let declare = |probe| Declared { plugin: name.clone(), probe };
                    self.declared.extend(probes.map(declare));
                }
                Err(error) => {
                    self.refused(run, provider, name, &error);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn refused(&mut self, run: &Run, provider: &str, plugin: &str, error: &CallError) {
        self.declared.retain(|declared| declared.plugin != plugin);
        self.unprobed(run, provider, Some(plugin), in_one_line(error));
    }

    fn unprobed(&mut self, run: &Run, provider: &str, plugin: Option<&str>, reason: String) {
        if let Some(plugin) = plugin {
            let warning = format!("the readiness probes of the plugin `{plugin}` are not awaited");
            run.events.warning(format!("{warning}: {reason}"));
        }
        let (provider, plugin) = (provider.to_owned(), plugin.map(str::to_owned));
        self.unprobed.push(Unprobed { provider, plugin, reason });
    }

    /// Waits until the clusters are ready for a move.
    ///
    /// # Errors
    /// [`MoveError::NotReady`] when a probe does not hold, also when one of after the move has an
    /// expression that is no CEL; [`MoveError::Unprepared`] when the user does not want to wait.
    pub(super) async fn before(&self, run: &Run, report: &mut Report) -> Result<(), MoveError> {
        let results = self.timed(run, ProbeStage::BeforeMove, "probesBefore", report).await;
        run.stop.check().map_err(MoveError::Unprepared)?;
        let bad: Vec<_> = results.iter().filter(|result| result.is_bad()).cloned().collect();
        self.record(results, report);
        if bad.is_empty() { Ok(()) } else { Err(MoveError::NotReady(bad)) }
    }

    /// Waits until the target is ready after a move. What does not hold is in the report; the move
    /// is done.
    pub(super) async fn after(&self, run: &Run, report: &mut Report) {
        let results = self.timed(run, ProbeStage::AfterMove, "probesAfter", report).await;
        self.record(results, report);
        report.count_requests(&run.source, &run.target);
    }

    /// Takes results over into the report.
    fn record(&self, results: Vec<ProbeResult>, report: &mut Report) {
        report.probes.results.extend(results);
        report.probes.unprobed.clone_from(&self.unprobed);
    }

    /// [`Readiness::at`] as a phase of the move.
    async fn timed(
        &self,
        run: &Run,
        stage: ProbeStage,
        phase: &'static str,
        report: &mut Report,
    ) -> Vec<ProbeResult> {
        if !self.declared.iter().any(|declared| declared.is_due(stage)) {
            return self.at(run, stage, Patience::Wait).await;
        }
        run.events.started(phase, "Wait for readiness probes");
        let begun = Instant::now();
        let results = self.at(run, stage, Patience::Wait).await;
        report.phases.push(PhaseTime { phase, seconds: begun.elapsed().as_secs_f64() });
        match results.iter().any(ProbeResult::is_bad) {
            true => run.events.send(support::journal::Event::Failed),
            false => run.events.finished(held(&results)),
        }
        results
    }

    async fn at(&self, run: &Run, stage: ProbeStage, patience: Patience) -> Vec<ProbeResult> {
        let evaluation = Evaluation {
            clusters: &self.clusters,
            stage,
            patience,
            skips: &self.skips,
            events: &run.events,
        };
        let mut results = Vec::new();
        if stage == ProbeStage::BeforeMove {
            results.extend(of_the_future(&self.declared, &evaluation));
            let later: Vec<_> =
                self.declared.iter().filter(|declared| !declared.is_due(stage)).cloned().collect();
            let after = Evaluation { stage: ProbeStage::AfterMove, ..evaluation };
            results.extend(compile(&later, &after).await);
        }
        results.extend(evaluate(&self.declared, &evaluation, run.stop.requested()).await);
        results
    }
}

fn held(results: &[ProbeResult]) -> String {
    let count = |outcome| results.iter().filter(|result| result.outcome == outcome).count();
    match (count(ProbeOutcome::Held), count(ProbeOutcome::Skipped)) {
        (held, 0) => format!("{held} hold"),
        (held, skipped) => format!("{held} hold, {skipped} left out"),
    }
}

fn unprepared(error: ApiError) -> MoveError {
    MoveError::Unprepared(PhaseError::Api(error))
}
