//! ClusterClasses come first: with their templates they are copied, and the target's controller
//! has to see them, before the first Cluster that uses one is created.
//!
//! At every write to such a Cluster its webhook waits for the class, two seconds before it sets
//! defaults and two before it validates, and then does neither for the variables. So a class is
//! not paused in the target. Its controller only writes the status, and makes the class an owner
//! of its templates; nothing below a class has a machine.

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use capi::names::CORE_GROUP;
use capi::{
    Condition, Graph, Object, ObjectId, ResourceType, cluster_class_of, is_cluster_class, is_paused,
};

use super::admission_rules::AdmissionRules;
use super::copy::{Copies, copy_some};
use super::error::PhaseError;
use super::findings::Findings;
use super::operations::plan;
use super::pause::paused_by;
use super::run::Run;

/// The longest that the target's controller may take until it has seen the classes.
const CLASS_TIMEOUT: Duration = Duration::from_secs(30);
/// As long, where nothing tells that it is there at all.
const CLASS_TIMEOUT_UNKNOWN: Duration = Duration::from_secs(5);
/// Pause between two looks.
const CLASS_CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// Copies the classes with their templates and waits for their controller. The move continues
/// without it, with a warning.
///
/// # Errors
/// When a request fails, or an object of the same name is in the way.
pub(super) async fn copy_classes(
    run: &Run,
    graph: &Graph,
    copies: Copies,
) -> Result<(Copies, Findings), PhaseError> {
    let first = plan::classes(graph);
    let is_missing = |index: &usize| !copies.uids.contains_key(graph[*index].object.uid());
    if !first.iter().any(is_missing) {
        return Ok((copies, Findings::default()));
    }
    let copies = copy_some(run, graph, copies, |index| first.contains(&index)).await?;
    let findings = wait_until_seen(run, graph, &copies).await?;
    Ok((copies, findings))
}

/// Waits until the target's controller has seen the new classes that Clusters of this move use, if
/// a webhook waits for it too.
async fn wait_until_seen(
    run: &Run,
    graph: &Graph,
    copies: &Copies,
) -> Result<Findings, PhaseError> {
    let mut findings = Findings::default();
    let Some((resource, wanted)) = awaited(run, graph, copies) else { return Ok(findings) };
    let rules = AdmissionRules::read(&run.target).await;
    let clusters = ResourceType::new(&resource.api_version(), "Cluster", "clusters", true);
    let timeout = match rules.webhooks_look_at("CREATE", &clusters) {
        true if rules.are_unknown() => CLASS_TIMEOUT_UNKNOWN,
        true => CLASS_TIMEOUT,
        false => return Ok(findings),
    };
    let begun = Instant::now();
    loop {
        run.stop.check()?;
        let unseen = unseen(run, resource, &wanted).await?;
        let Some(first) = unseen.first() else { return Ok(findings) };
        if begun.elapsed() >= timeout {
            warn(unseen, &mut findings);
            return Ok(findings);
        }
        run.events.doing(format!("waiting until the target's controller has seen {first}"));
        tokio::time::sleep(CLASS_CHECK_INTERVAL).await;
    }
}

/// Returns the kind of classes, and the uids of the copies to wait for with their namespaces.
/// Leaves out classes that the target had before, and those that their user has paused.
fn awaited<'a>(
    run: &Run,
    graph: &'a Graph,
    copies: &Copies,
) -> Option<(&'a ResourceType, BTreeSet<(String, String)>)> {
    let used: HashSet<(String, String)> =
        graph.clusters().filter_map(|node| cluster_class_of(&node.object)).collect();
    let classes = graph.moving().filter(|node| is_cluster_class(&node.object));
    let classes = classes.filter(|node| {
        let object = &node.object;
        let name = (object.namespace().unwrap_or_default().to_owned(), object.name().to_owned());
        let is_of_user = is_paused(object) && paused_by(object) != Some(&run.id);
        used.contains(&name) && !is_of_user && !copies.reused.contains(object.uid())
    });
    let mut resource = None;
    let mut wanted = BTreeSet::new();
    for node in classes {
        let Some(uid) = copies.uids.get(node.object.uid()) else { continue };
        resource = Some(graph.resource(node));
        wanted.insert((node.object.namespace().unwrap_or_default().to_owned(), uid.clone()));
    }
    Some((resource?, wanted))
}

/// Lists the classes that the controller has not seen as they are now.
async fn unseen(
    run: &Run,
    resource: &ResourceType,
    wanted: &BTreeSet<(String, String)>,
) -> Result<Vec<ObjectId>, PhaseError> {
    let namespaces: BTreeSet<&str> = wanted.iter().map(|(namespace, _)| &**namespace).collect();
    let uids: HashSet<&str> = wanted.iter().map(|(_, uid)| uid.as_str()).collect();
    let mut unseen = Vec::new();
    for namespace in namespaces {
        let listed = run.target.list(resource, Some(namespace)).await?;
        let waiting = listed.iter().filter(|class| uids.contains(class.uid()) && !is_seen(class));
        unseen.extend(waiting.map(Object::id));
    }
    Ok(unseen)
}

/// Returns whether the webhook of Clusters would use a class (`clusterClassIsReconciled` of Cluster
/// API).
fn is_seen(class: &Object) -> bool {
    let generation = class.at("/metadata/generation").as_i64();
    let variables =
        ["VariablesReady", "VariablesReconciled"].iter().find_map(|kind| class.condition(kind));
    class.at("/status/observedGeneration").as_i64() == generation
        && variables.is_some_and(|condition: Condition<'_>| !condition.is_false())
}

fn warn(unseen: Vec<ObjectId>, findings: &mut Findings) {
    findings.group_warning(
        "ClassNotReconciled",
        "target",
        unseen,
        "the target's controller has not reconciled it in time, so its webhook sets no defaults \
         for the variables of Clusters that use it, and does not check them",
        format!("look at the logs of the controller manager of {CORE_GROUP} in the target"),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const CORE: &str = "cluster.x-k8s.io/v1beta2";

    #[test]
    fn a_class_is_seen_once_its_generation_and_its_variables_are() {
        let class = |status: Value| {
            Object::new(json!({"apiVersion": CORE, "kind": "ClusterClass",
                "metadata": {"generation": 2}, "status": status}))
        };
        let conditions = |status: &str| json!([{"type": "VariablesReady", "status": status}]);
        for (status, expected) in [
            (json!({}), false),
            (json!({"observedGeneration": 2}), false),
            (json!({"observedGeneration": 1, "conditions": conditions("True")}), false),
            (json!({"observedGeneration": 2, "conditions": conditions("False")}), false),
            (json!({"observedGeneration": 2, "conditions": conditions("True")}), true),
            (
                json!({"observedGeneration": 2, "conditions":
                [{"type": "VariablesReconciled", "status": "True"}]}),
                true,
            ),
        ] {
            assert_eq!(is_seen(&class(status.clone())), expected, "{status}");
        }
    }
}
