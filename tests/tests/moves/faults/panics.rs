//! A bug in a phase: before the commit everything is put back, after it a resume brings the run to
//! its end.

use kubectl_pivot_tests::suite::Suite;
use serde_json::json;

use super::{FaultBench, Shared, UNFINISHED, check_moved, check_nothing_left, fresh};

/// Exit code of what this program does not expect.
pub(super) const FAILED: i32 = 1;

/// Names the phase after which the program panics.
pub(super) const ON_PURPOSE: &str = "KUBECTL_PIVOT_TEST_PANIC";

pub(crate) fn add(suite: Suite<FaultBench>) -> Suite<FaultBench> {
    suite
        .case("a_panic_before_the_commit_is_put_back", |fault_bench| async move {
            put_back(&fault_bench, "handOver").await;
        })
        .thorough("a_panic_in_each_phase_before_the_commit_is_put_back", |fault_bench| async move {
            for phase in ["pause", "quiesce", "copy", "verify"] {
                put_back(&fault_bench, phase).await;
            }
        })
        .thorough("a_panic_after_the_commit_is_resumed", resumed)
}

async fn put_back(fault_bench: &Shared, phase: &str) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let before = proxied_pair.ends(&tag).await;
    let mut args = proxied_pair.move_args(&tag);
    args.extend(["-o", "json"].map(str::to_owned));
    let outcome = proxied_pair.program().env(ON_PURPOSE, phase).run(args).await;
    assert_eq!(outcome.code, Some(FAILED), "{phase}: {outcome}");
    assert!(outcome.says(&format!("the phase {phase} panic")), "{outcome}");
    let report = outcome.json();
    assert_eq!(report["outcome"], json!("undone"), "{phase}: {outcome}");
    before.check_put_back(&proxied_pair.ends(&tag).await).unwrap_or_else(|text| {
        panic!("{text}\nafter {phase}: {outcome}");
    });
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

async fn resumed(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    for phase in ["delete", "resume"] {
        let tag = fresh(proxied_pair).await;
        let outcome =
            proxied_pair.program().env(ON_PURPOSE, phase).run(proxied_pair.move_args(&tag)).await;
        assert_eq!(outcome.code, Some(UNFINISHED), "{phase}: {outcome}");
        assert!(outcome.says("kubectl pivot resume"), "{phase}: {outcome}");
        let resumed = proxied_pair.program().run(proxied_pair.args("resume")).await;
        resumed.expect_success("to resume after a panic");
        check_moved(&fault_bench, &tag).await;
        proxied_pair.clean_up(&tag).await;
    }
}
