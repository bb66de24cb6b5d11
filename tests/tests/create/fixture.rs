//! State that all cases share: parts, a repository, an installed plugin.

use std::path::{Path, PathBuf};

use capi::{Object, ResourceType};
use cluster::{Client, KubeconfigRef};
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::parts;
use kubectl_pivot_tests::plugins::{User, hosting};
use kubectl_pivot_tests::program::Program;
use kubectl_pivot_tests::proxied_pair::LEASE_SECONDS;
use kubectl_pivot_tests::repository;
use kubectl_pivot_tests::simulated_controllers::{self, SimulatedControllers};
use sandbox::{ControlPlane, ControlPlaneOptions, Part, Parts};
use support::causes::in_one_line;
use support::journal::Events;
use tempfile::TempDir;

/// Shared by all cases.
pub struct Fixture {
    user: User,
    parts: Parts,
    cache: PathBuf,
    clusterctl: PathBuf,
    config: PathBuf,
    _repository: TempDir,
}

/// One case: folders of its own, and a target unless it ends before there is one.
pub struct Scenario {
    pub dir: TempDir,
    target: Option<ControlPlane>,
    pub program: Program,
    pub config: PathBuf,
    pub clusterctl: PathBuf,
    cache: PathBuf,
}

async fn user() -> User {
    let user = User::with(&["none"]).await;
    user.install(&[hosting()]).await;
    user
}

impl Fixture {
    pub async fn set() -> Self {
        let options = parts::options();
        let parts = Parts::resolve(&options, &Events::none()).await;
        let parts =
            parts.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()));
        let clusterctl = Part::Clusterctl.resolve(&options, &Events::none()).await;
        let clusterctl = clusterctl
            .unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = repository::write(folder.path(), &parts.crds).await;
        let cache = parts.crds.ancestors().nth(2).expect("CRDs are in <cache>/parts/<name>");
        Self {
            user: user().await,
            cache: cache.to_owned(),
            parts,
            clusterctl,
            config,
            _repository: folder,
        }
    }

    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// A scenario of a run that comes as far as the target.
    pub async fn scenario(&self) -> Scenario {
        let mut scenario = self.scene_without_target();
        scenario.target = Some(self.bare(&scenario.path("target")).await);
        scenario
    }

    /// The user, outside of a case.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// A template of the Docker provider in the repository of clusterctl.
    pub fn write_template(&self, flavour: &str, text: &str) {
        let folder = self.config.parent().expect("it is in a folder");
        let place = folder.join("infrastructure-docker").join(repository::VERSION);
        let file = place.join(format!("cluster-template-{flavour}.yaml"));
        std::fs::write(file, text).expect("write");
    }

    /// A cluster without Cluster API.
    pub async fn bare(&self, folder: &Path) -> ControlPlane {
        let options = ControlPlaneOptions { bare: true, ..ControlPlaneOptions::default() };
        let bare = ControlPlane::start(folder, &self.parts, options, &Events::none()).await;
        let mut bare = bare.unwrap_or_else(|error| panic!("{error}"));
        let started = bare.start_controller_manager(&Events::none()).await;
        started.unwrap_or_else(|error| panic!("{error}"));
        bare
    }

    /// A scenario of a run that ends before.
    pub fn scene_without_target(&self) -> Scenario {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let program = Program::kubectl_pivot(self.user.home())
            .env("XDG_DATA_HOME", &text(&self.user.home().join("data")))
            .env("KUBECTL_PIVOT_CACHE_DIR", &text(&self.cache))
            .env("KUBECTL_PIVOT_STATE_DIR", &text(&dir.path().join("state")))
            .env("KUBECTL_PIVOT_KIND", env!("CARGO_BIN_EXE_stand-in-kind"))
            .env("KUBECTL_PIVOT_CLUSTERCTL", &text(&self.clusterctl))
            .env("STAND_IN_KIND_ROOT", &text(&dir.path().join("kind-root")))
            .env(LEASE_SECONDS, "5");
        let (config, clusterctl) = (self.config.clone(), self.clusterctl.clone());
        Scenario { dir, target: None, program, config, clusterctl, cache: self.cache.clone() }
    }
}

impl Drop for Scenario {
    /// Clusters of kind outlive who has made them, so also a case that has failed.
    fn drop(&mut self) {
        for name in ["pivot-bootstrap", "next-bootstrap"] {
            let mut kind = std::process::Command::new(env!("CARGO_BIN_EXE_stand-in-kind"));
            kind.env("STAND_IN_KIND_ROOT", self.path("kind-root"));
            let ended = kind.args(["delete", "cluster", "--name", name]).status();
            assert!(ended.is_ok_and(|status| status.success()), "the bootstrap cluster is left");
        }
    }
}

impl Scenario {
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The kubeconfig of the target's administrator.
    pub fn target(&self) -> &Path {
        self.target.as_ref().expect("this scenario ends before there is a target").kubeconfig()
    }

    /// The management cluster is gone, and with it what its API server knew.
    pub fn lose_target(&mut self) {
        self.target = None;
    }

    /// The simulated controllers of both clusters.
    pub fn simulated_controllers(&self) -> SimulatedControllers {
        SimulatedControllers::begin(self.part(|_| {}))
    }

    /// The behaviour, changed by the case.
    pub fn part(
        &self,
        change: impl FnOnce(&mut simulated_controllers::Part),
    ) -> simulated_controllers::Part {
        let bootstrap = self.path("state/runs/pivot/bootstrap.kubeconfig");
        let mut part = simulated_controllers::Part {
            clusters: vec![bootstrap, self.target().to_owned()],
            target: self.target().to_owned(),
            secret: None,
            without: Vec::new(),
            deletes: false,
        };
        change(&mut part);
        part
    }

    /// The stand-in for kind, to be asked directly.
    pub fn kind(&self) -> Program {
        Program::new(env!("CARGO_BIN_EXE_stand-in-kind").as_ref(), self.dir.path())
            .env("KUBECTL_PIVOT_CACHE_DIR", &text(&self.cache))
            .env("STAND_IN_KIND_ROOT", &text(&self.path("kind-root")))
    }

    /// Waits until the run has begun a step.
    pub async fn until_begun(&self, step: &str) {
        self.until_journal(step, |lines| lines.iter().any(|line| is_begin_of(line, step))).await;
    }

    /// Waits until this very process has begun a step, or has ended the run before it.
    pub async fn until_begun_by(&self, step: &str, pid: u32) {
        self.until_run_begun_by(("pivot", step), pid).await;
    }

    /// As [`Scenario::until_begun_by`], of another run.
    pub async fn until_run_begun_by(&self, (run, step): (&str, &str), pid: u32) {
        let began = began_by(pid);
        let journal = self.path(&format!("state/runs/{run}/journal.jsonl"));
        self.until_lines(&journal, step, |lines| {
            let own = lines.iter().position(|line| line.contains(&began));
            own.is_some_and(|own| lines[own..].iter().any(|line| is_begin_of(line, step)))
        })
        .await;
    }

    /// Waits until the deletion has begun a step as often as this.
    pub async fn until_deletion_begun(&self, step: &str, times: usize) {
        let journal = self.path("state/deletions/pivot/journal.jsonl");
        self.until_lines(&journal, step, |lines| {
            lines.iter().filter(|line| is_begin_of(line, step)).count() >= times
        })
        .await;
    }

    async fn until_journal(&self, step: &str, condition: impl Fn(&[&str]) -> bool) {
        let journal = self.path("state/runs/pivot/journal.jsonl");
        self.until_lines(&journal, step, condition).await;
    }

    async fn until_lines(&self, journal: &Path, step: &str, condition: impl Fn(&[&str]) -> bool) {
        let wait = async {
            loop {
                let text = std::fs::read_to_string(journal).unwrap_or_default();
                if condition(&text.lines().collect::<Vec<_>>()) {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(280), wait).await;
        waited.unwrap_or_else(|_| panic!("the step {step} never began"));
    }

    /// Runs the program until it is in a step, and stops it there as a user does.
    pub async fn stop_in(&self, step: &str, arguments: Vec<String>) {
        self.stop_at(step, arguments, |line| is_begin_of(line, step)).await;
    }

    /// Runs the program until a step is done, and stops it then as a user does.
    pub async fn stop_after(&self, step: &str, arguments: Vec<String>) {
        let done = format!("\"event\":\"done\",\"step\":\"{step}\"");
        self.stop_at(step, arguments, |line| line.contains(&done)).await;
    }

    async fn stop_at(&self, step: &str, arguments: Vec<String>, is_it: impl Fn(&str) -> bool) {
        let mut running = self.program.start(arguments);
        let began = began_by(running.pid());
        let there = self.until_journal(step, |lines| {
            let own = lines.iter().position(|line| line.contains(&began));
            own.is_some_and(|own| lines[own..].iter().any(|line| is_it(line)))
        });
        tokio::select! {
            () = there => {}
            outcome = running.end() => panic!("it has ended before the step {step}: {outcome}"),
        }
        running.interrupt();
        let outcome = running.end().await;
        assert_eq!(outcome.code, Some(exit::UNFINISHED.into()), "{outcome}");
    }

    /// A client of a cluster.
    pub async fn client(&self, kubeconfig: &Path) -> Client {
        let client = Client::connect("a cluster", &KubeconfigRef::file(kubeconfig)).await;
        client.expect("a usable kubeconfig")
    }

    /// A client of the bootstrap cluster.
    pub async fn bootstrap(&self) -> Client {
        self.client(&self.path("state/runs/pivot/bootstrap.kubeconfig")).await
    }

    /// All objects of a kind of Cluster API.
    pub async fn list(&self, client: &Client, api_version: &str, kind: &str) -> Vec<Object> {
        let plural = format!("{}s", kind.to_lowercase());
        let kind = ResourceType::new(api_version, kind, &plural, true);
        client.list(&kind, None).await.expect("it is served")
    }

    /// The arguments of `create pivot`, and more.
    pub fn create(&self, more: &[&str]) -> Vec<String> {
        let mut arguments: Vec<String> =
            ["create", "pivot", "-i", "in-memory", "--settle", "1"].map(str::to_owned).to_vec();
        if !more.contains(&"--timeout") {
            arguments.extend(["--timeout".to_owned(), "120".to_owned()]);
        }
        arguments.extend(["--clusterctl-config".to_owned(), text(&self.config)]);
        arguments.extend(["--to-kubeconfig-out".to_owned(), text(&self.path("out.kubeconfig"))]);
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        arguments
    }
}

fn began_by(pid: u32) -> String {
    format!("\"event\":\"began\",\"pid\":{pid},")
}

fn is_begin_of(line: &str, step: &str) -> bool {
    line.contains(&format!("\"event\":\"started\",\"step\":\"{step}\""))
}

pub fn text(path: &Path) -> String {
    path.display().to_string()
}
