//! Backups, restoring them, and the journal: whole, encrypted, damaged, interrupted, without space.

mod damage;
mod encrypted;
mod hostile;
mod interrupts;
mod journal;
mod limit;
mod round_trip;
mod space;
mod watch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capi::Object;
use kubectl_pivot_tests::dump::{Dump, diff, identity, report};
use kubectl_pivot_tests::program::{Outcome, Program, Running};
use kubectl_pivot_tests::proxied_pair::{Ends, ProxiedPair};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::schemas;
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

/// Exit codes, as docs/reference/exit-codes.md states them.
mod exit {
    pub(crate) const USAGE: i32 = 2;
    pub(crate) const FAILED: i32 = 1;
    pub(crate) const REFUSED: i32 = 3;
    pub(crate) const UNDONE: i32 = 5;
    pub(crate) const UNFINISHED: i32 = 6;
    pub(crate) const NOT_VERIFIED: i32 = 7;
    pub(crate) const INTERRUPTED: i32 = 130;
}

pub(crate) fn suite() -> Suite<ProxiedPair> {
    let suite = round_trip::add(Suite::new());
    let suite = damage::add(suite);
    let suite = encrypted::add(suite);
    let suite = limit::add(suite);
    let suite = interrupts::add(suite);
    let suite = hostile::add(suite);
    let suite = space::add(suite);
    let suite = journal::add(suite);
    watch::add(suite)
}

/// Runs a case with a fresh scenario, and cleans up after one that went well.
async fn with_scenario<F: Future<Output = ()>>(
    proxied_pair: Arc<ProxiedPair>,
    case: impl FnOnce(Scenario) -> F,
) {
    proxied_pair.remove_leases().await;
    let tag = proxied_pair.tag();
    proxied_pair.populate(&tag).await;
    let folder = proxied_pair.fixture().folder(&format!("files-{tag}"));
    case(Scenario { proxied_pair: Arc::clone(&proxied_pair), tag: tag.clone(), folder }).await;
    proxied_pair.clean_up(&tag).await;
}

/// A fresh population, and what can be done with it.
struct Scenario {
    proxied_pair: Arc<ProxiedPair>,
    tag: String,
    folder: PathBuf,
}

impl Scenario {
    /// Directory for this scenario's backup; not there yet.
    fn directory(&self) -> PathBuf {
        self.folder.join("backup")
    }

    fn backup_args(&self) -> Vec<String> {
        let directory = self.directory().display().to_string();
        let mut args = self.args(Side::Source, "backup", &[&directory, "-n", &self.tag]);
        args.extend(["-o", "json"].map(str::to_owned));
        args
    }

    fn restore_args(&self, side: Side, directory: &Path) -> Vec<String> {
        let directory = directory.display().to_string();
        self.args(side, "restore", &[&directory, "--max-in-flight", "1", "-o", "json"])
    }

    /// A subcommand about one cluster.
    fn args(&self, side: Side, command: &str, further: &[&str]) -> Vec<String> {
        let kubeconfig = self.proxied_pair.kubeconfig(side);
        let args = [command, "--quiet", "--kubeconfig", &kubeconfig];
        args.iter().chain(further).map(|arg| (*arg).to_owned()).collect()
    }

    async fn run(&self, args: Vec<String>) -> Outcome {
        self.proxied_pair.program().run(args).await
    }

    async fn back_up(&self) -> Outcome {
        self.run(self.backup_args()).await.expect_success("the backup")
    }

    /// Starts a program and waits until it is kept by the rule.
    async fn start_until(&self, program: &Program, args: Vec<String>, rule: Rule) -> Running {
        self.proxied_pair.traffic().begin_run();
        self.proxied_pair.traffic().rule(rule);
        let mut running = program.start(args);
        tokio::select! {
            outcome = running.end() => panic!("it has ended before the fault: {outcome}"),
            () = self.proxied_pair.traffic().held() => running,
        }
    }

    /// Kills it at the rule, on the program's machine.
    async fn kill_at(&self, program: &Program, args: Vec<String>, rule: Rule) {
        let mut running = self.start_until(program, args, rule).await;
        running.kill();
        running.end().await;
        self.proxied_pair.traffic().cut().await;
        self.proxied_pair.traffic().begin_run();
    }

    async fn ends(&self) -> Ends {
        self.proxied_pair.ends(&self.tag).await
    }

    /// Checks that both clusters are as they were, without marks or Leases.
    async fn check_put_back(&self, before: &Ends) {
        before.check_put_back(&self.ends().await).unwrap_or_else(|text| panic!("{text}"));
        self.check_nothing_left().await;
    }

    async fn check_nothing_left(&self) {
        let left = self.proxied_pair.leftovers(&self.tag).await;
        assert!(left.is_empty(), "{left:#?}");
    }

    /// Checks that no mark and no Lease is left. Who restores a backup beside the cluster that it
    /// was made of has two active sides; that is not the program's doing.
    async fn check_no_marks_left(&self) {
        let mut left = self.proxied_pair.leftovers(&self.tag).await;
        left.retain(|problem| !problem.contains("is active twice"));
        assert!(left.is_empty(), "{left:#?}");
    }

    /// This scenario's objects of a backup, called as in its dumps.
    fn saved(&self, directory: &Path) -> BTreeSet<String> {
        let manifest = manifest(directory);
        let objects = manifest["objects"].as_array().into_iter().flatten().cloned();
        let names = objects.map(|mut object| {
            object["metadata"] = json!({"name": object["name"], "namespace": object["namespace"]});
            identity(&Object::new(object))
        });
        let own = names.filter(|name| name.contains(&self.tag));
        own.map(|name| name.replace(&self.tag, "TAG")).collect()
    }

    /// Checks that everything of this scenario that a backup names came back as it was.
    fn check_restored(&self, directory: &Path, saved: &Dump, restored: &Dump) {
        let names = self.saved(directory);
        assert!(names.len() > 20, "hardly anything was saved: {names:?}");
        let of_backup = |dump: &Dump| content(dump, &names);
        let (saved, restored) = (of_backup(saved), of_backup(restored));
        assert_eq!(restored.names().count(), names.len(), "{names:#?}");
        let differences = report(&diff(&saved, &restored), "saved   ", "restored");
        assert!(differences.is_empty(), "{differences}");
    }
}

/// Keeps the first pause of a Cluster.
fn at_the_pause(fault: Fault) -> Rule {
    let is_pause = |call: &Call| {
        call.method == "PATCH" && call.is_about("clusters") && call.body["spec"]["paused"] == true
    };
    Rule::when(is_pause, fault).times(1)
}

/// Keeps the `skip + 1`st object that is created in a cluster.
fn while_creating(side: Side, skip: usize, fault: Fault) -> Rule {
    let is_create = move |call: &Call| {
        call.is_write() && call.method == "POST" && call.side == side && !call.is_lease()
    };
    Rule::when(is_create, fault).skip(skip).times(1)
}

/// Returns objects as a restore has to bring them back: all but the status and its manager.
fn content(dump: &Dump, names: &BTreeSet<String>) -> Dump {
    let mut dump = dump.clone();
    dump.0.retain(|name, _| names.contains(name));
    for object in dump.0.values_mut() {
        if let Some(fields) = object.as_object_mut() {
            fields.remove("status");
        }
        if let Some(managers) = object["metadata"]["managedFields"].as_object_mut() {
            managers.retain(|name, _| !name.ends_with(" status"));
        }
    }
    dump
}

/// The manifest of a backup.
fn manifest(directory: &Path) -> Value {
    let text = std::fs::read_to_string(directory.join(transfer::MANIFEST));
    let text = text.expect("a complete backup has a manifest");
    let lines = text.lines().map(|line| line.strip_prefix("# ").expect("nothing but comments"));
    let json: Vec<&str> = lines.skip_while(|line| *line != "{").collect();
    let manifest = serde_json::from_str(&json.concat()).expect("JSON");
    schemas::check(&manifest);
    manifest
}

/// Names in a folder, sorted.
fn listed(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
