//! A sandbox with controllers and one cluster that they have provisioned, behind fault proxies.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use cluster::{Client, KubeconfigRef};
use kubectl_pivot_tests::history::History;
use kubectl_pivot_tests::older;
use kubectl_pivot_tests::pods::PodOfManager;
use kubectl_pivot_tests::program::{Outcome, Program, Running};
use kubectl_pivot_tests::proxied_pair::{LEASE_SECONDS, tell};
use kubectl_pivot_tests::proxy::{Activity, Proxy, Rule, Side, Traffic, one_sided};
use kubectl_pivot_tests::real_managers::wait_for_provider_port;
use sandbox::fleet::FleetOptions;
use sandbox::provision::provision;
use sandbox::{ControllersOptions, Sandbox, Sandboxes, UpOptions};
use support::causes::in_one_line;
use support::journal::{Event, Events};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::machines::Scenario;

/// The namespace of the cluster.
pub(crate) const NAMESPACE: &str = "default";
/// The name.
pub(crate) const CLUSTER: &str = "c0";

/// Workers of the cluster.
const WORKERS: usize = 2;

/// A direction relative to the next move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Address of the cluster.
    From,
    /// Target of the move.
    To,
}

/// One of the two management clusters.
pub(crate) struct Management {
    /// Past the proxy.
    pub(crate) client: Client,
    /// Events in it.
    pub(crate) history: History,
    kubeconfig: std::path::PathBuf,
    // Held so that it goes on listening.
    _proxy: Proxy,
}

/// A manager that runs as a pod.
struct Pod {
    /// The number of its cluster.
    cluster: usize,
    name: String,
    process: PodOfManager,
}

/// Everything that the cases share.
pub(crate) struct Bench {
    sides: [Management; 2],
    /// Side of the cluster.
    active: AtomicUsize,
    traffic: Traffic,
    homes: AtomicUsize,
    /// The managers that a cluster has for itself, once they run as pods.
    pods: OnceCell<Vec<Pod>>,
    // Dropped before its folder.
    sandbox: Sandbox,
    dir: TempDir,
}

impl Bench {
    /// Starts everything. Two sandboxes with controllers cannot run at the same time, so this waits
    /// for those of others.
    pub(crate) async fn set() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        wait_for_provider_port().await;
        let program = Program::kubectl_pivot(dir.path()).path().to_owned();
        let options = UpOptions {
            name: "controllers".to_owned(),
            controllers: Some(ControllersOptions { program }),
            releases: older::source().map(|release| (0, release)).into_iter().collect(),
            ..UpOptions::default()
        };
        let begun = Instant::now();
        let sandboxes = Sandboxes::at(dir.path().join("sandboxes"));
        let sandbox = sandboxes.start(&options, &progress()).await;
        let sandbox =
            sandbox.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()));
        let ready = begun.elapsed().as_secs();
        let pods = OnceCell::new();
        let traffic = Traffic::new(0);
        let source = management(&sandbox, (0, Side::Source), &traffic, &dir).await;
        let target = management(&sandbox, (1, Side::Target), &traffic, &dir).await;
        let options = FleetOptions { workers: WORKERS, ..FleetOptions::default() };
        let fleet = provision(&source.client, &options, &Events::none()).await;
        fleet.unwrap_or_else(|error| panic!("{error}"));
        tell(&format!(
            "controllers ready after {ready} s, Available after {} s",
            begun.elapsed().as_secs()
        ));
        let (active, homes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { sides: [source, target], active, traffic, homes, pods, sandbox, dir }
    }

    /// Has the managers run as pods from now on.
    pub(crate) async fn run_as_pods(&self) {
        self.pods.get_or_init(|| run_as_pods(&self.sandbox)).await;
    }

    /// Begins a scenario: a new timeline, and the Machines as they are.
    pub(crate) async fn begin(&self) -> Scenario {
        let mut clusters = Vec::new();
        for (side, management) in [Side::Source, Side::Target].into_iter().zip(&self.sides) {
            clusters.extend(one_sided(side, &management.client, None).await);
        }
        let active = clusters
            .iter()
            .filter(|(_, path, state)| path.contains("/clusters/") && *state == Activity::Active);
        assert_eq!(active.count(), 1, "{clusters:?}");
        self.traffic.begin_timeline(clusters);
        self.traffic.begin_run();
        Scenario::begin(self).await
    }

    /// State that the proxies share.
    pub(crate) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// A management cluster.
    pub(crate) fn side(&self, direction: Direction) -> &Management {
        &self.sides[self.index(direction)]
    }

    /// Names of management clusters on the traffic.
    pub(crate) fn place(&self, direction: Direction) -> Side {
        [Side::Source, Side::Target][self.index(direction)]
    }

    fn index(&self, direction: Direction) -> usize {
        let active = self.active.load(Ordering::Relaxed);
        if direction == Direction::From { active } else { 1 - active }
    }

    /// The cluster has been moved: the next move goes back.
    pub(crate) fn turn(&self) {
        self.active.fetch_xor(1, Ordering::Relaxed);
    }

    /// Runs a subcommand in the direction of the move, on a machine that it has never been on.
    pub(crate) async fn run(&self, command: &str) -> Outcome {
        self.run_with(command, &[]).await
    }

    /// As [`Bench::run`], with further flags.
    pub(crate) async fn run_with(&self, command: &str, flags: &[&str]) -> Outcome {
        self.traffic.begin_run();
        self.program().run(self.args(command, flags)).await
    }

    /// Deletes what a replacement has left.
    pub(crate) async fn delete_old(&self, flags: &[&str]) -> Outcome {
        self.traffic.begin_run();
        let path = |direction| self.side(direction).kubeconfig.display().to_string();
        let (from, to) = (path(Direction::From), path(Direction::To));
        let clusters = ["replace", "--quiet", "--kubeconfig", &from, "--to-kubeconfig", &to];
        self.program().run([&clusters, flags].concat()).await
    }

    /// Verifies that a move to this side is complete and the clusters are well.
    pub(crate) async fn verify(&self, active: Direction) -> Outcome {
        let other = if active == Direction::From { Direction::To } else { Direction::From };
        let path = |direction| self.side(direction).kubeconfig.display().to_string();
        let (from, to) = (path(other), path(active));
        let args = [
            "verify",
            "-q",
            "--settle",
            "5",
            // Controllers that have taken over write the status of their own copies at their own
            // time.
            "--timeout",
            "60",
            "-n",
            NAMESPACE,
            "--kubeconfig",
            &from,
            "--to-kubeconfig",
            &to,
        ];
        self.program().run(args).await
    }

    /// Starts a subcommand, and waits until the rule keeps one of its requests.
    pub(crate) async fn start_until(&self, command: &str, flags: &[&str], rule: Rule) -> Running {
        self.traffic.begin_run();
        self.traffic.rule(rule);
        let mut running = self.program().start(self.args(command, flags));
        tokio::select! {
            outcome = running.end() => panic!("{command} has ended before the fault: {outcome}"),
            () = self.traffic.held() => running,
        }
    }

    /// Starts a move of another namespace, and waits until the rule keeps one of its requests.
    pub(crate) async fn move_until(&self, namespace: &str, rule: Rule) -> Running {
        self.traffic.begin_run();
        self.traffic.rule(rule);
        let path = |direction| self.side(direction).kubeconfig.display().to_string();
        let (from, to) = (path(Direction::From), path(Direction::To));
        let args = ["move", "--quiet", "--kubeconfig", &from, "--to-kubeconfig", &to];
        let mut running = self.program().start([&args[..], &["-n", namespace, "--yes"]].concat());
        tokio::select! {
            outcome = running.end() => panic!("the move has ended before the fault: {outcome}"),
            () = self.traffic.held() => running,
        }
    }

    /// Kills a subcommand at the rule.
    pub(crate) async fn kill_at(&self, command: &str, rule: Rule) {
        let mut running = self.start_until(command, &[], rule).await;
        running.kill();
        running.end().await;
        self.traffic.cut().await;
    }

    /// Stops a controller of the cluster that the next move is from, until the result is dropped.
    pub(crate) fn suspend(&self, name: &str) -> Suspended {
        let info = self.sandbox.info();
        let cluster = self.index(Direction::From);
        let pods = self.pods.get().into_iter().flatten();
        let mut pods = pods.filter(|pod| pod.cluster == cluster && pod.name == name);
        let pid = pods.next().map(|pod| pod.process.pid()).unwrap_or_else(|| {
            let cluster = Some(&info.clusters[cluster].name);
            let mut controllers = info.controllers.iter();
            let found = controllers.find(|one| one.name == name && one.cluster.as_ref() == cluster);
            found.expect("it runs").pid
        });
        signal("STOP", pid);
        Suspended(pid)
    }

    fn program(&self) -> Program {
        let number = self.homes.fetch_add(1, Ordering::Relaxed);
        let home = self.dir.path().join(format!("home-{number}"));
        std::fs::create_dir(&home).expect("the folder is writable");
        Program::kubectl_pivot(&home).env(LEASE_SECONDS, "5")
    }

    fn args(&self, command: &str, flags: &[&str]) -> Vec<String> {
        let path = |direction| self.side(direction).kubeconfig.display().to_string();
        let (from, to) = (path(Direction::From), path(Direction::To));
        let mut args = vec![command, "--quiet", "--kubeconfig", &from, "--to-kubeconfig", &to];
        args.extend(match command {
            "move" | "replace" => ["-n", NAMESPACE, "--yes", "--max-in-flight", "1"].as_slice(),
            _ => ["--force-unlock"].as_slice(),
        });
        args.into_iter().chain(flags.iter().copied()).map(str::to_owned).collect()
    }
}

/// Has each cluster's own managers elect a leader, as they do where clusterctl has installed them,
/// and run as pods. The in-memory provider works for both clusters, and elects nobody.
async fn run_as_pods(sandbox: &Sandbox) -> Vec<Pod> {
    let info = sandbox.info();
    let own = info.controllers.iter().filter(|one| one.name != "kube-controller-manager");
    let own = own.filter_map(|one| {
        let index = info.clusters.iter().position(|it| Some(&it.name) == one.cluster.as_ref())?;
        Some((index, one))
    });
    let adopted = own.map(|(index, one)| async move {
        let kubeconfig = &info.clusters[index].kubeconfig;
        let process = PodOfManager::adopt(kubeconfig, one.pid, &one.log, &["--leader-elect"]).await;
        Pod { cluster: index, name: one.name.clone(), process }
    });
    let pods = futures::future::join_all(adopted).await;
    assert_eq!(pods.len(), 6, "{:?}", info.controllers);
    pods
}

/// A process that is stopped.
pub(crate) struct Suspended(u32);

impl Drop for Suspended {
    fn drop(&mut self) {
        signal("CONT", self.0);
    }
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(sent.expect("`kill` must be installed for these tests").success(), "{pid} is gone");
}

async fn management(
    sandbox: &Sandbox,
    (index, side): (usize, Side),
    traffic: &Traffic,
    dir: &TempDir,
) -> Management {
    let direct = &sandbox.info().clusters[index].kubeconfig;
    let client = Client::connect("sandbox", &KubeconfigRef::file(direct)).await;
    let proxy = Proxy::start(side, direct, traffic).await;
    let kubeconfig = proxy.write_kubeconfig(dir.path().join(format!("proxy-{index}.kubeconfig")));
    Management {
        client: client.expect("the sandbox writes a usable kubeconfig"),
        history: History::connect(direct).await,
        kubeconfig,
        _proxy: proxy,
    }
}

/// Building the managers takes minutes the first time; whoever waits should see why.
fn progress() -> Events {
    Events::to(|event| {
        if let Event::Doing(text) = event
            && text.starts_with("building")
        {
            tell(&text);
        }
    })
}
