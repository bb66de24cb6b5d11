//! The workflows of CI and of a release, of which this machine can run none, against the linter
//! that knows their language.

use std::path::Path;

use kubectl_pivot_tests::linter::actionlint;
use kubectl_pivot_tests::program::{Outcome, Program};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.github/workflows");

/// Without the linters of other languages that a machine may have.
async fn lint(linter: &Program, file: &Path) -> Outcome {
    let file = file.display().to_string();
    linter.run(["-no-color", "-shellcheck=", "-pyflakes=", &file]).await
}

#[tokio::test]
async fn every_workflow_passes_actionlint() {
    let home = tempfile::tempdir().expect("there is room for a folder");
    let linter = actionlint(home.path()).await;
    let files = std::fs::read_dir(FOLDER).expect("the workflows are there");
    let files: Vec<_> = files.map(|entry| entry.expect("readable").path()).collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in &files {
        lint(&linter, file).await.expect_success("actionlint");
    }
    let broken = home.path().join("broken.yaml");
    let text = std::fs::read_to_string(&files[0]).expect("readable");
    let text = text.replacen("runs-on: ubuntu-24.04", "runs-on: ${{ matrix.nothing }}", 1);
    std::fs::write(&broken, text).expect("the folder is ours");
    assert!(!lint(&linter, &broken).await.succeeded(), "the linter finds nothing at all");
}
