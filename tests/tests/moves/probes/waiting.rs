//! Probes that are waited for: the objects are watched, through interruptions, and a user need not
//! wait for ever.

use std::sync::Arc;

use kubectl_pivot_plugin_api::Probe;
use kubectl_pivot_tests::arena::Arena;
use kubectl_pivot_tests::proxy::{Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;

use super::{Story, create, create_available, deployments, exit, outcomes, set_available, watches};

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
    suite
        .case("a_probe_holds_as_soon_as_the_object_changes", becomes_true)
        .thorough("an_object_that_appears_and_one_that_goes_are_noticed", appears)
        .thorough("a_watch_whose_connection_is_cut_is_begun_again", cut)
        .thorough("a_watch_from_too_long_ago_is_begun_with_a_new_list", expired)
        .case("a_forbidden_request_is_reported_at_once", forbidden)
        .thorough("an_interrupt_ends_the_waiting_at_once", interrupt)
}

async fn becomes_true(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    let source = &story.arena.pair().source;
    create(source, &story.deployment()).await;
    let mut running = story.start_until(&[story.probe()], watches).await;
    assert!(story.arena.tape().writes().is_empty(), "nothing is written before the probe holds");
    // Once the watch goes on there is no further list: only the watch can tell of the change.
    let lists = |call: &kubectl_pivot_tests::proxy::Call| {
        call.is_about("deployments") && !call.is_watch() && call.method == "GET"
    };
    story.arena.tape().rule(Rule::when(lists, Fault::Silence));
    story.arena.tape().release();
    set_available(source, &story.deployment(), "False").await;
    set_available(source, &story.deployment(), "True").await;
    let moved = running.end().await.expect_success("the move");
    assert_eq!(outcomes(&moved.json()), ["controller held"], "{moved}");
    story.check_moved(&moved).await;
    story.end().await;
}

async fn appears(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    let source = &story.arena.pair().source;
    let spare = format!("spare-{}", story.deployment());
    create(source, &spare).await;
    let labels = format!("app in ({},{spare})", story.deployment());
    let probe = Probe { object: None, selector: Some(labels), ..story.probe() };
    let mut running = story.start_until(&[probe], watches).await;
    story.arena.tape().release();
    create_available(source, &story.deployment()).await;
    let listed = source.client().list(&deployments(), Some("default")).await;
    let listed = listed.expect("Deployments can be listed");
    let gone = listed.iter().find(|object| object.name() == spare).expect("it was created");
    let (kind, place) = (deployments(), Some("default"));
    let deleted = source.client().delete(&kind, place, &spare, gone.uid()).await;
    deleted.expect("it can be deleted");
    let moved = running.end().await.expect_success("the move");
    story.check_moved(&moved).await;
    story.end().await;
}

async fn cut(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    let source = &story.arena.pair().source;
    create(source, &story.deployment()).await;
    let tape = story.arena.tape();
    let mut running = story.start_until(&[story.probe()], watches).await;
    // The first watch is cut off before it has told anything, the second begins.
    tape.rule(Rule::when(watches, Fault::HoldBefore).times(1));
    tape.cut().await;
    tape.held().await;
    tape.release();
    set_available(source, &story.deployment(), "True").await;
    let moved = running.end().await.expect_success("the move");
    assert_eq!(outcomes(&moved.json()), ["controller held"], "{moved}");
    story.check_moved(&moved).await;
    story.end().await;
}

async fn expired(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    create(&story.arena.pair().source, &story.deployment()).await;
    let tape = story.arena.tape();
    // 410 Gone to the first watch; meanwhile the object has changed, and only a list can tell.
    tape.rule(Rule::when(watches, Fault::status(410)).times(1));
    let is_second_list = |call: &kubectl_pivot_tests::proxy::Call| {
        call.side == Side::Source && call.is_about("deployments") && !call.is_watch()
    };
    tape.rule(Rule::when(is_second_list, Fault::HoldBefore).skip(1).times(1));
    let mut running = story.program(&[story.probe()]).start(story.args(&["-o", "json"]));
    tokio::select! {
        outcome = running.end() => panic!("there was no second list: {outcome}"),
        () = tape.held() => {}
    }
    set_available(&story.arena.pair().source, &story.deployment(), "True").await;
    tape.release();
    let moved = running.end().await.expect_success("the move");
    assert_eq!(outcomes(&moved.json()), ["controller held"], "{moved}");
    story.end().await;
}

async fn forbidden(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    create_available(&story.arena.pair().source, &story.deployment()).await;
    let is_probe = |call: &kubectl_pivot_tests::proxy::Call| call.is_about("deployments");
    story.arena.tape().rule(Rule::when(is_probe, Fault::status(403)));
    let flags = ["--allow-unlisted", "Deployment.apps"];
    let refused = story.run(&[story.probe()], &flags).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    let part =
        "probe probing/controller cannot hold in the source cluster: cannot list deployments.apps";
    assert!(refused.stderr.contains(part), "{refused}");
    story.check_untouched(&refused).await;
    story.end().await;
}

async fn interrupt(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    create(&story.arena.pair().source, &story.deployment()).await;
    let mut running = story.start_until(&[story.probe()], watches).await;
    story.arena.tape().release();
    running.interrupt();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(exit::INTERRUPTED), "{outcome}");
    assert!(outcome.stderr.contains("nothing was changed"), "{outcome}");
    story.check_untouched(&outcome).await;
    story.end().await;
}
