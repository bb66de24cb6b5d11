//! A source that does not show what must be there, and objects whose marks somebody has made up.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::population::crds::{API_VERSION, DISCOVERED, MOVE, STRANGER};
use kubectl_pivot_tests::population::shapes::{CLUSTER_NAME, CONTROL_PLANE, condition};
use kubectl_pivot_tests::population::{ObjectSpec, Population, shapes};
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::bench::{Bench, code, expect};

pub(crate) fn add(suite: Suite<Bench>) -> Suite<Bench> {
    suite
        .case("secrets_that_a_control_plane_needs", missing_secrets)
        .case("marks_that_others_have_forged", forged_marks)
        .case("a_kind_that_only_the_source_has_labelled", labelled_by_source)
        .case("objects_of_kubernetes_itself", reserved_objects)
        .case("a_certificate_that_is_not_verified", unverified)
}

/// Keys that are gone, or that something on the way to the API server leaves out, are not left
/// behind in silence.
async fn missing_secrets(bench: Arc<Bench>) {
    let namespace = "keyless";
    let mut population = Population::new(namespace);
    let cluster = shapes::cluster(&mut population, namespace);
    let control_plane = population.add(
        ObjectSpec::new(CONTROL_PLANE, "KubeadmControlPlane", "kcp")
            .label(CLUSTER_NAME, namespace)
            .controlled_by(cluster)
            .spec(json!({"replicas": 1, "version": "v1.36.0",
                "kubeadmConfigSpec": {"initConfiguration": {"nodeRegistration": {"name": "a"}}},
                "machineTemplate": {"spec": {"infrastructureRef":
                    shapes::infrastructure_ref("DockerMachineTemplate", "none")}}}))
            .status(json!({"conditions": [condition("Initialized")],
                "initialization": {"controlPlaneInitialized": true}})),
    );
    for purpose in ["ca", "etcd"] {
        let secret = ObjectSpec::cluster_secret(&format!("{namespace}-{purpose}"));
        population.add(secret.label(CLUSTER_NAME, namespace).controlled_by(control_plane));
    }
    bench.pair().source.populate(&population).await;
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    let says = [
        "nothing was changed",
        "SecretMissing",
        "KubeadmControlPlane keyless/kcp",
        "keyless-proxy, keyless-sa",
        "--allow-missing-secrets",
    ];
    expect(&outcome, code::REFUSED, &says);
    bench.expect_untouched(namespace, &before, &outcome).await;
    let outcome = bench.run(namespace, &["--dry-run", "--allow-missing-secrets"]).await;
    expect(&outcome, code::MOVED, &["SecretMissing", "keyless-sa"]);
    let mut rest = Population::new(namespace);
    for purpose in ["proxy", "sa"] {
        let secret = ObjectSpec::cluster_secret(&format!("{namespace}-{purpose}"));
        rest.add(secret.label(CLUSTER_NAME, namespace));
    }
    bench.pair().source.populate(&rest).await;
    let outcome = bench.run(namespace, &["--dry-run"]).await;
    expect(&outcome, code::MOVED, &[]);
    assert!(!outcome.says("SecretMissing"), "{outcome}");
}

/// A tenant can write to its own objects. It can keep them from being moved, and not more.
async fn forged_marks(bench: Arc<Bench>) {
    let namespace = "forged";
    bench.populate(namespace).await;
    let secret = format!("{namespace}-0");
    let secrets = ResourceType::core("Secret", "secrets");
    let mark = async |value: Value| {
        let patch = json!({"metadata": {"annotations": {"kubectl-pivot.io/run": value}}});
        let (place, options) = ((Some(namespace), &*secret), WriteOptions::manager("tenant"));
        let client = bench.pair().source.client();
        let marked = client.patch(&secrets, place, (PatchKind::Merge, &patch), &options).await;
        marked.expect("a tenant may write to its Secret");
    };
    mark("zzz".into()).await;
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    let says = [
        "nothing was changed",
        "OtherRun",
        "Secret forged/forged-0: it is an unfinished copy by the mark kubectl-pivot.io/run of the \
         move zzz",
        "kubectl annotate secrets forged-0 -n forged kubectl-pivot.io/run-",
    ];
    expect(&outcome, code::REFUSED, &says);
    bench.expect_untouched(namespace, &before, &outcome).await;
    mark(Value::Null).await;
    expect(&bench.run(namespace, &[]).await, code::MOVED, &[]);
}

/// An administrator of the source could put any object into the target that its administrator may
/// create.
async fn labelled_by_source(bench: Arc<Bench>) {
    let namespace = "planted";
    let mut population = Bench::population(namespace);
    population.add(ObjectSpec::new(API_VERSION, STRANGER, "planted"));
    let source = &bench.pair().source;
    source.populate(&population).await;
    let label = async |value: Value| {
        let patch = json!({"metadata": {"labels": {DISCOVERED: value.clone(), MOVE: value}}});
        let place = (None, "strangers.proof.kubectl-pivot.io");
        let options = WriteOptions::manager("source-administrator");
        let crds = ResourceType::new(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "customresourcedefinitions",
            false,
        );
        let labelled = source.client().patch(&crds, place, (PatchKind::Merge, &patch), &options);
        labelled.await.expect("a CRD of the source");
    };
    label("".into()).await;
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    let says = [
        "nothing was changed",
        "KindNotLabelled",
        "kubectl label crd strangers.proof.kubectl-pivot.io",
    ];
    expect(&outcome, code::REFUSED, &says);
    bench.expect_untouched(namespace, &before, &outcome).await;
    label(Value::Null).await;
    expect(&bench.run(namespace, &[]).await, code::MOVED, &[]);
}

/// With a bootstrap token the source's administrators could log in to the target.
async fn reserved_objects(bench: Arc<Bench>) {
    let namespace = "reserved";
    bench.populate(namespace).await;
    let source = bench.pair().source.client();
    let secrets = ResourceType::core("Secret", "secrets");
    for (place, says) in [
        (namespace, "Secret reserved/bootstrap-token-abcdef: a Secret of this type is a login"),
        ("kube-system", "Secret kube-system/bootstrap-token-abcdef"),
    ] {
        let created = create_bootstrap_token(&bench, place).await;
        let mut args = bench.pair().move_args(namespace);
        if place != namespace {
            args.retain(|arg| arg != "-n" && arg != namespace);
            args.push("-A".to_owned());
        }
        args.push("--dry-run".to_owned());
        let outcome = bench.fixture().kubectl_pivot().run(args).await;
        let deleted = source.delete(&secrets, Some(place), created.name(), created.uid()).await;
        assert!(deleted.expect("can be deleted"), "{outcome}");
        expect(&outcome, code::REFUSED, &["ReservedObject", says, "--allow-reserved"]);
    }
    asked_for(&bench, namespace).await;
}

/// Users who ask for them get them: out of a backup, and by a move.
async fn asked_for(bench: &Bench, namespace: &str) {
    create_bootstrap_token(bench, namespace).await;
    create_login(bench, namespace, "kubernetes.io/service-account-token", "robot").await;
    let logins = ["Secret reserved/bootstrap-token-abcdef", "Secret reserved/robot"];
    let saved = bench.back_up(namespace, namespace).await;
    expect(&saved, code::MOVED, &["a restore refuses it without --allow-reserved"]);
    expect(&bench.restore(namespace, &["--dry-run"]).await, code::REFUSED, &logins);
    let restored = bench.restore(namespace, &["--dry-run", "--allow-reserved"]).await;
    expect(&restored, code::MOVED, &["ReservedObject"]);
    expect(&bench.run(namespace, &[]).await, code::REFUSED, &logins);
    let moved = bench.run(namespace, &["--allow-reserved"]).await;
    expect(&moved, code::MOVED, &["gets into the target by --allow-reserved"]);
    let secrets = ResourceType::core("Secret", "secrets");
    for name in ["bootstrap-token-abcdef", "robot"] {
        let (source, target) = (bench.pair().source.client(), bench.pair().target.client());
        let copy = target.get(&secrets, Some(namespace), name).await.expect("readable");
        assert!(copy.is_some_and(|copy| copy.value()["data"].is_object()), "{name}: {moved}");
        let left = source.get(&secrets, Some(namespace), name).await.expect("readable");
        assert!(left.is_none(), "{name} is still in the source: {moved}");
    }
}

async fn create_bootstrap_token(bench: &Bench, namespace: &str) -> Object {
    create_login(bench, namespace, "bootstrap.kubernetes.io/token", "bootstrap-token-abcdef").await
}

/// Creates a Secret that logs in to the source, and that moves.
async fn create_login(bench: &Bench, namespace: &str, of_type: &str, name: &str) -> Object {
    let secret = Object::new(json!({"apiVersion": "v1", "kind": "Secret", "type": of_type,
        "stringData": {"token-id": "abcdef", "token-secret": "0123456789abcdef", "token": "t",
            "usage-bootstrap-authentication": "true"},
        "metadata": {"name": name, "namespace": namespace, "labels": {MOVE: ""},
            "annotations": {"kubernetes.io/service-account.name": "robot"}}}));
    let options = WriteOptions::manager("source-administrator");
    let secrets = ResourceType::core("Secret", "secrets");
    let created = bench.pair().source.client().create(&secrets, &secret, &options).await;
    created.expect("a Secret")
}

/// kubectl goes on without a word; a move says it once for the cluster that it is true of.
async fn unverified(bench: Arc<Bench>) {
    let namespace = "unverified";
    bench.populate(namespace).await;
    let text = std::fs::read_to_string(bench.pair().source.kubeconfig()).expect("readable");
    let mut config: Value = serde_saphyr::from_str(&text).expect("a kubeconfig is YAML");
    let server = config["clusters"][0]["cluster"]["server"].take();
    config["clusters"][0]["cluster"] = json!({"server": server, "insecure-skip-tls-verify": true});
    let source = bench.fixture().folder("kubeconfigs").join("unverified");
    std::fs::write(&source, config.to_string()).expect("the temporary folder is writable");
    let target = bench.pair().target.kubeconfig();
    let outcome = bench.run_as_with(&source, target, namespace, &["--dry-run"]).await;
    expect(&outcome, code::MOVED, &["TlsNotVerified", "insecure-skip-tls-verify"]);
    let said = outcome.stdout.matches("[TlsNotVerified]").count();
    assert_eq!(said, 1, "the target is verified: {outcome}");
}
