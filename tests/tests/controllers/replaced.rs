//! A management cluster that is replaced, among real managers that elect a leader: those of the old
//! cluster stay still after the program has ended, until somebody goes back or deletes what was
//! left.

use std::sync::Arc;

use crate::bench::{Bench, Direction};
use crate::held::{BOTH, HOLDER, QUIET, create, elected, get, remove, wait_until_reconciled};
use crate::machines::Story;

const CHECKS: [&str; 4] = ["--settle", "5", "--timeout", "120"];

pub(crate) async fn rolled_back_and_deleted(bench: Arc<Bench>) {
    bench.run_as_pods().await;
    let story = bench.begin().await;
    for direction in BOTH {
        create(&bench.side(direction).client, "before").await;
        wait_until_reconciled(bench.side(direction), "before").await;
    }
    replace(&bench, &story, "once").await;
    // The controllers of the target have worked on the copies, and changed nothing that a user
    // writes.
    bench.run("rollback").await.expect_success("the rollback");
    wait_until_reconciled(bench.side(Direction::From), "once").await;
    story.check_taken_over_by(&bench, Direction::From).await;
    for direction in BOTH {
        remove(bench.side(direction)).await;
    }
    // The target gets all copies a second time.
    let story = bench.begin().await;
    replace(&bench, &story, "twice").await;
    bench.delete_old(&["--delete-old", "--yes"]).await.expect_success("the deletion");
    for direction in BOTH {
        wait_until_reconciled(bench.side(direction), "twice").await;
        remove(bench.side(direction)).await;
    }
    bench.turn();
    story.check_taken_over(&bench).await;
}

/// Replaces the old cluster, and looks at who works on either side: a set tells, which gets its
/// finalizer at once.
async fn replace(bench: &Bench, story: &Story, name: &str) {
    bench.run_with("replace", &CHECKS).await.expect_success("the replacement");
    let (old, new) = (bench.side(Direction::From), bench.side(Direction::To));
    let holders = elected(old).await;
    assert_eq!(holders.len(), 3, "{holders:?}");
    assert!(holders.iter().all(|holder| holder.starts_with(HOLDER)), "{holders:?}");
    for side in [old, new] {
        create(&side.client, name).await;
    }
    wait_until_reconciled(new, name).await;
    tokio::time::sleep(QUIET).await;
    let set = get(old, name).await.expect("it was created");
    assert_eq!(set.finalizers(), [] as [&str; 0], "a controller of the old cluster works");
    story.check_taken_over_by(bench, Direction::To).await;
}
