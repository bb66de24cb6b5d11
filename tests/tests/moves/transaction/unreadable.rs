//! `status` and `rollback --from-marks` while the webhook that converts a kind is down.

use std::sync::Arc;
use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::Fault;
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use serde_json::{Value, json};

use super::{exit, while_copying, with_scenario};

const NAME: &str = "converted.down.example.com";

pub(super) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite.case("a_kind_that_cannot_be_listed_is_named", status)
}

async fn status(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_copying(5, Fault::HoldAfter)).await;
        let source = &scenario.proxied_pair.pair().source;
        break_conversion(source).await;
        let status = scenario.run("status", &[]).await;
        let document = scenario.run("status", &["-o", "json"]).await;
        scenario.proxied_pair.lose_records().await;
        let refused = scenario.run("rollback", &["--from-marks"]).await;
        remove(source).await;
        let status = status.expect_success("status");
        let document = document.expect_success("status").json();
        for says in ["HOLDER  nobody", "Converted (down.example.com/v2): conversion webhook"] {
            assert!(status.says(says), "{says}: {status}");
        }
        let unread = &document["clusters"][0]["unread"];
        assert_eq!(unread[0]["kind"], "Converted", "{document:#}");
        assert_eq!(unread.as_array().map(Vec::len), Some(1), "{document:#}");
        assert_eq!(document["clusters"][1]["unread"], json!([]), "{document:#}");
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        assert!(refused.says("Converted (down.example.com/v2) cannot be listed"), "{refused}");
        scenario.run("rollback", &["--from-marks"]).await.expect_success("rollback");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// Makes a kind of which an object is stored at a version that nobody can convert any more.
async fn break_conversion(plane: &Plane) {
    let client = plane.client();
    let options = WriteOptions::manager("kubectl-create");
    client.create(&crd_type(), &Object::new(crd()), &options).await.expect("a valid CRD");
    let kind = ResourceType::new("down.example.com/v1", "Converted", "converted", false);
    let object = Object::new(json!({"apiVersion": "down.example.com/v1", "kind": "Converted",
        "metadata": {"name": "old"}}));
    until("objects of the kind can be created", async || {
        client.create(&kind, &object, &options).await.is_ok()
    })
    .await;
    let version = |name: &str, is_stored: bool| {
        let schema = json!({"openAPIV3Schema": {"type": "object"}});
        json!({"name": name, "served": name == "v2", "storage": is_stored, "schema": schema})
    };
    patch(
        plane,
        &json!({"spec": {
            "versions": [version("v1", false), version("v2", true)],
            "conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"],
                "clientConfig": {"url": "https://127.0.0.1:9"}}},
        }}),
    )
    .await;
    let converted = ResourceType::new("down.example.com/v2", "Converted", "converted", false);
    until("the webhook is asked", async || {
        client.list(&converted, None).await.is_err_and(|error| error.code() == Some(500))
    })
    .await;
}

/// Waits for a minute.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("within a minute: {what}");
}

/// Takes the kind out again: a CRD goes only once its objects can be read.
async fn remove(plane: &Plane) {
    patch(plane, &json!({"spec": {"conversion": {"strategy": "None", "webhook": null}}})).await;
    let client = plane.client();
    let crd = client.get(&crd_type(), None, NAME).await.expect("can be read").expect("is there");
    client.delete(&crd_type(), None, NAME, crd.uid()).await.expect("can be deleted");
    until("the kind is gone", async || {
        client.get(&crd_type(), None, NAME).await.expect("can be read").is_none()
    })
    .await;
}

async fn patch(plane: &Plane, patch: &Value) {
    let (options, patch) = (WriteOptions::manager("kubectl-edit"), (PatchKind::Merge, patch));
    let patched = plane.client().patch(&crd_type(), (None, NAME), patch, &options).await;
    patched.expect("CRDs can be changed");
}

fn crd() -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object"}});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": NAME, "labels": {"clusterctl.cluster.x-k8s.io": ""}},
        "spec": {"group": "down.example.com", "scope": "Cluster",
            "names": {"kind": "Converted", "plural": "converted"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}})
}

fn crd_type() -> ResourceType {
    ResourceType::new(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        false,
    )
}
