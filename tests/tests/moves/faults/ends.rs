//! The ends of a run that holds controllers. One that is over gives them back at once; one that is
//! not leaves them still until somebody ends it.

use std::time::{Duration, Instant};

use capi::Object;
use cluster::Client;
use kubectl_pivot_tests::pods::PodOfManager;
use kubectl_pivot_tests::population::class;
use kubectl_pivot_tests::population::shapes::DOCKER;
use kubectl_pivot_tests::program::{Outcome, Program, Running};
use kubectl_pivot_tests::proxied_pair::{PROVIDER_NAMESPACE, ProxiedPair, lease_type};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;

use super::held::{LEASE, remove_lease, start};
use super::neighbours::at_the_last_copy;
use super::panics::{FAILED, ON_PURPOSE};
use super::{FaultBench, Shared, UNDONE, UNFINISHED, check_nothing_left, fresh};

/// Begins the identity under which a run holds a Lease.
const HOLDER: &str = "kubectl-pivot/";
/// Begins the warning of a run that leaves controllers still.
const STILL: &str = "stand still until";
/// Exit code of a run that its user has stopped.
const INTERRUPTED: i32 = 130;
/// The longest until a manager leads again; Leases of a dead run last 50 s in tests.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn add(suite: Suite<FaultBench>) -> Suite<FaultBench> {
    suite
        .thorough("each_end_of_a_run_gives_the_controllers_back", each_end)
        .thorough("controllers_work_between_two_batches", between_batches)
}

/// The ends, each after its way there.
#[derive(Clone, Copy, Debug)]
enum End {
    Success,
    Failure,
    CtrlC,
    Panic,
    KilledThenRolledBack,
    SecondCtrlCThenRolledBack,
    RolledBackByMarks,
    RolledBackWithoutTarget,
    KilledWhileDeletingThenResumed,
    KilledWhileResumingThenResumed,
    UnfinishedThenResumed,
}

/// The ends in the order in which they are tried, and whether they give back the target too: a copy
/// may be on its way to it.
const ENDS: [(End, bool); 11] = [
    (End::Success, true),
    (End::Failure, true),
    (End::CtrlC, true),
    (End::Panic, false),
    (End::KilledThenRolledBack, false),
    (End::SecondCtrlCThenRolledBack, false),
    (End::RolledBackByMarks, false),
    (End::RolledBackWithoutTarget, false),
    (End::KilledWhileDeletingThenResumed, true),
    (End::KilledWhileResumingThenResumed, true),
    (End::UnfinishedThenResumed, true),
];

async fn each_end(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let folder = proxied_pair.fixture().folder("ends");
    let pair = proxied_pair.pair();
    let managers: [PodOfManager; 2] = [
        start(pair.source.kubeconfig(), &folder.join("source")).await,
        start(pair.target.kubeconfig(), &folder.join("target")).await,
    ];
    for (end, gives_target_back) in ENDS {
        wait_until_elected(pair.source.client()).await;
        wait_until_elected(pair.target.client()).await;
        let tag = fresh(proxied_pair).await;
        let outcome = come_to(end, proxied_pair, &tag).await;
        assert!(!is_held(pair.source.client()).await, "{end:?} holds the source: {outcome}");
        let is_target_held = is_held(pair.target.client()).await;
        assert_eq!(is_target_held, !gives_target_back, "{end:?}: {outcome}");
        if matches!(end, End::RolledBackWithoutTarget) {
            let rollback = proxied_pair.program().run(later(proxied_pair, "rollback")).await;
            rollback.expect_success("the rollback in both clusters");
        }
        check_nothing_left(proxied_pair, &tag).await;
        proxied_pair.clean_up(&tag).await;
    }
    wait_until_elected(pair.target.client()).await;
    for manager in managers {
        manager.remove().await;
    }
    for client in [pair.source.client(), pair.target.client()] {
        remove_lease(client).await;
    }
}

/// Every batch holds the source by itself.
async fn between_batches(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let folder = proxied_pair.fixture().folder("holding-batches");
    let pair = proxied_pair.pair();
    let managers: [PodOfManager; 2] = [
        start(pair.source.kubeconfig(), &folder.join("source")).await,
        start(pair.target.kubeconfig(), &folder.join("target")).await,
    ];
    proxied_pair.remove_leases().await;
    let tag = proxied_pair.tag();
    proxied_pair.populate_with(&tag, &class::choosable(&tag)).await;
    wait_until_elected(pair.source.client()).await;
    wait_until_elected(pair.target.client()).await;
    let mut args = args(proxied_pair, &tag);
    args.extend(["--batch-size", "1", "--pause-between", "5"].map(str::to_owned));
    let mut running = proxied_pair.program().start(args);
    let mut holds = 0;
    let outcome = loop {
        let was_held = is_held(pair.source.client()).await;
        tokio::select! {
            outcome = running.end() => break outcome,
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        holds += usize::from(!was_held && is_held(pair.source.client()).await);
    };
    let outcome = outcome.expect_success("the move");
    assert!(holds > 1, "held {holds} times: {outcome}");
    for client in [pair.source.client(), pair.target.client()] {
        assert!(!is_held(client).await, "{outcome}");
    }
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
    for manager in managers {
        manager.remove().await;
    }
    for client in [pair.source.client(), pair.target.client()] {
        remove_lease(client).await;
    }
}

async fn come_to(end: End, proxied_pair: &ProxiedPair, tag: &str) -> Outcome {
    let program = || proxied_pair.program();
    let resume = || async { program().run(later(proxied_pair, "resume")).await };
    let rollback = |flags: &'static [&'static str]| async move {
        let args = later(proxied_pair, "rollback").into_iter();
        let args = args.chain(flags.iter().map(ToString::to_string));
        let outcome = proxied_pair.program().run(args).await.expect_success("the rollback");
        assert!(outcome.says(STILL), "{end:?}: {outcome}");
        outcome
    };
    match end {
        End::Success => moved(&program(), proxied_pair, tag).await.expect_success("the move"),
        End::Failure => {
            proxied_pair.traffic().rule(at_a_copy(Fault::status(422)));
            ended(moved(&program(), proxied_pair, tag).await, UNDONE)
        }
        End::CtrlC => {
            let mut running = move_until(proxied_pair, tag, at_the_last_copy()).await;
            running.interrupt();
            proxied_pair.traffic().release();
            ended(running.end().await, INTERRUPTED)
        }
        End::Panic => {
            let program = program().env(ON_PURPOSE, "verify");
            ended(moved(&program, proxied_pair, tag).await, FAILED)
        }
        End::KilledThenRolledBack => {
            kill_at(proxied_pair, tag, at_the_last_copy()).await;
            rollback(&[]).await
        }
        End::SecondCtrlCThenRolledBack => {
            let mut running = move_until(proxied_pair, tag, at_the_last_copy()).await;
            running.interrupt();
            tokio::time::sleep(Duration::from_millis(500)).await;
            running.interrupt();
            running.end().await;
            proxied_pair.traffic().cut().await;
            check_held(proxied_pair).await;
            rollback(&[]).await
        }
        End::RolledBackByMarks => {
            kill_at(proxied_pair, tag, at_the_last_copy()).await;
            proxied_pair.lose_records().await;
            rollback(&["--from-marks"]).await
        }
        End::RolledBackWithoutTarget => {
            kill_at(proxied_pair, tag, at_the_last_copy()).await;
            let source = proxied_pair.kubeconfig(Side::Source);
            let args = ["rollback", "--kubeconfig", &source, "--target-is-gone=sure"];
            let args = args.iter().chain(&["--force-unlock"]);
            program().run(args).await.expect_success("the rollback in the source")
        }
        End::KilledWhileDeletingThenResumed => {
            let is_deletion = |call: &Call| call.side == Side::Source && call.method == "DELETE";
            let rule = Rule::when(is_deletion, Fault::HoldAfter).skip(3).times(1);
            kill_at(proxied_pair, tag, rule).await;
            resume().await.expect_success("the resume")
        }
        End::KilledWhileResumingThenResumed => {
            kill_at(proxied_pair, tag, at_the_resume_of_a_cluster()).await;
            resume().await.expect_success("the resume")
        }
        End::UnfinishedThenResumed => {
            let program = program().env(ON_PURPOSE, "delete");
            let outcome = ended(moved(&program, proxied_pair, tag).await, UNFINISHED);
            assert!(outcome.says(STILL), "{outcome}");
            check_held(proxied_pair).await;
            resume().await.expect_success("the resume")
        }
    }
}

fn args(proxied_pair: &ProxiedPair, tag: &str) -> Vec<String> {
    let mut args = proxied_pair.move_args(tag);
    args.retain(|arg| arg != "--quiet");
    args.extend(["--hold-controllers", "always"].map(str::to_owned));
    args
}

fn later(proxied_pair: &ProxiedPair, command: &str) -> Vec<String> {
    let mut args = proxied_pair.args(command);
    args.retain(|arg| arg != "--quiet");
    args.push("--force-unlock".to_owned());
    args
}

async fn moved(program: &Program, proxied_pair: &ProxiedPair, tag: &str) -> Outcome {
    program.run(args(proxied_pair, tag)).await
}

fn ended(outcome: Outcome, code: i32) -> Outcome {
    assert_eq!(outcome.code, Some(code), "{outcome}");
    outcome
}

async fn move_until(proxied_pair: &ProxiedPair, tag: &str, rule: Rule) -> Running {
    proxied_pair.traffic().rule(rule);
    let mut running = proxied_pair.program().start(args(proxied_pair, tag));
    tokio::select! {
        outcome = running.end() => panic!("the move has ended before the fault: {outcome}"),
        () = proxied_pair.traffic().held() => running,
    }
}

async fn kill_at(proxied_pair: &ProxiedPair, tag: &str, rule: Rule) {
    let mut running = move_until(proxied_pair, tag, rule).await;
    running.kill();
    running.end().await;
    proxied_pair.traffic().cut().await;
    check_held(proxied_pair).await;
}

async fn check_held(proxied_pair: &ProxiedPair) {
    let pair = proxied_pair.pair();
    for client in [pair.source.client(), pair.target.client()] {
        assert!(is_held(client).await, "the controllers have come back");
    }
}

fn at_a_copy(fault: Fault) -> Rule {
    let is_copy = |call: &Call| {
        call.method == "POST"
            && call.side == Side::Target
            && call.is_write()
            && call.is_about("dockermachines")
            && call.body["apiVersion"] == DOCKER
    };
    Rule::when(is_copy, fault).times(1)
}

fn at_the_resume_of_a_cluster() -> Rule {
    let is_resume = |call: &Call| {
        call.side == Side::Target
            && call.method == "PATCH"
            && call.is_about("clusters")
            && call.body["spec"].is_object()
            && call.body["spec"]["paused"].is_null()
    };
    Rule::when(is_resume, Fault::HoldBefore).times(1)
}

async fn lease(client: &Client) -> Object {
    let lease = client.get(&lease_type(), Some(PROVIDER_NAMESPACE), LEASE).await;
    lease.expect("can be read").expect("the manager has made it")
}

async fn is_held(client: &Client) -> bool {
    let lease = lease(client).await;
    lease.value()["spec"]["holderIdentity"].as_str().is_some_and(|it| it.starts_with(HOLDER))
}

async fn wait_until_elected(client: &Client) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = client.get(&lease_type(), Some(PROVIDER_NAMESPACE), LEASE).await;
        let found = found.expect("can be read");
        let holder = found.as_ref().map(|lease| &lease.value()["spec"]["holderIdentity"]);
        let holder = holder.and_then(|holder| holder.as_str()).unwrap_or_default();
        if !holder.is_empty() && !holder.starts_with(HOLDER) {
            return;
        }
        assert!(Instant::now() < deadline, "no manager leads: {holder}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
