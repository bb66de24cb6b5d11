use serde_json::json;

use super::*;

fn declared() -> Vec<Variable> {
    vec![
        Variable::new("worker-replicas", VariableType::Integer, "How many workers")
            .with_default(1)
            .at_least(0),
        Variable::new("pod-cidrs", VariableType::CidrList, "Ranges for pods")
            .with_default(json!(["192.168.0.0/16"])),
        Variable::new("helm-addon", VariableType::Boolean, "Add the Helm add-on")
            .with_default(true),
        Variable::new("kinds", VariableType::String, "Kinds to render")
            .with_default("auto")
            .one_of(&["auto", "docker", "dev"]),
        Variable::new("region", VariableType::String, "Where").from_env("AWS_REGION"),
    ]
}

fn resolve(given: Value) -> PluginResult<Values> {
    let given = given.as_object().cloned().expect("the test gives an object");
    Values::resolve(&declared(), &given)
}

#[test]
fn fills_in_defaults() {
    let values = resolve(json!({})).expect("everything has a default or is optional");
    assert_eq!(values.integer("worker-replicas"), Ok(1));
    assert_eq!(values.list("pod-cidrs"), Ok(vec!["192.168.0.0/16".to_owned()]));
    assert_eq!(values.boolean("helm-addon"), Ok(true));
    assert_eq!(values.optional_text("region"), None);
}

#[test]
fn accepts_strings_for_every_type() {
    let given = json!({
        "worker-replicas": "3", "pod-cidrs": "10.0.0.0/8, fd00::/64", "helm-addon": "false"
    });
    let values = resolve(given).expect("strings are converted");
    assert_eq!(values.integer("worker-replicas"), Ok(3));
    assert_eq!(values.list("pod-cidrs"), Ok(vec!["10.0.0.0/8".into(), "fd00::/64".into()]));
    assert_eq!(values.boolean("helm-addon"), Ok(false));
    let values = resolve(json!({"pod-cidrs": "[\"10.0.0.0/8\"]"})).expect("JSON works too");
    assert_eq!(values.list("pod-cidrs"), Ok(vec!["10.0.0.0/8".to_owned()]));
}

#[test]
fn names_the_nearest_variables() {
    let error = resolve(json!({"worker-replica": 1})).expect_err("no such variable");
    assert_eq!(error.code, ErrorCode::UnknownVariable);
    assert_eq!(error.variable.as_deref(), Some("worker-replica"));
    assert_eq!(error.hint.as_deref(), Some("did you mean worker-replicas?"));
}

#[test]
fn lists_all_variables_when_none_is_near() {
    let error = resolve(json!({"zzz": 1})).expect_err("no such variable");
    let hint = error.hint.expect("there is a hint");
    assert!(hint.contains("worker-replicas, pod-cidrs"), "{hint}");
}

#[test]
fn refuses_wrong_values_and_says_where_to_set_them() {
    for (given, part) in [
        (json!({"worker-replicas": "many"}), "type integer"),
        (json!({"worker-replicas": -1}), "-1 is less than 0"),
        (json!({"worker-replicas": 1.5}), "type integer"),
        (json!({"pod-cidrs": ["10.0.0.0"]}), "no prefix length"),
        (json!({"pod-cidrs": [1]}), "type cidr-list"),
        (json!({"helm-addon": "yes"}), "type boolean"),
        (json!({"kinds": "podman"}), "one of auto, docker, dev"),
    ] {
        let error = resolve(given.clone()).expect_err("the value is not allowed");
        assert_eq!(error.code, ErrorCode::InvalidVariable, "{given}");
        assert!(error.message.contains(part), "{given}: {}", error.message);
        assert!(error.hint.is_some_and(|hint| hint.contains("--set ")), "{given}");
    }
}

#[test]
fn asks_for_required_variables() {
    let token = [Variable::new("token", VariableType::String, "Access token")
        .required()
        .secret()
        .from_env("TOKEN")];
    let error = Values::resolve(&token, &Map::new()).expect_err("it is required");
    assert_eq!(error.code, ErrorCode::MissingVariable);
    assert_eq!(error.variable.as_deref(), Some("token"));
    let hint = error.hint.expect("there is a hint");
    assert_eq!(hint, "set it with `--set token=VALUE` or the environment variable TOKEN");
}

#[test]
fn takes_the_environment_only_for_what_is_not_given() {
    let lookup = |name: &str| (name == "AWS_REGION").then(|| "eu-central-1".to_owned());
    let mut given = Map::new();
    fill_from_env(&declared(), &mut given, lookup);
    assert_eq!(given, *json!({"region": "eu-central-1"}).as_object().expect("an object"));
    let mut given = Map::from_iter([("region".to_owned(), json!("us-east-1"))]);
    fill_from_env(&declared(), &mut given, lookup);
    assert_eq!(given["region"], "us-east-1");
}

#[test]
fn all_missing_variables_are_named_at_once() {
    let declared = [
        Variable::new("region", VariableType::String, "Region").required().from_env("REGION"),
        Variable::new("size", VariableType::Integer, "Size").with_default(1),
        Variable::new("token", VariableType::String, "Token").required().from_env("TOKEN"),
    ];
    let error = Values::resolve(&declared, &Map::new()).expect_err("two are missing");
    assert_eq!(error.code, ErrorCode::MissingVariable);
    assert_eq!(error.message, "variables are required: `region` (Region), `token` (Token)");
    let hint = "set each with `--set NAME=VALUE` or the environment variables REGION, TOKEN";
    assert_eq!(error.hint.as_deref(), Some(hint));
}
