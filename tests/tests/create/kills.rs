//! Killed once in each step, and carried on.

use std::sync::Arc;

use workflow::Step;

use super::stage::Stage;
use super::whole::{clusters, machines};

/// Steps whose half is something: a cluster, providers, the move, a cluster less.
pub async fn killed_in_some_steps(stage: Arc<Stage>) {
    killed_in(stage, &[Step::Bootstrap, Step::InitTarget, Step::Move, Step::DeleteBootstrap]).await;
}

pub async fn killed_in_each_step(stage: Arc<Stage>) {
    killed_in(stage, &Step::ALL).await;
}

async fn killed_in(stage: Arc<Stage>, steps: &[Step]) {
    let scene = stage.scene().await;
    let _understudy = scene.understudy();
    let mut seen: Option<Vec<(String, String)>> = None;
    for (position, &step) in steps.iter().enumerate() {
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
    let now = machines(scene.target()).await;
    assert_eq!(names(now), names(seen.expect("it came to the move")));
    assert_eq!(scene.kind().run(["get", "clusters"]).await.stdout, "");
}
