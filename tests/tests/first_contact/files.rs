//! Kubeconfigs as texts: their types, several of them, their servers and contexts.

use serde_json::{Value, json};

use super::bench::Bench;
use super::shape::{Shape, kubeconfig, with};

pub(crate) const OWN_RULES: &str = "names of namespaces are held to the rules of Kubernetes";

/// Returns whether the namespace of the context is one that only kubectl takes.
pub(crate) fn is_refused_here(config: &Value) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let namespace = config.pointer("/contexts/0/context/namespace").and_then(Value::as_str);
    namespace.is_some_and(|name| !name.chars().all(is_part))
}

pub(crate) fn shapes(bench: &Bench) -> Vec<Shape> {
    let mut shapes = texts(bench);
    shapes.extend(lists_of_bytes(bench));
    shapes.extend(several(bench));
    shapes.extend(servers(bench));
    shapes.extend(contexts(bench));
    shapes
}

fn ordinary(bench: &Bench) -> Value {
    kubeconfig(&bench.cluster(), &json!({"token": "t"}))
}

fn changed(bench: &Bench, more: &Value) -> String {
    with(ordinary(bench), more).to_string()
}

fn texts(bench: &Bench) -> Vec<Shape> {
    let plain = ordinary(bench).to_string();
    let server = &bench.cluster()["server"];
    let yaml = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: it\nx: &a {{insecure-skip-tls-verify: \
         yes}}\nclusters:\n- name: there\n  cluster:\n    <<: *a\n    server: {server}\nusers:\n- \
         name: me\n  user:\n    token: !!str 123\ncontexts:\n- context:\n    cluster: there\n    \
         user: me\n  name: it\n"
    );
    let named = [
        ("JSON", plain.clone()),
        ("YAML with an anchor", yaml.clone()),
        ("YAML with comments and a second document", format!("# a\n---\n{yaml}---\na: 1\n")),
        ("a byte order mark", format!("\u{feff}{yaml}")),
        (
            "a key twice",
            yaml.replace("current-context: it\n", "current-context: no\ncurrent-context: it\n"),
        ),
        ("a token that is a number", yaml.replace("!!str 123", "123")),
        ("a token that is a bool", yaml.replace("!!str 123", "yes")),
        ("a name that is a number", yaml.replace("name: me", "name: 1")),
        (
            "a quoted bool",
            yaml.replace("{insecure-skip-tls-verify: yes}", "{insecure-skip-tls-verify: \"true\"}"),
        ),
        ("a tab", yaml.replace("  user:", "\tuser:")),
        ("nothing", String::new()),
        ("a comment", "# nothing\n".to_owned()),
        ("null", "null".to_owned()),
        ("a list", "[]".to_owned()),
        ("a text", "hello".to_owned()),
        ("not closed", plain[..plain.len() - 1].to_owned()),
        ("another kind", changed(bench, &json!({"kind": "Pod"}))),
        ("another version", changed(bench, &json!({"apiVersion": "v2"}))),
        ("a version that is a slash", changed(bench, &json!({"apiVersion": "/"}))),
        ("a kind that is a slash", changed(bench, &json!({"kind": "/"}))),
        ("no kind and version", changed(bench, &json!({"apiVersion": null, "kind": ""}))),
        (
            "unknown fields",
            changed(bench, &json!({"a": {"b": 1}, "preferences": {"colors": true}})),
        ),
        ("preferences that are a text", changed(bench, &json!({"preferences": "x"}))),
        (
            "extensions",
            changed(bench, &json!({"extensions": [{"name": "a", "extension": {"b": 1}}]})),
        ),
        (
            "a null user in the list",
            changed(bench, &json!({"users": [null, {"name": "me", "user": {"token": "t"}}]})),
        ),
        ("a user that is a list", changed(bench, &json!({"users": [[], {"name": "me"}]}))),
        ("a context that is a list", changed(bench, &json!({"contexts": [{"context": []}]}))),
        ("preferences that are a list", changed(bench, &json!({"preferences": []}))),
        ("no users", changed(bench, &json!({"users": null}))),
        ("users that are an object", changed(bench, &json!({"users": {}}))),
        (
            "two users of a name",
            changed(bench, &json!({"users": [{"name": "me"}, {"name": "me"}]})),
        ),
        (
            "another user is broken",
            changed(
                bench,
                &json!({"users": [{"name": "me", "user": {"token": "t"}},
                    {"name": "x", "user": {"token": 1}}]}),
            ),
        ),
        (
            "another user cannot be used",
            changed(
                bench,
                &json!({"users": [{"name": "me", "user": {"token": "t"}},
                    {"name": "x", "user": {"exec": {}}}]}),
            ),
        ),
    ];
    named.into_iter().map(|(name, text)| Shape::text(format!("text: {name}"), &text)).collect()
}

/// Go takes a list of numbers for bytes.
fn lists_of_bytes(bench: &Bench) -> Vec<Shape> {
    let authority = bench.authority.own().certificate.clone();
    let lists = [
        json!([]),
        json!([null]),
        json!([0]),
        json!([256]),
        json!([-1]),
        json!([1.5]),
        json!(["a"]),
        json!([[]]),
        json!(authority.as_bytes()),
    ];
    let shape = |data: Value| {
        let name = format!("certificate-authority-data {:.12}", data.to_string());
        let cluster = with(bench.cluster(), &json!({"certificate-authority-data": data}));
        Shape::new(name, &cluster, &json!({"token": "t"}))
    };
    let mut shapes: Vec<Shape> = lists.into_iter().map(shape).collect();
    for server in ["plain", "ordinary"] {
        let cluster = json!({"server": bench.url(server), "certificate-authority-data": [],
            "insecure-skip-tls-verify": true});
        let name = format!("no bytes as certificate-authority-data, {server}");
        shapes.push(Shape::new(name, &cluster, &json!({"token": "t"})));
    }
    let (certificate, key) = (&bench.client.certificate, &bench.client.key);
    let user = json!({"client-certificate-data": certificate.as_bytes(),
        "client-key-data": key.as_bytes()});
    shapes.push(Shape::new("a login as lists of bytes", &bench.cluster(), &user));
    shapes
}

fn several(bench: &Bench) -> Vec<Shape> {
    let whole = ordinary(bench);
    let of = |name: &str, first: &Value, second: &Value| {
        Shape::text(format!("two files: {name}"), &first.to_string())
            .and("folder/second", &second.to_string())
    };
    let user = |token: &str| json!([{"name": "me", "user": {"token": token}}]);
    let in_folder = json!({"users": [{"name": "me", "user": {"tokenFile": "token"}}]});
    vec![
        of("all in the second", &json!({}), &whole),
        of("a context in both", &json!({"current-context": "no"}), &whole),
        of("an empty context in the first", &json!({"current-context": ""}), &whole),
        of("a user in both", &json!({"users": user("first")}), &whole),
        of("an empty user in the first", &json!({"users": [{"name": "me"}]}), &whole),
        of("a file of the second", &with(whole.clone(), &json!({"users": []})), &in_folder)
            .file("folder/token", "of-folder")
            .file("token", "of-first"),
        of("a broken second", &whole, &json!({"users": 1})),
        of("a second of another kind", &whole, &json!({"kind": "Pod"})),
        Shape {
            kubeconfigs: vec!["config".to_owned(), "none".to_owned()],
            ..Shape::text("two files: no second", &whole.to_string())
        },
        Shape {
            kubeconfigs: vec![String::new(), "config".to_owned()],
            ..Shape::text("two files: a folder first", &whole.to_string())
        },
        Shape {
            kubeconfigs: vec!["no".to_owned(), "none".to_owned()],
            ..Shape::text("two files: none", "")
        },
        Shape {
            kubeconfigs: vec!["none".to_owned()],
            ..Shape::text("a file that is not there", "")
        },
        Shape {
            kubeconfigs: vec!["config".to_owned(), "config".to_owned()],
            ..Shape::text("the same file twice", &whole.to_string())
        },
    ]
}

fn servers(bench: &Bench) -> Vec<Shape> {
    let port = bench.servers["ordinary"].0;
    let plain = bench.servers["plain"].0;
    let names = [
        format!("https://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/k8s/clusters/c-1"),
        format!("https://127.0.0.1:{port}//a//./b/../c/"),
        format!("https://127.0.0.1:{port}/a?b=c#d"),
        format!("https://127.0.0.1:{port}?b=c"),
        format!("HTTPS://127.0.0.1:{port}"),
        format!("https://LOCALHOST:{port}"),
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("127.0.0.1:{plain}"),
        format!("localhost:{plain}"),
        format!("localhost:{plain}/"),
        format!("localhost:{plain}/a"),
        format!("http://127.0.0.1:{plain}/a/b/"),
        format!("https://127.0.0.1:{plain}"),
        format!("http://127.0.0.1:{port}"),
        format!("ftp://127.0.0.1:{port}"),
        format!(" https://127.0.0.1:{port}"),
        format!("https://127.0.0.1:{port} "),
        format!("https:127.0.0.1:{port}"),
        format!("//127.0.0.1:{port}"),
        "https://127.0.0.1:99999".to_owned(),
        "https://127.0.0.1:x".to_owned(),
        "https://".to_owned(),
        "/api".to_owned(),
        "https://nowhere.invalid:6443".to_owned(),
    ];
    let shape = |server: String| {
        let cluster = with(bench.cluster(), &json!({"server": server}));
        Shape::new(format!("server {server:?}"), &cluster, &json!({"token": "t"}))
    };
    names.into_iter().map(shape).collect()
}

fn contexts(bench: &Bench) -> Vec<Shape> {
    let of = |name: &str, context: Value| {
        let contexts = json!({"contexts": [{"name": "it", "context": context}]});
        Shape::text(format!("context: {name}"), &changed(bench, &contexts))
    };
    let both = json!({"contexts": [
        {"name": "it", "context": {"cluster": "there", "user": "me"}},
        {"name": "two", "context": {"cluster": "there", "user": "nobody", "namespace": "two"}}]});
    let two = changed(bench, &both);
    vec![
        of("nothing but a cluster", json!({"cluster": "there"})),
        of("a namespace", json!({"cluster": "there", "user": "me", "namespace": "a-b"})),
        of("an empty namespace", json!({"cluster": "there", "user": "me", "namespace": ""})),
        of(
            "a namespace that is none",
            json!({"cluster": "there", "user": "me", "namespace": "A_b"}),
        )
        .refused_here(OWN_RULES),
        of("another user", json!({"cluster": "there", "user": "nobody"})),
        of("a user that is null", json!({"cluster": "there", "user": null})),
        of("a cluster that is not there", json!({"cluster": "no", "user": "me"})),
        of("no cluster", json!({"user": "me"})),
        of("null", Value::Null),
        Shape::text("context: by flag", &two).context("two"),
        Shape::text("context: none by flag", &two).context("no"),
        Shape::text("context: an empty flag", &two).context(""),
        Shape::text("context: no current one", &changed(bench, &json!({"current-context": null}))),
        Shape::text(
            "context: a current one that is not there",
            &changed(bench, &json!({"current-context": "x"})),
        ),
        Shape::text(
            "context: no server",
            &changed(bench, &json!({"clusters": [{"name": "there", "cluster": {}}]})),
        ),
    ]
}
