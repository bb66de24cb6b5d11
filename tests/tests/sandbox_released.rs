//! Released parts from a mirror: real programs in archives of envtest's layout, with sums by
//! coreutils, and every way in which such a download can be wrong. No Go is on the path.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use kubectl_pivot_tests::files_server::FilesServer;
use kubectl_pivot_tests::parts;
use kubectl_pivot_tests::program::{Outcome, Program};
use sandbox::Parts;
use serde_json::{Value, json};
use support::journal::Events;
use tempfile::TempDir;

const VERSION: &str = "v1.36.2";
const MANIFESTS: [(&str, &str, &str); 4] = [
    ("cluster-api", "v1.14.2", "core-components.yaml"),
    ("bootstrap-kubeadm", "v1.14.2", "bootstrap-components.yaml"),
    ("control-plane-kubeadm", "v1.14.2", "control-plane-components.yaml"),
    ("infrastructure-docker", "v1.14.0", "infrastructure-components-development.yaml"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_starts_from_downloads_alone() {
    let world = World::new();
    let built = Parts::resolve(&parts::options(), &Events::none()).await.expect("parts");
    world.release_programs(&built);
    world.release_crds(&built.crds, |crd| crd);
    let server = FilesServer::start(&world.mirror()).await;
    let up = world.up("download", server.address()).await.expect_success("up");
    assert!(
        up.says("not on this machine yet: etcd, kube-apiserver, kube-controller-manager"),
        "{up}"
    );
    assert!(up.stdout.contains("running"), "{up}");
    world.down().await;

    let cache = world.dir.path().join("cache/parts");
    let platform = platform();
    let mut expected = vec![
        "cluster-api-crds-v1.14.2-1".to_owned(),
        format!("envtest-{VERSION}-{platform}"),
        format!("kube-controller-manager-released-{VERSION}-{platform}"),
        "lock".to_owned(),
    ];
    expected.sort();
    assert_eq!(listed(&cache), expected);
    assert_eq!(listed(&cache.join(&expected[1])), ["etcd", "kube-apiserver"], "no kubectl");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&cache.join(&expected[1])), 0o700);
    // What the Go modules give, byte for byte.
    let folders = [&built.crds, &cache.join(&expected[0])];
    let difference = Command::new("diff").arg("-r").args(folders).output().expect("diff runs");
    assert!(difference.status.success(), "{}", String::from_utf8_lossy(&difference.stdout));

    drop(server);
    world.up("download", "http://127.0.0.1:1").await.expect_success("from the cache");
    world.down().await;
}

/// A name, what somebody does to a mirror, and what is said of it.
type Case = (&'static str, fn(&World), &'static str);

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_not_as_published_is_refused_and_leaves_nothing() {
    let cases: [Case; 8] = [
        ("sum", |world| world.replace_archive(b"something else"), "the checksum of "),
        ("no programs", |world| world.release_archive(&[("README", b"x")]), "it holds no "),
        ("links", World::release_links, "is not a file"),
        ("no index", |world| world.remove("envtest-releases.yaml"), "the server answers 404"),
        (
            "no archive",
            |world| world.remove(&format!("envtest-{VERSION}")),
            "the server answers 404",
        ),
        (
            "page",
            |world| world.write("envtest-releases.yaml", b"<html>log in</html>"),
            "not an index",
        ),
        ("hash", |world| world.write_index(VERSION, "abc"), "has no sha512"),
        ("version", |world| world.write_index("v1.35.0", &"0".repeat(128)), "does not list it"),
    ];
    for (name, change, says) in cases {
        let world = World::new();
        world.release_archive(&[("etcd", b"#!/bin/sh"), ("kube-apiserver", b"#!/bin/sh")]);
        change(&world);
        let server = FilesServer::start(&world.mirror()).await;
        world.check_refused(name, server.address(), says).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_cut_or_led_astray_is_refused() {
    for (answer, says) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nreleases:\n",
            "cannot download http://127",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", "is longer than"),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://mirror.invalid/x\r\ncontent-length: 0\r\n\r\n",
            "only https: is safe",
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n",
            "more than 5 redirects",
        ),
        ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", "the server answers 503"),
    ] {
        let world = World::new();
        world.check_refused(answer, &always(answer), says).await;
    }
    for mirror in ["http://mirror.invalid", "file:///srv", "https://me:hunter2@mirror.invalid"] {
        let refused = World::new().up("download", mirror).await;
        assert_eq!(refused.code, Some(2), "{refused}");
        assert!(refused.says("--parts-mirror"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn crds_of_a_mirror_have_to_be_those_that_are_pinned() {
    let built = Parts::resolve(&parts::options(), &Events::none()).await.expect("parts");
    for (change, says) in [
        (wider as fn(Value) -> Value, "is not the one of the Go modules"),
        (renamed, "is not the one of the Go modules"),
        (|_| json!({"kind": "Other"}), "it has no CRD"),
    ] {
        let world = World::new();
        for program in ["etcd", "kube-apiserver", "kube-controller-manager"] {
            world.assets(program);
        }
        world.release_crds(&built.crds, change);
        let server = FilesServer::start(&world.mirror()).await;
        world.check_refused(says, server.address(), says).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn go_builds_when_nothing_can_be_downloaded() {
    let world = World::new();
    world.go("echo 'no modules here' >&2; exit 1");
    let server = FilesServer::start(&world.mirror()).await;
    let failed = world.up("auto", server.address()).await;
    assert!(
        failed.says("the server answers 404") && failed.says("Go builds what is missing"),
        "{failed}"
    );
    assert!(
        failed.says("`go build` failed for etcd") && failed.says("no modules here"),
        "{failed}"
    );
    assert!(failed.says("etcd 1 min, kube-apiserver 4 min"), "what takes how long: {failed}");
    let built = world.up("build", server.address()).await;
    assert!(!built.says("404") && built.says("`go build` failed for etcd"), "{built}");
}

/// A field more, with which an object could hold what it must not.
fn wider(mut crd: Value) -> Value {
    let schema = &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["x-kubernetes-preserve-unknown-fields"] = true.into();
    crd
}

fn renamed(mut crd: Value) -> Value {
    crd["metadata"]["name"] = "secrets.example.org".into();
    crd
}

/// Gives the same answer to everybody, and closes.
fn always(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().filter_map(Result::ok) {
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

/// A machine without Go, with a cache of its own, and a mirror.
struct World {
    dir: TempDir,
    program: Program,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temp dir");
        let at = |name: &str| {
            fs::create_dir_all(dir.path().join(name)).expect("ours");
            dir.path().join(name).display().to_string()
        };
        let path = format!("{}:/usr/bin:/bin", at("bin"));
        at("mirror");
        let program = Program::kubectl_pivot(Path::new(&at("home")))
            .env("PATH", &path)
            .env("KUBECTL_PIVOT_CACHE_DIR", &at("cache"))
            .env("KUBEBUILDER_ASSETS", &at("assets"));
        Self { dir, program }
    }

    fn mirror(&self) -> PathBuf {
        self.dir.path().join("mirror")
    }

    async fn up(&self, from: &str, mirror: &str) -> Outcome {
        let args =
            ["sandbox", "up", "--clusters", "1", "--parts-from", from, "--parts-mirror", mirror];
        self.program.run(args.map(str::to_owned)).await
    }

    async fn down(&self) {
        let down = self.program.run(["sandbox", "down", "--all"].map(str::to_owned)).await;
        down.expect_success("down");
    }

    async fn check_refused(&self, case: &str, mirror: &str, says: &str) {
        let refused = self.up("download", mirror).await;
        assert_eq!(refused.code, Some(1), "{case}: {refused}");
        assert!(refused.says(says), "{case}: {refused}");
        assert!(refused.says("--parts-from build"), "{case}: {refused}");
        assert_eq!(listed(&self.dir.path().join("cache/parts")), ["lock"], "{case}");
    }

    fn go(&self, script: &str) {
        executable(&self.dir.path().join("bin/go"), script);
    }

    fn assets(&self, program: &str) {
        executable(&self.dir.path().join("assets").join(program), "exit 1");
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.mirror().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("ours");
        fs::write(path, content).expect("written");
    }

    fn remove(&self, path: &str) {
        let path = self.mirror().join(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("ours");
    }

    fn archive(&self) -> PathBuf {
        let name = format!("envtest-{VERSION}-{}.tar.gz", platform());
        self.mirror().join(format!("envtest-{VERSION}")).join(name)
    }

    /// An archive as it is released, with what is listed of it.
    fn release_archive(&self, programs: &[(&str, &[u8])]) {
        self.pack(|tar| {
            for (name, content) in programs {
                let mut header = tar::Header::new_gnu();
                header.set_size(content.len() as u64);
                header.set_mode(0o755);
                let path = format!("controller-tools/envtest/{name}");
                tar.append_data(&mut header, path, *content).expect("packed");
            }
        });
    }

    fn release_links(&self) {
        self.pack(|tar| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            let path = "controller-tools/envtest/etcd";
            tar.append_link(&mut header, path, "/bin/true").expect("packed");
        });
    }

    fn pack(&self, fill: impl FnOnce(&mut tar::Builder<GzEncoder<File>>)) {
        let archive = self.archive();
        fs::create_dir_all(archive.parent().expect("a folder")).expect("ours");
        let gzip = GzEncoder::new(File::create(&archive).expect("created"), Compression::fast());
        let mut tar = tar::Builder::new(gzip);
        fill(&mut tar);
        tar.into_inner().expect("packed").finish().expect("written");
        self.write_index(VERSION, &sum("sha512sum", &archive));
    }

    fn replace_archive(&self, content: &[u8]) {
        fs::write(self.archive(), content).expect("written");
    }

    fn write_index(&self, version: &str, hash: &str) {
        let name = format!("envtest-{version}-{}.tar.gz", platform());
        let link = format!("https://github.com/x/releases/download/envtest-{version}/{name}");
        let index = format!(
            "releases:\n  {version}:\n    {name}:\n      hash: {hash}\n      selfLink: {link}\n"
        );
        self.write("envtest-releases.yaml", index.as_bytes());
    }

    fn release_programs(&self, built: &Parts) {
        let read = |path: &Path| fs::read(path).expect("readable");
        let (etcd, apiserver) = (read(&built.etcd), read(&built.kube_apiserver));
        self.release_archive(&[("etcd", &etcd), ("kube-apiserver", &apiserver), ("kubectl", b"x")]);
        let (system, architecture) = platform().split_once('-').map(own).expect("a pair");
        let path =
            format!("kubernetes/{VERSION}/bin/{system}/{architecture}/kube-controller-manager");
        self.write(&path, &read(&built.kube_controller_manager));
        let sum = sum("sha256sum", &self.mirror().join(&path));
        self.write(&format!("{path}.sha256"), sum.as_bytes());
    }

    /// Manifests as `kustomize` makes them of the CRDs: conversion webhooks, certificates, labels,
    /// other objects.
    fn release_crds(&self, crds: &Path, change: fn(Value) -> Value) {
        for (provider, version, file) in MANIFESTS {
            let mut text = "---\n{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"n\"}}\n".to_owned();
            for name in listed(&crds.join(provider)) {
                let crd = fs::read(crds.join(provider).join(name)).expect("readable");
                let mut crd: Value = serde_json::from_slice(&crd).expect("JSON");
                crd["spec"]["conversion"] =
                    json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"]}});
                crd["metadata"]["annotations"]["cert-manager.io/inject-ca-from"] = "n/c".into();
                crd["metadata"]["labels"] = json!({"cluster.x-k8s.io/provider": provider});
                text += &format!("---\n{}\n", change(crd));
            }
            self.write(&format!("cluster-api/{version}/{file}"), text.as_bytes());
        }
        let inventory = crds.join("clusterctl/providers.clusterctl.cluster.x-k8s.io.json");
        let inventory = fs::read(inventory).expect("readable");
        let path = "cluster-api/v1.14.2/clusterctl.cluster.x-k8s.io_providers.yaml";
        self.write(path, &inventory);
    }
}

fn own((a, b): (&str, &str)) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

fn platform() -> String {
    let output = Command::new("uname").args(["-s", "-m"]).output().expect("uname runs");
    let names = String::from_utf8_lossy(&output.stdout).trim().to_lowercase();
    names.replace(' ', "-").replace("x86_64", "amd64").replace("aarch64", "arm64")
}

fn sum(program: &str, file: &Path) -> String {
    let output = Command::new(program).arg(file).output().expect("coreutils");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().next().expect("a sum").to_owned()
}

fn executable(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("ours");
    fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("ours");
}

fn listed(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The sums that the program compares downloaded CRDs with. To write them anew:
/// `KUBECTL_PIVOT_WRITE_REFERENCE=1 cargo test -p kubectl-pivot-tests --test sandbox_released
/// pinned`.
#[tokio::test]
async fn the_pinned_sums_are_those_of_the_go_modules() {
    let built = Parts::resolve(&parts::options(), &Events::none()).await.expect("parts");
    let mut sums = String::new();
    for provider in listed(&built.crds) {
        for name in listed(&built.crds.join(&provider)) {
            let sum = sum("sha256sum", &built.crds.join(&provider).join(&name));
            sums += &format!("{sum}  {provider}/{name}\n");
        }
    }
    let pins = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/sandbox/parts/cluster-api/crds.sha256");
    if std::env::var_os("KUBECTL_PIVOT_WRITE_REFERENCE").is_some() {
        fs::write(&pins, &sums).expect("written");
    }
    assert_eq!(fs::read_to_string(pins).expect("readable"), sums);
}
