use proptest::prelude::*;
use serde_json::json;

use super::*;

fn judged(text: &str, object: &Value) -> Verdict {
    Expression::compile_blocking(text).expect("it is CEL").evaluate_blocking(object)
}

#[test]
fn says_what_kubernetes_would_say() {
    let object = json!({
        "metadata": {"name": "a", "generation": 3},
        "spec": {"ratio": 1.0, "big": 9_223_372_036_854_775_808_u64},
        "status": {"observedGeneration": 3, "numberReady": 2,
            "conditions": [{"type": "Ready", "status": "True"}]}
    });
    for (text, expected) in [
        ("self.status.observedGeneration >= self.metadata.generation", Verdict::True),
        ("self.status.numberReady == 3", Verdict::False),
        ("self.status.numberReady > 1 && self.spec.ratio == 1", Verdict::True),
        (
            "self.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')",
            Verdict::True,
        ),
        ("has(self.status.ready) && self.status.ready", Verdict::False),
        ("self.spec.big > 1", Verdict::True),
        ("self.metadata.name.matches('^[a-z]$')", Verdict::True),
        ("size(self.status.conditions) == 1", Verdict::True),
    ] {
        assert_eq!(judged(text, &object), expected, "{text}");
    }
}

/// One zone is compiled in (`.cargo/config.toml`).
#[test]
fn times_have_offsets_and_no_zones_but_utc() {
    let object = json!({"time": "2026-11-28T23:30:00Z"});
    for (text, expected) in [
        ("timestamp(self.time).getHours() == 23", true),
        ("timestamp(self.time).getHours('UTC') == 23", true),
        ("timestamp(self.time).getHours('+02:00') == 1", true),
        ("timestamp(self.time) - timestamp('2026-11-28T23:00:00Z') == duration('30m')", true),
        ("timestamp(self.time).getHours('Europe/Berlin') == 0", false),
    ] {
        let verdict = judged(text, &object);
        assert_eq!(verdict == Verdict::True, expected, "{text}: {verdict:?}");
    }
}

#[test]
fn an_evaluation_that_fails_says_why() {
    let object = json!({"metadata": {"name": "a"}});
    for (text, part) in [
        ("self.status.ready", "status"),
        ("self.metadata.name", "a string"),
        ("1 / 0 == 1", "zero"),
        ("self.metadata.name > 1", ""),
        ("self.metadata.name.matches('[')", "regex"),
    ] {
        let verdict = judged(text, &object);
        let (Verdict::Failed(message) | Verdict::NoCondition(message)) = &verdict else {
            panic!("{text}: {verdict:?}")
        };
        assert!(message.contains(part) && !message.contains('\n'), "{text}: {message}");
    }
    for text in ["other.status.ready", "nothing(self)", "self.nothing()"] {
        let verdict = judged(text, &object);
        assert!(matches!(verdict, Verdict::Undeclared(_)), "{text}: {verdict:?}");
    }
}

#[test]
fn an_error_of_syntax_says_where() {
    for text in ["self.", "", "a b", "'open", "has(self)", "((", "self == 99999999999999999999"] {
        let error = Expression::compile_blocking(text).expect_err(text).to_string();
        assert!(error.starts_with("it is not valid CEL: 1:"), "{text}: {error}");
        assert!(!error.contains('\n'), "{text}: {error}");
    }
    let error = Expression::compile_blocking(&"1+".repeat(1000)).expect_err("no end");
    assert!(matches!(error, ExpressionError::Syntax(_)), "{error}");
    let error = Expression::compile_blocking(&"1".repeat(2001)).expect_err("too long");
    assert_eq!(error, ExpressionError::TooLong(2001));
}

/// The deepest expressions that are allowed; without a stack for them this test would be killed.
#[test]
fn depth_does_not_kill() {
    for text in [
        format!("1{} > 0", "+1".repeat(990)),
        format!("self{}", "[0]".repeat(660)),
        format!("self{}", ".a()".repeat(495)),
        format!("1{}", "<1".repeat(990)),
        format!("self{}", ".a".repeat(995)),
        format!("{}true", "!".repeat(1996)),
        format!("{}{}", "[".repeat(95), "]".repeat(95)),
        format!("{}true{}", "[1].exists(x,".repeat(94), ")".repeat(94)),
        format!("{}true{}", "(".repeat(900), ")".repeat(900)),
    ] {
        assert!(text.len() <= LONGEST, "{}", text.len());
        if let Ok(expression) = Expression::compile_blocking(&text) {
            expression.evaluate_blocking(&json!({"a": 1}));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a plugin says, this program continues.
    #[test]
    fn nothing_kills(words in prop::collection::vec(prop_oneof![
        Just("self"), Just(".status"), Just(".exists(c, c.x)"), Just("["), Just("]"), Just("("),
        Just(")"), Just("{"), Just("}"), Just("'a'"), Just("1u"), Just("-"), Just("!"),
        Just(" in "),
        Just("&&"), Just("||"), Just("?"), Just(":"), Just(","), Just("has"), Just("b'\\xff'"),
        Just("1e400"), Just("duration('1h')"), Just("timestamp"), Just("matches('('"), Just("."),
        Just("\\u00"), Just("é"), Just("\""), Just("all(x,"), Just("0x"), Just("+"), Just("%0"),
    ], 0..24)) {
        if let Ok(expression) = Expression::compile_blocking(&words.concat()) {
            expression.evaluate_blocking(&json!({"status": {"x": [1, null]}}));
        }
    }
}
