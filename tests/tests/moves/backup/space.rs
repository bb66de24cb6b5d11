//! No space, no permission. A limit on the size of files stands for a full disk: the kernel refuses
//! to write on, whoever the user is.

use std::path::Path;
use std::sync::Arc;

use kubectl_pivot_tests::arena::Arena;
use kubectl_pivot_tests::program::{Outcome, Program};
use kubectl_pivot_tests::suite::Suite;

use super::{Story, exit, listed, with_story};

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
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
async fn run_with_space(story: &Story, kibibytes: u32, args: &[String]) -> Outcome {
    let home = story.arena.stage().folder(&format!("narrow-{}", story.tag));
    let binary = Program::kubectl_pivot(&home).path().display().to_string();
    let script = format!("trap '' XFSZ; ulimit -f {kibibytes}; exec \"$0\" \"$@\"");
    let words = ["-c".to_owned(), script, binary];
    Program::new(Path::new("/bin/bash"), &home).run(words.iter().chain(args)).await
}

fn move_args(story: &Story, further: &[&str]) -> Vec<String> {
    // Warnings are part of what is tested.
    let args = story.arena.move_args(&story.tag).into_iter().filter(|arg| arg != "--quiet");
    args.chain(further.iter().map(|arg| (*arg).to_owned())).collect()
}

async fn full_under_the_backup(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let before = story.ends().await;
        let folder = story.folder.join("backups");
        let further = ["--backup-dir", &folder.display().to_string(), "-o", "json"];
        let undone = run_with_space(&story, 1, &move_args(&story, &further)).await;
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
        story.check_put_back(&before).await;
        let moved = story.run(move_args(&story, &["--no-backup"])).await;
        moved.expect_success("a move without a backup");
        story.check_nothing_left().await;
    })
    .await;
}

fn expect_undone(outcome: &Outcome) {
    assert_eq!(outcome.code, Some(exit::UNDONE), "{outcome}");
    assert!(outcome.stderr.contains("everything was rolled back"), "{outcome}");
    assert!(outcome.stderr.contains("--no-backup"), "{outcome}");
    assert!(outcome.stderr.contains("--backup-dir"), "{outcome}");
}

async fn full_under_backup(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let before = story.ends().await;
        let failed = run_with_space(&story, 1, &story.backup_args()).await;
        assert_eq!(failed.code, Some(exit::UNDONE), "{failed}");
        assert_eq!(listed(&story.folder), Vec::<String>::new());
        story.check_put_back(&before).await;
    })
    .await;
}

/// Nobody can create folders there, not even root.
async fn no_folder(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let file = story.folder.join("file");
        std::fs::write(&file, "").expect("written");
        let folder = file.join("backups").display().to_string();
        story.arena.tape().begin_run();
        for further in [
            &["--backup-dir", &folder][..],
            &["--backup-dir", &folder, "--dry-run"],
            &["--backup-dir", "/proc/self/backups"],
        ] {
            let refused = story.run(move_args(&story, further)).await;
            assert_eq!(refused.code, Some(super::exit::REFUSED), "{refused}");
            assert!(refused.says("[BackupFolder]") && refused.says("--no-backup"), "{refused}");
        }
        // A home that cannot be written to, as in a container with a read-only root.
        let homeless = story.arena.program().env("HOME", "/proc/self/home");
        let homeless = homeless.env("XDG_STATE_HOME", "");
        for further in [&["--dry-run"][..], &[]] {
            let refused = homeless.run(move_args(&story, further)).await;
            assert_eq!(refused.code, Some(super::exit::REFUSED), "{refused}");
            assert!(refused.says("[BackupFolder]") && refused.says("/proc/self/home"), "{refused}");
        }
        assert_eq!(story.arena.tape().writes().len(), 0);
        story.check_nothing_left().await;
    })
    .await;
}

async fn full_under_the_journal(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let moved = run_with_space(&story, 0, &move_args(&story, &["--no-backup"])).await;
        let moved = moved.expect_success("a move without a journal");
        let told = moved.stderr.matches("continuing without a journal").count();
        assert_eq!(told, 1, "{moved}");
        story.check_nothing_left().await;
    })
    .await;
}
