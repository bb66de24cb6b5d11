use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::yaml::documents;

#[test]
fn strings_that_look_like_something_else_are_quoted() {
    for text in [
        "",
        " ",
        "a ",
        " a",
        "~",
        "null",
        "Null",
        "on",
        "On",
        "OFF",
        "y",
        "N",
        "yes",
        "No",
        "true",
        "1",
        "-1",
        "+1",
        "1.5",
        ".5",
        "1e3",
        "1E3",
        "1_000",
        "0644",
        "08",
        "0o17",
        "0x1F",
        "0b11",
        ".inf",
        "-.INF",
        ".NaN",
        "nan",
        "12:30:45",
        "1:20",
        "2026-11-22",
        "2026-11-22T16:29:00Z",
        "10.96.0.0/12",
        "127.0.0.1",
        "<<",
        "=",
        "-",
        "- a",
        "---",
        "...",
        "?",
        "? a",
        ":",
        "a:",
        "a: b",
        "a #b",
        "#",
        "&a",
        "*a",
        "!a",
        "!!str a",
        "|",
        ">",
        "%a",
        "@a",
        "`a`",
        "{a}",
        "[a]",
        ",",
        "a\tb",
        "a\rb",
        "\"a\"",
        "'a'",
        "\\",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "\u{7f}",
        "\u{1}",
        "é",
        "🦀",
    ] {
        let written = document(&json!({ "a": text }));
        assert!(written.starts_with("a: \"") && written.ends_with("\"\n"), "{text:?}: {written}");
        assert_eq!(documents(&written).expect("valid"), [json!({ "a": text })], "{text:?}");
    }
}

#[test]
fn harmless_strings_are_not_quoted() {
    for text in [
        "pivot",
        "v1.33.0",
        "/var/run/docker.sock",
        "cluster.x-k8s.io/v1beta2",
        "cluster.local",
        "https://helm.cilium.io/",
        "kindest/node:v1.33.0",
        "e3",
        "on-call",
        "Not a number",
        "a-1",
    ] {
        assert_eq!(document(&json!({ "a": text })), format!("a: {text}\n"));
    }
}

#[test]
fn other_scalars_are_written_as_in_json() {
    let value = json!({"a": true, "b": null, "c": 1, "d": -1.5, "e": 1e300, "f": {}, "g": [],
        "h": u64::MAX, "i": 1.0, "j": 1e-7});
    let expected = "a: true\nb: null\nc: 1\nd: -1.5\ne: 1e+300\nf: {}\ng: []\n\
        h: 18446744073709551615\ni: 1.0\nj: 1e-7\n";
    assert_eq!(document(&value), expected);
    assert_eq!(documents(expected).expect("valid"), [value]);
}

#[test]
fn looks_as_people_write_it() {
    let value = json!({"kind": "Cluster", "0644": {"on": "off"}, "list": [{"b": [1, 2], "a": []},
        [["x"], "y"], {}], "script": "#!/bin/sh\n\n  echo hi\n", "cut": "a\nb"});
    let expected = "\
\"0644\":
  \"on\": \"off\"
cut: |-
  a
  b
kind: Cluster
list:
- a: []
  b:
  - 1
  - 2
- - - x
  - \"y\"
- {}
script: |
  #!/bin/sh

    echo hi
";
    assert_eq!(document(&value), expected);
    assert_eq!(documents(expected).expect("valid"), [value]);
}

#[test]
fn streams_separate_their_documents() {
    let values = [json!({"a": 1}), json!(["b"]), json!("c")];
    assert_eq!(stream(&values), "---\na: 1\n---\n- b\n---\nc\n");
    assert_eq!(documents(&stream(&values)).expect("valid"), values);
    assert_eq!(stream([]), "");
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~\n]{0,12}",
        "[a-z0-9:#.\\-_ ]{0,8}",
        "[0-9xob_.eE+:\\-]{1,8}",
        r"([ \t]?[a-z]{0,3}[ \t]?\n){0,4}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e12..1e12).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn is_read_back_unchanged(values in prop::collection::vec(value(), 1..4)) {
        let kept: Vec<_> = values.iter().filter(|value| !value.is_null()).cloned().collect();
        let written = stream(&values);
        prop_assert_eq!(documents(&written).map_err(|error| error.to_string()), Ok(kept), "{}",
            written);
    }
}
