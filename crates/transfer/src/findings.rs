//! Problems found before the first write, all of them in one report.

use std::fmt;

use capi::ObjectId;
use serde::Serialize;

/// True if a finding stops the move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The move is refused.
    Error,
    /// The move continues; the user should know.
    Warning,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// `error`: the move is refused; `warning`: it continues.
    pub severity: Severity,
    /// Stable name of the rule, for example `ProviderOlder`.
    pub rule: &'static str,
    /// `source` or `target`.
    pub cluster: &'static str,
    /// The object concerned; absent when the problem is about the cluster or several objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
    /// The objects that share the problem; absent unless they are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectId>,
    /// The problem.
    pub message: String,
    /// The next step.
    pub hint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.severity == Severity::Error { "error" } else { "warning" };
        write!(f, "{severity} in the {} cluster: {}", self.cluster, self.message)
    }
}

/// Names shown of a group of objects; the rest is counted.
const SHOWN: usize = 3;

/// The first names of a list, and how many more there are.
pub(super) fn shortened(names: impl ExactSizeIterator<Item = String>, shown: usize) -> String {
    let more = names.len().saturating_sub(shown);
    let first = names.take(shown).collect::<Vec<_>>().join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
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

    /// Adds a warning about an object.
    pub fn object_warning(
        &mut self,
        rule: &'static str,
        cluster: &'static str,
        object: ObjectId,
        problem: &str,
        hint: impl Into<String>,
    ) {
        let message = format!("{object}: {problem}");
        self.add(Severity::Warning, rule, cluster, Some(object), message, hint.into());
    }

    /// Adds an error that several objects share.
    pub fn group_error(
        &mut self,
        rule: &'static str,
        cluster: &'static str,
        objects: Vec<ObjectId>,
        problem: &str,
        hint: impl Into<String>,
    ) {
        self.add_group(Severity::Error, rule, cluster, (objects, problem), hint.into());
    }

    /// Adds a warning that several objects share.
    pub fn group_warning(
        &mut self,
        rule: &'static str,
        cluster: &'static str,
        objects: Vec<ObjectId>,
        problem: &str,
        hint: impl Into<String>,
    ) {
        self.add_group(Severity::Warning, rule, cluster, (objects, problem), hint.into());
    }

    fn add_group(
        &mut self,
        severity: Severity,
        rule: &'static str,
        cluster: &'static str,
        (mut objects, problem): (Vec<ObjectId>, &str),
        hint: String,
    ) {
        let names = shortened(objects.iter().map(ToString::to_string), SHOWN);
        let message = format!("{names}: {problem}");
        let object = if objects.len() == 1 { objects.pop() } else { None };
        self.0.push(Finding { severity, rule, cluster, object, objects, message, hint });
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
        let objects = Vec::new();
        self.0.push(Finding { severity, rule, cluster, object, objects, message, hint });
    }

    /// Adds all of another report.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Returns whether the move must not begin.
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
