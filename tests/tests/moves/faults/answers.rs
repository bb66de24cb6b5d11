//! Answers that are lost, late, errors, or never come.

use std::time::Duration;

use kubectl_pivot_tests::proxied_pair::tell;
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;

use super::{FaultBench, Shared, moves_nevertheless};

pub(crate) fn add(suite: Suite<FaultBench>) -> Suite<FaultBench> {
    suite
        .case("answers_to_creates_are_lost", |s| async move { lost(s, "POST").await })
        .thorough("answers_to_patches_are_lost", |s| async move { lost(s, "PATCH").await })
        .thorough("answers_to_deletes_are_lost", |s| async move { lost(s, "DELETE").await })
        .thorough("answers_to_reads_are_lost", |s| async move { lost(s, "GET").await })
        .case("every_answer_to_the_lock_is_lost_once", lost_leases)
        .thorough("too_many_requests", too_many_requests)
        .thorough("bursts_of_server_errors", bursts)
        .thorough("resets_on_reads_and_writes", resets)
        .thorough("log_in_pages_of_a_proxy", pages)
        .thorough("a_fifth_of_a_second_for_each_answer", latency)
        .thorough("connections_that_stay_silent", silence)
        .case("everything_at_random", at_random)
}

/// Of every fifth answer to a request of this method nothing is heard.
async fn lost(fault_bench: Shared, method: &'static str) {
    let rule =
        Rule::when(move |call| call.method == method && !is_contact(call), Fault::LoseAnswer);
    moves_nevertheless(&fault_bench, [rule.chance(0.2)]).await;
}

/// The first contact with a cluster, where the program deliberately gives up soon: a user waits for
/// a wrong address to be reported.
fn is_contact(call: &Call) -> bool {
    call.path == "/version"
}

async fn lost_leases(fault_bench: Shared) {
    let side = |side: Side, method: &'static str| {
        let rule = move |call: &Call| call.is_lease() && call.side == side && call.method == method;
        Rule::when(rule, Fault::LoseAnswer).times(1)
    };
    let rules = ["POST", "PATCH", "DELETE"]
        .into_iter()
        .flat_map(|method| [side(Side::Source, method), side(Side::Target, method)]);
    moves_nevertheless(&fault_bench, rules).await;
}

async fn too_many_requests(fault_bench: Shared) {
    let fault = Fault::Answer { status: 429, retry_after: Some(1) };
    let read = Rule::when(|call| !call.is_write(), fault).skip(10).times(5);
    let write = Rule::when(Call::is_write, fault).skip(5).times(5);
    moves_nevertheless(&fault_bench, [read, write]).await;
}

/// Each burst hits whatever is sent at that time, then the API server is well again. It is shorter
/// than the program's patience with one request.
async fn bursts(fault_bench: Shared) {
    let mut rules = Vec::new();
    for (position, status) in [500, 503, 504].into_iter().enumerate() {
        let fault = Fault::status(status);
        rules.push(Rule::when(|call| !call.is_write(), fault).skip(20 + 40 * position).times(6));
        rules.push(Rule::when(Call::is_write, fault).skip(10 + 40 * position).times(6));
    }
    moves_nevertheless(&fault_bench, rules).await;
}

async fn resets(fault_bench: Shared) {
    let any = Rule::when(|call| !is_contact(call), Fault::Reset);
    moves_nevertheless(&fault_bench, [any.chance(0.2)]).await;
}

/// None of them is taken for an answer: no write that was not carried out counts as done.
async fn pages(fault_bench: Shared) {
    let any = Rule::when(|call| !is_contact(call), Fault::LogInPage);
    moves_nevertheless(&fault_bench, [any.chance(0.2)]).await;
}

async fn latency(fault_bench: Shared) {
    let late = Rule::when(|_| true, Fault::Delay(Duration::from_millis(200)));
    moves_nevertheless(&fault_bench, [late]).await;
}

/// A minute goes by until the program gives such a request up and sends it again.
async fn silence(fault_bench: Shared) {
    let create = |call: &Call| call.method == "POST" && call.is_about("secrets") && call.is_write();
    let delete = |call: &Call| call.method == "DELETE" && call.is_about("dockermachines");
    let silent = [Rule::when(create, Fault::Silence), Rule::when(delete, Fault::Silence)];
    moves_nevertheless(&fault_bench, silent.map(|rule| rule.times(1))).await;
}

async fn at_random(fault_bench: Shared) {
    tell(&format!("at random with seed {}", fault_bench.proxied_pair.seed()));
    let anything = |fault| Rule::when(|call| !is_contact(call), fault).chance(0.05);
    let faults = [
        Fault::LoseAnswer,
        Fault::Reset,
        Fault::status(503),
        Fault::Answer { status: 429, retry_after: None },
        Fault::Delay(Duration::from_millis(50)),
    ];
    moves_nevertheless(&fault_bench, faults.map(anything)).await;
}
