//! Problems found before the first write, all of them in one report.

use std::fmt;

use serde::Serialize;

use crate::capi::ObjectId;

/// Whether a finding stops the move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The move is refused.
    Error,
    /// The move goes on; the user should know.
    Warning,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Whether it stops the move.
    pub severity: Severity,
    /// Stable name of the rule, for example `ProviderOlder`.
    pub rule: &'static str,
    /// `source` or `target`.
    pub cluster: &'static str,
    /// The object concerned, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.severity == Severity::Error { "error" } else { "warning" };
        write!(f, "{severity} in the {} cluster: {}", self.cluster, self.message)
    }
}

/// All problems found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// Adds an error about the source or target.
    pub fn error(
        &mut self,
        rule: &'static str,
        cluster: &'static str,
        message: String,
        hint: impl Into<String>,
    ) {
        self.add(Severity::Error, rule, cluster, None, message, hint.into());
    }

    /// Adds an error about an object.
    pub fn object_error(
        &mut self,
        rule: &'static str,
        cluster: &'static str,
        object: ObjectId,
        problem: &str,
        hint: impl Into<String>,
    ) {
        let message = format!("{object}: {problem}");
        self.add(Severity::Error, rule, cluster, Some(object), message, hint.into());
    }

    /// Adds a warning about the source or target.
    pub fn warning(
        &mut self,
        rule: &'static str,
        cluster: &'static str,
        message: String,
        hint: impl Into<String>,
    ) {
        self.add(Severity::Warning, rule, cluster, None, message, hint.into());
    }

    fn add(
        &mut self,
        severity: Severity,
        rule: &'static str,
        cluster: &'static str,
        object: Option<ObjectId>,
        message: String,
        hint: String,
    ) {
        self.0.push(Finding { severity, rule, cluster, object, message, hint });
    }

    /// Adds all of another report.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether the move must not begin.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// The findings that stop the move.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// One line: how many problems, and the first.
    pub fn summary(&self) -> String {
        let count = self.errors().count();
        match self.errors().next() {
            None => "no problem was found".to_owned(),
            Some(first) if count == 1 => first.message.clone(),
            Some(first) => format!("{count} problems were found, the first: {}", first.message),
        }
    }
}
