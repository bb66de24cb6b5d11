//! Wrong command lines, empty scopes, and the dry-run, which must change nothing either.

use std::sync::Arc;

use kubectl_pivot_tests::population::Population;
use kubectl_pivot_tests::suite::Suite;

use super::bench::{Bench, code, expect};

pub(crate) fn add(suite: Suite<Bench>) -> Suite<Bench> {
    suite
        .case("no_target", no_target)
        .case("contradicting_flags", contradicting_flags)
        .case("nothing_in_scope", nothing_in_scope)
        .case("missing_kubeconfig", missing_kubeconfig)
        .case("dry_run_changes_nothing", dry_run_changes_nothing)
}

async fn no_target(bench: Arc<Bench>) {
    let source = bench.pair().source.kubeconfig().display().to_string();
    let outcome = bench.fixture().kubectl_pivot().run(["move", "--kubeconfig", &source]).await;
    expect(&outcome, code::USAGE, &["--to-kubeconfig"]);
    assert_eq!(outcome.stdout, "", "errors belong on stderr");
}

async fn contradicting_flags(bench: Arc<Bench>) {
    let outcome = bench.run("any", &["--all-namespaces"]).await;
    expect(&outcome, code::USAGE, &["--namespace", "--all-namespaces"]);
}

async fn nothing_in_scope(bench: Arc<Bench>) {
    bench.populate("inhabited").await;
    bench.pair().source.populate(&Population::new("deserted")).await;
    let before = bench.snapshot("deserted").await;
    let outcome = bench.run("deserted", &[]).await;
    expect(&outcome, code::NOTHING_IN_SCOPE, &["deserted", "inhabited", "--all-namespaces"]);
    bench.expect_untouched("deserted", &before, &outcome).await;
    let outcome = bench.run("deserted", &["-o", "json"]).await;
    expect(&outcome, code::NOTHING_IN_SCOPE, &[]);
    assert_eq!(outcome.json()["outcome"], "nothingInScope");
}

async fn missing_kubeconfig(bench: Arc<Bench>) {
    let missing = bench.fixture().folder("kubeconfigs").join("not-there");
    let outcome = bench.run_as(&missing, bench.pair().target.kubeconfig(), "any").await;
    expect(&outcome, code::REFUSED, &["source", "not-there", "hint:"]);
    let outcome = bench.run_as(bench.pair().source.kubeconfig(), &missing, "any").await;
    expect(&outcome, code::REFUSED, &["target", "not-there", "hint:"]);
}

async fn dry_run_changes_nothing(bench: Arc<Bench>) {
    bench.populate("rehearsed").await;
    let before = bench.snapshot("rehearsed").await;
    let raw = bench.pair().source.dump(&["rehearsed"]).await;
    let outcome = bench.run("rehearsed", &["--dry-run", "-o", "json"]).await;
    expect(&outcome, code::MOVED, &[]);
    let report = outcome.json();
    assert_eq!(report["outcome"], "planned");
    assert_eq!(
        report["moved"].as_array().map(Vec::len),
        Some(Bench::population("rehearsed").len())
    );
    bench.expect_untouched("rehearsed", &before, &outcome).await;
    assert_eq!(raw.objects(), bench.pair().source.dump(&["rehearsed"]).await.objects());
}
