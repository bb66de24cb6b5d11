//! `kubectl pivot doctor` as users meet it, with small scripts in the place of the programs.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kubectl_pivot::commands::{CHECKS, exit};
use kubectl_pivot_tests::program::{Outcome, Program};
use serde_json::Value;
use tempfile::TempDir;

const INFO: &str =
    r#"{"ServerVersion":"28.2.2","DockerRootDir":"/","MemTotal":17179869184,"CgroupVersion":"2"}"#;

/// A machine with these programs, and nothing else in its PATH.
struct Machine {
    home: TempDir,
    registry: TcpListener,
}

impl Machine {
    /// Everything that is needed, as it should be.
    fn well() -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let registry = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let machine = Self { home, registry };
        machine.program("kind", "echo kind v0.33.0 go1.26 linux/amd64");
        machine.program("clusterctl", "echo v1.14.2");
        machine.program("helm", "echo v3.18.0+gabc");
        machine.program("kubectl", r#"echo '{"clientVersion":{"gitVersion":"v1.36.3"}}'"#);
        machine.docker("echo 28.2.2");
        machine
    }

    fn docker(&self, version: &str) {
        let script = format!(
            "case \"$1\" in\n--version) echo 'Docker version 28.2.2, build x' ;;\n\
             version) {version} ;;\ninfo) echo '{INFO}' ;;\nesac"
        );
        self.program("docker", &script);
    }

    fn bin(&self) -> PathBuf {
        self.home.path().join("bin")
    }

    fn program(&self, name: &str, script: &str) {
        fs::create_dir_all(self.bin()).expect("create folder");
        write_program(&self.bin().join(name), &format!("#!/bin/sh\n{script}\n"));
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.bin().join(name)).expect("it is there");
    }

    fn doctor(&self) -> Program {
        Program::kubectl_pivot(self.home.path()).env("PATH", &text(&self.bin()))
    }

    async fn examine(&self, arguments: &[&str]) -> Outcome {
        let registry = self.registry.local_addr().expect("it is bound").to_string();
        self.doctor().run([&["doctor", "--registry", &registry], arguments].concat()).await
    }

    /// The check of this name, and the exit code.
    async fn check(&self, name: &str, arguments: &[&str]) -> (Value, Option<i32>) {
        let outcome = self.examine(&[&["-o", "json"], arguments].concat()).await;
        let diagnosis = outcome.json();
        let checks = diagnosis["checks"].as_array().expect("a list").clone();
        let check = checks.into_iter().find(|check| check["check"] == name);
        (check.unwrap_or_else(|| panic!("{name}: {outcome}")), outcome.code)
    }
}

/// Another process writes it: a child that this one forks meanwhile would inherit the open file,
/// and a file that somebody may write to cannot be executed.
fn write_program(path: &Path, script: &str) {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"cat > "$0" && chmod 755 "$0""#]).arg(path).stdin(Stdio::piped());
    let mut shell = shell.spawn().expect("there is a shell");
    let mut input = shell.stdin.take().expect("it is piped");
    input.write_all(script.as_bytes()).expect("write");
    drop(input);
    assert!(shell.wait().is_ok_and(|status| status.success()), "{}", path.display());
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test]
async fn a_machine_with_everything_has_no_problem_with_programs() {
    let machine = Machine::well();
    let outcome = machine.examine(&["-o", "json"]).await;
    let diagnosis = outcome.json();
    assert_eq!(diagnosis["apiVersion"], "kubectl-pivot.io/v1alpha1", "{outcome}");
    assert_eq!(diagnosis["kind"], "Diagnosis", "{outcome}");
    let checks = diagnosis["checks"].as_array().expect("a list");
    let names: Vec<_> = checks.iter().filter_map(|check| check["check"].as_str()).collect();
    assert_eq!(names, CHECKS.map(|(name, _)| name));
    for name in ["kind", "clusterctl", "helm", "docker", "kubectl", "docker-engine", "registries"] {
        let check = checks.iter().find(|check| check["check"] == name).expect("just seen");
        assert_eq!(check["health"], "good", "{check}");
    }
    // Limits, memory and disk are those of the machine that runs this.
    let has_problem = checks.iter().any(|check| check["health"] == "problem");
    let expected = if has_problem { exit::NOT_VERIFIED } else { exit::OK };
    assert_eq!(outcome.code, Some(expected.into()), "{outcome}");
}

#[tokio::test]
async fn a_program_does_not_get_the_secrets_of_others() {
    let machine = Machine::well();
    let names = ["kind", "clusterctl", "helm"];
    for (name, version) in names.into_iter().zip(["v0.33.0", "v1.14.2", "v3.18.0"]) {
        let seen = machine.home.path().join(format!("{name}-env"));
        machine.program(name, &format!("export -p > '{}'; echo {version}", text(&seen)));
    }
    let doctor = machine.doctor().env("AWS_SECRET_ACCESS_KEY", "CANARY-of-a-cloud");
    let doctor = doctor.env("HELM_REGISTRY_PASSWORD", "CANARY-of-helm");
    doctor.run(["doctor", "-o", "json", "--registry", "127.0.0.1:1"]).await;
    let sees = |name: &str, canary: &str| {
        let seen = machine.home.path().join(format!("{name}-env"));
        fs::read_to_string(seen).expect("it was asked for its version").contains(canary)
    };
    let of_a_cloud = names.map(|name| sees(name, "CANARY-of-a-cloud"));
    assert_eq!(of_a_cloud, [false, true, false], "only providers are filled with variables");
    assert!(sees("helm", "CANARY-of-helm") && !sees("kind", "CANARY-of-helm"));
    assert!(sees("kind", "PATH="));
}

#[tokio::test]
async fn every_finding_has_a_fix_in_every_format() {
    let machine = Machine::well();
    machine.remove("kind");
    machine.docker("echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    let outcome = machine.examine(&[]).await;
    assert_eq!(outcome.code, Some(exit::NOT_VERIFIED.into()), "{outcome}");
    for line in [
        "✘ kind               kind was not found: it is in no folder of PATH",
        "✘ docker-engine      `docker version --format '{{json .Server}}'` failed with exit code",
        "Cannot connect to the Docker daemon",
        "fix: ",
        " problems, ",
    ] {
        assert!(outcome.stdout.contains(line), "{line}: {outcome}");
    }
    let yaml = machine.examine(&["-o", "yaml"]).await;
    let document = support::yaml::documents(&yaml.stdout).expect("valid YAML").remove(0);
    let found = document["checks"].as_array().expect("a list").iter();
    let found = found.filter(|check| check["health"] == "problem" || check["health"] == "warning");
    for check in found {
        assert!(check["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{check}");
    }
}

#[tokio::test]
async fn programs_are_chosen_by_flag_over_environment_over_path() {
    let machine = Machine::well();
    for (name, version) in [("by-flag", "0.31.0"), ("by-variable", "0.32.0")] {
        machine.program(name, &format!("echo kind v{version}"));
    }
    let by_flag = text(&machine.bin().join("by-flag"));
    let by_variable = text(&machine.bin().join("by-variable"));
    let doctor = machine.doctor().env("KUBECTL_PIVOT_KIND", &by_variable);
    let registry = machine.registry.local_addr().expect("it is bound").to_string();
    let base = ["doctor", "-o", "json", "--registry", &registry];
    let outcome = doctor.run(base).await;
    assert!(outcome.stdout.contains(&format!("kind 0.32.0 at {by_variable}")), "{outcome}");
    let outcome = doctor.run([&base[..], &["--kind", &by_flag]].concat()).await;
    assert!(outcome.stdout.contains(&format!("kind 0.31.0 at {by_flag}")), "{outcome}");
    // A bare name is looked up in PATH, and an empty variable counts as none.
    let outcome = doctor.run([&base[..], &["--kind", "by-flag"]].concat()).await;
    assert!(outcome.stdout.contains(&format!("kind 0.31.0 at {by_flag}")), "{outcome}");
    let outcome = machine.doctor().env("KUBECTL_PIVOT_KIND", "").run(base).await;
    assert!(outcome.stdout.contains("kind 0.33.0 at "), "{outcome}");
}

#[tokio::test]
async fn old_and_strange_programs_are_problems() {
    let machine = Machine::well();
    machine.program("clusterctl", "echo v1.2.3");
    machine.program("helm", "echo Welcome to the other helm");
    machine.program("kubectl", "echo no config >&2; exit 4");
    for (name, health, found) in [
        ("clusterctl", "problem", "is version 1.2.3, and 1.6.0 or newer is needed"),
        ("helm", "problem", "prints no version, but: Welcome to the other helm"),
        ("kubectl", "warning", "failed with exit code 4"),
    ] {
        let (check, code) = machine.check(name, &[]).await;
        assert_eq!(check["health"], health, "{check}");
        assert!(check["found"].as_str().is_some_and(|text| text.contains(found)), "{check}");
        assert_eq!(code, Some(exit::NOT_VERIFIED.into()));
    }
}

#[tokio::test]
async fn registries_that_refuse_do_not_matter_with_local_repositories() {
    let machine = Machine::well();
    let closed = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = closed.local_addr().expect("it is bound").to_string();
    drop(closed);
    let refused = ["--registry", address.as_str()];
    let (check, code) = machine.check("registries", &refused).await;
    assert_eq!((&check["health"], code), (&"problem".into(), Some(exit::NOT_VERIFIED.into())));
    assert!(check["found"].as_str().is_some_and(|text| text.contains(&address)), "{check}");

    let repository = machine.home.path().join("components.yaml");
    fs::write(&repository, "").expect("write");
    let config = machine.home.path().join("config/cluster-api/clusterctl.yaml");
    fs::create_dir_all(config.parent().expect("in a folder")).expect("create folder");
    let url = text(&repository);
    let write = |url: &str| {
        let providers =
            ["cluster-api", "kubeadm"].map(|name| format!("- {{name: {name}, url: {url}}}\n"));
        let yaml = format!("providers:\n{}cert-manager: {{url: {url}}}\n", providers.concat());
        fs::write(&config, yaml).expect("write");
    };
    write(&url);
    let (check, _) = machine.check("registries", &refused).await;
    assert_eq!(check["health"], "warning", "{check}");
    let (check, _) = machine.check("repositories", &[]).await;
    assert_eq!(check["found"], "3 local repositories are there", "{check}");

    write("/no/such/components.yaml");
    let (check, code) = machine.check("repositories", &[]).await;
    assert_eq!(check["health"], "problem", "{check}");
    assert_eq!(code, Some(exit::NOT_VERIFIED.into()));
    fs::write(&config, "providers: [").expect("write");
    let (check, _) = machine.check("clusterctl-config", &[]).await;
    let found = check["found"].as_str().unwrap_or_default();
    assert!(found.contains(&text(&config)) && found.contains("not valid YAML"), "{check}");
}

#[tokio::test]
async fn ctrl_c_ends_it_although_a_program_hangs() {
    let machine = Machine::well();
    let here = machine.home.path().join("here");
    machine.program("kind", &format!("echo $$ > {}; while :; do :; done", text(&here)));
    let mut running = machine.doctor().start(["doctor", "--registry", "127.0.0.1:1"]);
    let started = async {
        while !fs::read_to_string(&here).is_ok_and(|pid| pid.ends_with('\n')) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), started).await.expect("kind is run");
    running.interrupt();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(exit::INTERRUPTED.into()), "{outcome}");
    assert_eq!(outcome.stdout, "");
    let pid = fs::read_to_string(&here).expect("it was there");
    let alive = Command::new("kill").args(["-0", pid.trim()]).output();
    assert!(alive.is_ok_and(|output| !output.status.success()), "kind is still running");
}
