//! Targets of fuzzing: what keeps secrets and the escape sequences of others out of texts, and
//! YAML.

use crate::redact::{REDACTED, Redactor};
use crate::{visible, yaml};

/// The shortest secret that a redactor learns.
const SHORTEST: usize = 6;

/// A secret that was learnt is in no line of a text, wherever it stood.
pub fn redactor(text: &[u8]) {
    let text = String::from_utf8_lossy(text).into_owned();
    check_redacted("hunter2-CANARY-secret", &text);
    // The first line is a secret of any form.
    if let Some((secret, rest)) = text.split_once('\n') {
        check_redacted(secret.trim(), rest);
    }
}

fn check_redacted(secret: &str, text: &str) {
    let is_in_the_mark = REDACTED.chars().any(|c| secret.starts_with(c) || secret.ends_with(c));
    if secret.len() < SHORTEST || is_in_the_mark {
        return;
    }
    let mut redactor = Redactor::default();
    redactor.add(secret);
    let half = text.floor_char_boundary(text.len() / 2);
    let (before, behind) = text.split_at(half);
    let clean = redactor.text(&format!("{before}{secret}{behind}"));
    assert!(!clean.contains(secret), "{secret:?} is in {clean:?}");
    assert!(!redactor.holds_secret(&clean), "{secret:?} is in {clean:?}");
}

/// Nothing that a terminal obeys, and no word that a shell reads as more than a word.
pub fn sanitizer(text: &[u8]) {
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
}

/// YAML that was read is read back unchanged from what is written of it.
pub fn yaml(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let Ok(documents) = yaml::documents(&text) else { return };
    for document in documents {
        let written = yaml::document(&document);
        let again = yaml::documents(&written).expect("it was written here");
        assert_eq!(again, [document], "{written}");
    }
}

#[cfg(test)]
mod tests {
    use fuzz::pass;

    #[test]
    fn fuzz_redactor() {
        pass("redactor", super::redactor);
    }

    #[test]
    fn fuzz_sanitizer() {
        pass("sanitizer", super::sanitizer);
    }

    #[test]
    fn fuzz_yaml() {
        pass("yaml", super::yaml);
    }
}
