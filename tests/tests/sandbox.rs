//! The sandbox with real parts.

use kubectl_pivot::journal::{Event, Events};
use kubectl_pivot::sandbox::{ControlPlane, ControlPlaneOptions, Parts, PartsOptions};
use kubectl_pivot_tests::pids_alive;

#[expect(
    clippy::print_stderr,
    reason = "a build takes minutes, and the test's output should say so"
)]
async fn parts() -> Parts {
    let events = Events::to(|event| {
        if let Event::Doing(what) = event {
            eprintln!("{what}");
        }
    });
    let parts = Parts::resolve(&PartsOptions::default(), &events).await;
    parts.unwrap_or_else(|error| panic!("{error}\nhint: {}", error.hint().unwrap_or_default()))
}

#[tokio::test]
async fn starts_and_leaves_nothing_running() {
    let dir = tempfile::tempdir().expect("temp dir");
    let parts = parts().await;
    let plane =
        ControlPlane::start(dir.path(), &parts, ControlPlaneOptions::default(), &Events::none())
            .await
            .expect("a control plane");
    assert!(plane.kubeconfig().exists());
    let pids = plane.pids();
    assert_eq!(pids_alive(&pids), pids);
    plane.stop().await;
    assert_eq!(pids_alive(&pids), Vec::<u32>::new());
}
