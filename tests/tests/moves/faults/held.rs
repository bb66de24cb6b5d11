//! A provider whose manager ignores every pause, in both clusters, and a run that holds its
//! leader-election Lease.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use capi::{Object, ResourceType};
use cluster::{Client, WriteOptions};
use kubectl_pivot_tests::pods::{PodOfManager, Recipe};
use kubectl_pivot_tests::population::shapes::DOCKER;
use kubectl_pivot_tests::proxied_pair::PROVIDER_NAMESPACE;
use kubectl_pivot_tests::suite::Suite;
use serde_json::json;

use super::neighbours::at_the_last_copy;
use super::{FaultBench, Shared, check_nothing_left, fresh};

/// Exit code of a move that preflight does not let through.
const REFUSED: i32 = 3;
const FINALIZER: &str = "ignorant.example.com";
/// The Lease by which the manager elects a leader.
pub(super) const LEASE: &str = "ignorant-leader";
const DEPLOYMENT: &str = "ignorant-controller-manager";
/// The longest that the manager may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time in which it may do nothing; it takes some milliseconds for it.
const QUIET: Duration = Duration::from_secs(2);

pub(crate) fn add(suite: Suite<FaultBench>) -> Suite<FaultBench> {
    suite.case("a_manager_that_ignores_the_pause_does_nothing_while_it_is_held", ignored)
}

async fn ignored(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let folder = proxied_pair.fixture().folder("ignorant");
    let pair = proxied_pair.pair();
    let logs = ["source", "target"].map(|name| folder.join(name));
    let managers = [
        start(pair.source.kubeconfig(), &logs[0]).await,
        start(pair.target.kubeconfig(), &logs[1]).await,
    ];
    let (source, target) = (pair.source.client(), pair.target.client());
    wait_until_kept(source, &tag, "plain-worker").await;
    let mut args = proxied_pair.move_args(&tag);
    args.extend(["--hold-controllers", "never"].map(str::to_owned));
    let refused = proxied_pair.program().run(args).await;
    assert_eq!(refused.code, Some(REFUSED), "{refused}");
    assert!(refused.says("PauseUnreported") && refused.says(DEPLOYMENT), "{refused}");
    proxied_pair.traffic().rule(at_the_last_copy());
    let mut args = proxied_pair.move_args(&tag);
    args.extend(["--hold-controllers", "always"].map(str::to_owned));
    let mut running = proxied_pair.program().start(args);
    tokio::select! {
        outcome = running.end() => panic!("the move has ended before the fault: {outcome}"),
        () = proxied_pair.traffic().held() => {}
    }
    tokio::time::sleep(QUIET).await;
    let copies = target.list(&machines(), Some(&tag)).await.expect("can be listed");
    assert!(!copies.is_empty());
    for copy in &copies {
        assert!(copy.finalizers().is_empty(), "it works on {}", copy.id());
    }
    proxied_pair.traffic().release();
    running.end().await.expect_success("the move");
    // The cluster has objects of other scenarios too, which nobody holds.
    let own = |log: PathBuf| {
        let text = std::fs::read_to_string(log).expect("a log");
        text.lines().filter(|line| line.contains(&tag)).map(|line| format!("{line}\n")).collect()
    };
    let [of_source, of_target]: [String; 2] = logs.map(own);
    assert!(of_source.contains("keeps") && !of_source.contains("destroys"), "{of_source}");
    assert_eq!(of_target, "", "it has worked on what it does not manage yet");
    let later = json!({"apiVersion": DOCKER, "kind": "DockerMachine", "spec": {},
        "metadata": {"name": "later", "namespace": tag}});
    let created = target.create(&machines(), &Object::new(later), &WriteOptions::default()).await;
    created.unwrap_or_else(|error| panic!("{error}: {}", error.cause));
    wait_until_kept(target, &tag, "later").await;
    for manager in managers {
        manager.remove().await;
    }
    for client in [source, target] {
        remove_lease(client).await;
    }
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

pub(super) async fn start(kubeconfig: &Path, log: &Path) -> PodOfManager {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let port = port.expect("loopback has free ports").port();
    let args = vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--webhook-port={port}"),
        "--leader-elect".to_owned(),
    ];
    let variables = [
        ("POD_NAMESPACE", PROVIDER_NAMESPACE.to_owned()),
        ("POD_NAME", DEPLOYMENT.to_owned()),
        ("PATH", std::env::var("PATH").unwrap_or_default()),
    ];
    let environment = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let program = env!("CARGO_BIN_EXE_ignorant-manager").into();
    PodOfManager::run(
        kubeconfig,
        Recipe { program, args, environment, reads_its_namespace: false, log: log.to_owned() },
    )
    .await
}

/// Waits until the manager has put its finalizer on a machine.
async fn wait_until_kept(client: &Client, tag: &str, name: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let machine = client.get(&machines(), Some(tag), name).await.expect("can be read");
        let machine = machine.expect("is there");
        if machine.finalizers().contains(&FINALIZER) {
            return;
        }
        assert!(Instant::now() < deadline, "the manager does not work on {}", machine.id());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Removes the Lease of a manager, which the run must have given back without a trace.
pub(super) async fn remove_lease(client: &Client) {
    let kind = ResourceType::new("coordination.k8s.io/v1", "Lease", "leases", true);
    let place = (Some(PROVIDER_NAMESPACE), LEASE);
    let lease = client.get(&kind, place.0, place.1).await.expect("can be read");
    let lease = lease.expect("it was created");
    assert!(lease.value()["metadata"]["annotations"].is_null(), "{lease:?}");
    client.delete(&kind, place.0, place.1, lease.uid()).await.expect("it can be deleted");
}

fn machines() -> ResourceType {
    ResourceType::new(DOCKER, "DockerMachine", "dockermachines", true)
}
