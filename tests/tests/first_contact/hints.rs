//! Messages of a first contact that fails: the address, the reason, and where to look.

use serde_json::{Value, json};

use super::bench::{Bench, encoded};
use super::shape::{Shape, with};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_first_contact_names_the_address_and_what_to_look_at() {
    let bench = Bench::new().await;
    for (shape, words) in cases(&bench) {
        let outcome = bench.own_outcome(&shape).await;
        assert_eq!(outcome.code, Some(3), "{}: {outcome}", shape.name);
        for word in words {
            assert!(outcome.says(&word), "{}: no {word:?} in {outcome}", shape.name);
        }
    }
}

fn cases(bench: &Bench) -> Vec<(Shape, Vec<String>)> {
    let token = json!({"token": "t"});
    let authority =
        json!({"certificate-authority-data": encoded(&bench.authority.own().certificate)});
    let of = |name: &str, cluster: &Value| Shape::new(name, cluster, &token);
    let mut cases = Vec::new();
    for server in ["expired", "elsewhere", "self-signed", "of a client", "by an expired one"] {
        let url = bench.url(server);
        let cluster = with(authority.clone(), &json!({"server": url}));
        cases.push((
            of(server, &cluster),
            vec![format!(" at {url}"), "certificate-authority-data".to_owned()],
        ));
    }
    let at = |server: &str| with(bench.cluster(), &json!({"server": server}));
    let strings = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let nowhere = "https://nowhere.invalid:6443";
    cases.push((of("no such name", &at(nowhere)), strings(&[nowhere, "nowhere.invalid", "DNS"])));
    let closed = "https://127.0.0.1:1";
    cases.push((of("nobody listens", &at(closed)), strings(&[closed, "readyz"])));
    let proxy = "http://127.0.0.1:1";
    let cluster = with(at(nowhere), &json!({"proxy-url": proxy}));
    cases.push((of("no proxy", &cluster), strings(&[nowhere, proxy, "proxy-url"])));
    let by_env = of("no proxy of the environment", &at(nowhere)).env("HTTPS_PROXY", proxy);
    cases.push((by_env, strings(&[nowhere, proxy, "NO_PROXY"])));
    let tls = bench.url("ordinary").replace("https://", "");
    cases.push((
        of("plain HTTP to TLS", &at(&tls)),
        vec![format!("http://{tls}"), "https://".to_owned()],
    ));
    let plain = bench.url("plain").replace("http://", "https://");
    cases.push((of("TLS to plain HTTP", &at(&plain)), vec![plain, "http://".to_owned()]));
    let exec = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1",
        "command": "no-such-plugin",
        "interactiveMode": "Never", "installHint": "Install it with brew."}});
    let plugin = Shape::new("no plugin", &bench.cluster(), &exec);
    cases.push((plugin, strings(&["no-such-plugin", "Install it with brew."])));
    cases
}
