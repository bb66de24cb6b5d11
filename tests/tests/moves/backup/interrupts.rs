//! Ctrl-C and kill -9 during a backup or restore, and a second run meanwhile.

use std::sync::Arc;
use std::time::Duration;

use capi::names::PAUSED_BY_ANNOTATION;
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::{Fault, Side, Write};
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::terminal::{CTRL_C, Terminal};

use super::{at_the_pause, exit, listed, while_creating, with_scenario};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .thorough("ctrl_c_during_a_backup_resumes_the_source", ctrl_c)
        .case("ctrl_c_at_the_question_ends_the_program_at_once", ctrl_c_at_the_question)
        .case("a_second_run_is_refused_during_a_backup", second_run)
        .case("a_killed_backup_is_reported_and_rolled_back", killed_backup)
        .thorough("a_killed_write_to_a_directory_is_rolled_back", killed_to_directory)
        .thorough("a_killed_restore_is_continued_by_restoring_again", killed_restore)
        .thorough("a_restore_by_a_host_whose_clock_was_ahead_is_continued", clock_ahead)
        .thorough("a_restore_that_panics_removes_what_it_has_created", panicked_restore)
        .thorough("a_restore_killed_after_its_commit_is_continued", killed_after_the_commit)
        .thorough("a_killed_restore_is_rolled_back", restore_rolled_back)
        .case("ctrl_c_during_a_restore_removes_what_it_has_created", ctrl_c_in_restore)
}

async fn ctrl_c(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let program = scenario.proxied_pair.program();
        let rule = at_the_pause(Fault::HoldAfter);
        let mut running = scenario.start_until(&program, scenario.backup_args(), rule).await;
        running.interrupt();
        scenario.proxied_pair.traffic().release();
        let outcome = running.end().await;
        assert_eq!(outcome.code, Some(exit::INTERRUPTED), "{outcome}");
        assert_eq!(outcome.json()["outcome"], "undone", "{outcome}");
        scenario.check_put_back(&before).await;
        assert_eq!(listed(&scenario.folder), Vec::<String>::new());
    })
    .await;
}

/// On a real terminal, since nothing is asked without one.
async fn ctrl_c_at_the_question(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let mut terminal =
            Terminal::start(&scenario.proxied_pair.program(), scenario.backup_args());
        terminal.wait_for("? [y/N] ").await;
        terminal.press(CTRL_C).await;
        let (code, screen) = terminal.end().await;
        assert_eq!(code, Some(exit::INTERRUPTED), "{screen}");
        assert!(screen.contains("nothing was changed"), "{screen}");
        scenario.check_put_back(&before).await;
        assert_eq!(listed(&scenario.folder), Vec::<String>::new());

        let mut terminal =
            Terminal::start(&scenario.proxied_pair.program(), scenario.backup_args());
        terminal.wait_for("? [y/N] ").await;
        terminal.press(b"y\n").await;
        let (code, screen) = terminal.end().await;
        assert_eq!(code, Some(0), "{screen}");
        assert_eq!(listed(&scenario.folder), ["backup"]);
    })
    .await;
}

async fn second_run(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let program = scenario.proxied_pair.program();
        let rule = at_the_pause(Fault::HoldBefore);
        let mut running = scenario.start_until(&program, scenario.backup_args(), rule).await;
        // The first run goes on pausing and renewing its lock.
        let mark = |write: &Write| {
            let mark = &write.call.body["metadata"]["annotations"][PAUSED_BY_ANNOTATION];
            mark.as_str().and_then(|mark| mark.split('/').next()).map(str::to_owned)
        };
        let first =
            scenario.proxied_pair.traffic().writes().iter().find_map(mark).expect("a pause");
        let is_first =
            |write: &&Write| write.number.is_none() || mark(write).as_ref() == Some(&first);
        let written = || {
            let writes = scenario.proxied_pair.traffic().writes();
            writes.iter().filter(|write| !is_first(write)).count()
        };
        let held = written();
        let other = scenario.folder.join("other").display().to_string();
        let to_directory = ["-n", &scenario.tag, "--to-directory", &other];
        for args in [
            scenario.args(Side::Source, "backup", &[&other, "-n", &scenario.tag]),
            scenario.args(Side::Source, "move", &to_directory),
            scenario.proxied_pair.move_args(&scenario.tag),
        ] {
            let refused = scenario.run(args).await;
            assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
            assert!(refused.says(&format!("pid {}", running.pid())), "{refused}");
            assert!(refused.says("Locked"), "{refused}");
        }
        assert_eq!(written(), held, "only the first run writes");
        scenario.proxied_pair.traffic().release();
        running.end().await.expect_success("the first backup");
        scenario.check_put_back(&before).await;
    })
    .await;
}

async fn killed_backup(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let rule = at_the_pause(Fault::HoldAfter);
        scenario.kill_at(&scenario.proxied_pair.program(), scenario.backup_args(), rule).await;
        scenario.proxied_pair.free_leases().await;
        let args = |command, further: &[&str]| scenario.args(Side::Source, command, further);
        let status =
            scenario.run(args("status", &["-o", "json"])).await.expect_success("status").json();
        let clusters = status["clusters"].as_array().expect("a list");
        assert_eq!(clusters.len(), 1, "{status:#}");
        let run = &clusters[0]["run"];
        assert_eq!(run["operation"], "backup", "{status:#}");
        assert_eq!(run["peer"], scenario.directory().display().to_string(), "{status:#}");
        let paused = clusters[0]["paused"].as_array().into_iter().flatten();
        let by_run = paused.filter(|paused| paused["byRun"] == run["id"]).count();
        assert!(by_run > 0, "{status:#}");
        let text = scenario.run(args("status", &[])).await.expect_success("status");
        assert!(text.says("Roll back the backup"), "{text}");
        let resume = scenario.run(args("resume", &[])).await;
        assert_eq!(resume.code, Some(exit::REFUSED), "{resume}");
        for refused in [resume, scenario.run(scenario.backup_args()).await, moved(&scenario).await]
        {
            assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
            assert!(refused.says("kubectl pivot rollback --kubeconfig"), "{refused}");
        }
        let rollback = scenario.run(args("rollback", &[])).await.expect_success("rollback");
        assert!(rollback.says("Rolled back the backup"), "{rollback}");
        scenario.check_put_back(&before).await;
        scenario.back_up().await;
    })
    .await;
}

async fn moved(scenario: &super::Scenario) -> kubectl_pivot_tests::program::Outcome {
    scenario.run(scenario.proxied_pair.move_args(&scenario.tag)).await
}

async fn killed_to_directory(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let directory = scenario.directory().display().to_string();
        let further = ["-n", &scenario.tag, "--to-directory", &directory];
        let args = scenario.args(Side::Source, "move", &further);
        let rule = at_the_pause(Fault::HoldAfter);
        scenario.kill_at(&scenario.proxied_pair.program(), args.clone(), rule).await;
        // With both kubeconfigs it is found too.
        let mut rollback = scenario.proxied_pair.args("rollback");
        rollback.push("--force-unlock".to_owned());
        scenario.run(rollback).await.expect_success("rollback");
        scenario.check_put_back(&before).await;
        scenario.run(args).await.expect_success("a second try");
        scenario.check_put_back(&before).await;
    })
    .await;
}

async fn killed_restore(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        scenario.back_up().await;
        let args = || scenario.restore_args(Side::Target, &scenario.directory());
        for skip in [0, 4, 9] {
            let rule = while_creating(Side::Target, skip, Fault::HoldAfter);
            scenario.kill_at(&scenario.proxied_pair.program(), args(), rule).await;
            let early = scenario.run(args()).await;
            assert_eq!(early.code, Some(exit::REFUSED), "its lock has not expired: {early}");
            scenario.proxied_pair.free_leases().await;
        }
        let resume = scenario.run(scenario.args(Side::Target, "resume", &[])).await;
        assert_eq!(resume.code, Some(exit::REFUSED), "{resume}");
        let directory = scenario.directory().display().to_string();
        assert!(resume.says(&format!("restore {directory} again")), "{resume}");
        scenario.run(args()).await.expect_success("the restore");
        scenario.check_restored(
            &scenario.directory(),
            &before.source,
            &scenario.ends().await.target,
        );
        scenario.check_no_marks_left().await;
    })
    .await;
}

/// The Lease was renewed in three hours, by this machine's clock.
async fn clock_ahead(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        scenario.back_up().await;
        let args = || scenario.restore_args(Side::Target, &scenario.directory());
        let rule = while_creating(Side::Target, 4, Fault::HoldAfter);
        scenario.kill_at(&scenario.proxied_pair.program(), args(), rule).await;
        scenario.proxied_pair.renew_leases_ahead(Duration::from_secs(3 * 60 * 60)).await;
        scenario.run(args()).await.expect_success("the restore");
        scenario.check_restored(
            &scenario.directory(),
            &before.source,
            &scenario.ends().await.target,
        );
        scenario.check_no_marks_left().await;
    })
    .await;
}

async fn panicked_restore(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.back_up().await;
        let before = scenario.ends().await;
        for phase in ["copy", "verify"] {
            let program = scenario.proxied_pair.program().env("KUBECTL_PIVOT_TEST_PANIC", phase);
            let args = scenario.restore_args(Side::Target, &scenario.directory());
            let outcome = program.run(args).await;
            assert_eq!(outcome.code, Some(exit::FAILED), "{phase}: {outcome}");
            scenario.check_put_back(&before).await;
        }
    })
    .await;
}

/// The commit of a restore is in the record: no rollback any more.
async fn killed_after_the_commit(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        scenario.back_up().await;
        let args = || scenario.restore_args(Side::Target, &scenario.directory());
        let is_seal = |call: &kubectl_pivot_tests::proxy::Call| {
            call.method == "PATCH" && !call.body["metadata"]["managedFields"].is_null()
        };
        let rule = kubectl_pivot_tests::proxy::Rule::when(is_seal, Fault::HoldAfter);
        scenario.kill_at(&scenario.proxied_pair.program(), args(), rule.skip(5).times(1)).await;
        scenario.proxied_pair.free_leases().await;
        let late = scenario.run(scenario.args(Side::Target, "rollback", &[])).await;
        assert_eq!(late.code, Some(exit::REFUSED), "{late}");
        assert!(late.says("point of no return") && late.says("again"), "{late}");
        scenario.run(args()).await.expect_success("the restore");
        scenario.check_restored(
            &scenario.directory(),
            &before.source,
            &scenario.ends().await.target,
        );
        scenario.check_no_marks_left().await;
    })
    .await;
}

async fn restore_rolled_back(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.back_up().await;
        let before = scenario.ends().await;
        let args = scenario.restore_args(Side::Target, &scenario.directory());
        let rule = while_creating(Side::Target, 9, Fault::HoldAfter);
        scenario.kill_at(&scenario.proxied_pair.program(), args, rule).await;
        let rollback = scenario.args(Side::Target, "rollback", &["--force-unlock"]);
        scenario.run(rollback).await.expect_success("rollback");
        scenario.check_put_back(&before).await;
    })
    .await;
}

async fn ctrl_c_in_restore(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.back_up().await;
        let before = scenario.ends().await;
        let args = scenario.restore_args(Side::Target, &scenario.directory());
        let rule = while_creating(Side::Target, 9, Fault::HoldAfter);
        let mut running = scenario.start_until(&scenario.proxied_pair.program(), args, rule).await;
        running.interrupt();
        scenario.proxied_pair.traffic().release();
        let outcome = running.end().await;
        assert_eq!(outcome.code, Some(exit::INTERRUPTED), "{outcome}");
        scenario.check_put_back(&before).await;
    })
    .await;
}
