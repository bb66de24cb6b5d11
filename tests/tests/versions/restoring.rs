//! Files of the older version into the target.

use std::sync::Arc;

use crate::bench::Bench;
use crate::ids;
use crate::population::fleet;

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
