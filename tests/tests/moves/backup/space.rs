//! No space, no permission. A limit on the size of files stands for a full disk: the kernel refuses
//! to write on, whoever the user is.

use std::path::Path;
use std::sync::Arc;

use kubectl_pivot_tests::program::{Outcome, Program};
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::suite::Suite;

use super::{Scenario, exit, listed, with_scenario};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .case("a_full_disk_under_the_backup_undoes_the_move", full_under_the_backup)
        .thorough("a_full_disk_under_backup_resumes_the_source", full_under_backup)
        .thorough("a_folder_that_can_hold_no_backup_is_found_before_the_move", no_folder)
        .thorough(
            "a_full_disk_under_the_journal_is_reported_once_and_harms_nothing",
            full_under_the_journal,
        )
}

/// Runs our binary with files of at most so many KiB.
async fn run_with_space(scenario: &Scenario, kibibytes: u32, args: &[String]) -> Outcome {
    let home = scenario.proxied_pair.fixture().folder(&format!("narrow-{}", scenario.tag));
    let binary = Program::kubectl_pivot(&home).path().display().to_string();
    let script = format!("trap '' XFSZ; ulimit -f {kibibytes}; exec \"$0\" \"$@\"");
    let words = ["-c".to_owned(), script, binary];
    Program::new(Path::new("/bin/bash"), &home).run(words.iter().chain(args)).await
}

fn move_args(scenario: &Scenario, further: &[&str]) -> Vec<String> {
    // Warnings are part of what is tested.
    let args =
        scenario.proxied_pair.move_args(&scenario.tag).into_iter().filter(|arg| arg != "--quiet");
    args.chain(further.iter().map(|arg| (*arg).to_owned())).collect()
}

async fn full_under_the_backup(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let folder = scenario.folder.join("backups");
        let further = ["--backup-dir", &folder.display().to_string(), "-o", "json"];
        let undone = run_with_space(&scenario, 1, &move_args(&scenario, &further)).await;
        expect_undone(&undone);
        assert!(undone.stderr.contains("File too large"), "{undone}");
        let report = undone.json();
        assert_eq!(report["outcome"], "undone", "{undone}");
        assert_eq!(report.get("backup"), None, "{undone}");
        assert!(
            report["error"]["message"].as_str().is_some_and(|m| m.contains("backup")),
            "{undone}"
        );
        assert_eq!(listed(&folder), Vec::<String>::new());
        scenario.check_put_back(&before).await;
        let moved = scenario.run(move_args(&scenario, &["--no-backup"])).await;
        moved.expect_success("a move without a backup");
        scenario.check_nothing_left().await;
    })
    .await;
}

fn expect_undone(outcome: &Outcome) {
    assert_eq!(outcome.code, Some(exit::UNDONE), "{outcome}");
    assert!(outcome.stderr.contains("everything was rolled back"), "{outcome}");
    assert!(outcome.stderr.contains("--no-backup"), "{outcome}");
    assert!(outcome.stderr.contains("--backup-dir"), "{outcome}");
}

async fn full_under_backup(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let failed = run_with_space(&scenario, 1, &scenario.backup_args()).await;
        assert_eq!(failed.code, Some(exit::UNDONE), "{failed}");
        assert_eq!(listed(&scenario.folder), Vec::<String>::new());
        scenario.check_put_back(&before).await;
    })
    .await;
}

/// Nobody can create folders there, not even root.
async fn no_folder(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let file = scenario.folder.join("file");
        std::fs::write(&file, "").expect("written");
        let folder = file.join("backups").display().to_string();
        scenario.proxied_pair.traffic().begin_run();
        for further in [
            &["--backup-dir", &folder][..],
            &["--backup-dir", &folder, "--dry-run"],
            &["--backup-dir", "/proc/self/backups"],
        ] {
            let refused = scenario.run(move_args(&scenario, further)).await;
            assert_eq!(refused.code, Some(super::exit::REFUSED), "{refused}");
            assert!(refused.says("[BackupFolder]") && refused.says("--no-backup"), "{refused}");
        }
        // A home that cannot be written to, as in a container with a read-only root.
        let homeless = scenario.proxied_pair.program().env("HOME", "/proc/self/home");
        let homeless = homeless.env("XDG_STATE_HOME", "");
        for further in [&["--dry-run"][..], &[]] {
            let refused = homeless.run(move_args(&scenario, further)).await;
            assert_eq!(refused.code, Some(super::exit::REFUSED), "{refused}");
            assert!(refused.says("[BackupFolder]") && refused.says("/proc/self/home"), "{refused}");
        }
        assert_eq!(scenario.proxied_pair.traffic().writes().len(), 0);
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn full_under_the_journal(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let moved = run_with_space(&scenario, 0, &move_args(&scenario, &["--no-backup"])).await;
        let moved = moved.expect_success("a move without a journal");
        let told = moved.stderr.matches("continuing without a journal").count();
        assert_eq!(told, 1, "{moved}");
        scenario.check_nothing_left().await;
    })
    .await;
}
