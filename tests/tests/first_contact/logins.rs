//! Users with every way to log in, and combinations of them.

use kubectl_pivot_tests::recorder::{Authority, Kind};
use serde_json::{Value, json};

use super::bench::{Bench, encoded};
use super::shape::{Shape, with};

/// A credential plugin that says nothing but a token.
pub(crate) const PLUGIN: &str = r#"#!/bin/sh
echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "'"of-plugin$SUFFIX"'"}}'
"#;

pub(crate) fn shapes(bench: &Bench) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = users(bench)
        .into_iter()
        .map(|(name, user)| with_files(Shape::new(name, &bench.cluster(), &user), bench))
        .collect();
    let plain = json!({"server": bench.url("plain")});
    for (name, user) in [
        ("a token", json!({"token": "t"})),
        ("a password", json!({"username": "u", "password": "p"})),
        ("an impersonation", json!({"token": "t", "as": "somebody", "as-groups": ["a"]})),
        ("a token and a password", json!({"token": "t", "username": "u", "password": "p"})),
        ("a certificate", certificate(bench)),
        ("a plugin of an unknown version", plugin_of(&json!({"apiVersion": "v1"}))),
        ("a built-in of the past", json!({"auth-provider": {"name": "gcp"}})),
    ] {
        shapes.push(Shape::new(format!("plain HTTP with {name}"), &plain, &user));
    }
    let login = bench.url("ordinary").replace("https://", "https://u%40:p%3A@");
    for (name, user) in [("nothing", json!({})), ("a token", json!({"token": "t"}))] {
        let cluster = with(bench.cluster(), &json!({"server": login}));
        shapes.push(Shape::new(format!("a login in the URL and {name}"), &cluster, &user));
    }
    shapes
}

/// Files that users name.
pub(crate) fn with_files(shape: Shape, bench: &Bench) -> Shape {
    shape
        .file("token", "of-file\n")
        .file("token-crlf", "  of-file\r\n")
        .file("token-empty", "\n")
        .file("client.pem", bench.client.certificate.clone())
        .file("client-key.pem", bench.client.key.clone())
        .file("both.pem", format!("{}{}", bench.client.key, bench.client.certificate))
        .file("plugin", PLUGIN)
        .file("plugin-bad", "#!/bin/sh\necho why >&2\nexit 3\n")
        .file("plugin-odd", "#!/bin/sh\necho hello\n")
        .file("plugin-empty",
            "#!/bin/sh\necho '{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\"}'\n")
}

fn certificate(bench: &Bench) -> Value {
    json!({
        "client-certificate-data": encoded(&bench.client.certificate),
        "client-key-data": encoded(&bench.client.key),
    })
}

pub(crate) fn users(bench: &Bench) -> Vec<(String, Value)> {
    let mut users = vec![("nothing", json!({})), ("null", Value::Null)];
    users.extend(tokens());
    users.extend(passwords());
    users.extend(certificates(bench));
    users.extend(impersonations());
    users.extend(plugins());
    users.into_iter().map(|(name, user)| (name.to_owned(), user)).collect()
}

fn tokens() -> Vec<(&'static str, Value)> {
    vec![
        ("a token", json!({"token": "t"})),
        ("an empty token", json!({"token": ""})),
        ("a token with a line break", json!({"token": "t\n"})),
        ("a token with a space", json!({"token": "a b "})),
        ("a token that is not ASCII", json!({"token": "tökén"})),
        ("a token with a tab", json!({"token": "a\tb"})),
        ("a number as token", json!({"token": 1})),
        ("a token file", json!({"tokenFile": "token"})),
        ("a token file with CRLF", json!({"tokenFile": "token-crlf"})),
        ("an empty token file", json!({"tokenFile": "token-empty"})),
        ("an empty token file and a token", json!({"tokenFile": "token-empty", "token": "t"})),
        ("no token file", json!({"tokenFile": "none"})),
        ("no token file, a token", json!({"tokenFile": "none", "token": "t"})),
        ("a token and a token file", json!({"tokenFile": "token", "token": "t"})),
        ("an empty name of a token file", json!({"tokenFile": "", "token": "t"})),
        ("a folder as token file", json!({"tokenFile": "."})),
    ]
}

fn passwords() -> Vec<(&'static str, Value)> {
    vec![
        ("a password", json!({"username": "u", "password": "p:ö"})),
        ("a user without a password", json!({"username": "u"})),
        ("a password without a user", json!({"password": "p"})),
        ("a password and a token", json!({"username": "u", "password": "p", "token": "t"})),
        ("a password without a user, and a token", json!({"password": "p", "token": "t"})),
        (
            "a password and a token file",
            json!({"username": "u", "password": "p", "tokenFile": "token"}),
        ),
    ]
}

fn certificates(bench: &Bench) -> Vec<(&'static str, Value)> {
    let of = |more: &Value| with(certificate(bench), more);
    let key = Authority::new("another", &Kind::client()).own().key.clone();
    let odd = format!(
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{}",
        bench.client.key
    );
    vec![
        ("a certificate", of(&json!({}))),
        ("a certificate and a token", of(&json!({"token": "t"}))),
        ("a certificate and a plugin", of(&plugin_of(&json!({"command": "./plugin-odd"})))),
        ("a certificate with another's key", of(&json!({"client-key-data": encoded(&key)}))),
        (
            "a certificate with parameters in front of the key",
            of(&json!({"client-key-data": encoded(&odd)})),
        ),
        ("a certificate and its file", of(&json!({"client-certificate": "client.pem"}))),
        ("a key and its file", of(&json!({"client-key": "client-key.pem"}))),
        ("a certificate that is text", of(&json!({"client-certificate-data": encoded("hello")}))),
        ("a key that is text", of(&json!({"client-key-data": encoded("hello")}))),
        ("a certificate that is no base64", of(&json!({"client-certificate-data": "?"}))),
        ("files", json!({"client-certificate": "client.pem", "client-key": "client-key.pem"})),
        ("one file for both", json!({"client-certificate": "both.pem", "client-key": "both.pem"})),
        ("a certificate without a key", json!({"client-certificate": "client.pem"})),
        ("a key without a certificate", json!({"client-key": "client-key.pem"})),
        (
            "files that are not there",
            json!({"client-certificate": "no.pem", "client-key": "no.pem"}),
        ),
    ]
}

fn impersonations() -> Vec<(&'static str, Value)> {
    vec![
        ("somebody else", json!({"token": "t", "as": "somebody"})),
        (
            "somebody else with all",
            json!({"token": "t", "as": "söme body", "as-uid": "1", "as-groups": ["a", "b"],
            "as-user-extra": {"Reason": ["x", "y"], "a/b c%": ["z"]}}),
        ),
        ("groups of nobody", json!({"token": "t", "as-groups": ["a"]})),
        (
            "no groups of nobody",
            json!({"token": "t", "as-groups": [], "as-uid": "", "as-user-extra": {}}),
        ),
        ("somebody with a line break", json!({"token": "t", "as": "a\nb"})),
        ("a null group", json!({"token": "t", "as": "a", "as-groups": [null]})),
    ]
}

fn plugin_of(more: &Value) -> Value {
    let version = "client.authentication.k8s.io/v1";
    let exec = json!({"apiVersion": version, "command": "./plugin", "interactiveMode": "Never"});
    json!({"exec": with(exec, more)})
}

fn plugins() -> Vec<(&'static str, Value)> {
    let of = plugin_of;
    vec![
        ("a plugin", of(&json!({}))),
        ("a plugin with a variable", of(&json!({"env": [{"name": "SUFFIX", "value": "-x"}]}))),
        ("a plugin with a variable without a name", of(&json!({"env": [{"value": "-x"}]}))),
        ("a plugin with arguments", of(&json!({"args": ["a", "b"]}))),
        ("a plugin that may ask", of(&json!({"interactiveMode": "IfAvailable"}))),
        ("a plugin of an unknown mode", of(&json!({"interactiveMode": "Sometimes"}))),
        ("a plugin without a mode", of(&json!({"interactiveMode": ""}))),
        (
            "an older plugin without a mode",
            of(&json!({"interactiveMode": null,
                    "apiVersion": "client.authentication.k8s.io/v1alpha1"})),
        ),
        ("a plugin of an unknown version", of(&json!({"apiVersion": "v1"}))),
        ("a plugin without a version", of(&json!({"apiVersion": null}))),
        ("a plugin without a command", of(&json!({"command": ""}))),
        ("a plugin that is not there", of(&json!({"command": "no-such-plugin"}))),
        ("a plugin that fails", of(&json!({"command": "./plugin-bad"}))),
        ("a plugin that says no JSON", of(&json!({"command": "./plugin-odd"}))),
        ("a plugin that says nothing", of(&json!({"command": "./plugin-empty"}))),
        (
            "a plugin of an unknown version and a token",
            with(of(&json!({"apiVersion": "v1"})), &json!({"token": "t"})),
        ),
        ("a plugin and a token", with(of(&json!({})), &json!({"token": "t"}))),
        (
            "a plugin and a password",
            with(of(&json!({})), &json!({"username": "u", "password": "p"})),
        ),
        ("a plugin that sees the cluster", of(&json!({"provideClusterInfo": true}))),
        ("a built-in of the past", json!({"auth-provider": {"name": "gcp"}})),
        (
            "a built-in of the past and a token",
            json!({"auth-provider": {"name": "gcp"}, "token": "t"}),
        ),
        ("an unknown built-in", json!({"auth-provider": {"name": "x"}})),
        ("a built-in without settings", json!({"auth-provider": {"name": "oidc"}})),
        (
            "a built-in and a plugin",
            with(of(&json!({})), &json!({"auth-provider": {"name": "oidc"}})),
        ),
    ]
}
