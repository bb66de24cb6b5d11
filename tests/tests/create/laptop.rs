//! Machines as users have them: containers are out of reach, kind is configured, images are at
//! hand.

use std::path::Path;
use std::sync::Arc;

use kubectl_pivot_tests::program::Program;
use kubectl_pivot_tests::simulated_controllers::SimulatedControllers;
use serde_json::{Value, json};
use support::yaml;

use super::failures::script;
use super::fixture::{Fixture, Scenario, text};
use super::whole::clusters;

/// Nothing listens there.
const NOWHERE: &str = "https://127.0.0.1:1";

pub fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("it is there");
    yaml::documents(&text).expect("YAML").remove(0)
}

fn server(kubeconfig: &Path) -> String {
    let server = &read(kubeconfig)["clusters"][0]["cluster"]["server"];
    server.as_str().expect("it has a server").to_owned()
}

/// A target whose own address leads nowhere, as a container's does with Docker Desktop; Docker has
/// published its port.
pub struct Published {
    /// The address of the published port.
    pub address: String,
    docker: String,
    secret: std::path::PathBuf,
}

impl Published {
    pub fn of(scenario: &Scenario) -> Self {
        let mut kubeconfig = read(scenario.target());
        let address = server(scenario.target());
        kubeconfig["clusters"][0]["cluster"]["server"] = json!(NOWHERE);
        let secret = scenario.path("of-the-secret");
        std::fs::write(&secret, yaml::document(&kubeconfig)).expect("writable");
        let port = address.rsplit_once(':').expect("it has a port").1;
        let body = format!(
            "case \"$*\" in\n--version) echo 'Docker version 28.2.2, build x' ;;\n\
             'port pivot-lb 6443/tcp') printf '0.0.0.0:{port}\\n[::]:{port}\\n' ;;\n\
             *) echo \"$*\" >&2; exit 1 ;;\nesac"
        );
        Self { address, docker: script(scenario, "docker", &body), secret }
    }

    /// Simulates the controllers of it.
    pub fn simulated_controllers(&self, scenario: &Scenario) -> SimulatedControllers {
        SimulatedControllers::begin(scenario.part(|part| part.secret = Some(self.secret.clone())))
    }

    /// The program of a user whose Docker has published it.
    pub fn program(&self, scenario: &Scenario) -> Program {
        scenario.program.clone().env("KUBECTL_PIVOT_DOCKER", &self.docker)
    }
}

/// After a restart of Docker the port is another one than in the kubeconfig of the run.
pub async fn a_target_that_has_got_another_port_is_found_again(fixture: Arc<Fixture>) {
    let mut own = fixture.scenario().await;
    let published = Published::of(&own);
    let _simulated_controllers = published.simulated_controllers(&own);
    own.program = published.program(&own);
    own.stop_after("kubeconfig", own.create(&[])).await;
    let kept = own.path("state/runs/pivot/target.kubeconfig");
    assert_eq!(server(&kept), published.address);
    let mut stale = read(&kept);
    stale["clusters"][0]["cluster"]["server"] = json!("https://127.0.0.1:2");
    std::fs::write(&kept, yaml::document(&stale)).expect("writable");
    own.program.run(["resume", "pivot"]).await.expect_success("resume");
    assert_eq!(server(&kept), published.address);
    assert_eq!(clusters(&own).await, ["pivot"]);
}

/// The flags of a machine without a registry, and a configuration of kind.
pub fn flags(scenario: &Scenario) -> Vec<String> {
    let (config, bundle) = (scenario.path("kind.yaml"), scenario.path("images.tar"));
    let own = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nfeatureGates: {Mine: true}\n";
    std::fs::write(&config, own).expect("writable");
    std::fs::write(&bundle, "").expect("writable");
    let flags = ["--load-image", "registry.example/a:1", "--image-bundle", &text(&bundle)];
    let flags = flags.map(str::to_owned).into_iter();
    flags.chain(["--kind-config".to_owned(), text(&config)]).collect()
}

/// Checks that kind has got what the flags say, and that the kubeconfigs lead to where the target
/// answers.
pub fn check(scenario: &Scenario, published: &Published) {
    let folder = scenario.path("state/runs/pivot");
    let config = read(&folder.join("kind.yaml"));
    assert_eq!(
        (&config["featureGates"]["Mine"], &config["name"]),
        (&json!(true), &json!("pivot-bootstrap"))
    );
    let log = std::fs::read_to_string(folder.join("logs/init-bootstrap.log")).expect("a log");
    for command in [
        "load docker-image registry.example/a:1 --name pivot-bootstrap",
        &format!(
            "load image-archive {} --name pivot-bootstrap",
            text(&scenario.path("images.tar"))
        ),
    ] {
        assert!(log.contains(command), "{command}: {log}");
    }
    for kubeconfig in [scenario.path("out.kubeconfig"), folder.join("target.kubeconfig")] {
        assert_eq!(server(&kubeconfig), published.address);
    }
    let versions = std::fs::read_to_string(folder.join("providers.json")).expect("it is kept");
    let versions: Value = serde_json::from_str(&versions).expect("JSON");
    assert_eq!(versions.as_array().map(Vec::len), Some(4), "{versions}");
    assert!(versions[0]["version"].as_str().is_some_and(|version| version.starts_with('v')));
}
