//! Finding and building the sandbox's parts, with a pretended Go where a real one would take
//! minutes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The programs of a control plane.
const SERVERS: [&str; 3] = ["etcd", "kube-apiserver", "kube-controller-manager"];

#[test]
fn without_go_the_error_says_what_is_missing_and_what_to_do() {
    let world = World::new();
    let said = world.said();
    assert!(said.contains("etcd v3."), "{said}");
    let cached = world.dir.path().join("cache/parts/etcd-v3");
    assert!(
        said.contains("is missing (looked for ") && said.contains(cached.to_str().expect("UTF-8")),
        "{said}"
    );
    assert!(said.contains("install Go 1.26") && said.contains("KUBEBUILDER_ASSETS"), "{said}");
}

#[test]
fn without_go_programs_from_the_environment_do_not_replace_the_crds() {
    let world = World::new();
    for part in SERVERS {
        program(&world.dir.path().join("assets").join(part), "exit 1");
    }
    let said = world.said();
    assert!(said.contains("the CRDs of Cluster API v1.") && said.contains("are missing"), "{said}");
}

#[test]
fn a_missing_module_is_reported_with_the_reason() {
    let world = World::new();
    for part in SERVERS {
        program(&world.dir.path().join("assets").join(part), "exit 1");
    }
    world.go(r#"echo '{"Path": "a.invalid/b", "Error": "no such host"}'; exit 1"#);
    let said = world.said();
    let told = "`go mod download` failed for the CRDs of Cluster API v1.";
    assert!(said.contains(told) && said.contains(": no such host"), "{said}");
}

#[test]
fn an_old_go_is_called_that() {
    let world = World::new();
    world
        .go("echo 'go: go.mod requires go >= 1.26.0 (running go 1.22.1; GOTOOLCHAIN=local)' >&2; \
             exit 1");
    let said = world.said();
    assert!(said.contains("too old to build etcd") && said.contains("running go 1.22.1"), "{said}");
}

#[test]
fn a_failed_build_shows_the_end_of_what_the_compiler_said_and_leaves_no_rubbish() {
    let world = World::new();
    world.go("seq 1 100 >&2; echo 'no space left on device' >&2; exit 2");
    let said = world.said();
    assert!(
        said.contains("`go build` failed for etcd") && said.contains("no space left on device"),
        "{said}"
    );
    assert!(!said.contains("| 50 |"), "only the end: {said}");
    let left: Vec<_> = fs::read_dir(world.dir.path().join("cache/parts"))
        .expect("the cache")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["lock"]);
}

#[test]
fn processes_that_need_the_same_part_build_it_once() {
    let world = World::new();
    // Writes the program to the path behind `-o`, slowly; fetching the CRDs fails.
    world.go(r#"[ "$1" = build ] || { echo 'no modules here' >&2; exit 1; }
        echo "$8" >>"$COUNT"
        /bin/sleep 0.5
        [ "$5" = -o ] && echo '#!/bin/sh' >"$6" && /bin/chmod 755 "$6""#);
    let builders = [world.spawn(), world.spawn(), world.spawn()];
    for builder in builders {
        let output = builder.wait_with_output().expect("sandbox-holder");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("`go mod download` failed for the CRDs"), "{said}");
    }
    let builds = fs::read_to_string(world.dir.path().join("count")).expect("the count");
    assert_eq!(builds.lines().count(), SERVERS.len(), "once each");
}

/// A machine with nothing on it but what a test puts there.
struct World {
    dir: TempDir,
}

impl World {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("temp dir") }
    }

    fn go(&self, script: &str) {
        program(&self.dir.path().join("bin/go"), script);
    }

    fn spawn(&self) -> Child {
        let at = |name: &str| self.dir.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox-holder"));
        command
            .arg("parts")
            .env_clear()
            .env("PATH", at("bin"))
            .env("HOME", at("home"))
            .env("COUNT", at("count"));
        command.env("KUBECTL_PIVOT_CACHE_DIR", at("cache")).env("KUBEBUILDER_ASSETS", at("assets"));
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("sandbox-holder")
    }

    /// Returns the error of a search for the parts that fails, as it must.
    fn said(&self) -> String {
        let output = self.spawn().wait_with_output().expect("sandbox-holder");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

fn program(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("create folder");
    fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("write");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("make executable");
}
