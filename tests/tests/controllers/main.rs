//! Moves of a cluster that Cluster API's own controllers have provisioned, in a sandbox with
//! controllers: no Machine is created or deleted, and the other side's controllers take over.

mod bench;
mod classes;
mod held;
mod machines;
mod replaced;
mod resource_set;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::{Bench, Direction};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule};
use kubectl_pivot_tests::suite::Suite;

/// From one continent to another, or a slow VPN.
const ROUND_TRIP: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    Suite::new()
        .case("controllers_have_stopped_before_the_first_copy", stopped_before_the_first_copy)
        // These two in this order, and no other case, with an older source: there is no way back
        // into it.
        .thorough("a_move_that_is_killed_is_rolled_back", rolled_back)
        .thorough("a_move_that_is_killed_again_and_again_is_resumed", killed_and_resumed)
        .thorough("a_stopped_controller_does_not_stop_the_move", stopped_controller)
        .case("a_move_between_clusters_far_apart", far_apart)
        .case("a_resource_set_is_not_applied_while_it_moves", resource_set::moves)
        .thorough("a_class_is_reconciled_before_its_cluster_arrives", classes::reconciled_first)
        .thorough("controllers_that_are_held_reconcile_nothing", held::nothing_is_reconciled)
        .thorough(
            "a_move_that_holds_controllers_is_killed_and_rolled_back",
            held::killed_and_rolled_back,
        )
        .thorough(
            "a_replaced_cluster_is_left_alone_until_its_end",
            replaced::rolled_back_and_deleted,
        )
        .run(|| Box::pin(Bench::set()))
}

async fn stopped_before_the_first_copy(bench: Arc<Bench>) {
    let scenario = bench.begin().await;
    let mut running = bench.start_until("move", &[], rule(&bench, While::Copying, 0)).await;
    let source = bench.side(Direction::From);
    let talkative = machines::conditions(source, "Paused").await;
    bench.traffic().release();
    running.end().await.expect_success("the move");
    // Cluster, DevCluster, KubeadmControlPlane, MachineDeployment, MachineSet, and for each of
    // three Machines itself, its DevMachine and its KubeadmConfig.
    assert_eq!(talkative.len(), 5 + 3 * 3, "{talkative:#?}");
    for (object, status) in &talkative {
        assert_eq!(status, "True", "{object}");
    }
    bench.turn();
    scenario.check_taken_over(&bench).await;
}

async fn killed_and_resumed(bench: Arc<Bench>) {
    let scenario = bench.begin().await;
    for (command, point, skip) in [
        ("move", While::Copying, 7),
        ("resume", While::HandingOver, 3),
        ("resume", While::Deleting, 9),
        ("resume", While::Resuming, 0),
    ] {
        bench.kill_at(command, rule(&bench, point, skip)).await;
    }
    bench.run("resume").await.expect_success("the last resume");
    bench.turn();
    scenario.check_taken_over(&bench).await;
}

async fn rolled_back(bench: Arc<Bench>) {
    let scenario = bench.begin().await;
    bench.kill_at("move", rule(&bench, While::Copying, 12)).await;
    bench.run("rollback").await.expect_success("the rollback");
    scenario.check_taken_over_by(&bench, Direction::From).await;
}

/// Without its controller an object's condition stays as it is. That is no reason not to move.
async fn stopped_controller(bench: Arc<Bench>) {
    let scenario = bench.begin().await;
    let manager = bench.suspend("kubeadm-bootstrap-manager");
    let flags = ["--pause-timeout", "2", "-o", "json"];
    let mut running = bench.start_until("move", &flags, rule(&bench, While::HandingOver, 0)).await;
    // What is deleted now passes the webhooks of that manager.
    drop(manager);
    bench.traffic().release();
    let report = running.end().await.expect_success("the move").json();
    let findings = report["findings"].as_array().expect("a list");
    assert!(findings.iter().any(|finding| finding["rule"] == "ControllersSilent"), "{findings:#?}");
    bench.turn();
    scenario.check_taken_over(&bench).await;
}

/// Controllers have time between any two writes of the program.
async fn far_apart(bench: Arc<Bench>) {
    let scenario = bench.begin().await;
    bench.traffic().set_latency(ROUND_TRIP);
    let begun = Instant::now();
    let moved = bench.run("move").await;
    let took = begun.elapsed();
    bench.traffic().set_latency(Duration::ZERO);
    moved.expect_success("the move");
    let writes = bench.traffic().writes().len();
    assert!(took > ROUND_TRIP * u32::try_from(writes / 2).expect("few writes"), "{took:?}");
    bench.turn();
    scenario.check_taken_over(&bench).await;
}

/// Work of a move when something happens to it.
#[derive(Clone, Copy)]
enum While {
    Copying,
    HandingOver,
    Deleting,
    Resuming,
}

/// Keeps the request behind the first `skip` ones of a kind.
fn rule(bench: &Bench, doing: While, skip: usize) -> Rule {
    let (from, to) = (bench.place(Direction::From), bench.place(Direction::To));
    let applies = move |call: &Call| {
        call.is_write()
            && !call.is_lease()
            && match doing {
                While::Copying => call.method == "POST" && call.side == to,
                While::HandingOver => call.method == "PATCH" && call.side == to,
                While::Deleting => call.method == "DELETE" && call.side == from,
                While::Resuming => {
                    call.side == to
                        && call.is_about("clusters")
                        && call.body["spec"]["paused"].is_null()
                        && call.body["spec"].is_object()
                }
            }
    };
    let fault = if matches!(doing, While::Copying) && skip == 0 {
        Fault::HoldBefore
    } else {
        Fault::HoldAfter
    };
    Rule::when(applies, fault).skip(skip).times(1)
}
