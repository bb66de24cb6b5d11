//! Killed once in each step, and carried on.

use std::sync::Arc;

use kubectl_pivot::workflow::Step;

use super::stage::Stage;
use super::whole::{clusters, machines};

pub async fn killed_in_each_step_it_ends_the_same(stage: Arc<Stage>) {
    let scene = stage.scene().await;
    let _understudy = scene.understudy();
    let mut seen: Option<Vec<(String, String)>> = None;
    for (position, step) in Step::ALL.into_iter().enumerate() {
        let mut running = match position {
            0 => scene.program.start(scene.create(&[])),
            _ => scene.program.start(["resume", "pivot"]),
        };
        scene.until_begun_by(step.name(), running.pid()).await;
        if step == Step::Move {
            seen = Some(machines(&scene.path("state/runs/pivot/bootstrap.kubeconfig")).await);
        }
        running.kill();
        running.end().await;
    }
    scene.program.run(["resume", "pivot"]).await.expect_success("the last resume");
    assert_eq!(clusters(&scene).await, ["pivot"]);
    let names = |machines: Vec<(String, String)>| -> Vec<String> {
        machines.into_iter().map(|(name, _)| name).collect()
    };
    let now = machines(scene.target.kubeconfig()).await;
    assert_eq!(names(now), names(seen.expect("it came to the move")));
    assert_eq!(scene.kind().run(["get", "clusters"]).await.stdout, "");
}
