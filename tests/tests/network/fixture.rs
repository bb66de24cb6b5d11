//! State that all cases share: a bootstrap cluster, a target, a repository of charts, an installed
//! plugin.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{Client, KubeconfigRef};
use kubectl_pivot_tests::charts::FileServer;
use kubectl_pivot_tests::parts;
use kubectl_pivot_tests::plugins::{User, hosting};
use kubectl_pivot_tests::program::{Outcome, Program, Running};
use kubectl_pivot_tests::repository;
use kubectl_pivot_tests::simulated_controllers::{self, Behaviour, SimulatedControllers};
use sandbox::{ControlPlane, ControlPlaneOptions, Part, Parts};
use serde_json::Value;
use support::causes::in_one_line;
use support::journal::Events;
use tempfile::TempDir;

use super::charts::{self, Archives};

/// Shared by all cases.
pub struct Fixture {
    user: User,
    dir: TempDir,
    bootstrap: ControlPlane,
    target: ControlPlane,
    clusterctl: PathBuf,
    /// `clusterctl.yaml` of a local repository.
    pub config: PathBuf,
    /// The real helm.
    pub helm: PathBuf,
    /// The real registry.
    pub registry: PathBuf,
    /// Contents of the repository.
    pub archives: Archives,
    /// The repository with all charts.
    pub repository: FileServer,
}

/// One case: folders of its own, a cluster of its own name, a target without releases.
pub struct Scenario<'a> {
    fixture: &'a Fixture,
    pub dir: TempDir,
    pub program: Program,
    name: &'static str,
    _simulated_controllers: SimulatedControllers,
}

async fn part(part: Part) -> PathBuf {
    let found = part.resolve(&parts::options(), &Events::none()).await;
    found.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()))
}

async fn user() -> User {
    let user = User::with(&["cilium", "flannel", "kindnet"]).await;
    user.install(&[hosting()]).await;
    user
}

impl Fixture {
    pub async fn set() -> Self {
        let parts = Parts::resolve(&parts::options(), &Events::none()).await;
        let parts =
            parts.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()));
        let dir = tempfile::tempdir().expect("a temporary folder");
        let start = async |name: &str, bare: bool| {
            let options = ControlPlaneOptions { bare, ..ControlPlaneOptions::default() };
            let events = Events::none();
            let plane = ControlPlane::start(dir.path().join(name), &parts, options, &events).await;
            let mut plane = plane.unwrap_or_else(|error| panic!("{error}"));
            let started = plane.start_controller_manager(&events).await;
            started.unwrap_or_else(|error| panic!("{error}"));
            plane
        };
        let (bootstrap, target) = futures::join!(start("bootstrap", false), start("target", true));
        let helm = part(Part::Helm).await;
        let charts = dir.path().join("charts");
        std::fs::create_dir(&charts).expect("create folder");
        let archives = charts::write(&helm, &charts);
        let providers = dir.path().join("providers");
        std::fs::create_dir(&providers).expect("create folder");
        Self {
            config: repository::write(&providers, &parts.crds).await,
            user: user().await,
            repository: FileServer::start(&charts).await,
            clusterctl: part(Part::Clusterctl).await,
            bootstrap,
            target,
            registry: part(Part::Registry).await,
            helm,
            archives,
            dir,
        }
    }

    /// A case. Its name is that of its cluster and of the namespace of the cluster.
    pub fn scenario(&self, name: &'static str) -> Scenario<'_> {
        self.scenario_with(name, false)
    }

    /// A case whose machines become nodes, so that a run comes to its end.
    pub fn whole_scenario(&self, name: &'static str) -> Scenario<'_> {
        self.scenario_with(name, true)
    }

    fn scenario_with(&self, name: &'static str, with_nodes: bool) -> Scenario<'_> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let program = Program::kubectl_pivot(self.user.home())
            .env("XDG_DATA_HOME", &text(&self.user.home().join("data")))
            .env("KUBECTL_PIVOT_STATE_DIR", &text(&dir.path().join("state")))
            .env("KUBECTL_PIVOT_CLUSTERCTL", &text(&self.clusterctl))
            .env("KUBECTL_PIVOT_HELM", &text(&self.helm));
        let clusters = [&self.bootstrap, &self.target].map(|plane| plane.kubeconfig().to_owned());
        let simulated_controllers = SimulatedControllers::begin(simulated_controllers::Part {
            clusters: clusters.into(),
            target: self.target.kubeconfig().to_owned(),
            without: if with_nodes { Vec::new() } else { vec![Behaviour::Nodes] },
            deletes: false,
            secret: None,
        });
        for (release, namespace) in [("cilium", "kube-system"), ("flannel", "kube-flannel")] {
            let words = ["uninstall", release, "-n", namespace, "--no-hooks", "--ignore-not-found"];
            let ended = self.helm(&words).output().expect("helm is there");
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        }
        Scenario {
            fixture: self,
            dir,
            program,
            name,
            _simulated_controllers: simulated_controllers,
        }
    }

    /// The management cluster that a run begins with, and the one that it ends with.
    pub async fn clients(&self) -> (Client, Client) {
        let connect = async |plane: &ControlPlane| {
            let kubeconfig = KubeconfigRef::file(plane.kubeconfig());
            Client::connect("test", &kubeconfig).await.expect("a kubeconfig")
        };
        (connect(&self.bootstrap).await, connect(&self.target).await)
    }

    /// helm on the target, by hand.
    pub fn helm(&self, words: &[&str]) -> Command {
        let mut helm = Command::new(&self.helm);
        helm.args(words).arg("--kubeconfig").arg(self.target.kubeconfig());
        helm.env("HOME", self.dir.path()).stdin(Stdio::null());
        helm
    }

    /// The revisions of a release, oldest first.
    pub fn history(&self, release: &str, namespace: &str) -> Vec<Value> {
        let output = self.helm(&["history", release, "-n", namespace, "-o", "json"]).output();
        let output = output.expect("helm is there");
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            assert!(words.contains("release: not found"), "{words}");
            return Vec::new();
        }
        serde_json::from_slice(&output.stdout).expect("helm prints JSON")
    }

    /// An object of the target.
    pub async fn find(
        &self,
        kind: &ResourceType,
        namespace: Option<&str>,
        name: &str,
    ) -> Option<Object> {
        let (_, client) = self.clients().await;
        client.get(kind, namespace, name).await.expect("it answers")
    }

    /// The values that a chart of this suite was given.
    pub async fn values(&self, chart: &str, namespace: &str) -> Value {
        let kind = ResourceType::core("ConfigMap", "configmaps");
        let config = self.find(&kind, Some(namespace), &format!("{chart}-config")).await;
        let config = config.expect("the chart is installed");
        let values = config.value()["data"]["values"].as_str().expect("a text").to_owned();
        serde_json::from_str(&values).expect("JSON")
    }
}

impl Scenario<'_> {
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A file of the run.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path("state/runs").join(self.name).join(name)
    }

    /// The arguments of `create`, and more.
    pub fn create(&self, more: &[&str]) -> Vec<String> {
        let bootstrap = text(self.fixture.bootstrap.kubeconfig());
        let out = text(&self.path("out.kubeconfig"));
        let mut arguments = vec!["create", self.name, "-n", self.name, "-i", "in-memory"];
        arguments.extend(["--bootstrap", "existing", "--bootstrap-kubeconfig", &bootstrap]);
        // There is no provider behind this bootstrap cluster, and networks are not what is awaited
        // here.
        arguments.extend(["--to-kubeconfig-out", &out, "--skip-probes", "in-memory"]);
        if !more.contains(&"--timeout") {
            arguments.extend(["--timeout", "120"]);
        }
        arguments.extend(more);
        arguments.into_iter().map(str::to_owned).collect()
    }

    /// Begins a run, waits until the network is there, and kills it: what follows is no matter
    /// here. Returns what the step says of itself.
    pub async fn install(&self, arguments: &[String]) -> String {
        let mut run = self.program.start(arguments);
        let done = "\"event\":\"done\",\"step\":\"network\",";
        let line = self.journal(&mut run, done).await;
        run.kill();
        let _ = run.end().await;
        line
    }

    /// Waits until a run has written a line into its journal, and returns the line.
    pub async fn journal(&self, run: &mut Running, text: &str) -> String {
        let began = format!("\"event\":\"began\",\"pid\":{},", run.pid());
        let find = || {
            let journal = std::fs::read_to_string(self.file("journal.jsonl")).unwrap_or_default();
            let mut lines = journal.lines().skip_while(|line| !line.contains(&began));
            lines.find(|line| line.contains(text)).map(str::to_owned)
        };
        tokio::select! {
            line = until(find) => line,
            ended = run.end() => find().unwrap_or_else(|| panic!("{text} is not in the journal: \
                                                                  {ended}")),
        }
    }

    /// A script in the place of a program.
    pub fn script(&self, name: &str, body: &str) -> String {
        let path = self.path(name);
        // Another process writes it, so that no child of this one has it open when it is executed.
        let mut shell = Command::new("/bin/sh");
        let script = format!("#!/bin/sh\n{body}\n");
        shell.args(["-c", r#"printf %s "$1" > "$0" && chmod 755 "$0""#]).arg(&path).arg(script);
        assert!(shell.status().is_ok_and(|status| status.success()));
        text(&path)
    }
}

/// Asks until there is an answer.
pub async fn until<T>(mut find: impl FnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = find() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(200), wait).await.expect("it comes in time")
}

/// Checks how a run has ended, and what it told.
pub fn expect(outcome: &Outcome, code: u8, texts: &[&str]) {
    assert_eq!(outcome.code, Some(code.into()), "{outcome}");
    for text in texts {
        assert!(outcome.stderr.contains(text), "{text:?} is not told: {outcome}");
    }
    assert_eq!(outcome.stdout, "", "{outcome}");
}

pub fn text(path: &Path) -> String {
    path.display().to_string()
}
