//! Problems of the expressions of a plugin's probes, before they meet an object.

use std::collections::BTreeSet;

use kubectl_pivot_plugin_api::Probe;
use serde_json::json;

use super::expression::{Expression, Verdict};

/// One sentence for each probe whose expression is no CEL, or names something that does not exist.
pub fn lint(probes: &[Probe]) -> Vec<String> {
    let sentences = probes.iter().filter_map(|probe| {
        let name = &probe.name;
        match Expression::compile_blocking(&probe.expression) {
            Err(error) => Some(format!("the expression of the probe `{name}`: {error}")),
            Ok(expression) => match expression.evaluate_blocking(&json!({})) {
                Verdict::Undeclared(what) => {
                    Some(format!("the expression of the probe `{name}` can never be true: {what}"))
                }
                _ => None,
            },
        }
    });
    sentences.collect::<BTreeSet<_>>().into_iter().collect()
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
        ];
        let [broken, stranger] = &lint(&probes)[..] else { panic!("two are wrong") };
        assert!(broken.starts_with("the expression of the probe `broken`: it is not"), "{broken}");
        assert!(stranger.contains("`stranger` can never be true: "), "{stranger}");
    }
}
