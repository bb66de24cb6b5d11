//! The commands of the documents, run as they stand there by a shell on a terminal, with the real
//! kubectl; their output is what the documents show.

use std::os::unix::fs::symlink;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use kubectl_pivot_tests::age;
use kubectl_pivot_tests::console::{self, Block, Command};
use kubectl_pivot_tests::krew;
use kubectl_pivot_tests::plugins;
use kubectl_pivot_tests::program::Program;
use kubectl_pivot_tests::proxied_pair::{LEASE_SECONDS, ProxiedPair};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::terminal::Terminal;
use sandbox::fleet::{self, FleetOptions};
use support::journal::Events;

/// The page whose commands every run takes; those of the others are for the thorough run.
const FIRST: &str = "README.md";

/// Names of the clusters in the documents.
const SOURCES: [&str; 2] = ["source.kubeconfig", "old.kubeconfig"];
const TARGETS: [&str; 4] =
    ["target.kubeconfig", "new.kubeconfig", "other.kubeconfig", "pivot.kubeconfig"];

/// Namespaces of the documents.
const NAMESPACES: [&str; 4] = ["default", "fleet", "team", "team-a"];

pub(crate) fn suite() -> Suite<ProxiedPair> {
    let mut suite = Suite::new();
    for (page, blocks) in console::pages() {
        if blocks.iter().all(|block| block.not_run.is_some()) {
            continue;
        }
        let name = page.trim_end_matches(".md").to_lowercase().replace(['/', '-'], "_");
        let is_first = page == FIRST;
        let case = move |proxied_pair| run(proxied_pair, page, blocks);
        suite = if is_first { suite.case(&name, case) } else { suite.thorough(&name, case) };
    }
    suite
}

/// Runs the blocks of a page one after the other.
async fn run(proxied_pair: Arc<ProxiedPair>, page: String, blocks: Vec<Block>) {
    let reader = Reader::new(proxied_pair, &page).await;
    reader.empty().await;
    let read = AssertUnwindSafe(reader.read(&page, &blocks)).catch_unwind().await;
    reader.clean_up(&blocks).await;
    read.unwrap_or_else(|panic| resume_unwind(panic));
}

/// A person who reads a page and types its commands.
struct Reader {
    proxied_pair: Arc<ProxiedPair>,
    shell: Program,
    folder: PathBuf,
}

impl Reader {
    async fn new(proxied_pair: Arc<ProxiedPair>, page: &str) -> Self {
        let home = proxied_pair.fixture().folder(&page.replace('/', "-"));
        let folder = proxied_pair.fixture().folder(&page.replace('/', "-").replace(".md", ".work"));
        for (side, names) in [(Side::Source, &SOURCES[..]), (Side::Target, &TARGETS[..])] {
            for name in names {
                let copied = std::fs::copy(proxied_pair.kubeconfig(side), folder.join(name));
                copied.expect("the folder is ours");
            }
        }
        let bin = home.join("bin");
        std::fs::create_dir_all(&bin).expect("the folder is ours");
        let kubectl = krew::kubectl(&home).await;
        let keygen = age::keygen().await;
        let cache = keygen.ancestors().find(|folder| folder.ends_with("parts"));
        let cache = cache.and_then(Path::parent).expect("parts are in a cache");
        let clusterctl = proxied_pair.fixture().clusterctl();
        for (name, program) in [
            ("kubectl", kubectl.path()),
            ("kubectl-pivot", Program::kubectl_pivot(&home).path()),
            ("clusterctl", clusterctl.path()),
            ("age-keygen", &keygen),
        ] {
            symlink(program, bin.join(name)).expect("the folder is ours");
        }
        let source = folder.join("source.kubeconfig").display().to_string();
        let shell = Program::new(Path::new("/bin/bash"), &home)
            .env("PATH", &format!("{}:/usr/bin:/bin", bin.display()))
            .env("KUBECONFIG", &source)
            .env("XDG_DATA_HOME", &home.join("data").display().to_string())
            .env("KUBECTL_PIVOT_CACHE_DIR", &cache.display().to_string())
            .env("SHELL", "/bin/bash")
            .env("TERM", "dumb")
            .env("NO_COLOR", "1")
            .env(LEASE_SECONDS, "5");
        Self { proxied_pair, shell, folder }
    }

    /// Runs the blocks, and reports every command that does not do what the page says.
    async fn read(&self, page: &str, blocks: &[Block]) {
        let mut wrong = Vec::new();
        for block in blocks.iter().filter(|block| block.not_run.is_none()) {
            for step in &block.setup {
                self.prepare(step).await;
            }
            for command in &block.commands {
                wrong.extend(self.type_in(command).await.err());
            }
        }
        assert!(wrong.is_empty(), "{page}\n\n{}", wrong.join("\n\n"));
    }

    /// Ends what commands of a page have started, and deletes what they have applied.
    async fn clean_up(&self, blocks: &[Block]) {
        for command in blocks.iter().flat_map(|block| &block.commands) {
            if command.line.contains("| kubectl apply") {
                let undo =
                    command.line.replace("| kubectl apply", "| kubectl delete --ignore-not-found");
                self.run(&undo).await;
            }
            if command.line.contains("pivot sandbox up") {
                self.run("kubectl pivot sandbox down").await;
            }
        }
        self.empty().await;
    }

    /// Takes everything of the documents out of both clusters.
    async fn empty(&self) {
        self.proxied_pair.traffic().begin_run();
        for namespace in NAMESPACES {
            self.proxied_pair.empty(namespace).await;
        }
        let _ = std::fs::remove_dir_all(self.folder.join("before-upgrade"));
        self.proxied_pair.remove_leases().await;
    }

    /// Does what a mark says that a block needs.
    async fn prepare(&self, step: &str) {
        let words: Vec<&str> = step.split(' ').collect();
        match words[..] {
            ["fleet", "in", namespace] => self.fleet("c", namespace).await,
            ["fleet", prefix, "in", namespace] => self.fleet(prefix, namespace).await,
            ["killed", "move", "of", namespace] => {
                self.fleet("c", namespace).await;
                self.kill(namespace, while_deleting()).await;
            }
            ["killed", "copy", "of", namespace] => {
                self.fleet("c", namespace).await;
                self.kill(namespace, while_copying()).await;
            }
            ["lost", "records"] => self.proxied_pair.lose_records().await,
            ["plugins", ref names @ ..] => {
                let files = names.iter().map(|name| plugins::library(name).display().to_string());
                let files = files.collect::<Vec<_>>().join(" ");
                self.sh(&format!("kubectl pivot plugin install {files}")).await;
            }
            ["folder", name] => {
                let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
                symlink(folder, self.folder.join(name)).expect("the folder is ours");
            }
            ["kubectl", ..] => self.sh(step).await,
            _ => panic!("no preparation is called {step:?}"),
        }
    }

    /// Two clusters with one worker each, and nothing else of the documents.
    async fn fleet(&self, prefix: &str, namespace: &str) {
        self.empty().await;
        self.sh(&format!(
            "kubectl get namespace {namespace} || kubectl create namespace {namespace}"
        ))
        .await;
        let options = FleetOptions {
            clusters: 2,
            workers: 1,
            namespace: namespace.to_owned(),
            name_prefix: prefix.to_owned(),
            ..FleetOptions::default()
        };
        let source = self.proxied_pair.pair().source.client();
        fleet::create(source, &options, &Events::none()).await.expect("an empty namespace");
    }

    /// Kills a move at the rule, and waits until its lock has run out.
    async fn kill(&self, namespace: &str, rule: Rule) {
        let traffic = self.proxied_pair.traffic();
        traffic.begin_run();
        traffic.rule(rule);
        let mut running = self.proxied_pair.program().start(self.proxied_pair.move_args(namespace));
        tokio::select! {
            outcome = running.end() => panic!("it has ended before the fault: {outcome}"),
            () = traffic.held() => {}
        }
        running.kill();
        running.end().await;
        traffic.cut().await;
        traffic.begin_run();
        let mut status = self.proxied_pair.args("status");
        status.extend(["-o", "json"].map(str::to_owned));
        loop {
            let status = self.proxied_pair.program().run(&status).await.json();
            let clusters = status["clusters"].as_array().expect("clusters");
            if clusters.iter().all(|cluster| cluster["run"]["holder"].is_null()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Types a command, says yes to its questions, and compares what it prints.
    async fn type_in(&self, command: &Command) -> Result<(), String> {
        let line = &command.line;
        let (code, screen) = self.run(line).await;
        if code != Some(0) {
            return Err(format!("{line}\nexit code {code:?}\n{screen}"));
        }
        let compared = match command.output.as_slice() {
            [] => Ok(()),
            output => console::compare(output, &screen),
        };
        compared.map_err(|error| format!("{line}\n{error}\n{screen}"))
    }

    async fn sh(&self, line: &str) {
        let (code, screen) = self.run(line).await;
        assert_eq!(code, Some(0), "{line}\n{screen}");
    }

    async fn run(&self, line: &str) -> (Option<i32>, String) {
        let line = format!("stty columns 200; cd '{}' && {line}", self.folder.display());
        let terminal = Terminal::start(&self.shell, ["-o", "pipefail", "-c", &line]);
        terminal.agree().await
    }
}

/// Keeps the fourth deletion from the source.
fn while_deleting() -> Rule {
    let is_delete =
        |call: &Call| call.method == "DELETE" && call.side == Side::Source && !call.is_lease();
    Rule::when(is_delete, Fault::HoldAfter).skip(3).times(1)
}

/// Keeps the fourth copy.
fn while_copying() -> Rule {
    let is_copy = |call: &Call| {
        call.is_write() && call.method == "POST" && call.side == Side::Target && !call.is_lease()
    };
    Rule::when(is_copy, Fault::HoldAfter).skip(3).times(1)
}
