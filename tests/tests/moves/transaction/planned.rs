//! The operations that a dry-run lists are the writes that the move then makes.

use std::sync::Arc;

use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::{Call, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::Value;

use super::with_scenario;

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite.case("the_operations_of_a_dry_run_are_the_writes_of_the_move", as_planned)
}

async fn as_planned(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.proxied_pair.traffic().begin_run();
        let mut args = scenario.proxied_pair.move_args(&scenario.tag);
        args.extend(["--dry-run", "-o", "json"].map(str::to_owned));
        let planned = scenario.proxied_pair.program().run(args).await.expect_success("the dry-run");
        let written = scenario.proxied_pair.traffic().writes();
        assert!(written.iter().all(|write| !write.call.is_write()), "a dry-run writes nothing");
        let report = planned.json();
        let operations = report["operations"].as_array().expect("a list");
        assert!(operations.len() > 50, "{planned}");

        scenario.proxied_pair.traffic().begin_run();
        scenario.run_move().await.expect_success("the move");
        let writes = scenario.proxied_pair.traffic().writes();
        let calls: Vec<&Call> = writes.iter().map(|write| &write.call).collect();
        let calls: Vec<&Call> = calls.into_iter().filter(|call| is_of_object(call)).collect();
        check_in_order(operations, &calls);
        // What controllers report decides about further pauses of single objects.
        for call in calls.into_iter().filter(|call| call.method != "PATCH") {
            let is_planned = operations.iter().any(|one| is_carried_out_by(one, call));
            assert!(is_planned, "nobody has planned {} {}", call.method, call.path);
        }
        scenario.check_nothing_left().await;
    })
    .await;
}

/// Each operation is carried out once that of the fixture before has been.
fn check_in_order(operations: &[Value], calls: &[&Call]) {
    let mut begins = 0;
    let mut ends = 0;
    let mut fixture = 0;
    for operation in operations {
        let now = operation["stage"].as_u64().expect("a number");
        assert!(now == fixture || now == fixture + 1, "{operation}");
        if now > fixture {
            (fixture, begins) = (now, ends);
        }
        let mut later = calls.iter().enumerate().skip(begins);
        let found = later.find(|(_, call)| is_carried_out_by(operation, call));
        let (index, call) = found.unwrap_or_else(|| panic!("never carried out: {operation}"));
        check_precondition(operation, call);
        ends = ends.max(index + 1);
    }
}

/// The API server is asked to check the precondition that was planned.
fn check_precondition(operation: &Value, call: &Call) {
    let precondition = &operation["precondition"];
    let sent = if call.method == "DELETE" { "preconditions" } else { "metadata" };
    let (uid, version) = (&call.body[sent]["uid"], &call.body[sent]["resourceVersion"]);
    if precondition == "absent" {
        assert!(uid.is_null() && version.is_null(), "{operation}: {}", call.body);
        return;
    }
    assert!(uid.is_string() && version.is_string(), "{operation}: {}", call.body);
    if let Some(planned) = precondition["unchanged"]["uid"].as_str() {
        assert_eq!(uid, planned, "{operation}");
    }
}

/// Returns whether a request writes to an object that moves: neither to the Lease, the list of
/// copies, nor to a namespace.
fn is_of_object(call: &Call) -> bool {
    let name = call.body["metadata"]["name"].as_str().unwrap_or_default();
    let is_list = call.is_about("configmaps")
        && (name.starts_with("kubectl-pivot") || call.path.contains("/kubectl-pivot"));
    let is_namespace = call.path.trim_end_matches('/').ends_with("/namespaces")
        || call.path.split('/').nth_back(1) == Some("namespaces");
    call.is_write() && !call.is_lease() && !is_list && !is_namespace
}

fn is_carried_out_by(operation: &Value, call: &Call) -> bool {
    let (method, side) = match operation["action"].as_str().expect("an action") {
        "pause" | "pauseItself" => ("PATCH", Side::Source),
        "create" => ("POST", Side::Target),
        "handOver" | "resume" => ("PATCH", Side::Target),
        "delete" => ("DELETE", Side::Source),
        other => panic!("there is no {other}"),
    };
    let cluster = if side == Side::Source { "source" } else { "target" };
    assert_eq!(operation["cluster"], cluster, "{operation}");
    call.method == method && call.side == side && is_about(call, &operation["object"])
}

fn is_about(call: &Call, object: &Value) -> bool {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let mut parts: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    let named = call.body["metadata"]["name"].as_str();
    let name = if call.method == "POST" { named } else { parts.pop() };
    let plural = parts.last().copied().unwrap_or_default();
    let kind = text("kind").to_lowercase();
    // Enough to tell the kinds of this population apart: `proxies`, `classes`.
    let stem = kind.trim_end_matches('y');
    let is_kind = plural.starts_with(stem) && plural.len() <= kind.len() + 2;
    let namespace = object["namespace"].as_str();
    let is_there = namespace.is_none_or(|namespace| parts.contains(&namespace));
    let group = text("apiVersion").split_once('/').map_or("v1", |(group, _)| group);
    name == Some(text("name")) && is_kind && is_there && parts.contains(&group)
}
