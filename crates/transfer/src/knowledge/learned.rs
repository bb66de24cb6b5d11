//! The facts of one run, which are learned once.

use std::sync::{Arc, OnceLock};

use capi::{KindKnowledge, MoveKind};
use kubectl_pivot_plugin_api::MoveKnowledge;

use super::learn::{unusable, usable};
use crate::findings::Findings;

/// Facts that a run has learned of kinds. Clones of it are one: a run is cloned for parts of its
/// work.
#[derive(Clone, Debug, Default)]
pub struct Learned(Arc<OnceLock<Answers>>);

/// The answers of all plugins that were asked.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) facts: Vec<Arc<KindKnowledge>>,
    /// Reasons why something is not used, each with the name of a plugin.
    pub(super) problems: Vec<String>,
}

impl Learned {
    /// The facts that a plugin tells, for a caller who knows which plugin is meant.
    ///
    /// # Errors
    /// The reason why nothing of it can be used, as a warning.
    pub async fn from_plugin(plugin: &str, said: MoveKnowledge) -> Result<Self, String> {
        let facts = usable(plugin, said).await.map_err(|problem| unusable(plugin, &problem))?;
        Ok(Self::recorded(&facts))
    }

    /// The facts in the record of a run.
    pub(crate) fn recorded(facts: &[KindKnowledge]) -> Self {
        let learned = Self::default();
        let facts = facts.iter().cloned().map(Arc::new).collect();
        learned.set(Answers { facts, problems: Vec::new() });
        learned
    }

    /// Notes the answers, unless that was done before.
    pub(super) fn set(&self, answers: Answers) {
        self.0.get_or_init(|| answers);
    }

    /// Returns whether somebody was asked.
    pub(super) fn is_known(&self) -> bool {
        self.0.get().is_some()
    }

    /// The facts as far as they are known.
    pub(crate) fn facts(&self) -> Vec<KindKnowledge> {
        self.arcs().iter().map(|fact| KindKnowledge::clone(fact)).collect()
    }

    fn arcs(&self) -> &[Arc<KindKnowledge>] {
        self.0.get().map(|answers| answers.facts.as_slice()).unwrap_or_default()
    }

    /// Reports the plugins that say something which cannot be used.
    pub(crate) fn report(&self, findings: &mut Findings) {
        for problem in self.0.get().iter().flat_map(|answers| &answers.problems) {
            let hint = "the kinds of its provider are moved like all others; run `kubectl pivot \
                        plugin check FILE` and report the result to its author";
            findings.warning("PluginIgnored", "source", problem.clone(), hint);
        }
    }

    /// The kinds with what is known of each.
    pub(crate) fn of_kinds(&self, kinds: impl Iterator<Item = MoveKind>) -> Vec<MoveKind> {
        let known = |mut kind: MoveKind| {
            let is_it = |fact: &&Arc<KindKnowledge>| {
                (&fact.group, &fact.kind) == (&kind.resource.group, &kind.resource.kind)
            };
            kind.knowledge = self.arcs().iter().find(is_it).cloned();
            kind
        };
        kinds.map(known).collect()
    }
}
