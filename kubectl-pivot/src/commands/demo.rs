//! `demo`: the main job from nothing, on real control planes, without Docker.

use serde_json::Value;

use super::error::CommandError;
use super::move_clusters::{MoveRequest, connect};
use super::sandbox::create_fleet;
use crate::capi::ResourceType;
use crate::cluster::KubeconfigRef;
use crate::journal::Events;
use crate::sandbox::{PartsOptions, Sandbox, SandboxInfo, Sandboxes, UpOptions};
use crate::transfer::{MoveOptions, Namespaces, Report, Run, Stop, execute, plan};

/// What a user has asked for.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Clusters to move.
    pub fleet: usize,
    /// Workers of each.
    pub workers: usize,
    /// Leave the two management clusters running.
    pub keep: bool,
    /// Where to look for the parts.
    pub parts: PartsOptions,
}

/// What the demo has to show, in this order.
#[derive(Clone, Debug)]
pub enum DemoStage {
    /// `kubectl get clusters` of both clusters before the move.
    Before {
        /// Table of the source.
        source: Value,
        /// Table of the target.
        target: Value,
    },
    /// What the move would do.
    Plan(Box<Report>),
    /// `kubectl get clusters` of both clusters after the move.
    After {
        /// Table of the source.
        source: Value,
        /// Table of the target.
        target: Value,
    },
    /// What the move did.
    Done(Box<Report>),
    /// The clusters, if they were kept.
    Kept(SandboxInfo),
}

/// Starts two control planes, fills one with a fleet, moves it, and shows the result.
///
/// # Errors
/// When a part is missing or a step fails; the control planes are ended in any case, unless the
/// move succeeded and they are to be kept.
pub async fn demo(
    options: &DemoOptions,
    events: &Events,
    stop: &Stop,
    mut show: impl FnMut(DemoStage),
) -> Result<(), CommandError> {
    let sandbox = start(options, events).await?;
    create_fleet(sandbox.info(), options.fleet, options.workers, events).await?;
    let run = prepare(sandbox.info(), events, stop).await?;
    let (source, target) = tables(&run).await?;
    show(DemoStage::Before { source, target });

    let (preflight, mut report) = plan(&run).await?;
    show(DemoStage::Plan(Box::new(report.clone())));
    execute(&run, preflight, &mut report).await?;
    let (source, target) = tables(&run).await?;
    show(DemoStage::After { source, target });
    show(DemoStage::Done(Box::new(report)));
    if options.keep {
        show(DemoStage::Kept(sandbox.detach()?));
    }
    Ok(())
}

async fn start(options: &DemoOptions, events: &Events) -> Result<Sandbox, CommandError> {
    events.started("Start two management clusters");
    let name = format!("demo-{:04x}", rand::random::<u16>());
    let up = UpOptions { name, parts: options.parts.clone(), ..UpOptions::default() };
    let sandbox = Sandboxes::of_user()?.start(&up, events).await?;
    let urls: Vec<&str> =
        sandbox.info().clusters.iter().map(|cluster| cluster.url.as_str()).collect();
    events.finished(format!("etcd and kube-apiserver each, at {}", urls.join(" and ")));
    Ok(sandbox)
}

async fn prepare(sandbox: &SandboxInfo, events: &Events, stop: &Stop) -> Result<Run, CommandError> {
    let kubeconfig = |index: usize| KubeconfigRef {
        path: sandbox.clusters.get(index).map(|cluster| cluster.kubeconfig.clone()),
        context: None,
    };
    let request = MoveRequest {
        source: kubeconfig(0),
        target: kubeconfig(1),
        directory: None,
        alone: false,
        namespace: None,
        all_namespaces: false,
        dry_run: false,
        options: MoveOptions::new(Namespaces::All),
    };
    Ok(connect(&request, events, stop).await?)
}

async fn tables(run: &Run) -> Result<(Value, Value), CommandError> {
    let clusters = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
    Ok(tokio::try_join!(
        run.source.table(&clusters, Some("default")),
        run.target.table(&clusters, Some("default"))
    )?)
}
