//! Replacements that wait for their end, and what happens meanwhile.

use std::sync::Arc;

use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};

use crate::bench::Bench;
use crate::ids;
use crate::population::fleet;
use crate::replacing::{replace, written};

const ROLLBACK: [&str; 2] = ["rollback", "--yes"];

/// The resume of a copy leaves a machine that is killed then, and arrives while a rollback removes
/// the copies: their controllers would work on them.
pub(crate) async fn with_a_late_resume(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet).await;
    let before = written(&bench.dump(&bench.source, &namespace).await);
    let rule = Rule::when(wakes, Fault::HoldBefore).times(1);
    let late = bench.kill_before(&replace(&namespace), rule).await;
    let rollback = [&ROLLBACK[..], &["--force-unlock"]].concat();
    let mut running = bench.start_until(&rollback, freeing()).await;
    let name = late.path.rsplit('/').next().expect("a path has parts");
    let kind = bench.target.kinds.of("cluster.x-k8s.io/v1beta2", "Cluster");
    let (place, patch) = ((Some(namespace.as_str()), name), (PatchKind::Merge, &late.body));
    let late = bench.target.client.patch(&kind, place, patch, &WriteOptions::default()).await;
    assert!(late.expect_err("the resume of a dead run").is_conflict());
    bench.release();
    running.end().await.expect_success("the rollback");
    assert_eq!(written(&bench.dump(&bench.source, &namespace).await), before);
    assert_eq!(ids(&bench.dump(&bench.target, &namespace).await), Vec::<String>::new());
}

/// The patch that lets the controllers of a Cluster work; one that had an explicit `false` gets its
/// managers back in a second one.
fn wakes(call: &Call) -> bool {
    let paused = call.body["spec"].get("paused");
    call.side == Side::Target
        && call.method == "PATCH"
        && call.path.contains("/clusters/")
        && paused.is_some_and(|paused| *paused != true)
}

/// The first patch that takes the finalizers off a copy.
fn freeing() -> Rule {
    let applies = |call: &Call| {
        let annotations = &call.body["metadata"]["annotations"];
        call.side == Side::Target
            && call.method == "PATCH"
            && annotations.get("clusterctl.cluster.x-k8s.io/delete-for-move").is_some()
    };
    Rule::when(applies, Fault::HoldBefore).times(1)
}
