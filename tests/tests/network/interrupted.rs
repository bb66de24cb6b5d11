//! Releases that were left half done.

use std::process::Stdio;
use std::sync::Arc;

use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::processes;

use super::charts::{CILIUM, WAITING};
use super::fixture::{Fixture, expect, until};

/// helm refuses a release that another helm seems to be at work on, for ever if that one was
/// killed.
pub async fn leftovers_of_a_killed_helm_are_put_in_order(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario("left");
    let url = fixture.repository.url();
    let arguments = scenario.create(&["--cni", "cilium", "--cni-repo", &url]);
    let pending = |status: &str| {
        let newest = fixture.history("cilium", "kube-system").pop()?;
        (newest["status"] == status).then_some(())
    };
    for (status, revisions) in [("pending-install", 1), ("pending-upgrade", 4)] {
        let words =
            ["upgrade", "--install", "cilium", "cilium", "-n", "kube-system", "--repo", &url];
        let mut killed = fixture.helm(&[&words[..], &["--version", WAITING]].concat());
        let mut killed = killed.stdout(Stdio::null()).spawn();
        let killed = killed.as_mut().expect("helm is there");
        until(|| pending(status)).await;
        killed.kill().expect("it is there");
        killed.wait().expect("it is there");
        until(|| pending(status)).await;
        let line = scenario.install(&arguments).await;
        assert!(line.contains(&format!("\"cilium {CILIUM}\"")), "{line}");
        let history = fixture.history("cilium", "kube-system");
        let newest = history.last().expect("a revision");
        assert_eq!(newest["status"], "deployed", "{history:?}");
        assert_eq!(newest["chart"], format!("cilium-{CILIUM}"), "{history:?}");
        assert_eq!(history.len(), revisions, "{history:?}");
    }
}

pub async fn helm_ends_with_this_program(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario("ended");
    let (url, version) = (fixture.repository.url(), format!("chart-version={WAITING}"));
    let arguments = scenario.create(&["--cni", "cilium", "--cni-repo", &url, "--set", &version]);
    let is_waiting = || {
        let newest = fixture.history("cilium", "kube-system").pop()?;
        (newest["status"] == "pending-install").then_some(())
    };
    let mut run = scenario.program.start(&arguments);
    until(is_waiting).await;
    run.interrupt();
    let outcome = run.end().await;
    expect(&outcome, exit::UNFINISHED, &["the step `network` failed", "was stopped by you"]);
    assert_eq!(processes::wait_for_none_below(&scenario.path("state")).await, Vec::<u32>::new());

    let mut run = scenario.program.start(&arguments);
    scenario.journal(&mut run, "\"event\":\"started\",\"step\":\"network\"").await;
    until(|| (!processes::below(&scenario.path("state")).is_empty()).then_some(())).await;
    run.kill();
    let _ = run.end().await;
    assert_eq!(processes::wait_for_none_below(&scenario.path("state")).await, Vec::<u32>::new());
}
