//! The target becomes a management cluster, with the versions of the bootstrap cluster.

use std::path::Path;

use capi::{Object, well_known};
use cluster::Client;
use tools::KnownTool;
use transfer::installed_providers;

use crate::context::StepContext;
use crate::error::StepError;
use crate::order::Step;
use crate::outline::{DryRun, StepPreview};
use crate::support::wait::{Poll, until_after};
use crate::support::{images, providers};

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let bootstrap = step_context.bootstrap().await?;
    let like = installed_providers(&bootstrap).await?;
    let target = step_context.target().await?;
    await_place(step_context, &target).await?;
    images::load_into_target(step_context).await?;
    providers::ensure(step_context, &target, &step_context.target_kubeconfig(), &like).await
}

/// clusterctl looks for cert-manager less and less often, so it had better begin when pods are
/// about to run. The step `nodes` knows which nodes there will be: after it there is nothing more
/// to wait for.
async fn await_place(step_context: &StepContext<'_>, target: &Client) -> Result<(), StepError> {
    let nodes = well_known::node();
    until_after(step_context, Step::Nodes, "a node for pods has joined the target", async || {
        if step_context.workflow.is_done(Step::Nodes)
            || target.list(&nodes, None).await?.iter().any(is_for_pods)
        {
            return Ok(Poll::Ready(()));
        }
        Ok(Poll::Pending("no node that takes pods has joined the target yet".to_owned()))
    })
    .await
}

/// Returns true if pods will run on a node when it is Ready: the taints of Kubernetes and Cluster
/// API go by then.
fn is_for_pods(node: &Object) -> bool {
    let spec = &node.value()["spec"];
    let mut taints = spec["taints"].as_array().into_iter().flatten();
    let repels = taints.any(|taint| {
        let key = taint["key"].as_str().unwrap_or_default();
        let passes = ["node.kubernetes.io/", "node.cluster.x-k8s.io/"];
        taint["effect"] != "PreferNoSchedule" && !passes.iter().any(|group| key.starts_with(group))
    });
    !repels && spec["unschedulable"] != true
}

pub(super) fn sketch(sketch: &DryRun<'_>) -> Result<StepPreview, StepError> {
    let providers = providers::providers(sketch.spec, sketch.blueprint)?;
    let command = providers::sketch(sketch.spec, Path::new("target.kubeconfig"), &providers);
    Ok(StepPreview::says("waits until a node has joined that takes pods")
        .and("installs the providers, at the versions that the bootstrap cluster has")
        .running(KnownTool::Clusterctl, &command))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_run_on_nodes_that_repel_nobody_for_good() {
        let taint = |key: &str, effect: &str| json!({"taints": [{"key": key, "effect": effect}]});
        for (spec, is_one) in [
            (json!({}), true),
            (json!({"unschedulable": true}), false),
            (taint("node-role.kubernetes.io/control-plane", "NoSchedule"), false),
            (taint("dedicated", "NoExecute"), false),
            (taint("node.cluster.x-k8s.io/uninitialized", "NoSchedule"), true),
            (taint("node.kubernetes.io/not-ready", "NoSchedule"), true),
            (taint("dedicated", "PreferNoSchedule"), true),
        ] {
            let node = Object::new(json!({"kind": "Node", "apiVersion": "v1", "spec": spec}));
            assert_eq!(is_for_pods(&node), is_one, "{spec}");
        }
    }
}
