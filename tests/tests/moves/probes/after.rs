//! Probes that stand behind a move: they change nothing any more, but the exit code.

use std::sync::Arc;

use kubectl_pivot_plugin_api::{Probe, ProbeCluster, ProbeStage};
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;

use super::{
    Scenario, create, create_available, exit, impatient, outcomes, set_available, watches,
};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .thorough("the_target_is_waited_for_after_the_move", waits)
        .case("a_probe_that_does_not_hold_after_the_move_undoes_nothing", not_verified)
        .thorough("an_interrupt_after_the_move_ends_the_waiting", interrupted)
        .thorough("resume_waits_for_the_target_too", resume)
}

fn after(scenario: &Scenario) -> Probe {
    scenario.probe().on(ProbeCluster::Target).at(&[ProbeStage::AfterMove])
}

async fn waits(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let target = &scenario.proxied_pair.pair().target;
    create(target, &scenario.deployment()).await;
    let mut running = scenario.start_until(&[after(&scenario)], watches).await;
    // By now the move is done, and so is its lock.
    let left = scenario.proxied_pair.leftovers(&scenario.tag).await;
    assert!(left.is_empty(), "{left:#?}");
    scenario.proxied_pair.traffic().release();
    set_available(target, &scenario.deployment(), "True").await;
    let moved = running.end().await.expect_success("the move");
    assert_eq!(outcomes(&moved.json()), ["controller held"], "{moved}");
    scenario.check_moved(&moved).await;
    scenario.end().await;
}

async fn not_verified(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    create(&scenario.proxied_pair.pair().target, &scenario.deployment()).await;
    let moved = scenario.run(&[impatient(after(&scenario))], &[]).await;
    assert_eq!(moved.code, Some(exit::NOT_VERIFIED), "{moved}");
    for part in [
        "Moved ",
        "PROBES   0 of 1 hold",
        "probe probing/controller did not hold within 1 s in the target cluster",
        "no status.conditions",
        "the move is done and is not undone",
    ] {
        assert!(moved.stdout.contains(part), "`{part}` is not said: {moved}");
    }
    scenario.check_moved(&moved).await;
    scenario.end().await;
}

async fn interrupted(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    create(&scenario.proxied_pair.pair().target, &scenario.deployment()).await;
    let mut running = scenario.start_until(&[after(&scenario)], watches).await;
    scenario.proxied_pair.traffic().release();
    running.interrupt();
    let moved = running.end().await;
    assert_eq!(moved.code, Some(exit::NOT_VERIFIED), "{moved}");
    assert_eq!(outcomes(&moved.json()), ["controller interrupted"], "{moved}");
    scenario.check_moved(&moved).await;
    scenario.end().await;
}

async fn resume(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let is_delete =
        |call: &Call| call.method == "DELETE" && call.side == Side::Source && !call.is_lease();
    let mut killed = scenario.start_until(&[], is_delete).await;
    killed.kill();
    killed.end().await;
    scenario.proxied_pair.traffic().cut().await;
    scenario.proxied_pair.traffic().begin_run();
    scenario.proxied_pair.free_leases().await;
    create_available(&scenario.proxied_pair.pair().target, &scenario.deployment()).await;
    // Once it holds nothing of before the move is looked at.
    let is_source = |call: &Call| call.side == Side::Source && call.is_about("deployments");
    scenario.proxied_pair.traffic().rule(Rule::when(is_source, Fault::Silence));
    let mut args = scenario.proxied_pair.args("resume");
    args.extend(["-o", "json"].map(str::to_owned));
    let program = scenario.program(&[scenario.probe(), after(&scenario)]);
    let resumed = program.run(args).await.expect_success("resume");
    assert_eq!(outcomes(&resumed.json()), ["controller held"], "{resumed}");
    scenario.check_moved(&resumed).await;
    scenario.end().await;
}
