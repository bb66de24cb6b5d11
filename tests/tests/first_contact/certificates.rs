//! Servers with certificates of every kind, met by kubeconfigs with bundles of every kind.

use serde_json::{Value, json};

use super::bench::{Bench, HIDDEN, encoded};
use super::shape::{Shape, with};

/// Bundles that are tried with each server in every run.
const IN_EVERY_RUN: [&str; 3] =
    ["the authority", "the server's own", "the server's own among others"];

pub(crate) fn shapes(bench: &Bench, is_thorough: bool) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for (server, (port, own)) in &bench.servers {
        let Some(own) = own else { continue };
        for (bundle, cluster) in bundles(bench, &own.certificate) {
            let is_forged = bundle == "a pinned one" && server.ends_with("by a pinned one");
            let is_usual = *server == "ordinary" || IN_EVERY_RUN.contains(&bundle);
            if is_thorough || is_usual || is_forged {
                let url = json!({"server": format!("https://127.0.0.1:{port}")});
                let name = format!("certificate: {server}, trusted: {bundle}");
                shapes.push(Shape::new(name, &with(cluster, &url), &json!({"token": "t"})));
            }
        }
    }
    shapes.extend(names(bench));
    shapes.extend(of_the_system(bench));
    shapes
}

fn bundles(bench: &Bench, own: &str) -> Vec<(&'static str, Value)> {
    let authority = &bench.authority.own().certificate;
    let (other, middle) = (&bench.other.own().certificate, &bench.middle.own().certificate);
    let data = |text: String| json!({"certificate-authority-data": encoded(&text)});
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let key = &bench.client.key;
    vec![
        ("the authority", data(authority.clone())),
        ("the server's own", data(own.to_owned())),
        ("the server's own among others", data(format!("{other}{own}"))),
        ("another one", data(other.clone())),
        ("the middle one", data(middle.clone())),
        ("the authority and the middle one", data(format!("{authority}{middle}"))),
        ("a pinned one", data(bench.pinned.own().certificate.clone())),
        ("an expired one", data(bench.expired.own().certificate.clone())),
        ("a broken one in front", data(format!("{broken}{authority}"))),
        ("a broken one only", data(broken.to_owned())),
        ("a key in front", data(format!("{key}{authority}"))),
        ("text around", data(format!("subject=a\n{authority}\nissuer=b\n"))),
        ("with CRLF", data(authority.replace('\n', "\r\n"))),
        ("text", data("hello".to_owned())),
        ("nothing", json!({})),
        ("empty", json!({"certificate-authority-data": ""})),
        ("no base64", json!({"certificate-authority-data": "?"})),
        ("not verified", json!({"insecure-skip-tls-verify": true})),
        (
            "not verified, with an authority",
            with(data(authority.clone()), &json!({"insecure-skip-tls-verify": true})),
        ),
        ("a file that is not there", json!({"certificate-authority": "/does/not/exist"})),
    ]
}

/// Names by which a server is asked for.
fn names(bench: &Bench) -> Vec<Shape> {
    let of = |server: &str, name: &str| {
        let cluster = json!({
            "server": bench.url(server), "tls-server-name": name,
            "certificate-authority-data": encoded(&bench.authority.own().certificate),
        });
        Shape::new(
            format!("tls-server-name {name:?} of {server}"),
            &cluster,
            &json!({"token": "t"}),
        )
    };
    let names =
        ["", HIDDEN, "API.example.invalid", "a.wild.invalid", "a.b.wild.invalid", "wild.invalid"];
    let names =
        names.into_iter().chain(["127.0.0.1", "127.0.0.2", "localhost", "localhost.", "::1"]);
    let mut shapes: Vec<_> = names.map(|name| of("ordinary", name)).collect();
    shapes.push(of("elsewhere", "elsewhere.invalid"));
    let localhost = bench.url("ordinary").replace("127.0.0.1", "localhost");
    let cluster = with(bench.cluster(), &json!({"server": localhost}));
    shapes.push(Shape::new("by its name", &cluster, &json!({"token": "t"})));
    shapes
}

/// Authorities that the machine trusts.
fn of_the_system(bench: &Bench) -> Vec<Shape> {
    let servers = ["ordinary", "self-signed authority", "elsewhere"];
    let shapes = servers.into_iter().map(|server| {
        let path = format!("{}/system.pem", std::env::temp_dir().display());
        let own = bench.servers[server].1.as_ref().map_or("", |own| &own.certificate);
        let bundle = format!("{}{own}", bench.authority.own().certificate);
        let path = path.replace(
            "system",
            &format!("system-{}-{}", std::process::id(), bench.servers[server].0),
        );
        std::fs::write(&path, bundle).expect("the folder for temporary files is writable");
        let cluster = json!({"server": bench.url(server)});
        Shape::new(format!("{server}, trusted by the system"), &cluster, &json!({"token": "t"}))
            .env("SSL_CERT_FILE", &path)
            .env("SSL_CERT_DIR", "/does/not/exist")
    });
    shapes.collect()
}
