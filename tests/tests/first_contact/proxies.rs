//! Proxies of the environment and of kubeconfigs.

use serde_json::{Value, json};

use super::bench::{Bench, HIDDEN};
use super::shape::{Shape, with};

pub(crate) fn shapes(bench: &Bench) -> Vec<Shape> {
    let mut shapes = of_the_environment(bench);
    shapes.extend(of_kubeconfigs(bench));
    shapes
}

/// The ordinary server by a name that only proxies know.
fn hidden(bench: &Bench) -> Value {
    let port = bench.servers["ordinary"].0;
    with(bench.cluster(), &json!({"server": format!("https://{HIDDEN}:{port}")}))
}

fn of_the_environment(bench: &Bench) -> Vec<Shape> {
    let [first, second] = bench.proxies;
    let proxy = format!("http://127.0.0.1:{first}");
    let of = |env: &[(&str, &str)]| {
        let shape = Shape::new(format!("{env:?}"), &hidden(bench), &json!({"token": "t"}));
        env.iter().fold(shape, |shape, (name, value)| shape.env(name, value))
    };
    let mut shapes = vec![
        of(&[("HTTPS_PROXY", &proxy)]),
        of(&[("https_proxy", &proxy)]),
        of(&[("HTTPS_PROXY", &proxy), ("https_proxy", &format!("http://127.0.0.1:{second}"))]),
        of(&[("HTTPS_PROXY", ""), ("https_proxy", &proxy)]),
        of(&[("HTTPS_PROXY", &format!("127.0.0.1:{first}"))]),
        of(&[("HTTPS_PROXY", &format!("http://u:p%40@127.0.0.1:{first}"))]),
        of(&[("HTTPS_PROXY", &format!("socks5://127.0.0.1:{first}"))]),
        of(&[("HTTPS_PROXY", &format!("socks5h://127.0.0.1:{first}"))]),
        of(&[("HTTPS_PROXY", &format!("socks5://u:p@127.0.0.1:{first}"))]),
        of(&[("HTTPS_PROXY", "http://127.0.0.1:1")]),
        of(&[("HTTPS_PROXY", "://")]),
        of(&[("HTTP_PROXY", &proxy)]),
        of(&[("ALL_PROXY", &proxy)]),
    ];
    let direct = [
        "*",
        HIDDEN,
        ".invalid",
        "invalid",
        "example.invalid:1",
        "*.example.invalid",
        "a, ,invalid",
        "0.0.0.0/0",
        "invalid:6443,",
    ];
    shapes.extend(direct.iter().map(|none| of(&[("HTTPS_PROXY", &proxy), ("NO_PROXY", none)])));
    shapes.push(of(&[("HTTPS_PROXY", &proxy), ("no_proxy", "invalid")]));
    let local = Shape::new("a server on this machine", &bench.cluster(), &json!({"token": "t"}));
    shapes.push(local.env("HTTPS_PROXY", &proxy));
    let plain = with(
        json!({}),
        &json!({"server": format!("http://{HIDDEN}:{}", bench.servers["plain"].0)}),
    );
    let plain = Shape::new("plain HTTP by the proxy of HTTPS", &plain, &json!({}));
    shapes.push(plain.env("HTTPS_PROXY", &proxy));
    shapes
}

fn of_kubeconfigs(bench: &Bench) -> Vec<Shape> {
    let [first, second] = bench.proxies;
    let of = |proxy: &str, cluster: Value| {
        let cluster = with(cluster, &json!({"proxy-url": proxy}));
        Shape::new(format!("proxy-url {proxy:?}"), &cluster, &json!({"token": "t"}))
            .env("HTTPS_PROXY", &format!("http://127.0.0.1:{second}"))
            .env("NO_PROXY", "*.nothing")
    };
    let proxies = [
        format!("http://127.0.0.1:{first}"),
        format!("http://127.0.0.1:{first}/"),
        format!("HTTP://127.0.0.1:{first}"),
        format!("http://u:p@127.0.0.1:{first}"),
        format!("socks5://127.0.0.1:{first}"),
        format!("socks5h://127.0.0.1:{first}"),
        format!("127.0.0.1:{first}"),
        format!("localhost:{first}"),
        "http://127.0.0.1:1".to_owned(),
        "http://".to_owned(),
        "ftp://127.0.0.1:1".to_owned(),
        String::new(),
    ];
    let mut shapes: Vec<_> = proxies.iter().map(|proxy| of(proxy, hidden(bench))).collect();
    shapes.push(of(&proxies[0], bench.cluster()));
    shapes.push(of(&proxies[0], hidden(bench)).env("no_proxy", "*"));
    shapes
}
