//! The processes of a sandbox with controllers: started, listed, ended, and gone with whoever holds
//! them.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use cluster::{Client, KubeconfigRef};
use kubectl_pivot_tests::dump::Kinds;
use kubectl_pivot_tests::parts;
use kubectl_pivot_tests::processes::{below, wait_for_none_below};
use kubectl_pivot_tests::program::Program;
use sandbox::{Part, Parts};
use serde_json::Value;
use support::causes::in_one_line;
use support::journal::Events;
use tempfile::TempDir;

/// Port of the in-memory provider.
const PROVIDER_PORT: u16 = 19_000;

/// One after the other, since only one sandbox with controllers can run on a machine.
#[tokio::test]
#[ignore = "a case of the thorough run"]
async fn from_up_to_down() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let program = program(&home).await;
    a_taken_port_is_reported(&program, &home).await;
    a_manager_that_ends_is_reported_with_its_log(&program, &home).await;
    it_outlives_its_starter_until_it_is_taken_down(&program, &home).await;
    each_cluster_has_its_version_of_cluster_api(&program, &home).await;
    a_killed_demo_leaves_no_orphans(&program, &home).await;
}

async fn a_taken_port_is_reported(program: &Program, home: &TempDir) {
    let _listener = take_provider_port().await;
    let outcome = program.run(["sandbox", "up", "--controllers", "--clusters", "1"]).await;
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.stderr.contains("port 19000 is taken"), "{outcome}");
    assert!(outcome.stderr.contains("hint: one sandbox with controllers"), "{outcome}");
    assert_eq!(wait_for_none_below(home.path()).await, Vec::<u32>::new());
}

async fn a_manager_that_ends_is_reported_with_its_log(program: &Program, home: &TempDir) {
    let assets = assets(home).await;
    let path = assets.join("kubeadm-bootstrap-manager");
    fs::write(&path, "#!/bin/sh\necho no such flag >&2\nexit 1\n").expect("writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("writable");
    let assets = assets.display().to_string();
    let args = ["sandbox", "up", "--controllers", "--clusters", "1", "--assets", &assets];
    let outcome = program.run(args).await;
    assert_eq!(outcome.code, Some(1), "{outcome}");
    let told = "source-kubeadm-bootstrap-manager stopped while starting: no such flag (log: ";
    assert!(outcome.stderr.contains(told), "{outcome}");
    assert_eq!(wait_for_none_below(home.path()).await, Vec::<u32>::new());
}

async fn it_outlives_its_starter_until_it_is_taken_down(program: &Program, home: &TempDir) {
    let args = ["sandbox", "up", "--controllers", "--clusters", "1", "-o", "json"];
    let sandbox = program.run(args).await.expect_success("sandbox up").json();
    assert_eq!(sandbox["state"], "running");
    let names: Vec<&str> = controllers(&sandbox).map(|one| text(&one["name"])).collect();
    let expected = [
        "core-manager",
        "kubeadm-bootstrap-manager",
        "kubeadm-control-plane-manager",
        "dev-manager",
        "relay",
        "kube-controller-manager",
    ];
    assert_eq!(names, expected);
    let running = below(home.path());
    for controller in controllers(&sandbox) {
        let pid = u32::try_from(controller["pid"].as_u64().expect("a number")).expect("a pid");
        assert!(running.contains(&pid), "{controller}");
        assert!(Path::new(text(&controller["log"])).exists(), "{controller}");
    }
    program.run(["sandbox", "down"]).await.expect_success("sandbox down");
    assert_eq!(wait_for_none_below(home.path()).await, Vec::<u32>::new());
}

async fn each_cluster_has_its_version_of_cluster_api(program: &Program, home: &TempDir) {
    let versions = "source=1.10.4,target=1.14.2";
    let args = ["sandbox", "up", "--controllers", "--capi-version", versions, "-o", "json"];
    let sandbox = program.run(args).await.expect_success("sandbox up").json();
    let of: BTreeSet<&str> = controllers(&sandbox).map(|one| text(&one["cluster"])).collect();
    assert!(of.contains("target") && !of.contains("source"), "{of:?}");
    let clusters = sandbox["clusters"].as_array().expect("a list");
    let stored = async |cluster: &Value| {
        let kubeconfig = KubeconfigRef::file(text(&cluster["kubeconfig"]));
        let client = Client::connect("sandbox", &kubeconfig).await.expect("a usable kubeconfig");
        let kinds = Kinds::read(&client).await.expect("CRDs can be listed");
        let version =
            |version: &&str| kinds.serve(&format!("cluster.x-k8s.io/{version}"), "Cluster");
        ["v1beta1", "v1beta2"].into_iter().filter(version).collect::<Vec<_>>()
    };
    assert_eq!(stored(&clusters[0]).await, ["v1beta1"]);
    assert_eq!(stored(&clusters[1]).await, ["v1beta1", "v1beta2"]);
    program.run(["sandbox", "down"]).await.expect_success("sandbox down");
    assert_eq!(wait_for_none_below(home.path()).await, Vec::<u32>::new());
}

async fn a_killed_demo_leaves_no_orphans(program: &Program, home: &TempDir) {
    let mut demo = program.start(["demo", "--controllers", "--fleet", "1"]);
    let deadline = Instant::now() + Duration::from_secs(240);
    // The provider comes last: then all of them are there.
    while TcpListener::bind((Ipv4Addr::UNSPECIFIED, PROVIDER_PORT)).is_ok() {
        assert!(Instant::now() < deadline, "the in-memory provider does not start");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(below(home.path()).len() > 6, "two control planes and their controllers");
    demo.kill();
    demo.end().await;
    assert_eq!(wait_for_none_below(home.path()).await, Vec::<u32>::new());
}

/// The program with a cache that other tests have filled, and a home of its own.
async fn program(home: &TempDir) -> Program {
    let parts = Parts::resolve(&parts::options(), &Events::none()).await;
    let parts = parts.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()));
    let cache = parts.crds.ancestors().nth(2).expect("it is below the cache").display().to_string();
    Program::kubectl_pivot(home.path()).env("KUBECTL_PIVOT_CACHE_DIR", &cache)
}

/// A folder with the two servers.
async fn assets(home: &TempDir) -> std::path::PathBuf {
    let dir = home.path().join("assets");
    fs::create_dir(&dir).expect("the folder is writable");
    for part in [Part::Etcd, Part::KubeApiserver] {
        let program = part.resolve(&parts::options(), &Events::none()).await;
        let program =
            program.unwrap_or_else(|error| panic!("{}: {:?}", in_one_line(&error), error.hint()));
        symlink(program, dir.join(part.to_string())).expect("the folder is writable");
    }
    dir
}

/// Waits for sandboxes of others to end, and takes their place.
async fn take_provider_port() -> TcpListener {
    let deadline = Instant::now() + Duration::from_secs(600);
    loop {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PROVIDER_PORT)) {
            return listener;
        }
        assert!(
            Instant::now() < deadline,
            "port 19000 is taken; end other sandboxes with controllers"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn controllers(sandbox: &Value) -> impl Iterator<Item = &Value> {
    sandbox["controllers"].as_array().expect("a list").iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
