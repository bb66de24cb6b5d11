//! The dry-run.

use std::path::Path;

use tools::{KnownTool, ToolCommand};

use super::preflight::programs;
use super::title;
use crate::context::Workflow;
use crate::document::{API_VERSION, Bootstrap};
use crate::order::Step;
use crate::outline::{Outline, OutlineStep, StepPreview};
use crate::support::images;

/// Outlines a deletion.
pub fn outline(workflow: &Workflow) -> Outline {
    let mut before: &[Step] = &[];
    let mut steps = Vec::new();
    for (position, step) in Step::REMOVAL.iter().enumerate() {
        let StepPreview { does, runs, applies } = sketch(workflow, *step);
        steps.push(OutlineStep {
            step: *step,
            title: title(*step),
            needs: before,
            does,
            runs,
            applies,
        });
        before = &Step::REMOVAL[position..=position];
    }
    Outline {
        api_version: API_VERSION,
        kind: "DeleteOutline",
        name: workflow.spec.name.clone(),
        namespace: workflow.spec.namespace.clone(),
        steps,
    }
}

fn sketch(workflow: &Workflow, step: Step) -> StepPreview {
    let spec = &workflow.spec;
    let (name, is_kind) = (&spec.bootstrap_name, spec.bootstrap == Bootstrap::Kind);
    let existing = spec.bootstrap_kubeconfig.path.clone().unwrap_or_default();
    match step {
        Step::Preflight => {
            let names: Vec<_> = programs(spec.bootstrap).iter().map(|tool| tool.name()).collect();
            StepPreview::says(format!("looks for {} and their versions", names.join(", "))).and(
                "refuses if the management cluster has other Clusters, or does not manage itself",
            )
        }
        Step::Bootstrap if is_kind => {
            let command = ToolCommand::new(["create", "cluster"]).flag("--name", name);
            StepPreview::says(format!("creates the kind cluster {name} if it is not there"))
                .running(KnownTool::Kind, &command)
        }
        Step::Bootstrap => StepPreview::says(format!("uses the cluster of {}", existing.display())),
        Step::InitBootstrap => {
            let kubeconfig = Path::new("bootstrap.kubeconfig");
            let command = ToolCommand::new(["init"]).flag("--kubeconfig", kubeconfig);
            let draft = StepPreview::says(
                "installs the providers of the management cluster, at the same versions",
            );
            let loads = if is_kind { images::commands(spec, name) } else { Vec::new() };
            let draft =
                loads.iter().fold(draft, |draft, load| draft.running(KnownTool::Kind, load));
            draft.running(KnownTool::Clusterctl, &command)
        }
        Step::Move if !is_kind => StepPreview::says(format!(
            "moves Cluster {}/{} with all that belongs to it from the management cluster to the \
             bootstrap cluster, as `kubectl pivot move --cluster {}` does",
            spec.namespace, spec.name, spec.name
        )),
        Step::Move => StepPreview::says(format!(
            "moves everything of namespace {} from the management cluster to the bootstrap \
             cluster, as `kubectl pivot move` does",
            spec.namespace
        )),
        Step::DeleteCluster => StepPreview::says(format!(
            "deletes Cluster {}/{}, and waits until its controllers have deleted its machines",
            spec.namespace, spec.name
        )),
        _ if is_kind => {
            let command = ToolCommand::new(["delete", "cluster"]).flag("--name", name);
            StepPreview::says("refuses while a Cluster is left in the bootstrap cluster")
                .running(KnownTool::Kind, &command)
        }
        _ => StepPreview::says("leaves the bootstrap cluster as it is"),
    }
}
