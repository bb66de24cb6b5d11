//! Kinds of a provider that are not moved like all others, as a plugin knows them.

use std::sync::Arc;
use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use kubectl_pivot_tests::program::Program;
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::{Scenario, exit};

const API_VERSION: &str = "metal.example.io/v1";
/// The annotation by which the provider's controllers are paused.
const PAUSE: &str = "host.metal.example.io/paused";

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .case("a_move_uses_what_a_plugin_knows_of_kinds", moved)
        .thorough("a_run_with_such_kinds_ends_without_the_plugin", without_plugin)
        .thorough("a_plugin_that_knows_nonsense_is_a_warning", nonsense)
}

/// The answer of a plugin of this provider.
fn knowledge() -> Value {
    json!({"kinds": [{
        "group": "metal.example.io", "kind": "Host",
        "pause": {"name": PAUSE, "value": "pivot"},
        "carriesStatus": true,
        "companions": [{"kind": "Secret", "nameField": "/spec/bmc/credentialsName"}],
        "atRest": [{"expression": "self.status.state != 'provisioning'",
                    "problem": "it is being provisioned"}],
    }]})
}

async fn moved(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let hosts = Hosts::create(&scenario).await;
    hosts.set_state("plain", "provisioning").await;
    let before = scenario.proxied_pair.traffic().writes().len();
    let program = hosts.program(&knowledge());
    let refused = program.run(scenario.args(&[])).await;
    assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
    for part in ["NotAtRest", &format!("Host {}/plain", scenario.tag), "it is being provisioned"] {
        assert!(refused.says(part), "`{part}` is not said: {refused}");
    }
    assert_eq!(scenario.proxied_pair.traffic().writes().len(), before, "{refused}");

    hosts.set_state("plain", "available").await;
    scenario.proxied_pair.traffic().rule(first_deletion());
    let mut running = program.start(scenario.args(&["-o", "json"]));
    tokio::select! {
        outcome = running.end() => panic!("nothing is deleted: {outcome}"),
        () = scenario.proxied_pair.traffic().held() => {}
    }
    for side in [Side::Source, Side::Target] {
        let host = hosts.get(side, "plain").await.expect("it is on both sides");
        assert_eq!(host.annotation(PAUSE), Some("pivot"), "{side:?}: {host:?}");
        let of_user = hosts.get(side, "paused").await.expect("it is on both sides");
        assert_eq!(of_user.annotation(PAUSE), Some("of its user"), "{side:?}: {of_user:?}");
    }
    scenario.proxied_pair.traffic().release();
    let outcome = running.end().await.expect_success("the move");
    hosts.check_moved().await;
    scenario.check_moved(&outcome).await;
    hosts.end().await;
    scenario.end().await;
}

/// The record of the run and the marks say all that its plugin has known.
async fn without_plugin(proxied_pair: Arc<ProxiedPair>) {
    for command in ["rollback", "resume"] {
        let scenario = Scenario::begin(Arc::clone(&proxied_pair)).await;
        let hosts = Hosts::create(&scenario).await;
        let before = hosts.get(Side::Source, "plain").await.expect("it was created");
        let is_copied = |call: &Call| {
            call.side == Side::Target
                && call.is_write()
                && call.method == "POST"
                && call.is_about("hosts")
        };
        scenario.proxied_pair.traffic().rule(Rule::when(is_copied, Fault::HoldAfter).times(1));
        let mut running = hosts.program(&knowledge()).start(scenario.args(&["-o", "json"]));
        tokio::select! {
            outcome = running.end() => panic!("the Host is not copied: {outcome}"),
            () = scenario.proxied_pair.traffic().held() => running.kill(),
        }
        running.end().await;
        scenario.proxied_pair.traffic().release();
        let other = proxied_pair.program();
        let mut args = proxied_pair.args(command);
        args.push("--yes".to_owned());
        let ended = other.run(args).await.expect_success(command);
        if command == "resume" {
            hosts.check_moved().await;
            scenario.check_moved(&ended).await;
        } else {
            let after = hosts.get(Side::Source, "plain").await.expect("it is back");
            let of = |host: &Object| {
                let annotations = host.value()["metadata"]["annotations"].clone();
                (annotations, host.value()["spec"].clone(), host.value()["status"].clone())
            };
            assert_eq!(of(&after), of(&before), "{ended}");
            assert!(hosts.get(Side::Target, "plain").await.is_none(), "{ended}");
        }
        hosts.end().await;
        scenario.end().await;
    }
}

async fn nonsense(proxied_pair: Arc<ProxiedPair>) {
    let of_others = json!({"kinds": [{"group": "cluster.x-k8s.io", "kind": "Cluster"}]});
    let no_cel = json!({"kinds": [{"group": "metal.example.io", "kind": "Host",
        "atRest": [{"expression": "self.", "problem": "x"}]}]});
    for (said, why) in [
        (of_others, "Cluster.cluster.x-k8s.io: it is not a kind of the provider"),
        (no_cel, "it is not valid CEL"),
        (json!("rubbish"), "plugin `probing` cannot answer `move`"),
    ] {
        let scenario = Scenario::begin(Arc::clone(&proxied_pair)).await;
        let program = scenario.program(&[]).env("PROBING_MOVE", &said.to_string());
        let moved = program.run(scenario.args(&[])).await.expect_success("the move");
        let warning = "the plugin `probing` does not help with the move of its kinds";
        let is_said = ["PluginIgnored", warning, why].iter().all(|part| moved.says(part));
        assert!(is_said, "{moved}");
        scenario.check_moved(&moved).await;
        scenario.end().await;
    }
}

/// Holds the first deletion in the source.
fn first_deletion() -> Rule {
    let is_it =
        |call: &Call| call.side == Side::Source && call.method == "DELETE" && !call.is_lease();
    Rule::when(is_it, Fault::HoldBefore).times(1)
}

/// A kind of a provider, and objects of it: one as most are, one that its user has paused.
struct Hosts<'a> {
    scenario: &'a Scenario,
}

impl<'a> Hosts<'a> {
    async fn create(scenario: &'a Scenario) -> Self {
        let hosts = Self { scenario };
        for side in [Side::Source, Side::Target] {
            let client = hosts.client(side);
            let crd = Object::new(definition());
            let created = client.create(&crds(), &crd, &WriteOptions::default()).await;
            created.expect("a valid CRD");
            while client.list(&kind(), None).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        for (name, annotations) in [("plain", json!({})), ("paused", json!({PAUSE: "of its user"}))]
        {
            hosts.add(name, &annotations).await;
            hosts.set_state(name, "available").await;
        }
        hosts
    }

    async fn add(&self, name: &str, annotations: &Value) {
        let (namespace, credentials) = (&self.scenario.tag, format!("bmc-{name}"));
        let host = json!({"apiVersion": API_VERSION, "kind": "Host",
            "metadata": {"namespace": namespace, "name": name, "annotations": annotations},
            "spec": {"bmc": {"credentialsName": credentials}}});
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"namespace": namespace, "name": credentials},
            "stringData": {"password": name}});
        let options = WriteOptions::manager("user");
        for (kind, object) in [(kind(), host), (ResourceType::core("Secret", "secrets"), secret)] {
            let object = Object::new(object);
            let created = self.client(Side::Source).create(&kind, &object, &options).await;
            created.expect("a valid object");
        }
    }

    /// Sets the status, as the provider's controller would.
    async fn set_state(&self, name: &str, state: &str) {
        let status = json!({"status": {"state": state, "hardware": {"cpus": 8, "nics": ["a"]}}});
        let options = WriteOptions::manager("metal-controller").status();
        let place = (Some(&*self.scenario.tag), name);
        let client = self.client(Side::Source);
        let set = client.patch(&kind(), place, (PatchKind::Merge, &status), &options).await;
        set.expect("the Host is there");
    }

    fn client(&self, side: Side) -> &Client {
        let pair = self.scenario.proxied_pair.pair();
        if side == Side::Source { pair.source.client() } else { pair.target.client() }
    }

    fn program(&self, knowledge: &Value) -> Program {
        self.scenario.program(&[]).env("PROBING_MOVE", &knowledge.to_string())
    }

    async fn get(&self, side: Side, name: &str) -> Option<Object> {
        let found = self.client(side).get(&kind(), Some(&self.scenario.tag), name).await;
        found.expect("Hosts can be read")
    }

    /// Checks that Hosts are as they were, with their status and their Secrets.
    async fn check_moved(&self) {
        for (name, pause) in [("plain", None), ("paused", Some("of its user"))] {
            assert!(self.get(Side::Source, name).await.is_none(), "{name} stays");
            let host = self.get(Side::Target, name).await.expect("it has moved");
            assert_eq!(host.annotation(PAUSE), pause, "{host:?}");
            assert!(host.annotation("cluster.x-k8s.io/paused").is_none(), "{host:?}");
            let status = json!({"state": "available", "hardware": {"cpus": 8, "nics": ["a"]}});
            assert_eq!(host.value()["status"], status, "{host:?}");
            let managers = host.managed_fields().iter().filter(|it| it["subresource"] == "status");
            let managers: Vec<&Value> = managers.map(|it| &it["manager"]).collect();
            assert_eq!(managers, ["metal-controller"], "{host:?}");
            let (secrets, secret) =
                (ResourceType::core("Secret", "secrets"), format!("bmc-{name}"));
            for (side, is_there) in [(Side::Source, false), (Side::Target, true)] {
                let namespace = Some(&*self.scenario.tag);
                let found = self.client(side).get(&secrets, namespace, &secret).await;
                assert_eq!(found.expect("it can be read").is_some(), is_there, "{secret} {side:?}");
            }
        }
    }

    /// Removes the kind, and with it its objects.
    async fn end(self) {
        for side in [Side::Source, Side::Target] {
            let client = self.client(side);
            let name = "hosts.metal.example.io";
            let found = client.get(&crds(), None, name).await.expect("CRDs can be read");
            let uid = found.expect("it was created").uid().to_owned();
            client.delete(&crds(), None, name, &uid).await.expect("it can be deleted");
            while client.get(&crds(), None, name).await.expect("CRDs can be read").is_some() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn kind() -> ResourceType {
    ResourceType::new(API_VERSION, "Host", "hosts", true)
}

fn crds() -> ResourceType {
    let api_version = "apiextensions.k8s.io/v1";
    ResourceType::new(api_version, "CustomResourceDefinition", "customresourcedefinitions", false)
}

fn definition() -> Value {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "hosts.metal.example.io", "labels": {
            "clusterctl.cluster.x-k8s.io": "", "clusterctl.cluster.x-k8s.io/move": ""}},
        "spec": {
            "group": "metal.example.io", "scope": "Namespaced",
            "names": {"kind": "Host", "plural": "hosts", "singular": "host"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object",
                    "properties": {"spec": open, "status": open}}}}],
        },
    })
}
