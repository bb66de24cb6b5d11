use serde_json::{Value, json};

use super::*;

fn config(files: Vec<Value>) -> UserConfig {
    let file = |(index, content): (usize, Value)| ConfigFile {
        path: format!("/{index}").into(),
        content: check_form(content).expect("a kubeconfig"),
    };
    UserConfig { files: files.into_iter().enumerate().map(file).collect(), default: 0 }
}

fn access(server: &str) -> Access {
    Access {
        names: Names::of_cluster_api("pivot"),
        cluster: json!({"name": "pivot", "cluster":
            {"server": server, "certificate-authority-data": "CA"}}),
        user: json!({"name": "pivot-admin", "user": {"client-key-data": "KEY"}}),
        context: json!({"name": "pivot-admin@pivot", "context":
            {"cluster": "pivot", "user": "pivot-admin"}}),
    }
}

fn merged(files: Vec<Value>) -> Vec<Value> {
    let mut config = config(files);
    let access = access("https://s");
    config.check(&access.names, Some(&access)).expect("nothing is in the way");
    config.merge(&access);
    config.files.into_iter().map(|file| file.content).collect()
}

#[test]
fn a_new_kubeconfig_is_complete() {
    let access = access("https://s");
    let whole = json!({"apiVersion": "v1", "kind": "Config", "clusters": [access.cluster],
        "users": [access.user], "contexts": [access.context],
        "current-context": "pivot-admin@pivot"});
    assert_eq!(merged(vec![Value::Null]).first(), Some(&whole));
    let mut again = config(vec![whole]);
    assert!(again.merge(&access).is_empty(), "what is there is not written again");
}

#[test]
fn a_text_in_place_of_a_context_is_replaced_and_does_not_panic() {
    let odd = json!({"contexts": [{"name": "pivot-admin@pivot", "context": "a text"}]});
    let (mut config, access) = (config(vec![odd]), access("https://s"));
    config.merge(&access);
    assert_eq!(config.files[0].content["contexts"][0], access.context);
}

#[test]
fn others_stay_as_they_are() {
    let other = json!({"apiVersion": "v1", "kind": "Config", "preferences": {"colors": true},
        "x-mine": [1, {"b": 2}], "current-context": "work",
        "clusters": [{"name": "z", "cluster": {"server": "a"}}, {"name": "a", "cluster": null}],
        "users": null, "contexts": [{"name": "work", "context": {"cluster": "z", "user": "u"}}]});
    let merged = merged(vec![other.clone()]).remove(0);
    for field in ["preferences", "x-mine", "current-context"] {
        assert_eq!(merged[field], other[field], "{field}");
    }
    assert_eq!(merged["clusters"][0], other["clusters"][0]);
    assert_eq!(merged["clusters"][1], other["clusters"][1]);
    assert_eq!(merged["clusters"][2]["name"], "pivot");
    assert_eq!(merged["users"][0]["name"], "pivot-admin");
    assert_eq!(merged["contexts"][0], other["contexts"][0]);
}

#[test]
fn entries_of_this_cluster_are_replaced_where_they_are() {
    let access = access("https://s");
    let theirs = json!({"current-context": "x", "contexts": []});
    let ours = json!({
        "clusters": [{"name": "pivot", "cluster": {"server": "https://s",
            "certificate-authority-data": "CA", "proxy-url": "old"}}, {"name": "last"}],
        "users": [{"name": "pivot-admin", "user": {"client-key-data": "OLD"}}],
        "contexts": [{"name": "pivot-admin@pivot", "context":
            {"cluster": "pivot", "user": "pivot-admin", "namespace": "chosen"}}]});
    let merged = merged(vec![theirs.clone(), ours]);
    assert_eq!(merged[0], theirs);
    assert_eq!(merged[1]["clusters"], json!([access.cluster, {"name": "last"}]));
    assert_eq!(merged[1]["users"], json!([access.user]));
    let context = &merged[1]["contexts"][0]["context"];
    assert_eq!(context["namespace"], "chosen", "that is the user's choice");
    assert!(merged[1]["current-context"].is_null());
}

#[test]
fn names_of_something_else_are_refused() {
    let cluster = |server: &str, ca: &str| {
        json!({"clusters": [{"name": "pivot", "cluster":
            {"server": server, "certificate-authority-data": ca}}]})
    };
    let context = |cluster: &str, user: &str| {
        json!({"contexts": [{"name": "pivot-admin@pivot", "context":
            {"cluster": cluster, "user": user}}]})
    };
    let user = json!({"users": [{"name": "pivot-admin", "user": {"token": "t"}}]});
    let mut shared = user.clone();
    shared["contexts"] = json!([
        {"name": "a", "context": {"cluster": "pivot", "user": "pivot-admin"}},
        {"name": "b", "context": {"cluster": "other", "user": "pivot-admin"}}]);
    let access = access("https://s");
    for (theirs, shown) in [
        (cluster("https://other", "CA"), "a cluster `pivot` already, which is https://other"),
        (cluster("https://s", "another"), "a cluster `pivot` already, which is https://s"),
        (context("other", "pivot-admin"), "of cluster `other` and user `pivot-admin`"),
        (user, "a user `pivot-admin` already, which is not only this cluster's"),
        (shared, "a user `pivot-admin` already, which is not only this cluster's"),
    ] {
        // Also where another file has it.
        let config = config(vec![json!({}), theirs]);
        let error = config.check(&access.names, Some(&access)).expect_err(shown);
        assert!(
            error.to_string().contains("/1 has a") && error.to_string().contains(shown),
            "{error}"
        );
        assert!(config.check(&access.names, None).is_err(), "nothing is known of the target yet");
    }
    let ours = config(vec![cluster("https://s", "CA")]);
    assert!(ours.check(&access.names, Some(&access)).is_ok());
    assert!(ours.check(&access.names, None).is_err());
}

#[test]
fn a_file_that_is_no_kubeconfig_is_refused() {
    for (content, shown) in [
        (json!([1]), "it is no mapping"),
        (json!("text"), "it is no mapping"),
        (json!({"kind": "Pod"}), "its kind is not Config"),
        (json!({"apiVersion": 1}), "its apiVersion is not v1"),
        (json!({"users": {}}), "its users are not a list"),
        (json!({"contexts": ["a"]}), "one of its contexts has no name"),
    ] {
        assert_eq!(check_form(content), Err(shown.to_owned()));
    }
}
