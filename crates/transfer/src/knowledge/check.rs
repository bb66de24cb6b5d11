//! Checks of objects by what plugins know of their kinds.

use std::collections::HashMap;

use capi::references::Reference;
use capi::{
    Fate, Graph, KindKnowledge, Node, Object, has_paused_annotation, names::PAUSED_ANNOTATION,
};
use probes::{Expression, Verdict};

use crate::findings::Findings;
use crate::pause::paused_by;

/// Reports objects that are not at rest, companions that would stay behind, and pauses that the
/// controllers of a kind do not heed.
pub(crate) async fn check(graph: &Graph, findings: &mut Findings) {
    for (index, kind) in graph.kinds.iter().enumerate() {
        let Some(knowledge) = &kind.knowledge else { continue };
        let nodes: Vec<&Node> = graph.moving().filter(|node| node.kind == index).collect();
        check_rest(knowledge, &nodes, findings).await;
        check_companions(graph, (knowledge, &nodes), findings);
        let heedless = nodes.iter().filter(|node| is_paused_in_vain(knowledge, &node.object));
        heedless.for_each(|node| report_pause(knowledge, &node.object, findings));
    }
}

async fn check_rest(knowledge: &KindKnowledge, nodes: &[&Node], findings: &mut Findings) {
    for rest in &knowledge.at_rest {
        let expression = match Expression::compile(&rest.expression).await {
            Ok(expression) => expression,
            // Only a record that somebody has changed has one that does not compile.
            Err(error) => {
                let what = format!("the condition `{}`: {error}", rest.expression);
                findings.error("NotAtRest", "source", what, "roll the move back");
                continue;
            }
        };
        for Node { object, .. } in nodes {
            let why = match expression.evaluate(object.value()).await {
                Verdict::True => continue,
                Verdict::False => String::new(),
                Verdict::Failed(why) | Verdict::NoCondition(why) | Verdict::Undeclared(why) => {
                    format!(" ({why})")
                }
            };
            let KindKnowledge { plugin, .. } = knowledge;
            let problem = format!("{}{why}, says the plugin `{plugin}`", rest.problem);
            let hint = "wait until its controller is done with it, then run the command again";
            findings.object_error("NotAtRest", "source", object.id(), &problem, hint);
        }
    }
}

fn check_companions(
    graph: &Graph,
    (knowledge, nodes): (&KindKnowledge, &[&Node]),
    findings: &mut Findings,
) {
    let core = graph.nodes.iter().filter(|node| node.object.group().is_empty());
    let listed: HashMap<Reference, &Fate> =
        core.map(|node| (Reference::to(&node.object), &node.fate)).collect();
    for Node { object, .. } in nodes {
        for companion in knowledge.companions_of(object) {
            let id = object.id();
            match listed.get(&companion) {
                Some(Fate::Move | Fate::Keep(_)) => {}
                Some(Fate::Stay(_)) => {
                    let problem = format!(
                        "it needs {companion}, which would stay in the source, since something \
                         that does not move owns or uses it"
                    );
                    let hint = "take the owner reference off it, or move everything that uses it";
                    findings.object_error("CompanionStays", "source", id, &problem, hint);
                }
                None => {
                    let problem = format!("it names {companion}, which does not exist");
                    let hint = "create it if a controller will need it";
                    findings.object_warning("CompanionMissing", "source", id, &problem, hint);
                }
            }
        }
    }
}

/// Returns true for an object whose user has paused it in a way that its controllers ignore.
fn is_paused_in_vain(knowledge: &KindKnowledge, object: &Object) -> bool {
    let Some(pause) = &knowledge.pause else { return false };
    has_paused_annotation(object)
        && paused_by(object).is_none()
        && object.annotation(&pause.name).is_none()
}

fn report_pause(knowledge: &KindKnowledge, object: &Object, findings: &mut Findings) {
    let Some(pause) = &knowledge.pause else { return };
    let problem = format!(
        "it is paused by {PAUSED_ANNOTATION}, which its controllers ignore, says the plugin `{}`",
        knowledge.plugin
    );
    let hint = format!("take that annotation off, or set {} too", pause.name);
    findings.object_error("PauseIgnored", "source", object.id(), &problem, &hint);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use capi::{Companion, MoveKind, RestCondition, Scope};
    use serde_json::{Value, json};

    use super::*;

    const GROUP: &str = "metal.example.io/v1";

    fn kinds() -> Vec<MoveKind> {
        let knowledge = KindKnowledge {
            plugin: "metal".to_owned(),
            pause: Some(capi::Annotation {
                name: "host.metal.example.io/paused".to_owned(),
                value: String::new(),
            }),
            companions: vec![Companion {
                kind: "Secret".to_owned(),
                name_field: "/spec/bmc/credentialsName".to_owned(),
            }],
            at_rest: vec![RestCondition {
                expression: "self.status.state != 'provisioning'".to_owned(),
                problem: "it is being provisioned".to_owned(),
            }],
            ..KindKnowledge::default()
        };
        let host = MoveKind {
            moves: true,
            knowledge: Some(Arc::new(knowledge)),
            ..MoveKind::for_tests(GROUP, "Host")
        };
        vec![host, MoveKind::for_tests("v1", "Secret")]
    }

    fn host(name: &str, extra: &Value) -> Object {
        let mut object = json!({"apiVersion": GROUP, "kind": "Host", "metadata":
            {"namespace": "n", "name": name, "uid": name}, "status": {"state": "available"}});
        for (field, value) in extra.as_object().expect("fields") {
            object[field] = value.clone();
        }
        Object::new(object)
    }

    fn secret(name: &str, owners: &Value) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": "Secret", "metadata":
            {"namespace": "n", "name": name, "uid": name, "ownerReferences": owners}}))
    }

    async fn rules(objects: Vec<(usize, Object)>) -> (Vec<String>, Graph) {
        let graph = Graph::build(Arc::new(kinds()), objects, &Scope::default()).expect("no cycle");
        let mut findings = Findings::default();
        check(&graph, &mut findings).await;
        let names =
            |finding: &crate::findings::Finding| format!("{} {}", finding.rule, finding.message);
        (findings.0.iter().map(names).collect(), graph)
    }

    #[tokio::test]
    async fn a_companion_moves_and_is_no_finding() {
        let bmc = json!({"spec": {"bmc": {"credentialsName": "login"}}});
        let objects = vec![(0, host("a", &bmc)), (1, secret("login", &json!([])))];
        let (found, graph) = rules(objects).await;
        assert_eq!(found, Vec::<String>::new());
        let fates: Vec<&Fate> = graph.nodes.iter().map(|node| &node.fate).collect();
        assert_eq!(fates, [&Fate::Move, &Fate::Move]);
    }

    #[tokio::test]
    async fn what_would_stay_behind_is_named() {
        let bmc = |name: &str| json!({"spec": {"bmc": {"credentialsName": name}}});
        let others = json!([{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "x"}]);
        let objects = vec![
            (0, host("a", &bmc("login"))),
            (0, host("b", &bmc("gone"))),
            (1, secret("login", &others)),
        ];
        let (found, _) = rules(objects).await;
        let [stays, missing] = &found[..] else { panic!("{found:#?}") };
        assert!(
            stays.starts_with("CompanionStays ") && stays.contains("Secret n/login"),
            "{stays}"
        );
        assert!(missing.starts_with("CompanionMissing "), "{missing}");
    }

    #[tokio::test]
    async fn an_object_that_is_not_at_rest_is_named_with_its_reason() {
        let state = |state: &str| json!({"status": {"state": state}});
        let objects = vec![
            (0, host("a", &state("available"))),
            (0, host("b", &state("provisioning"))),
            (0, host("c", &json!({"status": {}}))),
        ];
        let (found, _) = rules(objects).await;
        let [busy, unknown] = &found[..] else { panic!("{found:#?}") };
        assert!(busy.contains("it is being provisioned, says the plugin `metal`"), "{busy}");
        assert!(unknown.contains("it is being provisioned ("), "{unknown}");
    }

    #[tokio::test]
    async fn a_pause_that_controllers_ignore_is_refused() {
        let with = |annotations: Value| {
            json!({"metadata": {"namespace": "n", "name": "a", "uid": "a",
                "annotations": annotations}})
        };
        let own = "host.metal.example.io/paused";
        for (annotations, is_refused) in [
            (json!({PAUSED_ANNOTATION: ""}), true),
            (json!({PAUSED_ANNOTATION: "", own: ""}), false),
            (json!({own: ""}), false),
        ] {
            let (found, _) = rules(vec![(0, host("a", &with(annotations.clone())))]).await;
            assert_eq!(found.len(), usize::from(is_refused), "{annotations}: {found:#?}");
        }
    }
}
