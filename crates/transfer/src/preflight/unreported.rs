//! Kinds whose controllers do not report that they honour a pause, where these controllers run: the
//! source keeps their objects, or nothing holds the controllers while objects are in both clusters.

use std::collections::BTreeMap;

use capi::{Fate, Graph, ResourceType, is_custom_resource, is_pausable, reports_pause};

use crate::controllers::{Election, Manager, look, namespaces};
use crate::error::PhaseError;
use crate::findings::{Findings, shortened};
use crate::inventory::Provider;
use crate::record::Role;
use crate::run::Run;

/// Names of kinds in a message; the rest is counted.
const SHOWN: usize = 6;

/// Refuses such kinds. Where the source keeps objects, a controller that ignores the pause would
/// work on there for good, beside that of the target; a hold by Leases does not help, since it ends
/// when nobody renews it. Where it does not keep them, such a controller would carry out deletions,
/// unless it is held.
pub(super) async fn check(
    run: &Run,
    graph: &Graph,
    (providers, holds): (&[Provider], &[Role]),
    findings: &mut Findings,
) -> Result<(), PhaseError> {
    let silent = silent(graph, !run.options.leave_source);
    let is_trusted = |kind: &&ResourceType| {
        let mut trusted = run.options.trust_pause.iter();
        trusted.any(|selector| selector.matches(&kind.group, &kind.kind))
    };
    let silent: Vec<&ResourceType> = silent.into_iter().filter(|kind| !is_trusted(kind)).collect();
    if silent.is_empty() {
        return Ok(());
    }
    let names = silent.iter().map(|kind| format!("{}.{}", kind.kind, kind.group));
    let names = shortened(names, SHOWN);
    if run.options.leave_source {
        findings.error(
            "PauseUnreported",
            "source",
            format!(
                "{names}: no object reports that its controller honours a pause, and the source \
                 keeps these objects"
            ),
            "update the provider to a version that reports the condition Paused; if you know that \
             its controllers honour a pause, use --trust-pause KIND",
        );
        return Ok(());
    }
    let at_work = at_work(run, providers, holds.contains(&Role::Source)).await?;
    if !at_work.is_empty() {
        let managers = shortened(at_work.into_iter(), SHOWN);
        findings.error(
            "PauseUnreported",
            "source",
            format!(
                "{names}: no object reports that its controller honours a pause, and controllers \
                 work that the move does not hold ({managers})"
            ),
            "use --hold-controllers=always, for managers that elect a leader; if you know that \
             these controllers honour a pause, use --trust-pause KIND",
        );
    }
    Ok(())
}

/// Returns the managers of the source that work while the run holds what it can. A user who may not
/// look for them knows of none.
async fn at_work(
    run: &Run,
    providers: &[Provider],
    is_held: bool,
) -> Result<Vec<String>, PhaseError> {
    let managers = match look(&run.source, &namespaces(providers)).await {
        Err(error) if error.is_forbidden() => return Ok(Vec::new()),
        managers => managers?,
    };
    let works = |manager: &&Manager| !is_held || matches!(manager.election, Election::None);
    Ok(managers.iter().filter(works).map(|manager| manager.id.to_string()).collect())
}

/// Returns the kinds that controllers act on and of which no object has a condition `Paused`; with
/// `is_deleted` those whose controllers see a deletion.
///
/// Templates are among the others: they may have a status, and nothing acts on their deletion. The
/// kinds that a run pauses first honour their own annotation.
fn silent(graph: &Graph, is_deleted: bool) -> Vec<&ResourceType> {
    let mut reports: BTreeMap<usize, bool> = BTreeMap::new();
    for node in graph.moving().filter(|node| node.fate == Fate::Move) {
        let object = &node.object;
        let kind = graph.kind(node);
        let has_status = kind.has_status_subresource && !is_deleted;
        // A plugin says how controllers of such a kind are paused.
        if kind.own_pause().is_some() || (is_deleted && is_pausable(object)) {
            continue;
        }
        if is_custom_resource(object) && (has_status || !object.finalizers().is_empty()) {
            *reports.entry(node.kind).or_default() |= reports_pause(object).is_some();
        }
    }
    let silent = reports.into_iter().filter(|(_, reports)| !reports);
    silent.map(|(kind, _)| &graph.kind_at(kind).resource).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use capi::{MoveKind, Object, Scope};

    const CORE: &str = "cluster.x-k8s.io/v1beta2";

    fn object(kind: &str, conditions: Value) -> Object {
        Object::new(json!({"apiVersion": CORE, "kind": kind, "metadata": {"namespace": "n",
            "name": "c", "uid": kind, "labels": {"cluster.x-k8s.io/cluster-name": "c"},
            "ownerReferences": if kind == "Cluster" { json!([]) } else {
                json!([{"apiVersion": CORE, "kind": "Cluster", "name": "c", "uid": "Cluster"}])
            }}, "status": {"conditions": conditions}}))
    }

    #[test]
    fn a_kind_is_silent_if_none_of_its_objects_has_the_condition() {
        let kinds = ["Cluster", "Machine"].map(|kind| MoveKind::for_tests(CORE, kind));
        let paused = json!([{"type": "Paused", "status": "False"}]);
        let objects = vec![
            (0, object("Cluster", paused)),
            (1, object("Machine", json!([{"type": "Ready"}]))),
        ];
        let graph = Graph::build(Arc::new(kinds.to_vec()), objects, &Scope::default());
        let graph = graph.expect("no cycle");
        let names: Vec<&str> =
            silent(&graph, false).iter().map(|kind| kind.kind.as_str()).collect();
        assert_eq!(names, ["Machine"]);
        assert!(silent(&graph, true).is_empty(), "nobody acts on its deletion");
    }
}
