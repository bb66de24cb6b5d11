//! A phase that panics.

use std::io::Write as _;

use cluster::{Client, KubeconfigRef};
use support::journal::Events;

use super::mover::Clock;
use super::{MoveOptions, Namespaces, PhaseError, Report, Run, Sides, Stop};

pub(super) async fn run() -> Run {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    let kubeconfig = "{apiVersion: v1, kind: Config, current-context: c, \
        clusters: [{name: c, cluster: {server: \"https://127.0.0.1:1\"}}], \
        contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {}}]}";
    file.write_all(kubeconfig.as_bytes()).expect("written");
    let cluster = Client::connect("source", &KubeconfigRef::file(file.path())).await;
    let cluster = cluster.expect("a client");
    Run {
        id: "r".to_owned(),
        source: cluster.clone(),
        target: cluster,
        options: MoveOptions::new(Namespaces::All),
        events: Events::none(),
        stop: Stop::default(),
        sides: Sides::default(),
    }
}

#[tokio::test]
async fn a_phase_that_panics_fails_with_the_message_and_keeps_its_time() {
    let run = run().await;
    let mut report = Report::blank(&run);
    let mut clock = Clock { run: &run, report: &mut report };
    let work = async { if run.id == "r" { panic!("cannot access key") } else { Ok(()) } };
    let error = clock.time("copy", "Copy", work).await.expect_err("a panic");
    assert!(matches!(&error, PhaseError::Panicked(message) if message == "cannot access key"));
    assert_eq!(report.phases.len(), 1);
}
