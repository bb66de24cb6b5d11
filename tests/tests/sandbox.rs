//! The sandbox with real parts.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::future::join;
use kubectl_pivot_tests::parts;
use kubectl_pivot_tests::processes::{below, wait_for_none_below};
use sandbox::{
    ControlPlane, ControlPlaneOptions, Part, Parts, SandboxError, SandboxState, Sandboxes,
    UpOptions,
};
use serde_json::{Value, json};
use support::journal::{Event, Events};
use tempfile::TempDir;

#[tokio::test]
async fn a_control_plane_is_a_management_cluster_and_leaves_nothing_running() {
    let (dir, plane) = start(ControlPlaneOptions::default()).await;
    let clusters = get(plane.kubeconfig(), "/apis/cluster.x-k8s.io/v1beta2/clusters")
        .await
        .expect("list clusters");
    assert_eq!(clusters["items"], json!([]));
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?labelSelector=clusterctl.cluster.x-k8s.io";
    let crds = get(plane.kubeconfig(), crds).await.expect("list CRDs");
    let movable = crds["items"].as_array().expect("a list");
    assert!(movable.len() > 20, "only {} CRDs", movable.len());
    for crd in movable {
        let labels = &crd["metadata"]["labels"];
        assert_eq!(labels["cluster.x-k8s.io/v1beta2"], "v1beta2", "{}", crd["metadata"]["name"]);
        assert!(labels["cluster.x-k8s.io/provider"].is_string(), "{}", crd["metadata"]["name"]);
    }
    assert_eq!(below(dir.path()).len(), 2, "etcd and the API server");
    plane.stop().await;
    assert_eq!(below(dir.path()), Vec::<u32>::new());
}

#[tokio::test]
#[ignore = "a case of the thorough run"]
async fn clusterctl_accepts_it_as_a_management_cluster() {
    let (dir, plane) = start(ControlPlaneOptions::default()).await;
    let clusterctl = Part::Clusterctl.resolve(&parts::options(), &progress()).await;
    let clusterctl = clusterctl.unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()));
    let backup = dir.path().join("backup");
    std::fs::create_dir(&backup).expect("create folder");
    let mut command = Command::new(clusterctl);
    command
        .args(["move", "--kubeconfig"])
        .arg(plane.kubeconfig())
        .arg("--to-directory")
        .arg(backup);
    let output =
        command.env("CLUSTERCTL_DISABLE_VERSIONCHECK", "true").output().expect("clusterctl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let providers =
        get(plane.kubeconfig(), "/apis/clusterctl.cluster.x-k8s.io/v1alpha3/providers").await;
    let providers = providers.expect("list providers");
    let names: Vec<&str> = providers["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|provider| provider["metadata"]["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        names,
        ["infrastructure-docker", "bootstrap-kubeadm", "control-plane-kubeadm", "cluster-api"]
    );
}

/// The garbage collector knows the kinds of Cluster API; a namespace that is deleted is emptied and
/// goes.
#[tokio::test]
async fn its_controllers_collect_garbage_and_finish_namespaces() {
    let (dir, mut plane) = start(ControlPlaneOptions::default()).await;
    plane.start_controller_manager(&progress()).await.expect("kube-controller-manager");
    assert_eq!(below(dir.path()).len(), 3, "etcd, the API server and their controllers");
    create_namespace(&plane, "doomed").await;
    let clusters = "/apis/cluster.x-k8s.io/v1beta2/namespaces/doomed/clusters";
    let config_maps = "/api/v1/namespaces/doomed/configmaps";
    create(&plane, clusters, &cluster("owner", &Value::Null)).await;
    let owner = get(plane.kubeconfig(), &format!("{clusters}/owner")).await.expect("the owner");
    let reference = |uid: &Value| {
        json!([{"apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "Cluster", "name": "owner", "uid": uid}])
    };
    create(&plane, clusters, &cluster("owned", &reference(&owner["metadata"]["uid"]))).await;
    create(&plane, clusters, &cluster("dangling", &reference(&json!("none")))).await;
    let free = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "free"}});
    create(&plane, config_maps, &free).await;
    wait_for_404(&plane, &format!("{clusters}/dangling")).await;
    assert!(get(plane.kubeconfig(), &format!("{clusters}/owned")).await.is_ok());

    delete(&plane, &format!("{clusters}/owner")).await;
    wait_for_404(&plane, &format!("{clusters}/owned")).await;
    assert!(get(plane.kubeconfig(), &format!("{config_maps}/free")).await.is_ok());

    delete(&plane, "/api/v1/namespaces/doomed").await;
    wait_for_404(&plane, "/api/v1/namespaces/doomed").await;
    plane.stop().await;
    assert_eq!(below(dir.path()), Vec::<u32>::new());
}

#[tokio::test]
#[ignore = "a case of the thorough run"]
async fn dropping_a_control_plane_ends_it() {
    let (dir, plane) = start(bare()).await;
    drop(plane);
    assert_eq!(below(dir.path()), Vec::<u32>::new());
}

#[tokio::test]
#[ignore = "a case of the thorough run"]
async fn two_side_by_side_do_not_share_anything() {
    let ((_dir_a, a), (_dir_b, b)) = join(start(bare()), start(bare())).await;
    assert_ne!(a.url(), b.url());
    create_namespace(&a, "only-in-a").await;
    assert!(get(a.kubeconfig(), "/api/v1/namespaces/only-in-a").await.is_ok());
    assert_eq!(
        get(b.kubeconfig(), "/api/v1/namespaces/only-in-a").await.expect_err("not there"),
        404
    );
}

#[tokio::test]
async fn a_taken_port_is_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let taken = listener.local_addr().expect("address").port();
    let (_dir, plane) = start(ControlPlaneOptions { port: Some(taken), ..bare() }).await;
    assert_ne!(plane.url(), format!("https://127.0.0.1:{taken}"));
    assert!(get(plane.kubeconfig(), "/api/v1/namespaces").await.is_ok());
}

#[tokio::test]
async fn another_user_may_do_nothing_without_rules() {
    let (_dir, plane) = start(bare()).await;
    let kubeconfig = plane.kubeconfig_for("limited", Some("nobodies")).expect("a kubeconfig");
    assert_eq!(mode(&kubeconfig), 0o600);
    assert_eq!(get(&kubeconfig, "/api/v1/secrets").await.expect_err("forbidden"), 403);
    assert!(get(&kubeconfig, "/version").await.is_ok());
}

#[tokio::test]
async fn the_api_server_can_be_killed_and_started_again_with_its_data() {
    let (_dir, mut plane) = start(bare()).await;
    let url = plane.url();
    create_namespace(&plane, "kept").await;
    plane.kill_apiserver().await;
    assert_eq!(get(plane.kubeconfig(), "/api/v1/namespaces/kept").await.expect_err("down"), 0);
    plane.restart_apiserver().await.expect("restart");
    assert_eq!(plane.url(), url);
    assert!(get(plane.kubeconfig(), "/api/v1/namespaces/kept").await.is_ok());
}

#[tokio::test]
async fn a_part_that_dies_is_reported_with_its_log() {
    let dir = tempfile::tempdir().expect("temp dir");
    let options =
        ControlPlaneOptions { extra_apiserver_args: vec!["--no-such-flag".into()], ..bare() };
    let started = ControlPlane::start(dir.path(), &parts().await, options, &Events::none()).await;
    let error = started.expect_err("must not start");
    let text = error.to_string();
    assert!(
        text.contains("kube-apiserver stopped while starting") && text.contains("no-such-flag"),
        "{text}"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("kube-apiserver.log")));
    assert_eq!(below(dir.path()), Vec::<u32>::new());
}

#[tokio::test]
async fn a_killed_parent_leaves_no_orphans() {
    let dir = tempfile::tempdir().expect("temp dir");
    parts().await;
    let mut holder = holder(&["start", path(dir.path())]);
    wait_until_ready(&mut holder);
    assert_eq!(below(dir.path()).len(), 2, "etcd and the API server");
    kill(holder);
    assert_eq!(wait_for_none_below(dir.path()).await, Vec::<u32>::new());
}

#[tokio::test]
#[ignore = "a case of the thorough run"]
async fn a_parent_killed_while_starting_leaves_no_orphans() {
    let dir = tempfile::tempdir().expect("temp dir");
    parts().await;
    for delay in [20, 100, 500] {
        let holder = holder(&["start", path(dir.path())]);
        tokio::time::sleep(Duration::from_millis(delay)).await;
        kill(holder);
        assert_eq!(
            wait_for_none_below(dir.path()).await,
            Vec::<u32>::new(),
            "killed after {delay} ms"
        );
    }
}

#[tokio::test]
async fn a_sandbox_outlives_its_starter_until_it_is_taken_down() {
    let root = tempfile::tempdir().expect("temp dir");
    let sandboxes = Sandboxes::at(root.path());
    parts().await;
    let mut holder = holder(&["up", path(root.path()), "demo"]);
    wait_until_ready(&mut holder);
    assert!(holder.wait().expect("holder").success());

    let info = sandboxes.get("demo").expect("the sandbox");
    assert_eq!(info.state, SandboxState::Running);
    assert_eq!(sandboxes.list().expect("list"), std::slice::from_ref(&info));
    let source = &info.clusters[0];
    assert_eq!((source.name.as_str(), source.context.as_str()), ("source", "demo-source"));
    assert_eq!((mode(&info.dir), mode(&source.kubeconfig)), (0o700, 0o600));
    assert!(get(&source.kubeconfig, "/api/v1/namespaces").await.is_ok());

    let again = UpOptions { name: "demo".into(), bare: true, ..UpOptions::default() };
    let error = sandboxes.up(&again, &Events::none()).await.expect_err("runs already");
    assert!(matches!(error, SandboxError::AlreadyRunning { .. }), "{error}");
    assert!(
        error.hint().is_some_and(|hint| hint.contains("kubectl pivot sandbox down --name demo"))
    );

    sandboxes.down("demo").await.expect("down");
    // Supervisors are not waited for: they end by themselves, right after their parts.
    assert_eq!(wait_for_none_below(root.path()).await, Vec::<u32>::new());
    assert!(!info.dir.exists());
    assert_eq!(sandboxes.list().expect("list"), []);
}

#[tokio::test]
async fn leftovers_of_a_dead_sandbox_are_removed_and_its_name_is_used_again() {
    let root = tempfile::tempdir().expect("temp dir");
    let sandboxes = Sandboxes::at(root.path());
    let options = UpOptions {
        name: "demo".into(),
        clusters: NonZeroUsize::MIN,
        bare: true,
        controller_manager: false,
        ..UpOptions::default()
    };
    let info = sandboxes.up(&options, &progress()).await.expect("up");
    let [api, etcd] = info.clusters[0].pids[..] else { panic!("two processes") };
    signal("KILL", api);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(sandboxes.get("demo").expect("get").state, SandboxState::Partial);
    signal("KILL", etcd);
    assert_eq!(wait_for_none_below(root.path()).await, Vec::<u32>::new());
    assert_eq!(sandboxes.get("demo").expect("get").state, SandboxState::Stopped);

    let sandbox = sandboxes.start(&options, &Events::none()).await.expect("start again");
    assert_eq!(sandboxes.get("demo").expect("get").state, SandboxState::Running);
    drop(sandbox);
    assert_eq!(below(root.path()), Vec::<u32>::new());
    assert!(!info.dir.exists(), "an attached sandbox takes its folder with it");
}

fn bare() -> ControlPlaneOptions {
    ControlPlaneOptions { bare: true, ..ControlPlaneOptions::default() }
}

async fn start(options: ControlPlaneOptions) -> (TempDir, ControlPlane) {
    let dir = tempfile::tempdir().expect("temp dir");
    let plane = ControlPlane::start(dir.path(), &parts().await, options, &Events::none()).await;
    let plane = plane.unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()));
    (dir, plane)
}

async fn parts() -> Parts {
    let parts = Parts::resolve(&parts::options(), &progress()).await;
    parts.unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()))
}

#[expect(
    clippy::print_stderr,
    reason = "a build takes minutes, and the test's output should say so"
)]
fn progress() -> Events {
    Events::to(|event| {
        if let Event::Doing(what) = event {
            eprintln!("{what}");
        }
    })
}

/// A GET with the credentials of a kubeconfig file; the status code if it fails, 0 without an
/// answer.
async fn get(kubeconfig: &Path, path: &str) -> Result<Value, u16> {
    call(kubeconfig, http::Request::get(path).body(Vec::new()).expect("a request")).await
}

async fn create_namespace(plane: &ControlPlane, name: &str) {
    let body = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    create(plane, "/api/v1/namespaces", &body).await;
}

async fn create(plane: &ControlPlane, path: &str, object: &Value) {
    let request = http::Request::post(path).header("content-type", "application/json");
    let request = request.body(object.to_string().into_bytes()).expect("a request");
    let created = call(plane.kubeconfig(), request).await;
    created.unwrap_or_else(|code| panic!("{path}: {code}"));
}

async fn delete(plane: &ControlPlane, path: &str) {
    let request = http::Request::delete(path).body(Vec::new()).expect("a request");
    call(plane.kubeconfig(), request).await.unwrap_or_else(|code| panic!("{path}: {code}"));
}

async fn wait_for_404(plane: &ControlPlane, path: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while get(plane.kubeconfig(), path).await.err() != Some(404) {
        assert!(Instant::now() < deadline, "{path} does not go");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn cluster(name: &str, owners: &Value) -> Value {
    json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
        "metadata": {"name": name, "ownerReferences": owners},
        "spec": {"controlPlaneEndpoint": {"host": "127.0.0.1", "port": 1}}})
}

async fn call(kubeconfig: &Path, request: http::Request<Vec<u8>>) -> Result<Value, u16> {
    let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await;
    let mut config = config.expect("a configuration");
    config.default_retry = false;
    // The proxy of the environment does not lead to this machine.
    config.proxy_url = None;
    let client = kube::Client::try_from(config).expect("a client");
    client.request(request).await.map_err(|error| match error {
        kube::Error::Api(status) => status.code,
        _ => 0,
    })
}

fn holder(args: &[&str]) -> Child {
    let program = env!("CARGO_BIN_EXE_sandbox-holder");
    Command::new(program).args(args).stdout(Stdio::piped()).spawn().expect("sandbox-holder")
}

fn wait_until_ready(holder: &mut Child) {
    let stdout = holder.stdout.take().expect("piped");
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("read");
    assert_eq!(line, "ready\n");
}

/// `kill -9`.
fn kill(mut holder: Child) {
    holder.kill().expect("kill");
    holder.wait().expect("wait");
}

fn signal(name: &str, pid: u32) {
    let status =
        Command::new("sh").args(["-c", &format!("kill -s {name} {pid}")]).status().expect("sh");
    assert!(status.success());
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("exists").permissions().mode() & 0o777
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
