//! Probes that stand before a move: what they see, and what is said when they do not hold.

use std::sync::Arc;

use kubectl_pivot_plugin_api::Probe;
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::suite::Suite;
use serde_json::Value;

use super::{Scenario, create, create_available, exit, impatient, outcomes, set_available};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
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

async fn hold(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    create_available(&scenario.proxied_pair.pair().source, &scenario.deployment()).await;
    let moved = scenario.run(&[scenario.probe()], &["-o", "json"]).await.expect_success("the move");
    assert_eq!(outcomes(&moved.json()), ["controller held"], "{moved}");
    scenario.check_moved(&moved).await;
    scenario.end().await;
}

async fn times_out(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let source = &scenario.proxied_pair.pair().source;
    create(source, &scenario.deployment()).await;
    set_available(source, &scenario.deployment(), "False").await;
    let absent = Probe {
        name: "absent".to_owned(),
        object: Some("nobody".to_owned()),
        ..impatient(scenario.probe())
    };
    let refused = scenario.run(&[impatient(scenario.probe()), absent], &[]).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    for part in [
        "nothing was changed",
        "probe probing/controller did not hold within 1 s in the source cluster",
        &format!("Deployment default/{} has", scenario.deployment()),
        "status.conditions Available=False (Tested)",
        "no object matched Deployment default/nobody",
        "--skip-probes probing/controller,probing/absent",
    ] {
        assert!(refused.stderr.contains(part), "`{part}` is not said: {refused}");
    }
    assert_eq!(refused.stdout, "", "{refused}");
    scenario.check_untouched(&refused).await;
    scenario.end().await;
}

async fn not_served(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let unknown = |kind: &str, group: &str, version: Option<&str>| Probe {
        name: kind.to_lowercase(),
        kind: kind.to_owned(),
        group: group.to_owned(),
        version: version.map(str::to_owned),
        ..impatient(scenario.probe())
    };
    let potato = unknown("Potato", "example.org", None);
    let old = unknown("Cluster", "cluster.x-k8s.io", Some("v1alpha1"));
    let turnip = unknown("Turnip", "", Some("v1"));
    let refused = scenario.run(&[potato.clone(), old, turnip], &[]).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    for part in [
        "the kind Potato.example.org is not served",
        "the kind Cluster.cluster.x-k8s.io is not served at v1alpha1, but at v1beta",
        "the kind Turnip is not served",
    ] {
        assert!(refused.stderr.contains(part), "`{part}` is not said: {refused}");
    }
    // No object is needed of it, and none can be there.
    let moved = scenario.run(&[Probe { min_objects: 0, ..potato }], &[]).await;
    moved.expect_success("a move without potatoes");
    scenario.end().await;
}

async fn min_objects(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    create_available(&scenario.proxied_pair.pair().source, &scenario.deployment()).await;
    let selected = |min_objects| Probe {
        object: None,
        selector: Some(format!("app={}", scenario.deployment())),
        min_objects,
        ..impatient(scenario.probe())
    };
    let refused = scenario.run(&[selected(2)], &[]).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    let part = "1 of at least 2 objects matched Deployment in namespace default with labels app=";
    assert!(refused.stderr.contains(part), "{refused}");
    scenario.run(&[selected(1)], &[]).await.expect_success("one is enough");
    scenario.end().await;
}

async fn selects(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let source = &scenario.proxied_pair.pair().source;
    create(source, &format!("other-{}", scenario.deployment())).await;
    create_available(source, &scenario.deployment()).await;
    let probe = |name: &str, namespace: Option<&str>, selector: Option<String>| Probe {
        name: name.to_owned(),
        object: None,
        namespace: namespace.map(str::to_owned),
        selector,
        ..impatient(scenario.probe())
    };
    let ours = format!("app in ({})", scenario.deployment());
    let refused = scenario
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
    scenario.run(&[probe("ours", None, Some(ours))], &[]).await.expect_success("the move");
    scenario.end().await;
}

async fn fails(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    create_available(&scenario.proxied_pair.pair().source, &scenario.deployment()).await;
    let expression = "self.status.phase == 'Ready'".to_owned();
    let refused = scenario.run(&[Probe { expression, ..impatient(scenario.probe()) }], &[]).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    for part in ["has no status.phase", "the expression fails: No such key: phase"] {
        assert!(refused.stderr.contains(part), "`{part}` is not said: {refused}");
    }
    scenario.check_untouched(&refused).await;
    scenario.end().await;
}

async fn no_cel(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    create_available(&scenario.proxied_pair.pair().source, &scenario.deployment()).await;
    let wrong = |name: &str| Probe {
        name: name.to_owned(),
        expression: "self.status.".to_owned(),
        // Nobody waits for it: what is no CEL now is none in ten minutes.
        timeout_seconds: 100_000,
        ..scenario.probe()
    };
    let later =
        Probe { stages: vec![kubectl_pivot_plugin_api::ProbeStage::AfterMove], ..wrong("later") };
    let refused = scenario.run(&[wrong("now"), later], &[]).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    for name in ["now", "later"] {
        let part = format!(
            "probe probing/{name} cannot hold in the source cluster: its expression \
             `self.status.`: it is not valid CEL: 1:"
        );
        assert!(refused.stderr.contains(&part), "`{part}` is not said: {refused}");
    }
    scenario.check_untouched(&refused).await;
    scenario.end().await;
}

async fn dry_run(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    create(&scenario.proxied_pair.pair().source, &scenario.deployment()).await;
    // It would wait for ten minutes if it waited at all.
    let planned = scenario.run(&[scenario.probe()], &["--dry-run", "-o", "json"]).await;
    let report = planned.clone().expect_success("the dry-run").json();
    assert_eq!(outcomes(&report), ["controller notYet"], "{planned}");
    let findings = report["findings"].as_array().into_iter().flatten();
    let found: Vec<&Value> = findings.filter(|found| found["rule"] == "ProbeNotReady").collect();
    let [finding] = found[..] else { panic!("one finding of the probe: {planned}") };
    assert_eq!(finding["severity"], "warning", "{planned}");
    assert_eq!(finding["cluster"], "source", "{planned}");
    scenario.check_untouched(&planned).await;
    scenario.end().await;
}
