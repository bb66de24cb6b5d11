//! A management cluster with an older Cluster API and one of the pinned Cluster API with its real
//! managers, which convert and admit; both behind fault proxies. An older one with `v1beta2` has
//! its own managers, too.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use capi::Object;
use cluster::{Client, KubeconfigRef};
use kubectl_pivot_tests::dump::{Kinds, RawDump};
use kubectl_pivot_tests::population::Population;
use kubectl_pivot_tests::program::{Outcome, Program, Running};
use kubectl_pivot_tests::proxied_pair::{LEASE_SECONDS, lease_type, leases, tell};
use kubectl_pivot_tests::proxy::{Call, Proxy, Rule, Side, Traffic};
use kubectl_pivot_tests::real_managers::wait_for_provider_port;
use kubectl_pivot_tests::{older, parts};
use sandbox::{ControllersOptions, Release, Sandbox, Sandboxes, UpOptions};
use support::causes::in_one_line;
use support::journal::{Event, Events};
use tempfile::TempDir;

/// A further management cluster of the source's version.
pub(crate) struct Another {
    pub(crate) management: Management,
    // Dropped before its folder.
    _sandbox: Sandbox,
    _dir: TempDir,
}

/// One of the two management clusters.
pub(crate) struct Management {
    /// Past the proxy.
    pub(crate) client: Client,
    pub(crate) kinds: Kinds,
    kubeconfig: PathBuf,
    // Held so that it goes on listening.
    _proxy: Proxy,
}

/// The version of the source: the last one that has `v1beta1` only, if the environment names no
/// other.
pub(crate) fn source() -> Release {
    older::source().unwrap_or_else(|| "1.10.4".parse().expect("a version"))
}

/// Everything that the cases share.
pub(crate) struct Bench {
    pub(crate) source: Management,
    pub(crate) target: Management,
    traffic: Traffic,
    numbers: AtomicUsize,
    // Dropped before its folder.
    _sandbox: Sandbox,
    dir: TempDir,
}

impl Bench {
    /// Starts everything; waits for other sandboxes with controllers.
    pub(crate) async fn set() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        wait_for_provider_port().await;
        let release = source();
        tell(&format!("from Cluster API {release}"));
        let options = UpOptions {
            name: "versions".to_owned(),
            parts: parts::options(),
            controllers: Some(ControllersOptions {
                program: Program::kubectl_pivot(dir.path()).path().to_owned(),
            }),
            releases: BTreeMap::from([(0, release)]),
            ..UpOptions::default()
        };
        let sandboxes = Sandboxes::at(dir.path().join("sandboxes"));
        let sandbox = sandboxes.start(&options, &progress()).await;
        let sandbox =
            sandbox.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()));
        let traffic = Traffic::new(0);
        let source = management(&sandbox, Side::Source, &traffic, &dir).await;
        let target = management(&sandbox, Side::Target, &traffic, &dir).await;
        Self { source, target, traffic, numbers: AtomicUsize::new(0), _sandbox: sandbox, dir }
    }

    /// A namespace that no other case has, and so a fleet of its own.
    pub(crate) async fn populate(&self, population: impl Fn(&str) -> Population) -> String {
        let namespace = format!("fleet-{}", self.next());
        let population = population(&namespace);
        let created = population.create(&self.source.client, &self.source.kinds).await;
        created.unwrap_or_else(|error| panic!("population of {namespace}: {error}"));
        self.traffic.begin_run();
        namespace
    }

    /// Everything in a namespace of a cluster, at the storage versions.
    pub(crate) async fn dump(&self, side: &Management, namespace: &str) -> Vec<Object> {
        let dump = RawDump::read(&side.client, &side.kinds, &[namespace]).await;
        let dump = dump.expect("kinds can be listed");
        let own = dump.objects().iter().filter(|object| object.namespace() == Some(namespace));
        own.filter(|object| object.name() != "kube-root-ca.crt").cloned().collect()
    }

    /// Runs a move of a namespace, or what continues or undoes it.
    pub(crate) async fn run(&self, args: &[&str]) -> Outcome {
        self.traffic.begin_run();
        self.program().run(self.args(args)).await
    }

    /// Runs a move of a namespace in the other direction.
    pub(crate) async fn run_back(&self, args: &[&str]) -> Outcome {
        self.program().run(between(&self.target, &self.source, args)).await
    }

    /// Runs a subcommand that is about one cluster.
    pub(crate) async fn run_on(&self, side: &Management, flag: &str, args: &[&str]) -> Outcome {
        let path = side.kubeconfig.display().to_string();
        let cluster = ["--quiet", flag, &path];
        self.program().run([args, &cluster].concat()).await
    }

    /// Runs a subcommand between another source and the target.
    pub(crate) async fn run_from(&self, source: &Management, args: &[&str]) -> Outcome {
        self.program().run(between(source, &self.target, args)).await
    }

    /// Starts a further management cluster.
    pub(crate) async fn another_source(&self) -> Another {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let options = UpOptions {
            name: "another".to_owned(),
            clusters: NonZeroUsize::MIN,
            parts: parts::options(),
            releases: BTreeMap::from([(0, source())]),
            ..UpOptions::default()
        };
        let sandboxes = Sandboxes::at(dir.path().join("sandboxes"));
        let sandbox = sandboxes.start(&options, &progress()).await;
        let sandbox =
            sandbox.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()));
        let management = management(&sandbox, Side::Source, &Traffic::new(0), &dir).await;
        Another { management, _sandbox: sandbox, _dir: dir }
    }

    /// Removes the records of our runs, as somebody does who cleans up.
    pub(crate) async fn lose_records(&self) {
        for side in [&self.source, &self.target] {
            for lease in leases(&side.client).await {
                let (namespace, name) = (lease.namespace(), lease.name());
                let deleted = side.client.delete(&lease_type(), namespace, name, lease.uid()).await;
                deleted.expect("Leases can be deleted");
            }
        }
    }

    /// Kills a subcommand at the rule.
    pub(crate) async fn kill_at(&self, args: &[&str], rule: Rule) {
        self.kill_before(args, rule).await;
    }

    /// Kills a subcommand at the rule. Returns its last write.
    pub(crate) async fn kill_before(&self, args: &[&str], rule: Rule) -> Call {
        let mut running = self.start_until(args, rule).await;
        let writes = self.traffic.writes();
        running.kill();
        running.end().await;
        self.traffic.cut().await;
        let mut writes = writes.into_iter().rev().map(|write| write.call);
        writes.find(|call| !call.is_lease()).expect("it has written something")
    }

    /// Starts a subcommand and waits until the rule keeps one of its requests.
    pub(crate) async fn start_until(&self, args: &[&str], rule: Rule) -> Running {
        self.traffic.begin_run();
        self.traffic.rule(rule);
        let mut running = self.program().start(self.args(args));
        tokio::select! {
            outcome = running.end() => panic!("it has ended before the fault: {outcome}"),
            () = self.traffic.held() => running,
        }
    }

    /// Lets the requests go that a rule keeps.
    pub(crate) fn release(&self) {
        self.traffic.release();
    }

    fn args(&self, args: &[&str]) -> Vec<String> {
        between(&self.source, &self.target, args)
    }

    fn program(&self) -> Program {
        let home = self.dir.path().join(format!("home-{}", self.next()));
        std::fs::create_dir(&home).expect("the folder is writable");
        Program::kubectl_pivot(&home).env(LEASE_SECONDS, "5")
    }

    fn next(&self) -> usize {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

fn between(source: &Management, target: &Management, args: &[&str]) -> Vec<String> {
    let path = |side: &Management| side.kubeconfig.display().to_string();
    let (from, to) = (path(source), path(target));
    let clusters = ["--quiet", "--kubeconfig", &from, "--to-kubeconfig", &to];
    args.iter().copied().chain(clusters).map(str::to_owned).collect()
}

async fn management(sandbox: &Sandbox, side: Side, traffic: &Traffic, dir: &TempDir) -> Management {
    let direct = &sandbox.info().clusters[side as usize].kubeconfig;
    let client = Client::connect("sandbox", &KubeconfigRef::file(direct)).await;
    let client = client.expect("the sandbox writes a usable kubeconfig");
    let proxy = Proxy::start(side, direct, traffic).await;
    let file = format!("proxy-{}.kubeconfig", side as usize);
    Management {
        kinds: Kinds::read(&client).await.expect("CRDs can be listed"),
        kubeconfig: proxy.write_kubeconfig(dir.path().join(file)),
        client,
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
