//! The wrong cluster: unreachable, the source itself, without a CRD, with an older provider.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use capi::ResourceType;
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::dump::Kinds;
use kubectl_pivot_tests::population::{ObjectSpec, crds};
use kubectl_pivot_tests::suite::Suite;
use serde_json::json;

use super::bench::{Bench, code, expect, kubeconfig};

pub(crate) fn add(suite: Suite<Bench>) -> Suite<Bench> {
    suite
        .case("unreachable_target", unreachable_target)
        .case("log_in_page_in_the_place_of_the_target", log_in_page)
        .case("kubeconfigs_that_no_request_can_be_made_from", impossible_kubeconfigs)
        .case("target_is_the_source", target_is_the_source)
        .case("target_without_a_crd", target_without_a_crd)
        .thorough("older_provider_on_the_target", older_provider)
}

async fn unreachable_target(bench: Arc<Bench>) {
    bench.populate("unreachable").await;
    let before = bench.snapshot("unreachable").await;
    let server = format!("https://127.0.0.1:{}", closed_port());
    let target = kubeconfig(
        &bench.fixture().folder("kubeconfigs"),
        "closed",
        &server,
        &json!({"token": "x"}),
    );
    let outcome = bench.run_as(bench.pair().source.kubeconfig(), &target, "unreachable").await;
    expect(
        &outcome,
        code::REFUSED,
        &["nothing was changed", "in the target cluster", "cannot connect", "hint:", "reachable"],
    );
    bench.expect_untouched("unreachable", &before, &outcome).await;
}

pub(crate) fn closed_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// Answer of a proxy to every request, until somebody logs in.
async fn log_in_page(bench: Arc<Bench>) {
    let namespace = "logged-out";
    bench.populate(namespace).await;
    let before = bench.snapshot(namespace).await;
    let server = format!("http://127.0.0.1:{}", serve_page());
    let folder = bench.fixture().folder("kubeconfigs");
    let page = kubeconfig(&folder, "page", &server, &json!({"token": "x"}));
    let source = bench.pair().source.kubeconfig();
    for (from, to, name) in [(source, &*page, "target"), (&*page, source, "source")] {
        let outcome = bench.run_as(from, to, namespace).await;
        let cluster = format!("in the {name} cluster");
        let says = ["nothing was changed", &cluster, "not JSON", "text/html", "hint:", "proxy"];
        expect(&outcome, code::REFUSED, &says);
    }
    let args = ["status".to_owned(), "--kubeconfig".to_owned(), page.display().to_string()];
    let status = bench.fixture().kubectl_pivot().run(args).await;
    expect(&status, code::REFUSED, &["in the source cluster", "not JSON", "text/html", "hint:"]);
    bench.expect_untouched(namespace, &before, &status).await;
}

/// Answers every request with a page, for as long as the suite runs. Returns the port.
fn serve_page() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 16 * 1024];
            // What goes wrong with a connection is the client's to notice.
            let _ = stream.read(&mut request);
            let page = "<!DOCTYPE html><html><head><title>Log in</title></head></html>";
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: \
                 close\r\n\r\n",
                page.len()
            );
            let _ = stream.write_all(format!("{head}{page}").as_bytes());
        }
    });
    port
}

async fn impossible_kubeconfigs(bench: Arc<Bench>) {
    let folder = bench.fixture().folder("kubeconfigs");
    let source = bench.pair().source.kubeconfig();
    for (name, server, token, says) in [
        ("no-host", "/api", "abc", "is not a URL"),
        ("line-break", "https://127.0.0.1:6443", "abc\n", "line break"),
    ] {
        let file = kubeconfig(&folder, name, server, &json!({"token": token}));
        let path = file.display().to_string();
        let outcome = bench.run_as(source, &file, "anything").await;
        expect(&outcome, code::REFUSED, &["target cluster", &path, says, "hint:"]);
    }
}

/// The same API server under another name is still the same.
async fn target_is_the_source(bench: Arc<Bench>) {
    bench.populate("onto-itself").await;
    let before = bench.snapshot("onto-itself").await;
    let source = bench.pair().source.kubeconfig();
    let alias =
        std::fs::read_to_string(source).expect("a kubeconfig").replace("127.0.0.1", "localhost");
    let other = bench.fixture().folder("kubeconfigs").join("alias");
    std::fs::write(&other, alias).expect("the temporary folder is writable");
    for target in [source, &other] {
        let outcome = bench.run_as(source, target, "onto-itself").await;
        expect(
            &outcome,
            code::REFUSED,
            &["nothing was changed", "source cluster itself", "--to-kubeconfig"],
        );
        bench.expect_untouched("onto-itself", &before, &outcome).await;
    }
}

async fn target_without_a_crd(bench: Arc<Bench>) {
    let namespace = "lacking";
    let source = &bench.pair().source;
    crds::install_solo(source.client()).await.expect("a valid CRD");
    let mut population = Bench::population(namespace);
    population.add(ObjectSpec::new(crds::API_VERSION, crds::SOLO, "alone"));
    let kinds = Kinds::read(source.client()).await.expect("CRDs can be listed");
    population.create(source.client(), &kinds).await.expect("a population");
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    expect(
        &outcome,
        code::REFUSED,
        &["nothing was changed", "target", "solos.proof.kubectl-pivot.io", "install"],
    );
    bench.expect_untouched(namespace, &before, &outcome).await;
}

async fn older_provider(bench: Arc<Bench>) {
    let namespace = "newer";
    bench.populate(namespace).await;
    set_provider_version(&bench, "v1.13.0").await;
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    set_provider_version(&bench, "v1.14.2").await;
    expect(
        &outcome,
        code::REFUSED,
        &[
            "nothing was changed",
            "target",
            "InfrastructureProvider docker",
            "1.13.0",
            "1.14.2",
            "upgrade",
        ],
    );
    set_provider_version(&bench, "v1.13.0").await;
    bench.expect_untouched(namespace, &before, &outcome).await;
    set_provider_version(&bench, "v1.14.2").await;
}

async fn set_provider_version(bench: &Bench, version: &str) {
    let providers =
        ResourceType::new("clusterctl.cluster.x-k8s.io/v1alpha3", "Provider", "providers", true);
    let place = (Some("capd-system"), "infrastructure-docker");
    let patch = json!({"version": version});
    let client = bench.pair().target.client();
    client
        .patch(&providers, place, (PatchKind::Merge, &patch), &WriteOptions::default())
        .await
        .expect("patch");
}
