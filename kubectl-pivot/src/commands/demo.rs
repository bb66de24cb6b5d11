//! `demo`: the main job from nothing, on real control planes, without Docker.

use std::collections::BTreeSet;
use std::time::Duration;

use capi::ResourceType;
use cluster::KubeconfigRef;
use sandbox::provision::wait_until_available;
use sandbox::{PartsOptions, Sandbox, SandboxInfo, Sandboxes, UpOptions};
use serde_json::Value;
use support::journal::{Event, Events};
use transfer::{
    Acceptance, Check, Choice, MoveError, MoveOptions, Namespaces, Report, Run, Stop, Waiting,
    accept, execute, plan,
};

use super::error::CommandError;
use super::move_clusters::{MoveRequest, connect};
use super::sandbox::{controllers, create_fleet};

/// Namespace of the fleet.
const NAMESPACE: &str = "default";
/// Time after the move in which no Machine may be created or deleted.
const SETTLE_DURATION: Duration = Duration::from_secs(10);

/// Options of the demo.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Clusters to move.
    pub fleet: usize,
    /// Workers of each.
    pub workers: usize,
    /// Run Cluster API's controllers, which provision the fleet and take it over after the move.
    pub controllers: bool,
    /// Leave the two management clusters running.
    pub keep: bool,
    /// Origin of the parts.
    pub parts: PartsOptions,
}

/// Stages of the demo, in this order.
#[derive(Clone, Debug)]
pub enum DemoStage {
    /// `kubectl get clusters` of both clusters before the move.
    Before {
        /// Table of the source.
        source: Value,
        /// Table of the target.
        target: Value,
    },
    /// The plan of the move.
    Plan(Box<Report>),
    /// `kubectl get clusters` of both clusters after the move.
    After {
        /// Table of the source.
        source: Value,
        /// Table of the target.
        target: Value,
    },
    /// The report of the move.
    Done(Box<Report>),
    /// The checks of `verify`; with controllers only.
    Verified(Vec<Check>),
    /// The clusters, if they were kept.
    Kept(SandboxInfo),
}

/// Starts two control planes, fills one with a fleet, moves it, and shows the result. Returns
/// whether all that was verified holds.
///
/// # Errors
/// When a part is missing or a step fails; the control planes are ended in any case, unless the
/// move succeeded and they are to be kept.
pub async fn demo(
    options: &DemoOptions,
    events: &Events,
    stop: &Stop,
    mut show: impl FnMut(DemoStage),
) -> Result<bool, CommandError> {
    let sandbox = start(options, events).await?;
    create_fleet(sandbox.info(), options.fleet, options.workers, events).await?;
    let run = prepare(sandbox.info(), events, stop).await?;
    let (source, target) = tables(&run).await?;
    show(DemoStage::Before { source, target });

    let (preflight, mut report) = plan(&run).await?;
    show(DemoStage::Plan(Box::new(report.clone())));
    execute(&run, preflight, &mut report).await?;
    if options.controllers {
        take_over(&run, events).await?;
    }
    let (source, target) = tables(&run).await?;
    show(DemoStage::After { source, target });
    show(DemoStage::Done(Box::new(report)));
    let mut holds = true;
    if options.controllers {
        let acceptance = Acceptance {
            namespaces: Namespaces::All,
            choice: Choice::All,
            settle: SETTLE_DURATION,
        };
        events.started("verify", "Verify both clusters");
        let waiting = Waiting { timeout: Duration::ZERO, stop };
        let checks = accept(&run.source, &run.target, &acceptance, (&waiting, events)).await;
        let checks = checks.map_err(|error| CommandError::Move(MoveError::Unprepared(error)))?;
        events.finished("");
        holds = checks.iter().all(Check::holds);
        show(DemoStage::Verified(checks));
    }
    if options.keep {
        show(DemoStage::Kept(sandbox.detach()?));
    }
    Ok(holds)
}

/// Waits until the target's controllers have all Clusters Available.
async fn take_over(run: &Run, events: &Events) -> Result<(), CommandError> {
    events.started("controllers", "Wait for the controllers of the target");
    let clusters = run.target.list(&clusters(), Some(NAMESPACE)).await?;
    let names: Vec<String> = clusters.iter().map(|cluster| cluster.name().to_owned()).collect();
    if let Err(error) = wait_until_available(&run.target, NAMESPACE, &names, events).await {
        events.send(Event::Failed);
        return Err(error.into());
    }
    events.finished(format!("{} clusters Available", names.len()));
    Ok(())
}

async fn start(options: &DemoOptions, events: &Events) -> Result<Sandbox, CommandError> {
    events.started("sandbox", "Start two management clusters");
    let name = format!("demo-{:04x}", rand::random::<u16>());
    let controllers = controllers(options.controllers)?;
    let up = UpOptions { name, parts: options.parts.clone(), controllers, ..UpOptions::default() };
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
        alone: None,
        namespaces: BTreeSet::new(),
        all_namespaces: false,
        dry_run: false,
        options: MoveOptions::new(Namespaces::All),
    };
    Ok(connect(&request, events, stop).await?)
}

async fn tables(run: &Run) -> Result<(Value, Value), CommandError> {
    let clusters = clusters();
    Ok(tokio::try_join!(
        run.source.table(&clusters, Some(NAMESPACE)),
        run.target.table(&clusters, Some(NAMESPACE))
    )?)
}

fn clusters() -> ResourceType {
    ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true)
}
