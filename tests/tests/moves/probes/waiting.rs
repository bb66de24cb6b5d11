//! Probes that are waited for: the objects are watched, through interruptions, and a user need not
//! wait for ever.

use std::sync::Arc;

use kubectl_pivot_plugin_api::Probe;
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::{Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;

use super::{
    Scenario, create, create_available, deployments, exit, outcomes, set_available, watches,
};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .case("a_probe_holds_as_soon_as_the_object_changes", becomes_true)
        .thorough("an_object_that_appears_and_one_that_goes_are_noticed", appears)
        .thorough("a_watch_whose_connection_is_cut_is_begun_again", cut)
        .thorough("a_watch_from_too_long_ago_is_begun_with_a_new_list", expired)
        .case("a_forbidden_request_is_reported_at_once", forbidden)
        .thorough("an_interrupt_ends_the_waiting_at_once", interrupt)
}

async fn becomes_true(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let source = &scenario.proxied_pair.pair().source;
    create(source, &scenario.deployment()).await;
    let mut running = scenario.start_until(&[scenario.probe()], watches).await;
    assert!(
        scenario.proxied_pair.traffic().writes().is_empty(),
        "nothing is written before the probe holds"
    );
    // Once the watch goes on there is no further list: only the watch can tell of the change.
    let lists = |call: &kubectl_pivot_tests::proxy::Call| {
        call.is_about("deployments") && !call.is_watch() && call.method == "GET"
    };
    scenario.proxied_pair.traffic().rule(Rule::when(lists, Fault::Silence));
    scenario.proxied_pair.traffic().release();
    set_available(source, &scenario.deployment(), "False").await;
    set_available(source, &scenario.deployment(), "True").await;
    let moved = running.end().await.expect_success("the move");
    assert_eq!(outcomes(&moved.json()), ["controller held"], "{moved}");
    scenario.check_moved(&moved).await;
    scenario.end().await;
}

async fn appears(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let source = &scenario.proxied_pair.pair().source;
    let spare = format!("spare-{}", scenario.deployment());
    create(source, &spare).await;
    let labels = format!("app in ({},{spare})", scenario.deployment());
    let probe = Probe { object: None, selector: Some(labels), ..scenario.probe() };
    let mut running = scenario.start_until(&[probe], watches).await;
    scenario.proxied_pair.traffic().release();
    create_available(source, &scenario.deployment()).await;
    let listed = source.client().list(&deployments(), Some("default")).await;
    let listed = listed.expect("Deployments can be listed");
    let gone = listed.iter().find(|object| object.name() == spare).expect("it was created");
    let (kind, place) = (deployments(), Some("default"));
    let deleted = source.client().delete(&kind, place, &spare, gone.uid()).await;
    deleted.expect("it can be deleted");
    let moved = running.end().await.expect_success("the move");
    scenario.check_moved(&moved).await;
    scenario.end().await;
}

async fn cut(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let source = &scenario.proxied_pair.pair().source;
    create(source, &scenario.deployment()).await;
    let traffic = scenario.proxied_pair.traffic();
    let mut running = scenario.start_until(&[scenario.probe()], watches).await;
    // The first watch is cut off before it has told anything, the second begins.
    traffic.rule(Rule::when(watches, Fault::HoldBefore).times(1));
    traffic.cut().await;
    traffic.held().await;
    traffic.release();
    set_available(source, &scenario.deployment(), "True").await;
    let moved = running.end().await.expect_success("the move");
    assert_eq!(outcomes(&moved.json()), ["controller held"], "{moved}");
    scenario.check_moved(&moved).await;
    scenario.end().await;
}

async fn expired(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    create(&scenario.proxied_pair.pair().source, &scenario.deployment()).await;
    let traffic = scenario.proxied_pair.traffic();
    // 410 Gone to the first watch; meanwhile the object has changed, and only a list can tell.
    traffic.rule(Rule::when(watches, Fault::status(410)).times(1));
    let is_second_list = |call: &kubectl_pivot_tests::proxy::Call| {
        call.side == Side::Source && call.is_about("deployments") && !call.is_watch()
    };
    traffic.rule(Rule::when(is_second_list, Fault::HoldBefore).skip(1).times(1));
    let mut running = scenario.program(&[scenario.probe()]).start(scenario.args(&["-o", "json"]));
    tokio::select! {
        outcome = running.end() => panic!("there was no second list: {outcome}"),
        () = traffic.held() => {}
    }
    set_available(&scenario.proxied_pair.pair().source, &scenario.deployment(), "True").await;
    traffic.release();
    let moved = running.end().await.expect_success("the move");
    assert_eq!(outcomes(&moved.json()), ["controller held"], "{moved}");
    scenario.end().await;
}

async fn forbidden(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    create_available(&scenario.proxied_pair.pair().source, &scenario.deployment()).await;
    let is_probe = |call: &kubectl_pivot_tests::proxy::Call| call.is_about("deployments");
    scenario.proxied_pair.traffic().rule(Rule::when(is_probe, Fault::status(403)));
    let flags = ["--allow-unlisted", "Deployment.apps"];
    let refused = scenario.run(&[scenario.probe()], &flags).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    let part =
        "probe probing/controller cannot hold in the source cluster: cannot list deployments.apps";
    assert!(refused.stderr.contains(part), "{refused}");
    scenario.check_untouched(&refused).await;
    scenario.end().await;
}

async fn interrupt(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    create(&scenario.proxied_pair.pair().source, &scenario.deployment()).await;
    let mut running = scenario.start_until(&[scenario.probe()], watches).await;
    scenario.proxied_pair.traffic().release();
    running.interrupt();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(exit::INTERRUPTED), "{outcome}");
    assert!(outcome.stderr.contains("nothing was changed"), "{outcome}");
    scenario.check_untouched(&outcome).await;
    scenario.end().await;
}
