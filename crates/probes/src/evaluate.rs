//! All probes of one moment, at the same time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::join_all;
use kubectl_pivot_plugin_api::{Probe, ProbeStage};
use support::journal::Events;

use super::await_probe::{Awaited, Unsatisfiable};
use super::clusters::Clusters;
use super::expression::{Expression, ExpressionError};
use super::result::{ProbeOutcome, ProbeResult};
use super::seen::Observation;
use super::skips::Skips;

/// A probe, and the plugin that declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Name of the plugin.
    pub plugin: String,
    /// The probe.
    pub probe: Probe,
}

/// The time for the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Until a probe holds, or its time is up.
    Wait,
    /// Once.
    Once,
}

/// Place, time and terms of an evaluation of probes.
#[derive(Clone, Copy)]
pub struct Evaluation<'a> {
    /// The clusters they look at.
    pub clusters: &'a Clusters,
    /// The moment.
    pub stage: ProbeStage,
    /// The time for the search.
    pub patience: Patience,
    /// Probes that the user leaves out.
    pub skips: &'a Skips,
    /// Receive the sentences of the probes during the wait.
    pub events: &'a Events,
}

impl Declared {
    /// Returns true if it has to hold at this moment, as far as this program can tell.
    pub fn is_due(&self, stage: ProbeStage) -> bool {
        self.probe.stages.contains(&stage)
    }
}

/// Evaluates those of `declared` that are due at the moment, all at the same time, each for as long
/// as it allows. Ends at once when `stop` does.
///
/// Nothing here is an error: what a probe that does not hold means is up to the caller. The results
/// are in the order of `declared`.
pub async fn evaluate(
    declared: &[Declared],
    evaluation: &Evaluation<'_>,
    stop: impl Future<Output = ()>,
) -> Vec<ProbeResult> {
    let due: Vec<&Declared> =
        declared.iter().filter(|declared| declared.is_due(evaluation.stage)).collect();
    let waiting = Waiting::new(evaluation.events);
    // What each has seen is kept outside, so that it can be reported after an interruption.
    let begun = Instant::now();
    let results: Vec<Mutex<Option<ProbeResult>>> = due.iter().map(|_| Mutex::default()).collect();
    let all = join_all(due.iter().zip(&results).map(|(declared, slot)| async {
        let result = one(declared, evaluation, &waiting).await;
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }));
    tokio::select! {
        _ = all => {}
        () = stop => {}
    }
    let finished = results.into_iter().map(|slot| slot.into_inner().unwrap_or_default());
    due.iter()
        .zip(finished)
        .map(|(declared, result)| {
            result.unwrap_or_else(|| interrupted(declared, evaluation, begun.elapsed()))
        })
        .collect()
}

/// Compiles the expressions of the probes that are due at the moment and not left out, and gives a
/// result for each that is no CEL: better known before a run than in the middle of it.
pub async fn compile(declared: &[Declared], evaluation: &Evaluation<'_>) -> Vec<ProbeResult> {
    let mut results = Vec::new();
    for declared in declared.iter().filter(|declared| declared.is_due(evaluation.stage)) {
        let skipped = evaluation.skips.find(&declared.plugin, &declared.probe.name).is_some();
        if !skipped && let Err(error) = Expression::compile(&declared.probe.expression).await {
            results.push(unusable(declared, evaluation, &error));
        }
    }
    results
}

/// A result for each probe that this program can never evaluate, because all its moments are of a
/// newer version of the interface.
pub fn of_the_future(declared: &[Declared], evaluation: &Evaluation<'_>) -> Vec<ProbeResult> {
    let is_unknown = |declared: &&Declared| {
        let stages = &declared.probe.stages;
        !stages.is_empty() && stages.iter().all(|stage| *stage == ProbeStage::Unknown)
    };
    let unknown = declared.iter().filter(is_unknown);
    let evaluation = Evaluation { stage: ProbeStage::Unknown, ..*evaluation };
    let message = "it is for a point in time that this version of kubectl-pivot does not know";
    unknown
        .map(|declared| empty(declared, &evaluation, ProbeOutcome::Skipped, message.to_owned()))
        .collect()
}

async fn one(
    declared: &Declared,
    evaluation: &Evaluation<'_>,
    waiting: &Waiting<'_>,
) -> ProbeResult {
    let probe = &declared.probe;
    let begun = Instant::now();
    let result = |outcome, message: String| ProbeResult {
        seconds: begun.elapsed().as_secs_f64(),
        ..empty(declared, evaluation, outcome, message)
    };
    if let Some(name) = evaluation.skips.find(&declared.plugin, &probe.name) {
        return result(ProbeOutcome::Skipped, format!("--skip-probes {name}"));
    }
    let Some(cluster) = evaluation.clusters.one(probe.cluster) else {
        let message = "it is about a cluster that this version of kubectl-pivot does not know";
        return result(ProbeOutcome::Skipped, message.to_owned());
    };
    let expression = match Expression::compile(&probe.expression).await {
        Ok(expression) => expression,
        Err(error) => return unusable(declared, evaluation, &error),
    };
    let turn = (evaluation.patience == Patience::Wait).then(|| waiting.begin(&probe.waiting));
    let tell = |last: String| turn.iter().for_each(|turn| turn.tell(&last));
    let awaited = Awaited::new(probe, cluster, &expression, &tell);
    let mut seen = Observation::default();
    let limit = Duration::from_secs(probe.timeout_seconds.into());
    match tokio::time::timeout(limit, awaited.wait(&mut seen, evaluation.patience)).await {
        Ok(Ok(true)) => result(ProbeOutcome::Held, String::new()),
        Ok(Ok(false)) => result(ProbeOutcome::NotYet, seen.describe(probe)),
        Ok(Err(Unsatisfiable(why))) => result(ProbeOutcome::Failed, why),
        Err(_) => result(ProbeOutcome::TimedOut, seen.describe(probe)),
    }
}

fn unusable(
    declared: &Declared,
    evaluation: &Evaluation<'_>,
    error: &ExpressionError,
) -> ProbeResult {
    let message = format!("its expression `{}`: {error}", declared.probe.expression);
    empty(declared, evaluation, ProbeOutcome::Failed, message)
}

fn interrupted(declared: &Declared, evaluation: &Evaluation<'_>, after: Duration) -> ProbeResult {
    ProbeResult {
        seconds: after.as_secs_f64(),
        ..empty(declared, evaluation, ProbeOutcome::Interrupted, "interrupted".to_owned())
    }
}

fn empty(
    declared: &Declared,
    evaluation: &Evaluation<'_>,
    outcome: ProbeOutcome,
    message: String,
) -> ProbeResult {
    let cluster = evaluation.clusters.one(declared.probe.cluster);
    ProbeResult {
        plugin: declared.plugin.clone(),
        probe: declared.probe.name.clone(),
        cluster: cluster.map(|one| one.client.name().to_owned()),
        stage: evaluation.stage,
        outcome,
        message,
        seconds: 0.0,
    }
}

/// The probes that are waited for; the first of them is shown.
struct Waiting<'a> {
    events: &'a Events,
    sentences: Mutex<Vec<Option<Sentence>>>,
}

/// The condition that is waited for, and the last observation.
struct Sentence {
    waiting: String,
    last: String,
}

/// A probe that is waited for, until it is dropped.
struct ProbeDisplay<'a> {
    waiting: &'a Waiting<'a>,
    index: usize,
}

impl<'a> Waiting<'a> {
    fn new(events: &'a Events) -> Self {
        Self { events, sentences: Mutex::default() }
    }

    fn begin(&'a self, sentence: &str) -> ProbeDisplay<'a> {
        let mut sentences = self.sentences.lock().unwrap_or_else(PoisonError::into_inner);
        sentences.push(Some(Sentence { waiting: sentence.to_owned(), last: String::new() }));
        let index = sentences.len() - 1;
        drop(sentences);
        self.show();
        ProbeDisplay { waiting: self, index }
    }

    fn show(&self) {
        let sentences = self.sentences.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pending = sentences.iter().flatten();
        let Some(Sentence { waiting, last }) = pending.next() else { return };
        let others = match pending.count() {
            0 => String::new(),
            others => format!(" (and {others} more)"),
        };
        let last = if last.is_empty() { String::new() } else { format!(": {last}") };
        self.events.doing(format!("{waiting}{others}{last}"));
    }
}

impl ProbeDisplay<'_> {
    /// Shows what was seen last.
    fn tell(&self, last: &str) {
        let mut sentences = self.waiting.sentences.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Some(sentence)) = sentences.get_mut(self.index) {
            last.clone_into(&mut sentence.last);
        }
        drop(sentences);
        self.waiting.show();
    }
}

impl Drop for ProbeDisplay<'_> {
    fn drop(&mut self) {
        let mut sentences = self.waiting.sentences.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sentence) = sentences.get_mut(self.index) {
            *sentence = None;
        }
        drop(sentences);
        self.waiting.show();
    }
}
