//! The number of backups that stay: the limit that a move keeps, and `backup prune`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kubectl_pivot_tests::program::Program;
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::suite::Suite;
use transfer::MANIFEST;

use super::{exit, listed, manifest, with_scenario};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite.thorough("a_move_keeps_the_newest_backups_of_its_source", limit)
}

/// Copies a backup as one of another run, time and source, and maybe with a file of somebody else.
fn older(of: &Path, run: &str, time: &str, server: &str) -> PathBuf {
    let made = manifest(of);
    let copy = of.with_file_name(run);
    fs::create_dir(&copy).expect("created");
    for file in listed(of) {
        fs::copy(of.join(&file), copy.join(&file)).expect("copied");
    }
    let text = fs::read_to_string(copy.join(MANIFEST)).expect("a manifest");
    let mut text = text.replace(made["time"].as_str().expect("a time"), time);
    text = text.replace(made["server"].as_str().expect("a server"), server);
    text = text.replace(made["run"].as_str().expect("a run"), run);
    fs::write(copy.join(MANIFEST), text).expect("written");
    copy
}

async fn limit(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let program = scenario.proxied_pair.program();
        let folder = program.home().join("state/kubectl-pivot/backups");
        // Of the same cluster, since another tag has another backup and the same server.
        let mut args = scenario.backup_args();
        args[4] = folder.join("first").display().to_string();
        program.run(args).await.expect_success("the backup");
        let first = folder.join("first");
        let server = manifest(&first)["server"].as_str().expect("a server").to_owned();
        older(&first, "old", "2026-01-01T00:00:00Z", &server);
        let noted = older(&first, "noted", "2026-01-02T00:00:00Z", &server);
        fs::write(noted.join("notes.txt"), "mine").expect("written");
        older(&first, "other", "2026-01-03T00:00:00Z", "https://other.invalid:6443");

        let mut args = scenario.proxied_pair.move_args(&scenario.tag);
        args.retain(|arg| arg != "--quiet");
        args.extend(["--keep-backups", "2"].map(str::to_owned));
        let moved = program.run(args).await.expect_success("the move");
        assert!(moved.says("deleted the backup old of 2026-01-01T00:00:00Z"), "{moved}");
        assert!(moved.says("noted: it holds notes.txt"), "{moved}");
        let mut left = listed(&folder);
        left.retain(|name| !["first", "noted", "other"].contains(&name.as_str()));
        assert_eq!(left.len(), 1, "the one of the move: {left:?}");
        prune(&program, &folder, &left[0]).await;
    })
    .await;
}

async fn prune(program: &Program, folder: &Path, of_move: &str) {
    let prune = |further: &[&str]| {
        let args = ["backup", "prune"].iter().chain(further).map(|arg| (*arg).to_owned());
        program.run(args.collect::<Vec<_>>())
    };
    fs::remove_file(folder.join("noted/notes.txt")).expect("removed");
    let before = listed(folder);
    let dry = prune(&["--keep", "1", "--dry-run"]).await.expect_success("a dry run");
    assert!(dry.says("Would delete 2 backups; 2 are kept"), "{dry}");
    let silent = prune(&["--keep", "1"]).await;
    assert_eq!(silent.code, Some(exit::USAGE), "nobody was asked: {silent}");
    let none = prune(&["--yes"]).await;
    assert_eq!(none.code, Some(exit::USAGE), "no rule: {none}");
    assert_eq!(listed(folder), before);
    let aged = prune(&["--older-than", "30d", "--keep", "1", "--yes"]).await;
    let aged = aged.expect_success("by age");
    assert!(aged.says("Deleted 1 backups; 3 are kept"), "{aged}");
    prune(&["--keep", "1", "--yes"]).await.expect_success("by number");
    let mut left = vec![of_move.to_owned(), "other".to_owned()];
    left.sort();
    assert_eq!(listed(folder), left);
}
