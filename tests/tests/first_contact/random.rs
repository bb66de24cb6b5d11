//! Random kubeconfigs: pieces of the tables put together, and values replaced by odd ones.

use std::env;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use super::bench::{Bench, encoded};
use super::shape::{Shape, kubeconfig, with};
use super::{files, logins};

/// As many shapes, the same for each worker: the seed is that of the run, or a fixed one.
/// `KUBECTL_PIVOT_SHAPES=7,4201` leaves only those of these numbers, which a failure names.
pub(crate) fn shapes(bench: &Bench, count: usize) -> Vec<Shape> {
    let seed = env::var("KUBECTL_PIVOT_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(8_207_608_077_109_100_658);
    let mut random = StdRng::seed_from_u64(seed);
    let users = logins::users(bench);
    let only = env::var("KUBECTL_PIVOT_SHAPES").ok();
    let is_wanted = |number: usize| {
        let number = number.to_string();
        only.as_ref().is_none_or(|only| only.split(',').any(|wanted| wanted == number))
    };
    let all = (0..count).map(|number| (number, one(bench, &users, &mut random, number)));
    all.filter(|(number, _)| is_wanted(*number)).map(|(_, shape)| shape).collect()
}

fn one(bench: &Bench, users: &[(String, Value)], random: &mut StdRng, number: usize) -> Shape {
    let cluster = cluster(bench, random);
    let mut user = json!({});
    for _ in 0..random.random_range(0..3) {
        if let Some((_, more)) = users.choose(random)
            && more.is_object()
        {
            user = with(user, more);
        }
    }
    let mut config = kubeconfig(&cluster, &user);
    let places = places(&config);
    for _ in 0..random.random_range(0..3) {
        let place = places.choose(random).expect("it has fields");
        if let Some(value) = config.pointer_mut(place) {
            *value = odd(random);
        }
    }
    let text = match random.random_bool(0.5) {
        true => config.to_string(),
        false => serde_saphyr::to_string(&config).expect("JSON is YAML"),
    };
    let shape = Shape::text(format!("random {number}"), &text);
    let shape =
        if files::is_refused_here(&config) { shape.refused_here(files::OWN_RULES) } else { shape };
    let shape = Shape { is_refused_by_kubectl_too: true, ..shape };
    logins::with_files(shape, bench)
}

fn cluster(bench: &Bench, random: &mut StdRng) -> Value {
    let servers: Vec<_> = bench.servers.keys().copied().collect();
    let server = servers.choose(random).expect("there are servers");
    let own = bench.servers[server].1.as_ref().map(|own| own.certificate.clone());
    let authority = bench.authority.own().certificate.clone();
    let bundle = match random.random_range(0..4) {
        0 => own.unwrap_or_default(),
        1 => bench.other.own().certificate.clone(),
        _ => authority,
    };
    let mut cluster =
        json!({"server": bench.url(server), "certificate-authority-data": encoded(&bundle)});
    let extras = [
        json!({"tls-server-name": "localhost"}),
        json!({"proxy-url": format!("http://127.0.0.1:{}", bench.proxies[0])}),
        json!({"disable-compression": true}),
        json!({"insecure-skip-tls-verify": true, "certificate-authority-data": ""}),
        json!({"server": format!("{}/a/b/", bench.url(server))}),
        json!({"server": bench.url(server).replace("127.0.0.1", "localhost")}),
        json!({"server": format!("127.0.0.1:{}", bench.servers["plain"].0)}),
    ];
    for _ in 0..random.random_range(0..2) {
        cluster = with(cluster, extras.choose(random).expect("there are some"));
    }
    cluster
}

fn odd(random: &mut StdRng) -> Value {
    let odd = [
        Value::Null,
        json!(""),
        json!("x"),
        json!(" "),
        json!("a\nb"),
        json!(0),
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
        json!([null]),
        json!("true"),
        json!("tök"),
        json!("there"),
        json!("me"),
        json!("/"),
        json!("."),
    ];
    odd.choose(random).expect("there are some").clone()
}

/// Pointers to all values.
fn places(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
        }
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (key, child) in children {
        let key = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
        found.push(key.clone());
        found.extend(places(child).into_iter().map(|place| format!("{key}{place}")));
    }
    found
}
