//! Whatever bytes arrive, there is an answer or an error, and never a panic.

use kubectl_pivot_plugin_api::dispatch;
use kubectl_pivot_plugin_api::protocol::method;
use kubectl_pivot_plugin_docker::Docker;
use proptest::prelude::*;
use serde_json::{Value, json};

const METHODS: [&str; 8] = [
    method::INFO,
    method::VARIABLES,
    method::PROVIDERS,
    method::BOOTSTRAP,
    method::RENDER,
    method::CNI,
    method::REACH,
    method::PROBES,
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    })
}

fn any_variable() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "kubernetes-version",
        "control-plane-replicas",
        "worker-replicas",
        "pod-cidrs",
        "service-cidrs",
        "service-domain",
        "cert-sans",
        "prefix-names",
        "api-version",
        "extra-mounts",
        "custom-image",
        "kinds",
    ])
}

proptest! {
    #[test]
    fn bytes(method in prop::sample::select(METHODS.to_vec()), request: Vec<u8>) {
        drop(dispatch::infrastructure(&Docker, method, &request));
    }

    #[test]
    fn values_in_place_of_variables(name in any_variable(), value in any_value()) {
        let request = json!({"name": "pivot", "variables": {name: value}}).to_string();
        for method in METHODS {
            match dispatch::infrastructure(&Docker, method, request.as_bytes()) {
                Ok(answer) => prop_assert!(serde_json::from_slice::<Value>(&answer).is_ok()),
                Err(error) => prop_assert!(!error.message.is_empty()),
            }
        }
    }

    #[test]
    fn fields_of_the_future(field in "[a-z]{1,8}Future", value in any_value()) {
        let plain = json!({"name": "pivot"});
        let mut newer = plain.clone();
        newer[field] = value;
        let render = |request: &Value| {
            dispatch::infrastructure(&Docker, method::RENDER, request.to_string().as_bytes())
        };
        prop_assert_eq!(render(&plain), render(&newer));
    }
}
