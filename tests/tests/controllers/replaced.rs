//! A management cluster that is replaced, among real managers: those of the old cluster leave alone
//! what was left there, until somebody goes back or deletes it.

use std::sync::Arc;

use crate::bench::{Bench, Direction};
use crate::held::{BOTH, QUIET, create, remove, wait_until_reconciled};
use crate::machines::Scenario;

const CHECKS: [&str; 6] = ["--settle", "5", "--timeout", "120", "--trust-pause", "*"];

pub(crate) async fn rolled_back_and_deleted(bench: Arc<Bench>) {
    bench.run_as_pods().await;
    let scenario = bench.begin().await;
    for direction in BOTH {
        create(&bench.side(direction).client, "before").await;
        wait_until_reconciled(bench.side(direction), "before").await;
    }
    replace(&bench, &scenario, "once").await;
    // The controllers of the target have worked on the copies, and changed nothing that a user
    // writes.
    bench.run("rollback").await.expect_success("the rollback");
    wait_until_reconciled(bench.side(Direction::From), "once").await;
    scenario.check_taken_over_by(&bench, Direction::From).await;
    for direction in BOTH {
        remove(bench.side(direction)).await;
    }
    // The target gets all copies a second time.
    let scenario = bench.begin().await;
    replace(&bench, &scenario, "twice").await;
    bench.delete_old(&["--delete-old", "--yes"]).await.expect_success("the deletion");
    for direction in BOTH {
        wait_until_reconciled(bench.side(direction), "twice").await;
        remove(bench.side(direction)).await;
    }
    bench.turn();
    scenario.check_taken_over(&bench).await;
}

/// Replaces the old cluster, and lets both sides work for a while. A set that nobody has paused
/// gets its finalizer on both.
async fn replace(bench: &Bench, scenario: &Scenario, name: &str) {
    bench.run_with("replace", &CHECKS).await.expect_success("the replacement");
    let (old, new) = (bench.side(Direction::From), bench.side(Direction::To));
    for side in [old, new] {
        create(&side.client, name).await;
        wait_until_reconciled(side, name).await;
    }
    tokio::time::sleep(QUIET).await;
    scenario.check_taken_over_by(bench, Direction::To).await;
}
