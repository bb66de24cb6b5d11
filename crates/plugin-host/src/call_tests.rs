use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A plugin that answers `info` properly and everything else with `answer`.
fn plugin(
    info: Value,
    answer: Result<&'static str, &'static str>,
) -> Result<Plugin, PluginFileError> {
    let invoke = move |method: &str, _: &[u8]| match method {
        "info" => Ok(info.to_string().into_bytes()),
        _ => answer.map(Vec::from).map_err(Vec::from),
    };
    Plugin::introduce(PathBuf::from("/plugins/libpotato.so"), Box::new(invoke))
}

fn potato(answer: Result<&'static str, &'static str>) -> Plugin {
    let info = json!({"name": "potato", "kind": "infrastructure", "protocol": "1.0"});
    plugin(info, answer).expect("it says who it is")
}

#[test]
fn a_newer_minor_version_is_used_and_another_major_is_refused() {
    let info = json!({"name": "potato", "kind": "cni", "protocol": "1.9", "mood": "good"});
    assert!(plugin(info, Ok("")).is_ok());
    let error = plugin(json!({"name": "potato", "protocol": "2.0"}), Ok(""));
    let error = error.expect_err("another major version");
    let expected = "the plugin /plugins/libpotato.so speaks protocol 2.0, this program speaks 1.3";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_plugin_that_requires_a_newer_program_is_refused() {
    let info = |required: &str| json!({"name": "p", "protocol": "1.9", "requiresHost": required});
    assert!(plugin(info("1.1"), Ok("")).is_ok());
    let error = plugin(info("1.7"), Ok("")).expect_err("it needs what is not there");
    let expected = "the plugin /plugins/libpotato.so requires a program that speaks protocol 1.7, \
                    this one speaks 1.3";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn every_request_says_what_the_program_speaks() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let invoke = move |method: &str, request: &[u8]| {
        let request: Value = serde_json::from_slice(request).expect("it is JSON");
        heard.lock().expect("nothing panics").push((method.to_owned(), request["host"].clone()));
        Ok(json!({"name": "p", "kind": "infrastructure", "protocol": "1.0"}).to_string().into())
    };
    let plugin = Plugin::introduce(PathBuf::from("/p.so"), Box::new(invoke)).expect("it is usable");
    drop(plugin.variables());
    let infrastructure = plugin.infrastructure().expect("it is of that kind");
    drop(infrastructure.render(&ClusterRequest::named("pivot")));
    drop(infrastructure.probes(&ProbesRequest::default()));
    let host = json!({"protocol": "1.3", "version": env!("CARGO_PKG_VERSION")});
    let expected = ["info", "variables", "render", "probes"].map(|m| (m.to_owned(), host.clone()));
    assert_eq!(*asked.lock().expect("nothing panics"), expected);
}

#[test]
fn rubbish_is_one_clear_error() {
    let plugin = potato(Ok("{\"objects\": 7}"));
    let infrastructure = plugin.infrastructure().expect("it is of that kind");
    let error = infrastructure.render(&ClusterRequest::named("pivot"));
    let expected = "plugin `potato` (/plugins/libpotato.so) gives an unusable answer to `render`";
    assert_eq!(error.expect_err("not a list").to_string(), expected);
    let plugin = potato(Err("not even JSON"));
    match plugin.variables() {
        Err(CallError::Refused { source, .. }) => assert_eq!(source.code, ErrorCode::Internal),
        other => panic!("unexpected: {other:?}"),
    }
}

#[test]
fn an_old_plugin_has_nothing_to_say_to_new_questions() {
    let plugin = potato(Err(r#"{"code":"unknown-method","message":"no"}"#));
    let infrastructure = plugin.infrastructure().expect("it is of that kind");
    let probes = infrastructure.probes(&ProbesRequest::default());
    assert_eq!(probes.expect("nothing to say"), Vec::new());
    let cni = infrastructure.cni(&ClusterRequest::named("pivot")).expect("nothing to say");
    assert_eq!(cni, CniChoice::Unknown);
    let moving = infrastructure.moving(&MoveRequest::default()).expect("nothing to say");
    assert_eq!(moving, MoveKnowledge::default());
    assert!(infrastructure.render(&ClusterRequest::named("pivot")).is_err());
}

#[test]
fn kinds_are_not_mixed_up() {
    let error = potato(Ok("")).cni().map(|_| ()).expect_err("it is an infrastructure plugin");
    assert_eq!(error.to_string(), "plugin `potato` has the kind infrastructure, not cni");
}

#[test]
fn errors_of_the_future_are_read() {
    let plugin = potato(Err(r#"{"code":"out-of-potatoes","message":"none left","new":1}"#));
    match plugin.variables() {
        Err(CallError::Refused { source, .. }) => {
            assert_eq!(source.code, ErrorCode::Unknown);
            assert_eq!(source.message, "none left");
        }
        other => panic!("unexpected: {other:?}"),
    }
}

/// JSON that resembles answers: their field names, and anything as values.
fn any_answer() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "objects",
        "notes",
        "name",
        "type",
        "default",
        "plan",
        "method",
        "kind",
        "stages",
        "cluster",
        "minObjects",
        "timeoutSeconds",
        "expression",
        "core",
        "infrastructure",
        "mounts",
        "values",
        "code",
        "message",
        "fieldOfTheFuture",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::ANY.prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "docker",
            "plugin",
            "before-move",
            "word-of-the-future",
            "\u{0}"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Value>()),
        ]
    })
}

/// Asks everything that can be asked. What comes back is an answer or an error.
fn ask_everything(plugin: &Plugin) {
    let (cluster, probes) = (ClusterRequest::named("pivot"), ProbesRequest::default());
    drop(plugin.variables());
    if let Ok(plugin) = plugin.infrastructure() {
        drop(plugin.providers(&cluster));
        drop(plugin.bootstrap(&cluster));
        drop(plugin.render(&cluster));
        drop(plugin.cni(&cluster));
        drop(plugin.moving(&MoveRequest::default()));
        drop(plugin.probes(&probes));
    }
    if let Ok(plugin) = plugin.cni() {
        drop(plugin.plan(&CniRequest::default()));
        drop(plugin.probes(&CniRequest::default()));
    }
    plugin.conformance();
}

proptest! {
    /// Whatever a plugin answers, the host continues.
    #[test]
    fn any_answer_is_an_answer_or_an_error(answer in any_answer(), fails in any::<bool>(),
        cni in any::<bool>()) {
        let kind = if cni { "cni" } else { "infrastructure" };
        let info = json!({"name": "potato", "kind": kind, "protocol": "1.0"});
        let invoke = move |method: &str, _: &[u8]| match (method, fails) {
            ("info", _) => Ok(info.to_string().into_bytes()),
            (_, false) => Ok(answer.to_string().into_bytes()),
            (_, true) => Err(answer.to_string().into_bytes()),
        };
        let plugin = Plugin::introduce(PathBuf::from("/p.so"), Box::new(invoke));
        ask_everything(&plugin.expect("it says who it is"));
    }

    /// Nor does it matter if it is no JSON at all, or is cut off.
    #[test]
    fn any_bytes_are_an_answer_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let answer = bytes.clone();
        drop(Plugin::introduce(PathBuf::from("/p.so"), Box::new(move |_, _| Ok(answer.clone()))));
        drop(Plugin::introduce(PathBuf::from("/p.so"), Box::new(move |_, _| Err(bytes.clone()))));
    }
}
