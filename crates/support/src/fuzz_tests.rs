//! Fuzzing what keeps secrets and the escape sequences of others out of texts.

use fuzz::fuzz;

use crate::redact::Redactor;
use crate::visible;

/// A secret that was learnt is in no line of a text, wherever it stood.
#[test]
fn fuzz_redactor() {
    fuzz("texts", |text| {
        let text = String::from_utf8_lossy(text).into_owned();
        let secret = "hunter2-CANARY-secret";
        let mut redactor = Redactor::default();
        redactor.add(secret);
        let half = text.floor_char_boundary(text.len() / 2);
        let (before, behind) = text.split_at(half);
        let clean = redactor.text(&format!("{before}{secret}{behind}"));
        assert!(!clean.contains(secret), "{clean:?}");
        assert!(!redactor.holds_secret(&clean));
    });
}

#[test]
fn fuzz_sanitizer() {
    fuzz("texts", |text| {
        let text = String::from_utf8_lossy(text).into_owned();
        let is_obeyed = |c: char| c != '\t' && visible::is_obeyed(c);
        assert!(!visible::one_line(&text).chars().any(is_obeyed));
        assert!(!visible::lines(&text).chars().any(|c| c != '\n' && is_obeyed(c)));
        let word = visible::shell_word(&text);
        assert!(!word.chars().any(is_obeyed), "{word:?}");
        let is_quoted = word.starts_with('\'') && word.ends_with('\'');
        assert!(is_quoted || word.chars().all(|c| !" ;|&$`<>(){}*?!~#\"\\".contains(c)), "{word}");
        let json = serde_json::Value::from(text.as_str());
        let shown = visible::json(&json.to_string());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), json);
        // Output keeps the colours of the program; what is safe once stays as it is.
        let output = visible::output(&text);
        assert_eq!(visible::output(&output), output);
    });
}
