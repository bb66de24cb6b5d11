//! A bug in a phase: before the commit everything is put back, after it a resume brings the run to
//! its end.

use kubectl_pivot_tests::suite::Suite;
use serde_json::json;

use super::{Shared, Stormy, UNFINISHED, check_moved, check_nothing_left, fresh};

/// Exit code of what this program does not expect.
const FAILED: i32 = 1;

/// Names the phase after which the program panics.
const ON_PURPOSE: &str = "KUBECTL_PIVOT_TEST_PANIC";

pub(crate) fn add(suite: Suite<Stormy>) -> Suite<Stormy> {
    suite
        .case("a_panic_before_the_commit_is_put_back", |stormy| async move {
            put_back(&stormy, "handOver").await;
        })
        .thorough("a_panic_in_each_phase_before_the_commit_is_put_back", |stormy| async move {
            for phase in ["pause", "quiesce", "copy", "verify"] {
                put_back(&stormy, phase).await;
            }
        })
        .thorough("a_panic_after_the_commit_is_resumed", resumed)
}

async fn put_back(stormy: &Shared, phase: &str) {
    let arena = &stormy.arena;
    let tag = fresh(arena).await;
    let before = arena.ends(&tag).await;
    let mut args = arena.move_args(&tag);
    args.extend(["-o", "json"].map(str::to_owned));
    let outcome = arena.program().env(ON_PURPOSE, phase).run(args).await;
    assert_eq!(outcome.code, Some(FAILED), "{phase}: {outcome}");
    assert!(outcome.says(&format!("the phase {phase} panic")), "{outcome}");
    let report = outcome.json();
    assert_eq!(report["outcome"], json!("undone"), "{phase}: {outcome}");
    before.check_put_back(&arena.ends(&tag).await).unwrap_or_else(|text| {
        panic!("{text}\nafter {phase}: {outcome}");
    });
    check_nothing_left(arena, &tag).await;
    arena.clean_up(&tag).await;
}

async fn resumed(stormy: Shared) {
    let arena = &stormy.arena;
    for phase in ["delete", "resume"] {
        let tag = fresh(arena).await;
        let outcome = arena.program().env(ON_PURPOSE, phase).run(arena.move_args(&tag)).await;
        assert_eq!(outcome.code, Some(UNFINISHED), "{phase}: {outcome}");
        assert!(outcome.says("kubectl pivot resume"), "{phase}: {outcome}");
        let resumed = arena.program().run(arena.args("resume")).await;
        resumed.expect_success("to resume after a panic");
        check_moved(&stormy, &tag).await;
        arena.clean_up(&tag).await;
    }
}
