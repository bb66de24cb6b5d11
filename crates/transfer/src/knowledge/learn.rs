//! Asking the plugins of the source's providers.

use std::collections::BTreeSet;
use std::sync::Arc;

use capi::{Annotation, Companion, KindKnowledge, RestCondition};
use cluster::Served;
use kubectl_pivot_plugin_api::{MoveKnowledge, MoveRequest, MovedKind};
use plugin_host::Plugin;
use probes::{Expression, served_kinds};
use support::causes::in_one_line;

use super::learned::Answers;
use crate::inventory::Provider;
use crate::run::Run;

/// Asks the plugins of the source's infrastructure providers, once for each run.
pub(crate) async fn learn(run: &Run, providers: &[Provider], source: &Served) {
    let learned = &run.options.knowledge;
    let Some(options) = run.options.probes.as_ref().filter(|_| !learned.is_known()) else { return };
    let infrastructure = providers.iter().filter(|provider| provider.is_infrastructure());
    let names: BTreeSet<&str> = infrastructure.map(|provider| provider.name.as_str()).collect();
    let request = MoveRequest { served: served_kinds(source), ..MoveRequest::default() };
    let mut answers = Answers::default();
    // Those that cannot be loaded are reported with the readiness probes.
    for plugin in names.iter().flat_map(|name| options.plugins.load_for_provider(name)).flatten() {
        match ask(&plugin, &request).await {
            Ok(facts) => facts.into_iter().for_each(|fact| add(&mut answers, fact)),
            Err(problem) => answers.problems.push(unusable(&plugin.info().name, &problem)),
        }
    }
    learned.set(answers);
}

/// Returns what a plugin knows; all of it or nothing.
async fn ask(plugin: &Plugin, request: &MoveRequest) -> Result<Vec<KindKnowledge>, String> {
    let answer = plugin.infrastructure().and_then(|plugin| plugin.moving(request));
    usable(&plugin.info().name, answer.map_err(|error| in_one_line(&error))?).await
}

/// Takes over what a plugin says, if all of it can be used.
pub(super) async fn usable(
    plugin: &str,
    said: MoveKnowledge,
) -> Result<Vec<KindKnowledge>, String> {
    for kind in &said.kinds {
        let name = format!("{}.{}", kind.kind, kind.group);
        if let Some(problem) = kind.problems().first() {
            return Err(format!("{name}: {problem}"));
        }
        for rest in &kind.at_rest {
            let compiled = Expression::compile(&rest.expression).await;
            compiled.map_err(|error| format!("{name}: `{}`: {error}", rest.expression))?;
        }
    }
    Ok(said.kinds.into_iter().map(|kind| fact(plugin, kind)).collect())
}

fn fact(plugin: &str, said: MovedKind) -> KindKnowledge {
    let companion = |it: kubectl_pivot_plugin_api::Companion| Companion {
        kind: it.kind,
        name_field: it.name_field,
    };
    let rest = |it: kubectl_pivot_plugin_api::RestCondition| RestCondition {
        expression: it.expression,
        problem: it.problem,
    };
    KindKnowledge {
        plugin: plugin.to_owned(),
        group: said.group,
        kind: said.kind,
        pause: said.pause.map(|pause| Annotation { name: pause.name, value: pause.value }),
        carries_status: said.carries_status,
        companions: said.companions.into_iter().map(companion).collect(),
        at_rest: said.at_rest.into_iter().map(rest).collect(),
    }
}

/// The first plugin that knows a kind is believed.
fn add(answers: &mut Answers, fact: KindKnowledge) {
    let is_same =
        |known: &&Arc<KindKnowledge>| (&known.group, &known.kind) == (&fact.group, &fact.kind);
    let Some(known) = answers.facts.iter().find(is_same) else {
        return answers.facts.push(Arc::new(fact));
    };
    if (KindKnowledge { plugin: fact.plugin.clone(), ..KindKnowledge::clone(known) }) != fact {
        let problem = format!("`{}` says otherwise of {}.{}", known.plugin, fact.kind, fact.group);
        answers.problems.push(unusable(&fact.plugin, &problem));
    }
}

/// The warning for a plugin that says something which cannot be used.
pub(super) fn unusable(plugin: &str, problem: &str) -> String {
    format!("the plugin `{plugin}` does not help with the move of its kinds: {problem}")
}
