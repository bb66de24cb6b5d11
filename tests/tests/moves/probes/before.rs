//! Probes that stand before a move: what they see, and what is said when they do not hold.

use std::sync::Arc;

use kubectl_pivot_plugin_api::Probe;
use kubectl_pivot_tests::arena::Arena;
use kubectl_pivot_tests::suite::Suite;
use serde_json::Value;

use super::{Story, create, create_available, exit, impatient, outcomes, set_available};

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
    suite
        .case("a_move_continues_when_its_probes_hold", hold)
        .case("a_probe_that_times_out_says_what_was_seen_and_nothing_is_written", times_out)
        .thorough("a_kind_that_is_not_served_is_named", not_served)
        .thorough("too_few_objects_are_too_few", min_objects)
        .thorough("labels_and_namespaces_select", selects)
        .thorough("an_expression_that_fails_is_false_and_says_why", fails)
        .thorough("an_expression_that_is_no_cel_is_reported_at_once", no_cel)
        .case("a_dry_run_looks_once_and_warns", dry_run)
}

async fn hold(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    create_available(&story.arena.pair().source, &story.deployment()).await;
    let moved = story.run(&[story.probe()], &["-o", "json"]).await.expect_success("the move");
    assert_eq!(outcomes(&moved.json()), ["controller held"], "{moved}");
    story.check_moved(&moved).await;
    story.end().await;
}

async fn times_out(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    let source = &story.arena.pair().source;
    create(source, &story.deployment()).await;
    set_available(source, &story.deployment(), "False").await;
    let absent = Probe {
        name: "absent".to_owned(),
        object: Some("nobody".to_owned()),
        ..impatient(story.probe())
    };
    let refused = story.run(&[impatient(story.probe()), absent], &[]).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    for part in [
        "nothing was changed",
        "probe probing/controller did not hold within 1 s in the source cluster",
        &format!("Deployment default/{} has", story.deployment()),
        "status.conditions Available=False (Tested)",
        "no object matched Deployment default/nobody",
        "--skip-probes probing/controller,probing/absent",
    ] {
        assert!(refused.stderr.contains(part), "`{part}` is not said: {refused}");
    }
    assert_eq!(refused.stdout, "", "{refused}");
    story.check_untouched(&refused).await;
    story.end().await;
}

async fn not_served(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    let unknown = |kind: &str, group: &str, version: Option<&str>| Probe {
        name: kind.to_lowercase(),
        kind: kind.to_owned(),
        group: group.to_owned(),
        version: version.map(str::to_owned),
        ..impatient(story.probe())
    };
    let potato = unknown("Potato", "example.org", None);
    let old = unknown("Cluster", "cluster.x-k8s.io", Some("v1alpha1"));
    let turnip = unknown("Turnip", "", Some("v1"));
    let refused = story.run(&[potato.clone(), old, turnip], &[]).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    for part in [
        "the kind Potato.example.org is not served",
        "the kind Cluster.cluster.x-k8s.io is not served at v1alpha1, but at v1beta",
        "the kind Turnip is not served",
    ] {
        assert!(refused.stderr.contains(part), "`{part}` is not said: {refused}");
    }
    // No object is needed of it, and none can be there.
    let moved = story.run(&[Probe { min_objects: 0, ..potato }], &[]).await;
    moved.expect_success("a move without potatoes");
    story.end().await;
}

async fn min_objects(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    create_available(&story.arena.pair().source, &story.deployment()).await;
    let selected = |min_objects| Probe {
        object: None,
        selector: Some(format!("app={}", story.deployment())),
        min_objects,
        ..impatient(story.probe())
    };
    let refused = story.run(&[selected(2)], &[]).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    let part = "1 of at least 2 objects matched Deployment in namespace default with labels app=";
    assert!(refused.stderr.contains(part), "{refused}");
    story.run(&[selected(1)], &[]).await.expect_success("one is enough");
    story.end().await;
}

async fn selects(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    let source = &story.arena.pair().source;
    create(source, &format!("other-{}", story.deployment())).await;
    create_available(source, &story.deployment()).await;
    let probe = |name: &str, namespace: Option<&str>, selector: Option<String>| Probe {
        name: name.to_owned(),
        object: None,
        namespace: namespace.map(str::to_owned),
        selector,
        ..impatient(story.probe())
    };
    let ours = format!("app in ({})", story.deployment());
    let refused = story
        .run(
            &[
                probe("all", None, None),
                probe("elsewhere", Some("kube-public"), None),
                probe("ours", None, Some(ours.clone())),
                probe("nonsense", None, Some("a in".to_owned())),
            ],
            &[],
        )
        .await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    for part in [
        "probing/all",
        "no object matched Deployment in namespace kube-public",
        "probing/nonsense cannot hold",
    ] {
        assert!(refused.stderr.contains(part), "`{part}` is not said: {refused}");
    }
    assert!(!refused.stderr.contains("probing/ours"), "{refused}");
    story.run(&[probe("ours", None, Some(ours))], &[]).await.expect_success("the move");
    story.end().await;
}

async fn fails(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    create_available(&story.arena.pair().source, &story.deployment()).await;
    let expression = "self.status.phase == 'Ready'".to_owned();
    let refused = story.run(&[Probe { expression, ..impatient(story.probe()) }], &[]).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    for part in ["has no status.phase", "the expression fails: No such key: phase"] {
        assert!(refused.stderr.contains(part), "`{part}` is not said: {refused}");
    }
    story.check_untouched(&refused).await;
    story.end().await;
}

async fn no_cel(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    create_available(&story.arena.pair().source, &story.deployment()).await;
    let wrong = |name: &str| Probe {
        name: name.to_owned(),
        expression: "self.status.".to_owned(),
        // Nobody waits for it: what is no CEL now is none in ten minutes.
        timeout_seconds: 100_000,
        ..story.probe()
    };
    let later =
        Probe { stages: vec![kubectl_pivot_plugin_api::ProbeStage::AfterMove], ..wrong("later") };
    let refused = story.run(&[wrong("now"), later], &[]).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    for name in ["now", "later"] {
        let part = format!(
            "probe probing/{name} cannot hold in the source cluster: its expression \
             `self.status.`: it is not valid CEL: 1:"
        );
        assert!(refused.stderr.contains(&part), "`{part}` is not said: {refused}");
    }
    story.check_untouched(&refused).await;
    story.end().await;
}

async fn dry_run(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    create(&story.arena.pair().source, &story.deployment()).await;
    // It would wait for ten minutes if it waited at all.
    let planned = story.run(&[story.probe()], &["--dry-run", "-o", "json"]).await;
    let report = planned.clone().expect_success("the dry-run").json();
    assert_eq!(outcomes(&report), ["controller notYet"], "{planned}");
    let findings = report["findings"].as_array().into_iter().flatten();
    let found: Vec<&Value> = findings.filter(|found| found["rule"] == "ProbeNotReady").collect();
    let [finding] = found[..] else { panic!("one finding of the probe: {planned}") };
    assert_eq!(finding["severity"], "warning", "{planned}");
    assert_eq!(finding["cluster"], "source", "{planned}");
    story.check_untouched(&planned).await;
    story.end().await;
}
