//! `explain`: the reference of findings, one section for each rule.
//!
//! The document that the book has is the one that is compiled in, so the two cannot differ.

use std::sync::LazyLock;

use serde::Serialize;

/// The reference, one `## RULE` for each section.
const REFERENCE: &str = include_str!("../../../docs/reference/findings.md");

static EXPLANATIONS: LazyLock<Vec<Explanation>> =
    LazyLock::new(|| REFERENCE.split("\n## ").skip(1).map(Explanation::parse).collect());

/// A rule of the preflight, explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Name of the rule, as findings have it.
    pub rule: &'static str,
    /// `error` or `warning`, and when it is the other one.
    pub severity: &'static str,
    /// The problem.
    pub meaning: String,
    /// The steps that solve it.
    pub fix: String,
    /// The reason for the check.
    pub why: String,
}

/// Returns all explanations, in the order of the reference.
pub fn explanations() -> &'static [Explanation] {
    &EXPLANATIONS
}

impl Explanation {
    fn parse(section: &'static str) -> Self {
        let (rule, body) = section.split_once("\n\n").unwrap_or((section, ""));
        let mut explanation = Self {
            rule: rule.trim(),
            severity: "",
            meaning: String::new(),
            fix: String::new(),
            why: String::new(),
        };
        for paragraph in body.split("\n\n").map(str::trim).filter(|text| !text.is_empty()) {
            let unwrapped = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some(severity) = paragraph.strip_prefix("Severity: ") {
                explanation.severity = severity;
            } else if let Some(fix) = paragraph.strip_prefix("**Fix:** ") {
                explanation.fix = unwrapped(fix);
            } else if let Some(why) = paragraph.strip_prefix("**Why:** ") {
                explanation.why = unwrapped(why);
            } else {
                explanation.meaning = unwrapped(paragraph);
            }
        }
        explanation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_is_complete() {
        assert!(!explanations().is_empty());
        for Explanation { rule, severity, meaning, fix, why } in explanations() {
            assert!(rule.chars().all(|c| c.is_ascii_alphanumeric()), "{rule}");
            assert!(severity.starts_with("error") || severity.starts_with("warning"), "{rule}");
            for text in [meaning, fix, why] {
                assert!(text.ends_with('.'), "{rule}: {text:?} is not a sentence");
            }
        }
    }

    #[test]
    fn every_paragraph_has_a_place() {
        for section in REFERENCE.split("\n## ").skip(1) {
            let paragraphs = section.split("\n\n").filter(|text| !text.trim().is_empty()).count();
            assert_eq!(paragraphs, 5, "{section}");
        }
    }
}
