//! Runs of `create` and `delete`.

use workflow::{Outline, OutlineStep, Prospect, RunState, Step, StepState};

use super::assert_screen;
use crate::commands::{DeleteReport, PivotReport, StepReport};
use crate::render::{deletion, outline, pivot, prospect, runs};

fn steps(names: &[(&'static str, &str)]) -> Vec<StepReport> {
    let step = |(step, summary): &(&'static str, &str)| StepReport {
        step,
        summary: (*summary).to_owned(),
        seconds: 27.8,
    };
    names.iter().map(step).collect()
}

#[test]
fn the_result_of_create() {
    let report = PivotReport {
        api_version: "v",
        kind: "PivotReport",
        name: "pivot".to_owned(),
        namespace: "default".to_owned(),
        kubeconfig: "pivot.kubeconfig".into(),
        context: None,
        steps: steps(&[
            ("preflight", "kind 0.33.0, clusterctl 1.14.2, helm 3.21.4"),
            (
                "init-bootstrap",
                "cluster-api, bootstrap-kubeadm, control-plane-kubeadm, infrastructure-docker",
            ),
            ("move", "21 objects"),
        ]),
    };
    assert_screen("create", |screen| pivot(&report, screen));
}

#[test]
fn the_dry_run_of_create() {
    let steps = [
        (Step::Preflight, "Check programs, plugins, and names that are taken", None),
        (
            Step::Bootstrap,
            "Create the bootstrap cluster",
            Some("kind create cluster --name pivot-bootstrap"),
        ),
    ];
    let step = |(step, does, runs): (Step, &str, Option<&str>)| OutlineStep {
        step,
        title: step.title(),
        needs: step.needs(),
        does: vec![format!("{does}, as far as this machine can tell before anything was created")],
        runs: runs.map(str::to_owned).into_iter().collect(),
        applies: Vec::new(),
    };
    let plan = Outline {
        api_version: "v",
        kind: "PivotOutline",
        name: "pivot".to_owned(),
        namespace: "default".to_owned(),
        steps: steps.into_iter().map(step).collect(),
    };
    assert_screen("create-dry-run", |screen| outline(&plan, screen));
}

#[test]
fn the_status_of_runs_of_create() {
    let summary = "pivot-bootstrap at https://127.0.0.1:41005".to_owned();
    let error =
        "timed out after 1200 s waiting until the control plane is initialised; last seen: \
                 KubeadmControlPlane pivot: 0 of 1 replicas are ready"
            .to_owned();
    let stopped = RunState {
        name: "pivot".to_owned(),
        folder: "/home/me/.local/state/kubectl-pivot/runs/pivot".into(),
        began: Some("2026-11-22T16:28:45Z".to_owned()),
        pid: Some(4711),
        running: false,
        steps: vec![
            (Step::Bootstrap, StepState::Done { summary }),
            (Step::ControlPlane, StepState::Failed { error }),
            (Step::Move, StepState::Waiting),
        ],
        finished: false,
    };
    assert_screen("create-status", |screen| runs(std::slice::from_ref(&stopped), screen));
}

#[test]
fn a_deletion_before_and_after() {
    let before = Prospect {
        cluster: "Cluster default/pivot".to_owned(),
        server: Some("https://10.0.0.1:6443".to_owned()),
        machines: (0..7).map(|number| format!("pivot-workers-x7k2p-{number}")).collect(),
    };
    assert_screen("delete-question", |screen| prospect(&before, screen));
    let report = DeleteReport {
        api_version: "v",
        kind: "DeleteReport",
        name: "pivot".to_owned(),
        namespace: "default".to_owned(),
        steps: steps(&[("move", "21 objects"), ("delete-cluster", "7 Machines are gone")]),
    };
    assert_screen("delete", |screen| deletion(&report, screen));
}
