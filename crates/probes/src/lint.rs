//! Problems of the expressions of a plugin, before they meet an object.

use std::collections::BTreeSet;

use kubectl_pivot_plugin_api::{MovedKind, Probe};
use serde_json::json;

use super::expression::{Expression, Verdict};

/// One sentence for each probe whose expression is no CEL, or names something that does not exist.
pub fn lint(probes: &[Probe]) -> Vec<String> {
    let named = |probe: &Probe| problem(&format!("probe `{}`", probe.name), &probe.expression);
    probes.iter().filter_map(named).collect::<BTreeSet<_>>().into_iter().collect()
}

/// As [`lint`], for the conditions that a plugin has for the objects of kinds.
pub fn lint_rest(kinds: &[MovedKind]) -> Vec<String> {
    let of_kind = |kind: &MovedKind| {
        let of = format!("condition of {}", kind.kind);
        let found = kind.at_rest.iter().filter_map(|rest| problem(&of, &rest.expression));
        found.collect::<Vec<_>>()
    };
    kinds.iter().flat_map(of_kind).collect()
}

fn problem(of: &str, expression: &str) -> Option<String> {
    let compiled = match Expression::compile_blocking(expression) {
        Err(error) => return Some(format!("the expression of the {of}: {error}")),
        Ok(compiled) => compiled,
    };
    match compiled.evaluate_blocking(&json!({})) {
        Verdict::Undeclared(what) | Verdict::NoCondition(what) => {
            Some(format!("the expression of the {of} can never be true: {what}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_can_never_be_true() {
        let probe = |name: &str, expression: &str| Probe {
            name: name.to_owned(),
            expression: expression.to_owned(),
            ..Probe::default()
        };
        let probes = [
            probe("fine", "self.status.ready"),
            probe("broken", "self.status."),
            probe("stranger", "object.status.ready"),
            probe("sum", "1 + 1"),
        ];
        let [broken, stranger, sum] = &lint(&probes)[..] else { panic!("three are wrong") };
        assert!(sum.ends_with("can never be true: its value is a number, not true or false"));
        assert!(broken.starts_with("the expression of the probe `broken`: it is not"), "{broken}");
        assert!(stranger.contains("`stranger` can never be true: "), "{stranger}");
    }

    #[test]
    fn finds_conditions_of_rest_that_can_never_be_true() {
        let kind = MovedKind::new("g.io", "Host")
            .at_rest_if("self.status.state == 'idle'", "it is busy")
            .at_rest_if("object.status", "it is busy");
        let [found] = &lint_rest(&[kind])[..] else { panic!("one is wrong") };
        assert!(found.starts_with("the expression of the condition of Host can never"), "{found}");
    }
}
