//! The check right before the copy.

use std::sync::Arc;

use capi::{Graph, MoveKind, Object, Scope};
use serde_json::json;

use super::discover::MoveScope;
use super::mover::check_again;
use super::panic_tests::run;
use super::{Namespaces, PhaseError};

#[tokio::test]
async fn an_object_of_a_kind_that_the_target_has_not_labelled_stops_the_move_after_preflight_too() {
    let run = run().await;
    let cluster = MoveKind::for_tests("cluster.x-k8s.io/v1beta2", "Cluster");
    let planted =
        MoveKind { moves: true, ..MoveKind::for_tests("argoproj.io/v1alpha1", "Application") };
    let kinds = Arc::new(vec![cluster.clone(), planted]);
    let object = Object::new(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"namespace": "n", "name": "a", "uid": "a"}}));
    let graph = Graph::build(Arc::clone(&kinds), vec![(1, object)], &Scope::default());
    let graph = graph.expect("no cycle");
    let taking = |taken: Vec<MoveKind>| MoveScope {
        kinds: Arc::clone(&kinds),
        providers: Vec::new(),
        namespaces: Namespaces::All,
        chosen: None,
        copies_referenced: false,
        taken: Some(Arc::new(taken)),
    };
    check_again(&run, &taking(kinds.to_vec()), &[], &graph).expect("both have labelled it");
    let error = check_again(&run, &taking(vec![cluster]), &[], &graph).expect_err("only one has");
    let PhaseError::Unmovable(findings) = error else { panic!("{error}") };
    assert!(findings.errors().any(|finding| finding.rule == "KindNotLabelled"), "{findings:?}");
}
