//! Tokens that expire while a move is going on. The program talks to the API servers directly, with
//! credentials of an exec plugin.

use std::path::{Path, PathBuf};
use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{Client, KubeconfigRef, PatchKind, WriteOptions};
use kubectl_pivot_tests::authenticator::Authenticator;
use kubectl_pivot_tests::population::shapes::CORE;
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::proxied_pair::cluster_type;
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use serde_json::{Value, json};

use super::{FaultBench, Shared, UNFINISHED, check_moved, check_nothing_left, fresh};

pub(crate) fn add(suite: Suite<FaultBench>) -> Suite<FaultBench> {
    suite
        .thorough("a_token_that_expires_is_renewed_by_its_exec_plugin", renewed)
        .case("a_token_that_expires_for_good_leaves_a_run_that_can_be_rolled_back", not_renewed)
}

async fn renewed(fault_bench: Shared) {
    let tag = fresh(&fault_bench.proxied_pair).await;
    let user = User::new(&fault_bench, &tag);
    let outcome = user.moves_until_expiry(&fault_bench, &tag, Some("second")).await;
    outcome.expect_success("the move");
    assert!(user.calls() >= 2, "it was not asked for a new token for each cluster");
    check_moved(&fault_bench, &tag).await;
    fault_bench.proxied_pair.clean_up(&tag).await;
}

async fn not_renewed(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let before = proxied_pair.ends(&tag).await;
    let user = User::new(&fault_bench, &tag);
    let outcome = user.moves_until_expiry(&fault_bench, &tag, None).await;
    assert_eq!(outcome.code, Some(UNFINISHED), "{outcome}");
    assert!(outcome.says("credentials of the") && outcome.says("rollback"), "{outcome}");
    // The run could not let its Leases go.
    proxied_pair.free_leases().await;
    proxied_pair.program().run(proxied_pair.args("rollback")).await.expect_success("the rollback");
    before.check_put_back(&proxied_pair.ends(&tag).await).unwrap_or_else(|text| panic!("{text}"));
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// Somebody whose kubeconfigs name an exec plugin.
struct User {
    folder: PathBuf,
    kubeconfigs: [PathBuf; 2],
    /// Kubeconfigs with the first token.
    expired: [PathBuf; 2],
}

impl User {
    fn new(fault_bench: &FaultBench, tag: &str) -> Self {
        let folder = fault_bench.proxied_pair.fixture().folder(&format!("user-{tag}"));
        let plugin = Authenticator::exec_plugin(&folder);
        let pair = fault_bench.proxied_pair.pair();
        let exec = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1",
            "command": plugin, "interactiveMode": "Never"}});
        let write = |name: &str, plane: &Plane, user: &Value| {
            let path = folder.join(format!("{name}.kubeconfig"));
            let config = kubeconfig(plane, user);
            std::fs::write(&path, config.to_string()).expect("the folder is writable");
            path
        };
        let token = json!({"token": "first"});
        let (source, target) = (&pair.source, &pair.target);
        let kubeconfigs = [write("source", source, &exec), write("target", target, &exec)];
        let expired = [write("old-source", source, &token), write("old-target", target, &token)];
        Self { folder, kubeconfigs, expired }
    }

    /// Token that the exec plugin gives out.
    fn hold(&self, token: &str) {
        std::fs::write(self.folder.join("token"), token).expect("the folder is writable");
    }

    /// Calls of the exec plugin since the token has expired.
    fn calls(&self) -> usize {
        let calls = std::fs::read_to_string(self.folder.join("calls")).unwrap_or_default();
        calls.lines().count()
    }

    /// Moves, and lets its token expire while the move waits for a Machine.
    async fn moves_until_expiry(
        &self,
        fault_bench: &FaultBench,
        tag: &str,
        next: Option<&str>,
    ) -> Outcome {
        self.hold("first");
        fault_bench.authenticator.accept_only("first");
        let pair = fault_bench.proxied_pair.pair();
        block(&pair.source, tag, &"".into()).await;
        let [source, target] = self.kubeconfigs.each_ref().map(|path| path.display().to_string());
        let args = ["move", "--kubeconfig", &source, "--to-kubeconfig", &target, "-n", tag];
        let mut running =
            fault_bench.proxied_pair.program().start(args.into_iter().chain(["-q", "--yes"]));
        let expire = async {
            wait_paused(&pair.source, tag).await;
            std::fs::remove_file(self.folder.join("calls")).expect("it was asked to begin with");
            if let Some(next) = next {
                self.hold(next);
            }
            fault_bench.authenticator.accept_only(next.unwrap_or_default());
            for path in &self.expired {
                wait_expired(path).await;
            }
            block(&pair.source, tag, &Value::Null).await;
        };
        tokio::join!(running.end(), expire).0
    }
}

/// Sets or removes what asks the move to wait.
async fn block(plane: &Plane, tag: &str, value: &Value) {
    let patch =
        json!({"metadata": {"annotations": {"clusterctl.cluster.x-k8s.io/block-move": value}}});
    let machines = ResourceType::new(CORE, "Machine", "machines", true);
    let (place, options) = ((Some(tag), "plain-worker"), WriteOptions::manager("somebody"));
    let patched =
        plane.client().patch(&machines, place, (PatchKind::Merge, &patch), &options).await;
    patched.expect("it is there");
}

async fn wait_paused(plane: &Plane, tag: &str) {
    let is_paused = |cluster: &Object| cluster.value()["spec"]["paused"] == true;
    let clusters = async || plane.client().list(&cluster_type(), Some(tag)).await;
    while !clusters().await.expect("can be listed").iter().all(is_paused) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// API servers go on taking a token for ten seconds after they have asked about it.
async fn wait_expired(kubeconfig: &Path) {
    let client = Client::connect("expired", &KubeconfigRef::file(kubeconfig)).await;
    let client = client.expect("a usable kubeconfig");
    while client.get_path("/api/v1").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn kubeconfig(plane: &Plane, user: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster":
            {"server": plane.control().url(), "insecure-skip-tls-verify": true}}],
        "users": [{"name": "it", "user": user}],
    })
}
