//! Files of the older version into the target.

use std::sync::Arc;

use crate::bench::Bench;
use crate::ids;
use crate::population::{fleet, fleet_at_rest};
use crate::same::contents;

/// There and back: the backup that a move makes leads back into the older version, which no move
/// does.
pub(crate) async fn led_back(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet_at_rest).await;
    let before = contents(&bench.dump(&bench.source, &namespace).await, &namespace);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path().display().to_string();
    let there = ["move", "-n", &namespace, "--yes", "-o", "json", "--backup-dir", &place];
    let report = bench.run(&there).await.expect_success("the move").json();
    assert_eq!(ids(&bench.dump(&bench.source, &namespace).await), Vec::<String>::new());
    let back = bench.run_back(&["move", "-n", &namespace, "--dry-run"]).await;
    assert_eq!(back.code, Some(3), "{back}");
    assert!(back.says("[ProviderOlder]"), "{back}");
    let backup = report["backup"].as_str().expect("the move has made one");
    let restore = ["move", "--from-directory", backup, "--yes"];
    let restored = bench.run_on(&bench.source, "--to-kubeconfig", &restore).await;
    restored.expect_success("the restore");
    let after = contents(&bench.dump(&bench.source, &namespace).await, &namespace);
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    for (name, content) in &before {
        assert_eq!(&after[name], content, "{name}");
    }
}

pub(crate) async fn restored(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet).await;
    let saved = tempfile::tempdir().expect("a temporary folder");
    let saved = saved.path().join("saved").display().to_string();
    let save = ["move", "-n", &namespace, "--to-directory", &saved];
    bench.run_on(&bench.source, "--kubeconfig", &save).await.expect_success("the save");
    let restore = ["move", "--from-directory", &saved, "--yes"];
    let restored = bench.run_on(&bench.target, "--to-kubeconfig", &restore).await;
    restored.expect_success("the restore");
    let names = |objects: &[capi::Object]| {
        let mut names = ids(objects);
        names.sort();
        names
    };
    let source = names(&bench.dump(&bench.source, &namespace).await);
    let target = names(&bench.dump(&bench.target, &namespace).await);
    assert!(source.iter().all(|name| target.contains(name)), "{source:?} {target:?}");
    // A second one finds everything there.
    let again = bench.run_on(&bench.target, "--to-kubeconfig", &restore).await;
    again.expect_success("the second restore");
}
