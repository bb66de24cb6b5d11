//! Plugins around a move, with real ones in front of real API servers: readiness probes before and
//! after it, and facts about kinds.

mod after;
mod before;
mod choices;
mod declared;
mod kinds;
mod waiting;

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_plugin_api::{Probe, ProbeCluster, ProbeStage};
use kubectl_pivot_tests::plugins::{User, probing};
use kubectl_pivot_tests::program::{Outcome, Program, Running};
use kubectl_pivot_tests::proxied_pair::{Ends, ProxiedPair};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule};
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use serde_json::{Value, json};

/// Exit codes, as docs/reference/exit-codes.md states them.
mod exit {
    pub(crate) const OK: i32 = 0;
    pub(crate) const USAGE: i32 = 2;
    pub(crate) const REFUSED: i32 = 3;
    pub(crate) const NOT_VERIFIED: i32 = 7;
    pub(crate) const INTERRUPTED: i32 = 130;
}

pub(crate) fn suite() -> Suite<ProxiedPair> {
    let suite = before::add(Suite::new());
    let suite = waiting::add(suite);
    let suite = after::add(suite);
    let suite = choices::add(suite);
    let suite = declared::add(suite);
    kinds::add(suite)
}

/// A fresh population, and a user who has the plugin `probing`.
struct Scenario {
    proxied_pair: Arc<ProxiedPair>,
    tag: String,
    user: User,
    before: Ends,
}

impl Scenario {
    async fn begin(proxied_pair: Arc<ProxiedPair>) -> Self {
        proxied_pair.remove_leases().await;
        let tag = proxied_pair.tag();
        proxied_pair.populate(&tag).await;
        let user = User::new();
        user.install(&[probing()]).await;
        let before = proxied_pair.ends(&tag).await;
        Self { proxied_pair, tag, user, before }
    }

    async fn end(self) {
        self.proxied_pair.clean_up(&self.tag).await;
    }

    /// The program of a user whose plugin declares these probes.
    fn program(&self, probes: &[Probe]) -> Program {
        let probes = serde_json::to_string(probes).expect("probes are plain data");
        self.user.program().env("PROBING_PROBES", &probes)
    }

    fn args(&self, flags: &[&str]) -> Vec<String> {
        let mut args = self.proxied_pair.move_args(&self.tag);
        args.extend(flags.iter().map(|flag| (*flag).to_owned()));
        args
    }

    /// Moves the namespace with these probes.
    async fn run(&self, probes: &[Probe], flags: &[&str]) -> Outcome {
        self.program(probes).run(self.args(flags)).await
    }

    /// Begins to move, and waits until the first request for which `applies` holds.
    async fn start_until(
        &self,
        probes: &[Probe],
        applies: impl Fn(&Call) -> bool + Send + Sync + 'static,
    ) -> Running {
        let traffic = self.proxied_pair.traffic();
        traffic.rule(Rule::when(applies, Fault::HoldBefore).times(1));
        let mut running = self.program(probes).start(self.args(&["-o", "json"]));
        tokio::select! {
            outcome = running.end() => panic!("the move has not come that far: {outcome}"),
            () = traffic.held() => running,
        }
    }

    /// Checks that nothing was written.
    async fn check_untouched(&self, outcome: &Outcome) {
        assert!(self.proxied_pair.traffic().writes().is_empty(), "{outcome}");
        assert_eq!(self.before, self.proxied_pair.ends(&self.tag).await, "{outcome}");
    }

    /// Checks that the objects are in the target, and nothing is left of the run.
    async fn check_moved(&self, outcome: &Outcome) {
        let ends = self.proxied_pair.ends(&self.tag).await;
        let plain = "Cluster.cluster.x-k8s.io TAG/plain";
        assert!(ends.target.get(plain).is_some() && ends.source.get(plain).is_none(), "{outcome}");
        let left = self.proxied_pair.leftovers(&self.tag).await;
        assert!(left.is_empty(), "{left:#?}\n{outcome}");
    }

    /// Name of the Deployment that the probes of this scenario look at.
    fn deployment(&self) -> String {
        format!("controller-of-{}", self.tag)
    }

    /// A probe of that Deployment in the source, before the move; ten minutes of patience.
    fn probe(&self) -> Probe {
        Probe::deployment_available("controller", "default", &self.deployment())
            .on(ProbeCluster::Bootstrap)
            .at(&[ProbeStage::BeforeMove])
    }
}

/// As `probe`, with a second of patience.
fn impatient(probe: Probe) -> Probe {
    Probe { timeout_seconds: 1, ..probe }
}

/// Creates a Deployment that is not available yet.
async fn create(plane: &Plane, name: &str) {
    let labels = json!({"app": name});
    let object = Object::new(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "manager", "image": "none"}]}}},
    }));
    let created = plane.client().create(&deployments(), &object, &WriteOptions::default()).await;
    created.expect("a valid Deployment");
}

/// Sets the condition `Available` of a Deployment, as its controller would.
async fn set_available(plane: &Plane, name: &str, status: &str) {
    let status = json!({"status": {"conditions": [
        {"type": "Available", "status": status, "reason": "Tested", "message": "by a test"}]}});
    let options = WriteOptions::default().status();
    let patch = (PatchKind::Merge, &status);
    let (kind, place) = (deployments(), (Some("default"), name));
    let patched = plane.client().patch(&kind, place, patch, &options).await;
    patched.expect("the Deployment is there");
}

async fn create_available(plane: &Plane, name: &str) {
    create(plane, name).await;
    set_available(plane, name, "True").await;
}

fn deployments() -> ResourceType {
    ResourceType::new("apps/v1", "Deployment", "deployments", true)
}

/// Returns whether a request begins to watch Deployments.
fn watches(call: &Call) -> bool {
    call.is_watch() && call.is_about("deployments")
}

/// The outcomes of the probes in a report, as `probe outcome`.
fn outcomes(report: &Value) -> Vec<String> {
    let results = report["probes"]["results"].as_array().expect("the report has probes");
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    results.iter().map(|r| format!("{} {}", word(&r["probe"]), word(&r["outcome"]))).collect()
}
