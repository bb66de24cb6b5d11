//! Killed once in each step, and at each write, and carried on.

use std::collections::HashSet;
use std::sync::Arc;

use kubectl_pivot_tests::proxy::{Call, Fault, Proxy, Rule, Side, Traffic};
use kubectl_pivot_tests::simulated_controllers::SimulatedControllers;
use workflow::Step;

use super::aborts::make_kind_cluster;
use super::fixture::{Fixture, text};
use super::whole::{clusters, machines};

/// Steps whose half is something: a cluster, providers, the move, a cluster less.
pub async fn killed_in_some_steps(fixture: Arc<Fixture>) {
    killed_in(fixture, &[Step::Bootstrap, Step::InitTarget, Step::Move, Step::DeleteBootstrap])
        .await;
}

pub async fn killed_in_each_step(fixture: Arc<Fixture>) {
    killed_in(fixture, &Step::ALL).await;
}

async fn killed_in(fixture: Arc<Fixture>, steps: &[Step]) {
    let scenario = fixture.scenario().await;
    let _simulated_controllers = scenario.simulated_controllers();
    let mut seen: Option<Vec<(String, String)>> = None;
    for (position, &step) in steps.iter().enumerate() {
        let mut running = match position {
            0 => scenario.program.start(scenario.create(&[])),
            _ => scenario.program.start(["resume", "pivot"]),
        };
        scenario.until_begun_by(step.name(), running.pid()).await;
        if step == Step::Move {
            seen = Some(machines(&scenario.path("state/runs/pivot/bootstrap.kubeconfig")).await);
        }
        running.kill();
        running.end().await;
    }
    scenario.program.run(["resume", "pivot"]).await.expect_success("the last resume");
    assert_eq!(clusters(&scenario).await, ["pivot"]);
    let names = |machines: Vec<(String, String)>| -> Vec<String> {
        machines.into_iter().map(|(name, _)| name).collect()
    };
    let now = machines(scenario.target()).await;
    assert_eq!(names(now), names(seen.expect("it came to the move")));
    assert_eq!(scenario.kind().run(["get", "clusters"]).await.stdout, "");
}

/// At some writes: the mark of the run, an object of the cluster, the Cluster in the target, and
/// deletions from the source.
pub async fn killed_at_some_writes(fixture: Arc<Fixture>) {
    let killed = killed_at_writes(fixture, is_sample).await;
    assert!(killed >= 6, "too few: {killed}");
}

pub async fn killed_at_each_write(fixture: Arc<Fixture>) {
    let killed = killed_at_writes(fixture, |_| true).await;
    assert!(killed >= 60, "too few: {killed}");
}

fn is_sample(call: &Call) -> bool {
    let some = ["/configmaps/kubectl-pivot-create-pivot", "/machinedeployments/", "/clusters"];
    match call.method.as_str() {
        "DELETE" => call.path.contains("/machines/"),
        _ => some.iter().any(|part| call.path.contains(part)),
    }
}

/// Runs `create` until it succeeds, killed right before and right after each write of its own for
/// the first time that it comes to it. Returns how often.
async fn killed_at_writes(
    fixture: Arc<Fixture>,
    is_wanted: impl Fn(&Call) -> bool + Clone + Send + Sync + 'static,
) -> usize {
    let scenario = fixture.scenario().await;
    let direct = make_kind_cluster(&scenario, "pivot-bootstrap").await;
    let traffic = Traffic::new(1);
    let source = Proxy::start(Side::Source, &direct, &traffic).await;
    let target = Proxy::start(Side::Target, scenario.target(), &traffic).await;
    let _simulated_controllers = SimulatedControllers::begin(
        scenario.part(|part| part.clusters = vec![direct.clone(), scenario.target().to_owned()]),
    );
    let through = |proxy: &Proxy, name: &str| text(&proxy.write_kubeconfig(scenario.path(name)));
    let (from, to) = (through(&source, "from"), through(&target, "to"));
    let flags =
        ["--bootstrap", "existing", "--bootstrap-kubeconfig", &from, "--to-kubeconfig", &to];
    let mut met: HashSet<String> = HashSet::new();
    loop {
        traffic.begin_run();
        let (known, wanted) = (met.clone(), is_wanted.clone());
        let fault = if met.len().is_multiple_of(2) { Fault::HoldBefore } else { Fault::HoldAfter };
        let (seen, at) = tokio::sync::watch::channel(String::new());
        let rule = move |call: &Call| {
            let key = format!("{:?} {} {} {fault:?}", call.side, call.method, call.path);
            let is_it = is_own_write(call) && wanted(call) && !known.contains(&key);
            if is_it {
                seen.send_if_modified(|at| at.is_empty().then(|| *at = key.clone()).is_some());
            }
            is_it
        };
        traffic.rule(Rule::when(rule, fault).times(1));
        let mut running = scenario.program.start(scenario.create(&flags));
        let ended = tokio::select! {
            () = traffic.held() => None,
            outcome = running.end() => Some(outcome),
        };
        if let Some(outcome) = ended {
            // What is to be met before a write may be met after it in the next round.
            if at.borrow().is_empty() {
                outcome.expect_success(&format!("after {} kills", met.len()));
                break;
            }
        }
        let key = at.borrow().clone();
        assert!(met.insert(key), "it is met once");
        running.kill();
        running.end().await;
        traffic.cut().await;
    }
    assert_eq!(clusters(&scenario).await, ["pivot"]);
    assert!(machines(&direct).await.is_empty(), "the source has Machines");
    met.len()
}

/// Returns true for writes of the program, and not for those of clusterctl.
fn is_own_write(call: &Call) -> bool {
    let is_of_cluster_api = call.path.contains("cluster.x-k8s.io/")
        && !call.path.contains("clusterctl.cluster.x-k8s.io");
    let is_ours = is_of_cluster_api || call.path.contains("kubectl-pivot");
    call.is_write() && is_ours && !call.query.contains("dryRun")
}
